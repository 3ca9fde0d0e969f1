//! What `doctor` says: a line a finding, what to do below it.

use super::colours::Colours;
use super::text;
use anstyle::Style;
use serde::Serialize;
use std::sync::Mutex;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It may be in the way.
    Warning,
    /// It is in the way.
    Problem,
    /// Nobody knows.
    NotChecked,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::NotChecked => "not checked",
        }
    }
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, e.g. `rustc`.
    pub check: &'static str,
    /// The stages that it matters to; none: it doesn't depend on stages.
    pub stages: Vec<String>,
    /// How it is.
    pub status: Status,
    /// What was found, or why nothing was.
    pub found: String,
    /// What to do, where something is to be done.
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            stages: Vec::new(),
            status: Status::Ok,
            found: found.into(),
            remedy: None,
        }
    }

    /// Something may be in the way.
    pub fn warning(
        check: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(check, found)
        }
    }

    /// Something is in the way.
    pub fn problem(
        check: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Problem,
            ..Self::warning(check, found, remedy)
        }
    }

    /// It can't be known, and why.
    pub fn not_checked(check: &'static str, why: impl Into<String>) -> Self {
        Self {
            status: Status::NotChecked,
            ..Self::ok(check, why)
        }
    }

    /// The same with what to do.
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// The same of these stages.
    pub fn of(self, stages: &[String]) -> Self {
        Self {
            stages: stages.to_vec(),
            ..self
        }
    }
}

/// All findings, as JSON has them.
#[derive(Debug, Serialize)]
struct Report<'a> {
    ok: bool,
    problems: usize,
    warnings: usize,
    not_checked: usize,
    findings: &'a [Finding],
}

impl<'a> Report<'a> {
    fn new(findings: &'a [Finding]) -> Self {
        let count = |status| findings.iter().filter(|it| it.status == status).count();
        let problems = count(Status::Problem);
        Self {
            ok: problems == 0,
            problems,
            warnings: count(Status::Warning),
            not_checked: count(Status::NotChecked),
            findings,
        }
    }

    fn summary(&self) -> String {
        let named = [
            (self.problems, "problem", "problems"),
            (self.warnings, "warning", "warnings"),
            (self.not_checked, "not checked", "not checked"),
        ];
        let said: Vec<String> = named
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
        match said.is_empty() {
            true => "all is well".to_owned(),
            false => said.join(", "),
        }
    }
}

/// Shows findings as they come.
pub struct DoctorScreen {
    json: bool,
    colours: Colours,
    shown: Mutex<Vec<Finding>>,
}

impl DoctorScreen {
    /// For people, or as one line of JSON at the end.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            colours: Colours::of_stdout(),
            shown: Mutex::default(),
        }
    }

    /// What a check has found.
    pub fn findings(&self, findings: Vec<Finding>) {
        for finding in &findings {
            if !self.json {
                text::result(&lines(finding, &self.colours));
            }
        }
        super::locked(&self.shown).extend(findings);
    }

    /// There are no more. Whether there is no problem.
    pub fn end(self) -> bool {
        let shown = self.shown.into_inner().unwrap_or_default();
        let report = Report::new(&shown);
        match self.json {
            true => text::result(&super::as_value(&report).to_string()),
            false => text::progress(&report.summary()),
        }
        report.ok
    }
}

/// The width of `not checked` with its gap, and of the longest check's name.
const STATUS: usize = 13;
const CHECK: usize = 14;

fn lines(finding: &Finding, colours: &Colours) -> String {
    let Finding {
        check,
        stages,
        status,
        found,
        remedy,
    } = finding;
    let style = match status {
        Status::Ok => colours.text,
        Status::Warning => colours.warning,
        Status::Problem => colours.bad,
        Status::NotChecked => colours.dim,
    };
    let margin = " ".repeat(STATUS + CHECK);
    let of_stages = match stages.as_slice() {
        [] => String::new(),
        some => colours.paint(colours.dim, &format!(" ({})", some.join(", "))),
    };
    // What fills up a column has no colour.
    let cell = |style: Style, text: &str, width: usize| {
        let gap = " ".repeat(width.saturating_sub(text.len()).max(1));
        format!("{}{gap}", colours.paint(style, text))
    };
    let mut found = found.lines();
    let mut text = format!(
        "{}{}{}{of_stages}",
        cell(style, status.as_str(), STATUS),
        cell(Style::new(), check, CHECK),
        found.next().unwrap_or_default(),
    );
    for line in found {
        text += &format!("\n{margin}{line}");
    }
    if let Some(remedy) = remedy {
        text += &format!("\n{margin}next: {remedy}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        let [alpha, local] = ["alpha", "local"].map(str::to_owned);
        vec![
            Finding::ok("rustc", "1.94.1; the functions need 1.94.1"),
            Finding::problem(
                "stage files",
                "stages/alpha.toml:3:1: unknown key `memmory`\nstages/alpha.toml:4:9: wrong",
                "mend it",
            )
            .of(std::slice::from_ref(&alpha)),
            Finding::warning(
                "clock",
                "70 s behind AWS's",
                "sudo timedatectl set-ntp true",
            )
            .of(&[alpha.clone(), local]),
            Finding::not_checked("roles", "that needs iam:GetAccountSummary")
                .with_remedy("deployer permissions alpha --for doctor")
                .of(&[alpha]),
        ]
    }

    #[test]
    fn each_finding_has_its_line_and_what_to_do_below() {
        let all = findings();
        let lines: Vec<String> = all.iter().map(|it| lines(it, &Colours::none())).collect();
        let summary = Report::new(&all).summary();
        insta::assert_snapshot!(format!("{}\n---\n{summary}", lines.join("\n")));
    }

    #[test]
    fn json_has_all_findings_on_one_line() {
        let all = findings();
        let text = super::super::as_value(&Report::new(&all)).to_string();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn without_problems_all_is_well() {
        let report = Report::new(&[]);
        assert_eq!(
            (report.ok, report.summary().as_str()),
            (true, "all is well")
        );
    }
}
