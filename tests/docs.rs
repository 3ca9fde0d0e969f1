//! The documents name tests; the tests must be there.

use std::path::{Path, PathBuf};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the deployer lies in the workspace")
}

/// The files of scenarios of this name: one may lie in several folders.
fn scenarios(name: &str) -> Vec<PathBuf> {
    [
        "tests",
        "crates/local-cloud/tests",
        "crates/cloud-model/tests/scenarios",
    ]
    .iter()
    .map(|dir| workspace().join(dir).join(format!("{name}.rs")))
    .filter(|path| path.is_file())
    .collect()
}

#[test]
fn every_test_that_the_fidelity_table_names_exists() {
    let text = std::fs::read_to_string(workspace().join("docs/FIDELITY.md")).expect("the document");
    let named: Vec<(&str, &str)> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once("::"))
        .collect();
    assert!(named.len() > 30, "only {} tests are named", named.len());
    for (file, test) in named {
        let files = scenarios(file);
        assert!(!files.is_empty(), "no scenarios called {file}");
        let has = |path: &PathBuf| {
            let code = std::fs::read_to_string(path).expect("a file");
            code.contains(&format!("fn {test}("))
        };
        assert!(
            test.is_empty() || files.iter().any(has),
            "no {file}::{test}"
        );
    }
}

/// All Markdown files of the repository, without what is installed or built, and without
/// those of new projects, whose links hold there.
fn markdown() -> Vec<PathBuf> {
    let mut folders = vec![workspace().to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name");
            let is_others =
                name.starts_with('.') || matches!(name, "target" | "node_modules" | "templates");
            if path.is_dir() && !is_others {
                folders.push(path);
            } else if name.ends_with(".md") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The text without what stands in fences.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let outside = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    };
    text.lines().filter(outside).collect::<Vec<_>>().join("\n")
}

/// What a heading is called in an address: as GitHub and mdBook make it.
fn place(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        .collect()
}

fn places(text: &str) -> Vec<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| place(line.trim_start_matches('#').trim()))
        .collect()
}

/// The targets of a text's links, `[words](target)`.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut followed = 0;
    let mut broken = Vec::new();
    for path in markdown() {
        let text = std::fs::read_to_string(&path).expect("a text");
        for link in links(&text) {
            if link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            followed += 1;
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("its folder").join(file),
            };
            let leads = match (target.exists(), heading) {
                (exists, "") => exists,
                (false, _) => false,
                (true, heading) => {
                    let text = std::fs::read_to_string(&target).expect("a text");
                    places(&text).iter().any(|place| place == heading)
                }
            };
            if !leads {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(followed > 100, "only {followed} links were found");
}

#[test]
fn every_document_is_in_the_sites_table_of_contents() {
    let docs = workspace().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).expect("the table");
    let named = links(&summary);
    for path in markdown() {
        let Ok(name) = path.strip_prefix(&docs) else {
            continue;
        };
        let name = name.display().to_string();
        assert!(
            name == "SUMMARY.md" || named.contains(&name),
            "docs/SUMMARY.md doesn't name {name}"
        );
    }
}
