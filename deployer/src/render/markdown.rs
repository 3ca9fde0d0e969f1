//! Plans as one Markdown document: for a comment on a pull request.
//!
//! Its first line is a comment that isn't shown, by which a workflow finds the comment to
//! bring up to date. Deliberately absent: sending it anywhere.

use crate::failure::Failure;
use deployer_core::plan::{Plan, Step, StepId, Verb};
use std::collections::BTreeSet;
use std::fmt::Write;

/// By this the comment is found again.
const MARKER: &str = "<!-- deployer plan -->";
/// GitHub's limit for a comment, in characters.
const LIMIT: usize = 65_536;
/// More rows than these aren't shown until somebody opens them.
const OPEN_ROWS: usize = 20;
/// Of a longer value (a policy's statement) the beginning is shown; in characters.
const VALUE_LIMIT: usize = 600;
/// What is kept free for saying that something was left out, in characters.
const REST: usize = 200;

/// What became of a stage's plan.
pub enum Section {
    /// It is there.
    Planned {
        plan: Box<Plan>,
        /// Steps that put right what was changed by hand.
        drift: BTreeSet<StepId>,
        /// What users of the stage must know.
        notice: Option<String>,
    },
    /// There is none.
    Failed { error: String, next_step: String },
}

impl Section {
    /// Of a plan that couldn't be made.
    pub fn failed(failure: &Failure) -> Self {
        Self::Failed {
            error: failure.to_string(),
            next_step: failure.next_step(),
        }
    }
}

/// The document. What doesn't fit into a comment is left out, and it says so.
pub fn document(sections: &[(String, Section)]) -> String {
    of_at_most(LIMIT, sections)
}

fn of_at_most(limit: usize, sections: &[(String, Section)]) -> String {
    let mut text = format!("{MARKER}\n## {}\n", headline(sections));
    let mut left_out: Vec<&str> = Vec::new();
    for (stage, section) in sections {
        let room = limit.saturating_sub(length(&text) + REST);
        match rendered(stage, section, room) {
            Some(section) if left_out.is_empty() => text += &section,
            _ => left_out.push(stage),
        }
    }
    if !left_out.is_empty() {
        let mut names = left_out.join(" ");
        if length(&names) > REST / 2 {
            names = "STAGE".to_owned();
        }
        let what = match left_out.len() {
            1 => "1 more stage doesn't fit".to_owned(),
            count => format!("{count} more stages don't fit"),
        };
        let command = code(&format!("deployer plan {names}"));
        // Writing to a String can't fail.
        let _ = writeln!(text, "\n{what} here: see {command}.");
    }
    text
}

fn headline(sections: &[(String, Section)]) -> String {
    let count = |what: fn(&Section) -> bool| sections.iter().filter(|(_, it)| what(it)).count();
    let differ = |it: &Section| matches!(it, Section::Planned { plan, .. } if !plan.is_empty());
    let (changed, failed) = (
        count(differ),
        count(|it| matches!(it, Section::Failed { .. })),
    );
    let all = sections.len();
    let mut text = match (changed, all) {
        (0, _) if failed == 0 => "Deploy plan: no changes".to_owned(),
        (_, 1) if failed == 0 => "Deploy plan: changes".to_owned(),
        _ => format!("Deploy plan: changes in {changed} of {all} stages"),
    };
    if failed > 0 {
        // Writing to a String can't fail.
        let _ = write!(text, ", {failed} can't be planned");
    }
    text
}

/// `None`: not even the beginning fits into `room` characters.
fn rendered(stage: &str, section: &Section, room: usize) -> Option<String> {
    let text = match section {
        Section::Failed { error, next_step } => {
            let (error, next_step) = (shortened(error), shortened(next_step));
            format!(
                "\n### {stage}: can't be planned\n\n{}\n\nNext: {}\n",
                code(&error),
                code(&next_step)
            )
        }
        Section::Planned { plan, notice, .. } if plan.is_empty() => {
            format!(
                "\n### {}: no changes\n{}",
                plan.identity,
                after(plan, notice)
            )
        }
        Section::Planned {
            plan,
            drift,
            notice,
        } => return planned(plan, drift, &after(plan, notice), room),
    };
    (length(&text) <= room).then_some(text)
}

