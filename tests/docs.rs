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
