//! Keeps the account in files, so that it survives the end of the process, also by
//! SIGKILL: in `{data_dir}/state` everything but code and log events as one file that is
//! replaced as a whole, zips by their digests, each log group's events as lines that are
//! appended. What the files mean is the model's; here are only bytes.
//!
//! **A write is in its files before it is answered.** Whoever has changed something
//! writes all changes there are, its own and those of others, and those find theirs
//! written when their turn comes: however many write at once, each waits for two writes
//! at most. Lines that functions print wait for the next such write, or for
//! [`LOG_DELAY`](crate::limits::LOG_DELAY).
//!
//! Deliberately absent: protection against a loss of power (no file is synced), and
//! everything that is no state of the account: connections, invocations and
//! asynchronous events end with the process.

mod files;
mod lock;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cloud_model::{Changes, Cloud, RestoreError, Settings};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::config::{ACCOUNT_ID, REGION};
use files::Files;
use lock::Lock;

/// What of an account outlives the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keeping {
    /// Nothing: each start begins with an empty account, and nothing is written.
    #[default]
    Nothing,
    /// The account: each start goes on with what the one before left.
    Account,
    /// As [`Keeping::Account`], but this start begins with an empty one. What is there is
    /// set aside, beside the new one.
    AccountAnew,
}

/// Why an account can't be kept or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Two local clouds would write over each other.
    #[error("another local cloud keeps its account in {}", .0.display())]
    InUse(PathBuf),
    /// A file can't be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file isn't one that this version has written.
    #[error("cannot go on with the account in {}: {reason}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Whether an account is kept in this data directory.
pub fn is_kept(data_dir: &Path) -> bool {
    Files::are_in(data_dir)
}

/// Whether the account that is kept in a data directory could be gone on with. Changes
/// nothing; no local cloud may be writing there meanwhile. Blocks.
///
/// # Errors
/// What is wrong with it.
pub fn check_kept(data_dir: &Path) -> Result<(), StateError> {
    let snapshot = Files::look(data_dir)?;
    let restored = Cloud::restore(settings_to_look(), &snapshot);
    restored
        .map(|_| ())
        .map_err(|error| StateError::Unreadable {
            file: data_dir.to_owned(),
            reason: error.to_string(),
        })
}

/// Enough to read an account; nothing is served from it.
fn settings_to_look() -> Settings {
    Settings {
        account_id: ACCOUNT_ID.to_owned(),
        region: REGION.to_owned(),
        websocket_base: String::new(),
        code_base: String::new(),
        code_key: String::new(),
        function_activation: SignedDuration::ZERO,
        realism: None,
        enforce_iam: false,
    }
}

/// Removes a data directory that no local cloud uses any more, with the account in it.
/// Accounts that were set aside stay.
///
/// # Errors
/// When something can't be removed.
pub fn clear(data_dir: &Path) -> io::Result<()> {
    Files::clear(data_dir)
}

/// The files of the account that this process serves.
pub(crate) struct Store {
    /// `None`: nothing is written any more.
    open: Mutex<Option<Open>>,
    lines: Notify,
}

struct Open {
    files: Files,
    /// Everything up to this change is written.
    written: u64,
    _lock: Lock,
}

impl Store {
    /// Takes hold of the account in a data directory, and reads it.
    pub(crate) async fn open(
        data_dir: &Path,
        keeping: Keeping,
        settings: Settings,
        now: Timestamp,
    ) -> Result<(Self, Cloud), StateError> {
        let lock = Lock::take(data_dir).await?;
        let data_dir = data_dir.to_owned();
        let read = move || {
            if keeping == Keeping::AccountAnew {
                Files::set_aside(&data_dir, now)?;
            }
            let (files, snapshot) = Files::read(&data_dir)?;
            let cloud = Cloud::restore(settings, &snapshot);
            cloud
                .map_err(|error| unreadable(&files, &error))
                .map(|cloud| (files, cloud))
        };
        let read = tokio::task::spawn_blocking(read).await;
        let (files, cloud) = read.unwrap_or_else(|_| {
            let reason = "reading it failed".to_owned();
            let file = PathBuf::from("the state");
            Err(StateError::Unreadable { file, reason })
        })?;
        let open = Open {
            files,
            written: cloud.changes(),
            _lock: lock,
        };
        let store = Self {
            open: Mutex::new(Some(open)),
            lines: Notify::new(),
        };
        Ok((store, cloud))
    }

    fn open_files(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when everything up to this change is in the files. Blocks.
    ///
    /// # Errors
    /// What the operating system said; the next call writes again what is missing.
    pub(crate) fn keep(&self, change: u64, cloud: &Mutex<Cloud>) -> io::Result<()> {
        let mut open = self.open_files();
        let stopping = || io::Error::other("the local cloud is stopping");
        let open = open.as_mut().ok_or_else(stopping)?;
        if open.written >= change {
            return Ok(());
        }
        open.write(cloud)
    }

    /// Writes everything that isn't written yet, lines of logs too. Blocks.
    ///
    /// # Errors
    /// As [`Store::keep`].
    pub(crate) fn keep_all(&self, cloud: &Mutex<Cloud>) -> io::Result<()> {
        let mut open = self.open_files();
        open.as_mut().map_or(Ok(()), |open| open.write(cloud))
    }

    /// There are lines of logs that nobody waits for.
    pub(crate) fn note_lines(&self) {
        self.lines.notify_one();
    }

    /// Waits for such lines.
    pub(crate) async fn lines(&self) {
        self.lines.notified().await;
    }

    /// Writes nothing any more, and lets another process have the files.
    pub(crate) fn close(&self) {
        self.open_files().take();
    }
}

impl Open {
    fn write(&mut self, cloud: &Mutex<Cloud>) -> io::Result<()> {
        let cloud = || cloud.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let changes: Changes = cloud().take_changes();
            if let Err(error) = self.files.write(&changes) {
                cloud().lose_changes();
                return Err(error);
            }
            // A large image comes in parts, and functions go on between them.
            if !changes.go_on() {
                self.written = changes.number;
                return Ok(());
            }
        }
    }
}

fn unreadable(files: &Files, error: &RestoreError) -> StateError {
    let file = match error {
        RestoreError::Code(digest) => files.code(digest),
        RestoreError::Log { group, .. } => files.log(*group),
        _ => files.account(),
    };
    StateError::Unreadable {
        file,
        reason: error.to_string(),
    }
}
