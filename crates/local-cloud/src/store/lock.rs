//! Who writes the files of an account: one process, as long as it lives.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use tokio::time::{Instant, sleep};

use super::StateError;
use crate::limits::{LOCK_LOOK_AGAIN, LOCK_WAIT};

/// Beside the account's folder, which may be set aside.
const NAME: &str = "state.lock";

/// The right to write; gone with the process, also when it is killed.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, if need be from a process that is about to end: its port is free a
    /// moment before its files are.
    pub(super) async fn take(data_dir: &Path) -> Result<Self, StateError> {
        let path = data_dir.join(NAME);
        let failed = |source| StateError::Io {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(data_dir).map_err(failed)?;
        let file = File::create(&path).map_err(failed)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_WAIT => {
                    sleep(LOCK_LOOK_AGAIN).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StateError::InUse(data_dir.to_owned()));
                }
            }
        }
    }
}
