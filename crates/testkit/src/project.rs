//! A project of one tiny function, which compiles in a moment.

use std::path::Path;
use std::process::Command;

/// The project, in a folder of its own.
pub struct TinyProject(tempfile::TempDir);

impl TinyProject {
    /// Its function's code.
    pub const MAIN: &str = "fn main() {}\n";

    /// The code of one that serves events: it logs each, and fails where a body says `fail`.
    pub const SERVING: &str = include_str!("../fixtures/serving.rs");

    /// The code of one that answers each message with a word, and else as the other does.
    ///
    /// # Panics
    /// When the fixture has changed.
    pub fn answering(word: &str) -> String {
        let code = include_str!("../fixtures/answering.rs");
        let (before, after) = code.split_once("\"one\"").expect("its word");
        format!("{before}{word:?}{after}")
    }

    /// With a stage `local` and no other.
    ///
    /// # Panics
    /// When there is no place for it.
    pub fn new() -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        project.write(
            "Cargo.toml",
            "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
        );
        project.write("src/main.rs", Self::MAIN);
        project.write(
            "stages/service.toml",
            "service = \"tiny\"\n[functions.tiny]\n[routes]\n\"$default\" = \"tiny\"\n",
        );
        project.write("stages/local.toml", "target = \"local\"\n");
        project
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file of it.
    ///
    /// # Panics
    /// When that isn't possible.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Runs git in it, as somebody.
    ///
    /// # Panics
    /// When git isn't there, or fails.
    pub fn git(&self, arguments: &[&str]) {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let done = Command::new("git")
            .args(who)
            .args(arguments)
            .current_dir(self.path())
            .output();
        let done = done.expect("git runs");
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }
}

impl Default for TinyProject {
    fn default() -> Self {
        Self::new()
    }
}
