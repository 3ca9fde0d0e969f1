//! Failures as users read them: on a terminal a mistake in a stage file is shown
//! where it stands; elsewhere as `file:line:column: message`.

use super::text;
use crate::failure::Failure;
use deployer_core::stage_file::FileProblems;
use miette::{Diagnostic, GraphicalReportHandler, LabeledSpan, NamedSource, SourceCode};
use std::fmt;
use std::io::IsTerminal;

/// Prints a failure and its next step to stderr.
pub fn failure(failure: &Failure) {
    failure_of(None, failure);
}

/// As [`failure`], with the stage that failed, where there are several.
pub fn failure_of(stage: Option<&str>, failure: &Failure) {
    match failure {
        Failure::StageFiles(files) if std::io::stderr().is_terminal() => {
            for file in files {
                text::progress(&graphical(file));
            }
            text::error(&format!("{} mistakes", count(files)), &failure.next_step());
        }
        Failure::Script(file) if std::io::stderr().is_terminal() => {
            text::progress(&graphical(file));
            let count = count(std::slice::from_ref(file));
            text::error(&format!("{count} mistakes"), &failure.next_step());
        }
        _ => {
            let message = match stage {
                Some(stage) => format!("{stage}: {failure}"),
                None => failure.to_string(),
            };
            text::error(&message, &failure.next_step());
        }
    }
}

fn count(files: &[FileProblems]) -> usize {
    files.iter().map(|file| file.problems.len()).sum()
}

fn graphical(file: &FileProblems) -> String {
    let report = FileReport::new(file);
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let handler = match colour {
        true => GraphicalReportHandler::new(),
        false => GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()),
    };
    let mut text = String::new();
    match handler.render_report(&mut text, &report) {
        Ok(()) => text,
        Err(fmt::Error) => file.to_string(),
    }
}

#[derive(Debug)]
struct FileReport {
    source: NamedSource<String>,
    labels: Vec<LabeledSpan>,
}

impl FileReport {
    fn new(file: &FileProblems) -> Self {
        let label = |message: &str, help: Option<&String>| match help {
            Some(help) => format!("{message} ({help})"),
            None => message.to_owned(),
        };
        Self {
            source: NamedSource::new(&file.path, file.text.clone()),
            labels: file
                .problems
                .iter()
                .map(|problem| {
                    let text = label(&problem.message, problem.help.as_ref());
                    LabeledSpan::new(Some(text), problem.span.start, problem.span.len())
                })
                .collect(),
        }
    }
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has mistakes", self.source.name())
    }
}

impl std::error::Error for FileReport {}

impl Diagnostic for FileReport {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::stage_file::Problem;

    #[test]
    fn all_mistakes_of_a_file_are_shown_where_they_stand() {
        let text = "target = \"moon\"\nmemmory = 3\n";
        let problem = |message: &str, span| Problem {
            message: message.into(),
            help: None,
            span,
        };
        let file = FileProblems::new(
            "stages/x.toml",
            text,
            vec![
                problem("`target` must be one of", 9..15),
                problem("unknown key `memmory`", 16..23),
            ],
        );
        let report = FileReport::new(&file);
        let mut shown = String::new();
        GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
            .render_report(&mut shown, &report)
            .unwrap();
        insta::assert_snapshot!(shown);
    }
}