fn planned(plan: &Plan, drift: &BTreeSet<StepId>, after: &str, room: usize) -> Option<String> {
    let counts = plan.counts();
    let counts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} to {word}"))
        .collect();
    let mut text = format!("\n### {}: {}\n\n", plan.identity, counts.join(", "));
    let closed = plan.steps.len() > OPEN_ROWS;
    if closed {
        text += &format!("<details><summary>{} steps</summary>\n\n", plan.steps.len());
    }
    text += "| | what | changes |\n|---|---|---|\n";
    let mut end = match closed {
        true => "\n</details>\n".to_owned(),
        false => String::new(),
    };
    if !drift.is_empty() {
        end += "\n⚠ puts right what was changed in the account by hand.\n";
    }
    end += after;
    if length(&text) + length(&end) + REST > room {
        return None;
    }
    for (id, step) in plan.steps.iter().enumerate() {
        let row = row(step, drift.contains(&id));
        if length(&text) + length(&row) + length(&end) + REST > room {
            let rest = plan.steps.len() - id;
            let command = code(&format!("deployer plan {}", plan.identity.stage));
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "| | {rest} more steps don't fit here | see {command} |"
            );
            break;
        }
        text += &row;
    }
    Some(text + &end)
}

fn row(step: &Step, drifted: bool) -> String {
    let sign = match step.action.verb() {
        Verb::Create => "create",
        Verb::Change => "change",
        Verb::Delete => "**delete**",
        Verb::Release => "release",
        Verb::Adopt => "adopt",
    };
    let mark = if drifted { " ⚠" } else { "" };
    let (kind, name) = step.action.resource();
    let changes: Vec<String> = step
        .changes
        .iter()
        .map(|change| {
            let (old, new) = (shortened(&change.old), shortened(&change.new));
            format!("{}: {} → {}", cell(&change.field), value(&old), value(&new))
        })
        .collect();
    format!(
        "| {sign}{mark} | {kind} {} | {} |\n",
        cell(&name),
        changes.join("<br>")
    )
}

/// What isn't a change, but to be known.
fn after(plan: &Plan, notice: &Option<String>) -> String {
    let mut text = String::new();
    for (key, arn) in &plan.bindings.existing {
        let name = arn
            .rsplit_once(":function:")
            .map_or(arn.as_str(), |it| it.1);
        let _ = write!(
            text,
            "\nFunction {}, which is {}, exists: invoked as it is, never changed.\n",
            code(key.as_str()),
            code(name)
        );
    }
    for name in &plan.unnamed_tables {
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "\nTable {} stays with its items, though the files don't name it.\n",
            code(name.as_str())
        );
    }
    if let Some(notice) = notice {
        let _ = write!(text, "\nNote: {}\n", code(&shortened(notice)));
    }
    text
}

/// A field's value, in a table.
fn value(text: &str) -> String {
    match text.trim().is_empty() {
        true => "*empty*".to_owned(),
        false => cell(text),
    }
}

/// As [`code`], in a table: there a bar ends a cell also in code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Text that Markdown leaves alone: in as many backticks as it takes.
fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let runs = line.split(|letter| letter != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    let space = match line.starts_with('`') || line.ends_with('`') {
        true => " ",
        false => "",
    };
    format!("{fence}{space}{line}{space}{fence}")
}

