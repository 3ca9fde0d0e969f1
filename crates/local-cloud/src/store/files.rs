//! The files of an account:
//!
//! ```text
//! state/account.json       everything but code and log events
//! state/code/{sha256}.zip  written once, removed when nothing refers to it
//! state/logs/{number}.log  a log group's events, a line each change
//! ```
//!
//! A file that is replaced is written beside its place first, as `*.new`, and renamed:
//! whoever reads finds the former one or this one, never a half. A `*.new` is what a
//! killed process was writing, and counts for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cloud_model::{Changes, LogBytes, Snapshot, State};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::StateError;

const STATE: &str = "state";
/// Begins the names of accounts that were set aside.
const ASIDE: &str = "state-until-";
const ACCOUNT: &str = "account.json";
const CODE: &str = "code";
const CODE_EXTENSION: &str = "zip";
const LOGS: &str = "logs";
const LOG_EXTENSION: &str = "log";
const NEW: &str = "new";

/// The files, and what is known to be in them.
pub(super) struct Files {
    dir: PathBuf,
    account: Vec<u8>,
    code: BTreeSet<String>,
    logs: BTreeSet<u64>,
}

impl Files {
    /// Whether an account is there.
    pub(super) fn are_in(data_dir: &Path) -> bool {
        data_dir.join(STATE).join(ACCOUNT).is_file()
    }

    /// Moves the account that is there out of the way.
    pub(super) fn set_aside(data_dir: &Path, now: Timestamp) -> Result<(), StateError> {
        if !Self::are_in(data_dir) {
            return Ok(());
        }
        let aside = format!("{ASIDE}{}", now.strftime("%Y%m%dT%H%M%S%3f"));
        let dir = data_dir.join(STATE);
        fs::rename(&dir, data_dir.join(aside)).map_err(|source| failed(&dir, source))
    }

