//! `deployer init`: stage files for a workspace that has functions already.

use std::path::Path;
use testkit::{Deployer, Ran};

fn deployer(folder: &Path) -> Deployer {
    Deployer::new(env!("CARGO_BIN_EXE_deployer"), folder)
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// A workspace in a folder `my-chat`, of packages that depend on a runtime which does
/// nothing: what it is isn't asked, and nothing is downloaded.
fn workspace(packages: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("my-chat");
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
    };
    let members = "[workspace]\nresolver = \"3\"\nmembers = [\"functions/*\", \"runtime\"]\n";
    write(&root, "Cargo.toml", members);
    write(&root, "runtime/Cargo.toml", &manifest("lambda_runtime", ""));
    write(&root, "runtime/src/lib.rs", "");
    for (package, program) in packages {
        let folder = format!("functions/{package}");
        let needs = "[dependencies]\nlambda_runtime = { path = \"../../runtime\" }\n";
        write(
            &root,
            &format!("{folder}/Cargo.toml"),
            &manifest(package, needs),
        );
        write(&root, &format!("{folder}/src/{program}"), "fn main() {}\n");
    }
    dir
}

#[test]
fn a_workspace_gets_stages_that_can_be_planned() {
    let dir = workspace(&[
        ("connect", "main.rs"),
        ("default", "main.rs"),
        ("my_room", "main.rs"),
        ("shared", "lib.rs"),
    ]);
    let root = dir.path().join("my-chat");
    // From anywhere in it.
    let said = deployer(&root.join("functions")).succeed(&["init"]);
    for part in [
        "service        my-chat\n",
        "$connect       goes to `connect`\n",
        "my-room        goes to `my-room`\n",
        "left out: `shared`: a library, without a program\n",
        "echo /.deployer >> .gitignore\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let deployer = deployer(&root);
    let shown = deployer.succeed(&["stages", "show", "alpha"]);
    assert!(shown.contains("package = \"my_room\""), "{shown}");
    deployer.succeed(&["schema", "--check"]);
    let planned = deployer.succeed(&["plan", "local"]);
    assert!(planned.contains("my-chat-local-my-room"), "{planned}");
    // Never twice.
    let service = root.join("stages/service.toml");
    std::fs::write(&service, "service = \"mine\"\n").expect("a file");
    let Ran { code, stderr, .. } = deployer.run(&["init"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("stages is there already, with alpha.toml"),
        "{stderr}"
    );
    assert_eq!(
        std::fs::read_to_string(service).expect("a file"),
        "service = \"mine\"\n"
    );
}

#[test]
fn the_services_name_can_be_given() {
    let dir = workspace(&[("hello", "main.rs")]);
    let root = dir.path().join("my-chat");
    deployer(&root).succeed(&["init", "--service", "greeter"]);
    let shown = deployer(&root).succeed(&["stages", "show", "local"]);
    assert!(shown.contains("service = \"greeter\""), "{shown}");
}

#[test]
fn all_that_is_in_the_way_is_told_at_once() {
    let dir = workspace(&[("shared", "lib.rs"), ("many", "bin/one.rs")]);
    let root = dir.path().join("my-chat");
    write(&root, "stages/notes", "mine");
    let Ran { code, stderr, .. } = deployer(&root).run(&["init", "--service", "My"]);
    assert_eq!(code, 2, "{stderr}");
    for mistake in [
        "stages is there already, with notes\n",
        "no function is among the 3 packages of ",
        "`many`: its programs are called one, and the deployer builds those called as their package\n",
        "`shared`: a library, without a program\n",
        "`My` can't be a service's name",
        "nothing was written",
    ] {
        assert!(stderr.contains(mistake), "{mistake}: {stderr}");
    }
    assert!(!root.join("stages/service.toml").exists());
}

#[test]
fn where_there_is_no_workspace_it_is_said_how_to_begin() {
    let dir = tempfile::tempdir().expect("a folder");
    let Ran { code, stderr, .. } = deployer(dir.path()).run(&["init"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.starts_with("error: there is no Cargo workspace to adopt here: "),
        "{stderr}"
    );
    assert!(stderr.contains("deployer new NAME"), "{stderr}");
}
