//! That templates stay what this repository is. That they build is `tests/tutorial/run`'s
//! to see.

use super::*;
use deployer_core::stage_file::{FileText, read};
use std::collections::BTreeSet;
use std::path::Path;
use toml::{Table, Value};

const ALL: [Template; 2] = [Template::Chat, Template::Echo];

/// Only this repository has it: see `adapted`.
const LEFT_OUT: &str = "functions/room/tests/schema.rs";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn files_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files_below(&path, found),
            false => {
                let below = path.strip_prefix(repository()).unwrap();
                found.insert(below.display().to_string());
            }
        }
    }
}

fn of<'f>(files: &'f [File], path: &str) -> &'f str {
    let found = files.iter().find(|file| file.path == path);
    &found.unwrap_or_else(|| panic!("no {path}")).text
}

fn manifest(template: Template) -> Table {
    let files = template.files("my-chat");
    of(&files, "Cargo.toml").parse().unwrap()
}

fn own_manifest() -> Table {
    let text = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    text.parse().unwrap()
}

fn at<'v>(table: &'v Table, path: &[&str]) -> &'v Value {
    let mut value = &table[path[0]];
    for key in &path[1..] {
        value = &value[*key];
    }
    value
}

#[test]
fn every_file_of_their_packages_is_in_a_project() {
    for template in ALL {
        let files = template.files("my-chat");
        let paths: BTreeSet<String> = files.iter().map(|file| file.path.to_owned()).collect();
        assert_eq!(paths.len(), files.len(), "{template:?} has one twice");
        let packages: BTreeSet<&str> = paths
            .iter()
            .filter_map(|path| path.strip_prefix("functions/")?.split('/').next())
            .collect();
        for package in packages {
            let mut there = BTreeSet::new();
            let folder = Path::new("functions").join(package);
            files_below(&repository().join(&folder), &mut there);
            there.remove(LEFT_OUT);
            let missing: Vec<&String> = there.difference(&paths).collect();
            assert!(missing.is_empty(), "{template:?} lacks {missing:?}");
        }
    }
}

#[test]
fn what_they_depend_on_is_what_this_repository_depends_on() {
    let own = own_manifest();
    for template in ALL {
        let manifest = manifest(template);
        let known = at(&own, &["workspace", "dependencies"]);
        let dependencies = at(&manifest, &["workspace", "dependencies"]);
        for (name, wanted) in dependencies.as_table().unwrap() {
            assert_eq!(Some(wanted), known.get(name), "{template:?}: {name}");
        }
    }
}

#[test]
fn they_are_compiled_as_this_repository_is() {
    let own = own_manifest();
    for template in ALL {
        let manifest = manifest(template);
        for key in ["version", "edition", "rust-version"] {
            let path = ["workspace", "package", key];
            assert_eq!(at(&manifest, &path), at(&own, &path), "{template:?}");
        }
        assert_eq!(
            at(&manifest, &["profile", "release"]),
            at(&own, &["profile", "release"])
        );
        // Others would tell of mistakes that `cargo clippy` doesn't see here.
        for tool in ["rust", "clippy"] {
            let known = at(&own, &["workspace", "lints", tool]);
            let lints = at(&manifest, &["workspace", "lints", tool]);
            for (name, level) in lints.as_table().unwrap() {
                assert_eq!(Some(level), known.get(name), "{template:?}: {name}");
            }
        }
    }
}

#[test]
fn their_stages_can_be_read_and_have_the_projects_name() {
    for template in ALL {
        let files = template.files("my-own");
        let path = "stages/service.toml";
        let service = FileText {
            path,
            text: of(&files, path),
        };
        let stages: Vec<&File> = files
            .iter()
            .filter(|file| file.path.starts_with("stages/") && file.path.ends_with(".toml"))
            .filter(|file| file.path != path)
            .collect();
        assert!(stages.len() > 1, "{template:?}");
        for File { path, text } in stages {
            // A template of stages takes any other name.
            let read = read("some", service, FileText { path, text });
            let definition = read.unwrap_or_else(|problems| panic!("{path}: {problems:?}"));
            assert_eq!(definition.identity.service, "my-own", "{path}");
        }
    }
}

#[test]
fn nothing_is_left_to_be_filled_in_or_leads_to_what_is_not_there() {
    for template in ALL {
        let files = template.files("my-chat");
        for File { path, text } in &files {
            if !path.starts_with("functions/") {
                assert!(!text.contains("{name}"), "{path}");
                assert!(!text.contains("{repository}"), "{path}");
            }
            assert!(!text.contains("license"), "{path}");
            if path.ends_with(".md") {
                let folder = Path::new(path).parent().unwrap();
                for target in text.split("](").skip(1) {
                    let target = target.split([')', '#']).next().unwrap();
                    let target = folder.join(target).display().to_string();
                    assert!(files.iter().any(|it| it.path == target), "{path}: {target}");
                }
            }
        }
        assert!(of(&files, "README.md").starts_with("# my-chat\n"));
    }
}

#[test]
fn a_document_loses_links_to_what_a_project_does_not_have() {
    let text = "a [chat.schema.json](chat.schema.json), [X.md](X.md#y) b\n\n## How it is tested\nc";
    assert_eq!(
        of_a_project(text),
        "a [chat.schema.json](chat.schema.json), the deployer's docs/X.md b\n"
    );
}
