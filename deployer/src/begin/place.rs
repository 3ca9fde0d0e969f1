//! A folder that appears with all its files, or not at all: it is filled beside its place,
//! and then gets its name.
//!
//! Whoever kills the process in between leaves a folder whose name begins with a dot and
//! ends in `.unfinished`, and nothing under the name that was asked for.

use std::io;
use std::path::{Path, PathBuf};

/// What is in the way of a folder, if something is. An empty folder isn't.
pub fn in_the_way(folder: &Path) -> Option<String> {
    let shown = folder.display();
    // A link is somebody's, wherever it leads.
    let there = folder.symlink_metadata().ok()?;
    if !there.is_dir() {
        return Some(format!("{shown} is there already, and is no folder"));
    }
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            let mut names: Vec<String> = entries
                .filter_map(|entry| Some(entry.ok()?.file_name().display().to_string()))
                .collect();
            names.sort();
            let more = names.len().saturating_sub(SHOWN);
            names.truncate(SHOWN);
            let listed = names.join(", ");
            match (names.is_empty(), more) {
                (true, _) => None,
                (false, 0) => Some(format!("{shown} is there already, with {listed}")),
                (false, more) => Some(format!(
                    "{shown} is there already, with {listed} and {more} more"
                )),
            }
        }
        Err(error) => Some(format!("{shown} is there already: {error}")),
    }
}

/// So many names of files in the way are told.
const SHOWN: usize = 3;

/// Makes `folder` with these files, each with its path below it.
///
/// # Errors
/// When something can't be written, with its path; then nothing is left.
pub fn place<'f>(
    folder: &Path,
    files: impl Iterator<Item = (&'f str, &'f str)>,
) -> Result<(), (PathBuf, io::Error)> {
    let name = folder.file_name().unwrap_or_default().display();
    let beside = format!(".{name}.{}.unfinished", std::process::id());
    let beside = folder.with_file_name(beside);
    std::fs::create_dir(&beside).map_err(|error| (beside.clone(), error))?;
    let done = fill(&beside, files)
        .and_then(|()| std::fs::rename(&beside, folder).map_err(|error| (folder.into(), error)));
    if done.is_err() {
        // The first mistake is told; what is left of this one shows itself.
        let _ = std::fs::remove_dir_all(&beside);
    }
    done
}

fn fill<'f>(
    folder: &Path,
    files: impl Iterator<Item = (&'f str, &'f str)>,
) -> Result<(), (PathBuf, io::Error)> {
    for (path, text) in files {
        let path = folder.join(path);
        let written = match path.parent() {
            Some(parent) => std::fs::create_dir_all(parent),
            None => Ok(()),
        };
        let written = written.and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| (path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().display().to_string());
        names.collect()
    }

    #[test]
    fn a_folder_gets_all_files_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("made");
        place(&folder, [("a", "1"), ("b/c", "2")].into_iter()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("b/c")).unwrap(), "2");
        assert_eq!(names(dir.path()), ["made"]);
    }

    #[test]
    fn an_empty_folder_is_taken_and_one_with_something_in_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("made");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(in_the_way(&folder), None);
        place(&folder, [("a", "1")].into_iter()).unwrap();
        let mistake = in_the_way(&folder).unwrap();
        assert!(
            mistake.ends_with("made is there already, with a"),
            "{mistake}"
        );
        let (path, _) = place(&folder, [("b", "2")].into_iter()).unwrap_err();
        assert_eq!(path, folder);
        assert_eq!(names(dir.path()), ["made"]);
        assert_eq!(names(&folder), ["a"]);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("made");
        let (path, _) = place(&folder, [("a", "1"), ("a/b", "2")].into_iter()).unwrap_err();
        assert!(path.ends_with("a/b"), "{}", path.display());
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(in_the_way(&file).unwrap().ends_with("and is no folder"));
        assert_eq!(in_the_way(&dir.path().join("nothing")), None);
        for name in ["b", "c", "d"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let mistake = in_the_way(dir.path()).unwrap();
        assert!(mistake.ends_with("with b, c, d and 1 more"), "{mistake}");
    }
}
