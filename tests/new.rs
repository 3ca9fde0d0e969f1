//! `deployer new`: a project that is there as a whole or not at all. `tests/tutorial/run`
//! builds one, and takes it to AWS's wire.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Deployer, Ran};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn deployer(folder: &Path) -> Deployer {
    Deployer::new(env!("CARGO_BIN_EXE_deployer"), folder)
}

/// A folder's files and what stands in them.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let below = path.strip_prefix(folder).expect("below it").to_owned();
                    found.insert(below, std::fs::read_to_string(&path).expect("a text"));
                }
            }
        }
    }
    found
}

/// Cargo on a project, without network.
fn cargo(project: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(project)
        .output()
        .expect("cargo runs");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn a_project_is_made_with_stages_that_are_read_and_packages_that_cargo_knows() {
    for (template, functions) in [
        (
            "chat",
            ["connect", "default", "disconnect", "room"].as_slice(),
        ),
        ("echo", &["echo"]),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let said = deployer(dir.path()).succeed(&["new", "my-own", "--template", template]);
        assert!(said.contains("cd my-own\n"), "{said}");
        let project = dir.path().join("my-own");
        let shown = deployer(&project).succeed(&["stages", "show", "local"]);
        assert!(shown.contains("service = \"my-own\""), "{shown}");
        let metadata = cargo(&project, &["metadata", "--format-version=1", "--no-deps"]);
        let metadata: serde_json::Value =
            serde_json::from_str(&metadata.expect("a workspace")).expect("JSON");
        let packages = metadata["packages"].as_array().expect("packages");
        for function in functions {
            assert!(
                packages.iter().any(|it| it["name"] == *function),
                "{function}"
            );
        }
        let formatted = Command::new(env!("CARGO"))
            .args(["fmt", "--all", "--check"])
            .current_dir(&project)
            .status();
        assert!(formatted.expect("it runs").success());
        // Nothing is left beside it.
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 1);
    }
}

/// What cargo makes of this repository's lock file for a project. With UPDATE_DOCS=1 it is
/// written to where the templates are.
#[test]
fn the_lock_of_a_project_is_this_repositorys_as_far_as_it_is_needed() {
    let whole = repository().join("Cargo.lock");
    for template in ["chat", "echo"] {
        let dir = tempfile::tempdir().expect("a folder");
        deployer(dir.path()).succeed(&["new", "my-own", "--template", template]);
        let project = dir.path().join("my-own");
        let lock = project.join("Cargo.lock");
        let shipped = std::fs::read_to_string(&lock).expect("a lock file");
        std::fs::copy(&whole, &lock).expect("a lock file");
        cargo(&project, &["update", "--workspace"]).expect("cargo knows all of it already");
        let pruned = std::fs::read_to_string(&lock).expect("a lock file");
        let kept = format!("deployer/templates/{template}/Cargo.lock");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(repository().join(&kept), &pruned).expect("a file");
            continue;
        }
        assert!(
            pruned == shipped,
            "{kept} isn't Cargo.lock's any more: UPDATE_DOCS=1 writes it"
        );
    }
}

#[test]
fn all_that_is_in_the_way_is_told_and_nothing_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("My_Chat")).expect("a folder");
    std::fs::write(dir.path().join("My_Chat/notes"), "mine").expect("a file");
    let before = files(dir.path());
    let deployer = deployer(dir.path());
    let Ran { code, stderr, .. } = deployer.run(&["new", "My_Chat"]);
    assert_eq!(code, 2, "{stderr}");
    for mistake in [
        "error: can't make the project:\n",
        "`My_Chat` can't be a service's name: 2 to 28 of a-z, 0-9 and -",
        "My_Chat is there already, with notes\n",
        "next: run: deployer new NAME",
    ] {
        assert!(stderr.contains(mistake), "{mistake}: {stderr}");
    }
    for (name, mistake) in [
        ("no/chat", "there is no folder no\n"),
        (".", "`.` has no name of its own"),
        ("..", "`..` has no name of its own"),
    ] {
        let Ran { code, stderr, .. } = deployer.run(&["new", name]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(mistake), "{mistake}: {stderr}");
    }
    assert_eq!(files(dir.path()), before);
}

#[test]
fn an_empty_folder_is_filled_and_a_second_time_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("my-chat")).expect("a folder");
    let deployer = deployer(dir.path());
    deployer.succeed(&["new", "my-chat", "--template", "echo"]);
    let made = files(dir.path());
    assert!(
        made.contains_key(Path::new("my-chat/.gitignore")),
        "{made:?}"
    );
    let Ran { code, stderr, .. } = deployer.run(&["new", "my-chat"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("my-chat is there already, with"),
        "{stderr}"
    );
    assert_eq!(files(dir.path()), made);
}

#[test]
fn it_needs_neither_a_home_nor_a_project() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = deployer(dir.path()).command(&["new", "my-echo", "--template", "echo"]);
    let output = command.env_clear().output().expect("the binary runs");
    let ran = Ran::from(output);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        dir.path()
            .join("my-echo/functions/echo/src/main.rs")
            .is_file()
    );
}
