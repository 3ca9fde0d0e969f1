//! The files of a bundle, in a folder or in one archive: the manifest and the zips it
//! names.
//!
//! A bundle appears whole or not at all: an archive is renamed to its place, and a folder
//! gets its manifest last, having lost the former one first.

use super::BundleError;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The manifest's name.
pub(super) const MANIFEST: &str = "manifest.json";
/// What a name ends in that is an archive's.
const ARCHIVE: &str = "zip";
/// While it is written.
const UNFINISHED: &str = "unfinished";
/// The largest bundle, in bytes: a stage has some ten functions of a few MB.
const BUNDLE_LIMIT: u64 = 1 << 30;

/// Everything that is in a bundle.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Writes them.
pub(super) fn write(out: &Path, files: &Files) -> Result<(), BundleError> {
    let unwritable = |error| BundleError::Unwritable(out.to_owned(), error);
    match is_archive(out) {
        true => {
            if let Some(parent) = out.parent() {
                fs::create_dir_all(parent).map_err(unwritable)?;
            }
            let archive = archive(files).map_err(unwritable)?;
            replace(out, &archive).map_err(unwritable)
        }
        false => write_folder(out, files, unwritable),
    }
}

fn is_archive(path: &Path) -> bool {
    !path.is_dir()
        && path
            .extension()
            .is_some_and(|extension| extension == ARCHIVE)
}

fn write_folder(
    out: &Path,
    files: &Files,
    unwritable: impl Fn(std::io::Error) -> BundleError,
) -> Result<(), BundleError> {
    fs::create_dir_all(out).map_err(&unwritable)?;
    let former = names(out).map_err(&unwritable)?;
    let foreign = |name: &&String| {
        let ends = [ARCHIVE, UNFINISHED].map(|end| name.ends_with(&format!(".{end}")));
        *name != MANIFEST && !ends.contains(&true)
    };
    if let Some(foreign) = former.iter().find(foreign) {
        return Err(BundleError::Occupied(out.to_owned(), foreign.clone()));
    }
    // The manifest first: without it, nothing of what is left is a bundle.
    for name in former.iter().filter(|name| *name == MANIFEST) {
        fs::remove_file(out.join(name)).map_err(&unwritable)?;
    }
    for name in former.iter().filter(|name| *name != MANIFEST) {
        fs::remove_file(out.join(name)).map_err(&unwritable)?;
    }
    for (name, content) in files.iter().filter(|(name, _)| *name != MANIFEST) {
        fs::write(out.join(name), content).map_err(&unwritable)?;
    }
    let manifest = files.get(MANIFEST).map(Vec::as_slice).unwrap_or_default();
    replace(&out.join(MANIFEST), manifest).map_err(unwritable)
}

/// Puts a whole file in a place.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{}.{UNFINISHED}", std::process::id()));
    let unfinished = path.with_file_name(name);
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Stored, since they are zips; the same files give the same bytes.
fn archive(files: &Files) -> std::io::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, content) in files {
        writer.start_file(name.as_str(), options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// Reads them, whatever the manifest says.
pub(super) fn read(path: &Path) -> Result<Files, BundleError> {
    let unreadable = |error| BundleError::Unreadable(path.to_owned(), error);
    let files = match fs::metadata(path).map_err(unreadable)?.is_dir() {
        true => read_folder(path).map_err(unreadable)?,
        false => {
            let bytes = limited(path, BUNDLE_LIMIT).map_err(unreadable)?;
            let no_bundle = |error| BundleError::NoBundle(path.to_owned(), error);
            let files = read_archive(&bytes).map_err(|error| no_bundle(error.to_string()))?;
            // Any other bytes, also those that nobody reads, weren't written by us.
            let same = archive(&files).is_ok_and(|made| made == bytes);
            if !same {
                let what = "the archive isn't as the deployer writes it".to_owned();
                return Err(BundleError::Changed(path.to_owned(), what));
            }
            files
        }
    };
    match files.contains_key(MANIFEST) {
        true => Ok(files),
        false => Err(BundleError::NoBundle(
            path.to_owned(),
            format!("it has no {MANIFEST}; an interrupted `deployer package` leaves it so"),
        )),
    }
}

fn read_folder(folder: &Path) -> std::io::Result<Files> {
    let mut files = Files::new();
    let mut room = BUNDLE_LIMIT;
    for name in names(folder)? {
        let path: PathBuf = folder.join(&name);
        let content = limited(&path, room)?;
        room -= content.len() as u64;
        files.insert(name, content);
    }
    Ok(files)
}

fn read_archive(bytes: &[u8]) -> Result<Files, zip::result::ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut files = Files::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let mut content = Vec::new();
        // Stored, it can't be longer than the archive.
        entry.take(bytes.len() as u64).read_to_end(&mut content)?;
        files.insert(name, content);
    }
    Ok(files)
}

fn limited(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    // Opening anything else, such as a pipe, could take forever.
    if !fs::metadata(path)?.is_file() {
        let name = path.file_name().unwrap_or_default().display().to_string();
        return Err(std::io::Error::other(format!("{name} is no file")));
    }
    let mut content = Vec::new();
    File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut content)?;
    match content.len() as u64 > limit {
        true => Err(std::io::Error::other(format!(
            "it has more than the {BUNDLE_LIMIT} bytes that a bundle may have"
        ))),
        false => Ok(content),
    }
}
