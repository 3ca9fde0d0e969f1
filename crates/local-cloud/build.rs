//! Makes a table of the files that the local cloud serves to browsers, so that they are in the
//! binary. A file that is added is served; no list has to name it.

use std::path::Path;
use std::{env, fs, io};

/// The name of each table, and the folder of its files.
const FOLDERS: [(&str, &str); 2] = [("PAGE", "page"), ("CHAT", "../../functions/chat/page")];

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut text = String::new();
    for (name, folder) in FOLDERS {
        let folder = Path::new(&root).join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        text += &table(name, &folder)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    fs::write(Path::new(&out).join("assets.rs"), text)
}

fn table(name: &str, folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && !file.starts_with('.') {
            files.push((file, entry.path()));
        }
    }
    files.sort();
    let mut text = format!("pub(in crate::page) const {name}: &[(&str, &[u8])] = &[\n");
    for (file, path) in files {
        text += &format!("    ({file:?}, include_bytes!({path:?})),\n");
    }
    text += "];\n";
    Ok(text)
}