fn shortened(text: &str) -> String {
    let count = length(text);
    if count <= VALUE_LIMIT {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(VALUE_LIMIT).collect();
    format!("{beginning}… ({} more characters)", count - VALUE_LIMIT)
}

/// In characters, as GitHub counts.
fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::names::StageIdentity;
    use deployer_core::plan::{Action, Bindings, FieldChange};

    fn change(field: &str, old: &str, new: &str) -> FieldChange {
        FieldChange {
            field: field.into(),
            old: old.into(),
            new: new.into(),
        }
    }

    fn step(action: Action, changes: Vec<FieldChange>) -> Step {
        Step {
            action,
            after: Vec::new(),
            changes,
        }
    }

    fn section(stage: &str, steps: Vec<Step>, drift: &[StepId]) -> (String, Section) {
        let plan = Plan {
            identity: StageIdentity {
                service: "chat".into(),
                stage: stage.into(),
            },
            bindings: Bindings::default(),
            steps,
            unnamed_tables: Vec::new(),
        };
        let drift = drift.iter().copied().collect();
        let notice = None;
        let section = Section::Planned {
            plan: Box::new(plan),
            drift,
            notice,
        };
        (stage.into(), section)
    }

    fn steps() -> Vec<Step> {
        let role = || "chat-alpha-eu-central-1-functions".into();
        vec![
            step(
                Action::DetachRolePolicy {
                    role: role(),
                    policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess".into(),
                },
                Vec::new(),
            ),
            step(
                Action::UpdateApi {
                    description: "x".into(),
                    route_selection_expression: "y".into(),
                    settings: deployer_core::stage_settings::ApiSettings::default(),
                },
                vec![
                    change("description", "a | b `c` <d> @e", "*f*\ng"),
                    change("route_selection_expression", "", "`$request.body.action`"),
                ],
            ),
            step(
                Action::DeleteFunction {
                    name: "chat-alpha-hall".into(),
                },
                Vec::new(),
            ),
        ]
    }

    #[test]
    fn a_plan_is_a_table_that_markdown_leaves_alone_and_drift_is_marked() {
        let failed = Section::Failed {
            error: "no AWS region is set".into(),
            next_step: "set `region` in the stage file".into(),
        };
        let sections = [
            section("alpha", steps(), &[0]),
            section("beta", Vec::new(), &[]),
            ("gamma".to_owned(), failed),
        ];
        insta::assert_snapshot!(document(&sections));
    }

    #[test]
    fn without_changes_it_says_so_in_its_heading() {
        let text = document(&[section("alpha", Vec::new(), &[])]);
        let wanted =
            "<!-- deployer plan -->\n## Deploy plan: no changes\n\n### chat/alpha: no changes\n";
        assert_eq!(text, wanted);
    }

    fn many(count: usize) -> Vec<Step> {
        (0..count).map(|_| steps().swap_remove(1)).collect()
    }

    #[test]
    fn many_steps_are_folded() {
        let text = document(&[section("alpha", many(OPEN_ROWS + 1), &[])]);
        assert!(
            text.contains("<details><summary>21 steps</summary>\n\n| "),
            "{text}"
        );
        assert!(text.ends_with("|\n\n</details>\n"), "{text}");
    }

    #[test]
    fn what_is_too_long_for_a_comment_is_cut_with_a_line_that_says_so() {
        let sections: Vec<_> = ["alpha", "beta", "gamma"]
            .map(|stage| section(stage, many(400), &[]))
            .into();
        let text = document(&sections);
        assert!(length(&text) <= LIMIT, "{}", length(&text));
        let cut = "more steps don't fit here | see `deployer plan beta` |\n";
        assert!(text.contains(cut), "{text}");
        let last = "\n1 more stage doesn't fit here: see `deployer plan gamma`.\n";
        assert!(text.ends_with(last), "{text}");
        for limit in (400..3_000).step_by(50) {
            let text = of_at_most(limit, &sections);
            assert!(length(&text) <= limit, "{limit}: {}", length(&text));
        }
    }

    #[test]
    fn a_long_value_is_shown_by_its_beginning() {
        let long = "ä".repeat(VALUE_LIMIT + 7);
        assert!(shortened(&long).ends_with("ä… (7 more characters)"));
    }

    #[test]
    fn code_with_backticks_has_more_of_them_around_it() {
        for (text, wanted) in [
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("a|b\\|c", "`a\\|b\\\\|c`"),
            (" ", ""),
        ] {
            assert_eq!(cell(text), wanted);
        }
    }
}