    /// Removes everything but what was set aside.
    pub(super) fn clear(data_dir: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(data_dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let removed = match entry.file_type()?.is_dir() {
                true if entry.file_name().to_string_lossy().starts_with(ASIDE) => Ok(()),
                true => fs::remove_dir_all(entry.path()),
                false => fs::remove_file(entry.path()),
            };
            if let Err(error) = removed
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        // Not empty: something was set aside.
        let _left = fs::remove_dir(data_dir);
        Ok(())
    }

    /// Reads everything that is there; nothing is an empty account.
    pub(super) fn read(data_dir: &Path) -> Result<(Self, Snapshot), StateError> {
        let dir = data_dir.join(STATE);
        for sub in [&dir, &dir.join(CODE), &dir.join(LOGS)] {
            // Secrets' values are in there, in clear: nobody else is to read them.
            let made = DirBuilder::new().recursive(true).mode(0o700).create(sub);
            made.map_err(|source| failed(sub, source))?;
        }
        for sub in [CODE, LOGS] {
            remove_halves(&dir.join(sub))?;
        }
        for (_, path) in listed(&dir.join(LOGS), LOG_EXTENSION)? {
            cut_half_a_line(&path).map_err(|source| failed(&path, source))?;
        }
        let snapshot = Self::look(data_dir)?;
        let files = Self {
            dir,
            account: snapshot.state.clone(),
            code: snapshot.code.keys().cloned().collect(),
            logs: snapshot.logs.keys().copied().collect(),
        };
        Ok((files, snapshot))
    }

    /// Reads everything that is there, and leaves it as it is.
    pub(super) fn look(data_dir: &Path) -> Result<Snapshot, StateError> {
        let dir = data_dir.join(STATE);
        let mut snapshot = Snapshot::default();
        let account = dir.join(ACCOUNT);
        snapshot.state = match fs::read(&account) {
            Ok(text) if text.is_empty() => return Err(damaged(account, "it is empty")),
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(failed(&account, source)),
        };
        for (digest, path) in listed(&dir.join(CODE), CODE_EXTENSION)? {
            let zip = fs::read(&path).map_err(|source| failed(&path, source))?;
            if hexadecimal(&Sha256::digest(&zip)) != digest {
                return Err(damaged(path, "its content isn't what its name says"));
            }
            snapshot.code.insert(digest, Arc::new(Bytes::from(zip)));
        }
        for (number, path) in listed(&dir.join(LOGS), LOG_EXTENSION)? {
            if let Ok(number) = number.parse() {
                let lines = whole_lines(&path).map_err(|source| failed(&path, source))?;
                snapshot.logs.insert(number, lines);
            }
        }
        Ok(snapshot)
    }

    pub(super) fn account(&self) -> PathBuf {
        self.dir.join(ACCOUNT)
    }

    pub(super) fn code(&self, digest: &str) -> PathBuf {
        let name = Path::new(digest).with_extension(CODE_EXTENSION);
        self.dir.join(CODE).join(name)
    }

    pub(super) fn log(&self, group: u64) -> PathBuf {
        let name = Path::new(&group.to_string()).with_extension(LOG_EXTENSION);
        self.dir.join(LOGS).join(name)
    }

    /// Writes changes in an order in which being killed leaves an account: what is
    /// referred to comes first, what isn't any more goes last.
    pub(super) fn write(&mut self, changes: &Changes) -> io::Result<()> {
        if let Some(state) = &changes.state {
            self.write_code(&state.code)?;
        }
        for (group, bytes) in &changes.logs {
            self.logs.insert(*group);
            match bytes {
                LogBytes::Append(bytes) => append(&self.log(*group), bytes)?,
                LogBytes::Image { bytes, first, last } => {
                    let (file, new) = (self.log(*group), self.log(*group).with_extension(NEW));
                    match first {
                        true => fs::write(&new, bytes)?,
                        false => append(&new, bytes)?,
                    }
                    if *last {
                        fs::rename(&new, &file)?;
                    }
                }
            }
        }
        if let Some(state) = &changes.state {
            if state.text != self.account {
                replace(&self.account(), &state.text)?;
                self.account.clone_from(&state.text);
            }
            self.collect(state);
        }
        Ok(())
    }

    fn write_code(&mut self, code: &BTreeMap<String, Arc<Bytes>>) -> io::Result<()> {
        for (digest, zip) in code {
            if !self.code.contains(digest) {
                replace(&self.code(digest), zip)?;
                self.code.insert(digest.clone());
            }
        }
        Ok(())
    }

    /// Removes what nothing refers to. What can't be removed now stays listed, and is
    /// tried again after the next change.
    fn collect(&mut self, state: &State) {
        let unneeded = self.code.iter().filter(|it| !state.code.contains_key(*it));
        for digest in unneeded.cloned().collect::<Vec<_>>() {
            if is_gone(&self.code(&digest)) {
                self.code.remove(&digest);
            }
        }
        let unneeded = self.logs.difference(&state.log_groups);
        for group in unneeded.copied().collect::<Vec<_>>() {
            if is_gone(&self.log(group)) {
                self.logs.remove(&group);
            }
        }
    }
}

/// Files with this extension, by the rest of their names. No folder has none.
fn listed(dir: &Path, extension: &str) -> Result<Vec<(String, PathBuf)>, StateError> {
    let mut found = Vec::new();
    for path in entries(dir)? {
        let of_file = path.extension().and_then(|it| it.to_str());
        match (of_file, path.file_stem().and_then(|it| it.to_str())) {
            (Some(it), Some(stem)) if it == extension => found.push((stem.to_owned(), path)),
            _ => {}
        }
    }
    Ok(found)
}

/// Removes what was being written.
fn remove_halves(dir: &Path) -> Result<(), StateError> {
    for path in entries(dir)? {
        if path.extension().is_some_and(|it| it == NEW) {
            let _left = fs::remove_file(&path);
        }
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, StateError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(|source| failed(dir, source))?;
    Ok(entries.into_iter().map(|entry| entry.path()).collect())
}

/// A file's lines, without one that was being written.
fn whole_lines(path: &Path) -> io::Result<Vec<u8>> {
    let mut lines = fs::read(path)?;
    let end = lines.iter().rposition(|byte| *byte == b'\n');
    lines.truncate(end.map_or(0, |place| place + 1));
    Ok(lines)
}

/// Cuts off a line that was being written: the next one would be appended to it.
fn cut_half_a_line(path: &Path) -> io::Result<()> {
    let end = whole_lines(path)?.len() as u64;
    if end < fs::metadata(path)?.len() {
        OpenOptions::new().write(true).open(path)?.set_len(end)?;
    }
    Ok(())
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(bytes)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension(NEW);
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}

fn is_gone(path: &Path) -> bool {
    match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(path: &Path, source: io::Error) -> StateError {
    StateError::Io {
        path: path.to_owned(),
        source,
    }
}

fn damaged(file: PathBuf, reason: &str) -> StateError {
    StateError::Unreadable {
        file,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip(content: &str) -> (String, Arc<Bytes>) {
        let bytes = Bytes::from(content.to_owned());
        (hexadecimal(&Sha256::digest(&bytes)), Arc::new(bytes))
    }

    fn changes(text: &str, code: &[&str], log_groups: &[u64]) -> Changes {
        Changes {
            number: 1,
            state: Some(State {
                text: text.as_bytes().to_vec(),
                code: code.iter().map(|content| zip(content)).collect(),
                log_groups: log_groups.iter().copied().collect(),
            }),
            logs: Vec::new(),
        }
    }

    fn lines(group: u64, bytes: LogBytes) -> Changes {
        Changes {
            number: 1,
            state: None,
            logs: vec![(group, bytes)],
        }
    }

    fn read(dir: &tempfile::TempDir) -> (Files, Snapshot) {
        Files::read(dir.path()).unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (mut files, empty) = read(&dir);
        assert_eq!(empty, Snapshot::default());
        assert!(!Files::are_in(dir.path()));
        files.write(&changes("first", &["a", "b"], &[3])).unwrap();
        let append = |text: &str| lines(3, LogBytes::Append(text.into()));
        files.write(&append("one\n")).unwrap();
        files.write(&append("two\n")).unwrap();
        let (mut files, snapshot) = read(&dir);
        assert_eq!(snapshot.state, b"first");
        assert_eq!(snapshot.code, [zip("a"), zip("b")].into());
        assert_eq!(snapshot.logs, [(3, b"one\ntwo\n".to_vec())].into());
        let image = |text: &str, first, last| {
            let bytes = text.into();
            lines(3, LogBytes::Image { bytes, first, last })
        };
        files
            .write(&image("of one that was lost\n", true, false))
            .unwrap();
        files.write(&image("all\n", true, false)).unwrap();
        let untouched = fs::read(files.log(3)).unwrap();
        assert_eq!(untouched, b"one\ntwo\n");
        files.write(&image("of it\n", false, true)).unwrap();
        assert_eq!(read(&dir).1.logs[&3], b"all\nof it\n");
    }

    #[test]
    fn nobody_else_can_read_the_account() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        read(&dir);
        let state = fs::metadata(dir.path().join(STATE)).unwrap();
        assert_eq!(state.permissions().mode() & 0o077, 0);
    }

    #[test]
    fn code_and_logs_that_nothing_refers_to_are_collected() {
        let dir = tempfile::tempdir().unwrap();
        let (mut files, _) = read(&dir);
        files.write(&changes("one", &["a", "b"], &[1, 2])).unwrap();
        for group in [1, 2] {
            let line = LogBytes::Append(b"x\n".to_vec());
            files.write(&lines(group, line)).unwrap();
        }
        let (mut files, _) = read(&dir);
        files.write(&changes("two", &["b"], &[2])).unwrap();
        let (_, left) = read(&dir);
        assert_eq!(left.code, [zip("b")].into());
        assert_eq!(left.logs.into_keys().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn what_a_killed_process_was_writing_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (mut files, _) = read(&dir);
        files.write(&changes("whole", &["a"], &[1])).unwrap();
        files
            .write(&lines(1, LogBytes::Append(b"whole\n".to_vec())))
            .unwrap();
        let state = dir.path().join(STATE);
        fs::write(state.join("account.new"), "hal").unwrap();
        fs::write(files.code("0123").with_extension(NEW), "hal").unwrap();
        append(&files.log(1), b"hal").unwrap();
        let (mut files, snapshot) = read(&dir);
        assert_eq!(snapshot.state, b"whole");
        assert_eq!(snapshot.code.len(), 1);
        assert_eq!(snapshot.logs[&1], b"whole\n");
        files
            .write(&lines(1, LogBytes::Append(b"next\n".to_vec())))
            .unwrap();
        assert_eq!(read(&dir).1.logs[&1], b"whole\nnext\n");
    }

    #[test]
    fn who_only_looks_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Files::look(dir.path()).unwrap(), Snapshot::default());
        assert!(!dir.path().join(STATE).exists());
        let (mut files, _) = read(&dir);
        files.write(&changes("whole", &["a"], &[1])).unwrap();
        append(&files.log(1), b"whole\nhal").unwrap();
        let half = files.code("0123").with_extension(NEW);
        fs::write(&half, "hal").unwrap();
        let snapshot = Files::look(dir.path()).unwrap();
        assert_eq!(snapshot.logs[&1], b"whole\n");
        assert!(half.exists());
        assert_eq!(fs::read(files.log(1)).unwrap(), b"whole\nhal");
    }

    #[test]
    fn a_file_whose_content_is_another_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (mut files, _) = read(&dir);
        files.write(&changes("whole", &["a"], &[])).unwrap();
        let code = files.code(&zip("a").0);
        fs::write(&code, "b").unwrap();
        match Files::read(dir.path()) {
            Err(StateError::Unreadable { file, .. }) => assert_eq!(file, code),
            other => panic!("{:?}", other.map(|(_, snapshot)| snapshot)),
        }
    }

    #[test]
    fn an_account_that_is_set_aside_stays_beside_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let now = "2026-01-02T03:04:05.678Z".parse().unwrap();
        Files::set_aside(dir.path(), now).unwrap();
        let (mut files, _) = read(&dir);
        files.write(&changes("former", &[], &[])).unwrap();
        Files::set_aside(dir.path(), now).unwrap();
        assert_eq!(read(&dir).1, Snapshot::default());
        let aside = dir.path().join("state-until-20260102T030405678");
        assert_eq!(fs::read(aside.join(ACCOUNT)).unwrap(), b"former");
        Files::clear(dir.path()).unwrap();
        let left = fs::read_dir(dir.path()).unwrap();
        assert_eq!(left.count(), 1);
        assert!(aside.is_dir());
    }
}
