//! The stage files: all their mistakes.

use crate::commands::run::Stage;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::Finding;
use deployer_core::stage_file::FileProblems;
use std::collections::BTreeMap;

const CHECK: &str = "stage files";

/// The stages that can be read, and what is found of all the files.
pub fn read(project: &Project, names: Vec<String>) -> (Vec<Stage>, Vec<Finding>) {
    let mut stages: Vec<Stage> = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        if stages.iter().any(|stage| stage.name == name) {
            continue;
        }
        match project.read_stage(&name) {
            Ok(definition) => stages.push(Stage::of_file(name, definition)),
            Err(failure) => failures.push((name, failure)),
        }
    }
    let legible: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    let findings = judge(&legible, failures);
    (stages, findings)
}

/// A file of all stages has its mistakes once.
fn judge(legible: &[String], failures: Vec<(String, Failure)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !legible.is_empty() {
        findings.push(Finding::ok(CHECK, "no mistakes").of(legible));
    }
    if legible.is_empty() && failures.is_empty() {
        let remedy = "write stages/NAME.toml, e.g. with target = \"local\"";
        findings.push(Finding::warning(CHECK, "there is no stage", remedy));
    }
    let mut files: BTreeMap<String, (FileProblems, Vec<String>)> = BTreeMap::new();
    for (stage, failure) in failures {
        match failure {
            Failure::StageFiles(problems) => {
                for file in problems {
                    let known = files.entry(file.path.clone());
                    let (_, stages) = known.or_insert_with(|| (file, Vec::new()));
                    stages.push(stage.clone());
                }
            }
            other => {
                let finding = Finding::problem(CHECK, other.to_string(), other.next_step());
                findings.push(finding.of(&[stage]));
            }
        }
    }
    for (path, (problems, stages)) in files {
        let remedy = format!("mend {path}; docs/STAGE_FILES.md says what may stand there");
        findings.push(Finding::problem(CHECK, problems.to_string(), remedy).of(&stages));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Status;
    use deployer_core::stage_file::Problem;

    #[test]
    fn a_mistake_that_all_stages_share_is_said_once() {
        let failure = || {
            let problem = |message: &str, at| Problem {
                message: message.to_owned(),
                help: None,
                span: at..at + 1,
            };
            let problems = vec![problem("one", 0), problem("two", 2)];
            Failure::StageFiles(vec![FileProblems::new(
                "stages/service.toml",
                "a\nb",
                problems,
            )])
        };
        let failures = vec![
            ("alpha".to_owned(), failure()),
            ("prod".to_owned(), failure()),
        ];
        let findings = judge(&["local".to_owned()], failures);
        let statuses: Vec<Status> = findings.iter().map(|it| it.status).collect();
        assert_eq!(statuses, [Status::Ok, Status::Problem]);
        assert_eq!(findings[1].stages, ["alpha", "prod"]);
        let both = "stages/service.toml:1:1: one\nstages/service.toml:2:1: two";
        assert_eq!(findings[1].found, both);
    }

    #[test]
    fn a_project_without_stages_is_warned() {
        assert_eq!(judge(&[], Vec::new())[0].status, Status::Warning);
    }
}
