//! What `new` and `init` have made, and what comes next.

use super::text;
use crate::begin::guess::Guess;
use std::fmt::Write;
use std::path::Path;

/// A project is made.
pub fn project(folder: &Path, files: usize, greeting: &str) {
    text::result(&said_of_project(folder, files, greeting));
}

fn said_of_project(folder: &Path, files: usize, greeting: &str) -> String {
    let folder = folder.display();
    format!(
        "{folder} is made: {files} files\n\
         next:\n  \
           cd {folder}\n  \
           deployer up local         builds the functions and deploys them on this machine\n  \
           deployer connect local    talks to them: {greeting}\n  \
           deployer dev              deploys whenever you save\n  \
           cargo test\n\
         README.md has the rest."
    )
}

/// A workspace that got stage files.
pub struct Adopted<'a> {
    /// Where they are.
    pub folder: &'a Path,
    /// What the service is called.
    pub service: &'a str,
    /// What its functions are taken for.
    pub guess: &'a Guess,
    /// Packages that might have been functions, and why they aren't.
    pub left_out: Vec<String>,
    /// Whether git ignores what is made on this machine.
    pub ignored: bool,
}

/// Stage files are written.
pub fn adopted(adopted: &Adopted<'_>) {
    text::result(&said_of_adopted(adopted));
}

fn said_of_adopted(adopted: &Adopted<'_>) -> String {
    let guess = adopted.guess;
    let mut said = format!(
        "{} is made: service.toml, local.toml, alpha.toml and their schemas\n\
         guessed:\n  service        {}\n",
        adopted.folder.display(),
        adopted.service
    );
    for (route, function) in &guess.routes {
        let _ = writeln!(said, "  {route:<14} goes to `{function}`");
    }
    if let Some(function) = &guess.authorizer {
        let _ = writeln!(said, "  authorizer     is `{function}`");
    }
    for package in &adopted.left_out {
        let _ = writeln!(said, "left out: {package}");
    }
    said.push_str("next:\n");
    if !adopted.ignored {
        said.push_str("  echo /.deployer >> .gitignore\n");
    }
    said.push_str(
        "  deployer stages show local    what the files come to; change what was guessed wrong\n  \
           deployer up local             builds the functions and deploys them on this machine",
    );
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::begin::guess::guess;

    #[test]
    fn what_is_made_is_said_with_what_comes_next() {
        let folder = Path::new("projects/my-chat");
        insta::assert_snapshot!(said_of_project(folder, 12, "hi there"));
    }

    #[test]
    fn guesses_are_told_as_such() {
        let guess = guess(["authorize", "connect", "default", "my_room"].into_iter());
        insta::assert_snapshot!(said_of_adopted(&Adopted {
            folder: Path::new("stages"),
            service: "my-chat",
            guess: &guess,
            left_out: vec!["`many`: its programs are called one, two".to_owned()],
            ignored: false,
        }));
    }
}
