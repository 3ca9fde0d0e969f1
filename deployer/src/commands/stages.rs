//! One verb on several stages: those on AWS side by side, those on one local cloud
//! one after the other.
//!
//! All stage files (and the bundle, where there is one) are read, and stages without a file
//! looked for, before anything is touched; after that a stage that fails doesn't hold up the others. Deliberately absent:
//! the pace at which AWS may be called, which all stages share (`deployer_aws::Limiter`).

use super::choice::{Absent, Choice, Chosen, choose};
use super::run::{Origin, Run, Stage};
use super::{down, history, plan, status, up};
use crate::exit;
use crate::failure::Failure;
use crate::guards;
use crate::render::{Console, DownResult, report, text};
use deployer_core::stage_file::Place;
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;

/// So many stages at once: enough to keep AWS's quotas busy, few enough to be
/// followed, and to keep what they have in memory small.
const AT_ONCE: usize = 16;

/// What is done to a stage.
#[derive(Debug, Clone)]
pub enum Work {
    Up(up::Options),
    Down(down::Options),
    Plan(plan::Options),
    Status,
    History,
}

/// How the verb ended for a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    /// With the exit code it has by itself.
    Failed(u8),
    /// Ctrl-C came before its turn.
    NotBegun,
}

/// Does `work` to all stages of `choice`; gives the exit code.
pub async fn run(run: &Run, choice: Choice, work: Work, json: bool) -> u8 {
    let chosen = match choose_and_check(run, choice, &work).await {
        Ok(chosen) => chosen,
        Err(failures) => {
            failures.iter().for_each(report::failure);
            let first = failures.first();
            return first.map_or(exit::BAD_INPUT, Failure::exit_code);
        }
    };
    let Chosen {
        stages: asked,
        absent,
        looked,
    } = chosen;
    let of_nobody = |absent: &&Absent| !asked.iter().any(|stage| stage.name == absent.name);
    let console = Console::new(json, asked.len());
    for Absent { name, looked, near } in absent.iter().filter(of_nobody) {
        let screen = console.screen(name);
        screen.down(&DownResult::nothing(name, looked.to_string(), near.clone()));
    }
    if let (true, true, Some(looked), false) = (asked.is_empty(), absent.is_empty(), &looked, json)
    {
        text::result(&format!("no such stage lives in {looked}: nothing to do"));
    }
    let ended: BTreeMap<usize, Ended> = stream::iter(lanes(&asked))
        .map(|lane| in_turn(run, &asked, &absent, lane, &work, &console))
        .buffer_unordered(AT_ONCE)
        .flat_map(stream::iter)
        .collect()
        .await;
    if asked.len() > 1 {
        let named = |(stage, ended): (&Stage, &Ended)| (stage.name.clone(), *ended);
        let all: Vec<_> = asked.iter().zip(ended.values()).map(named).collect();
        text::progress(&summary(&all));
    }
    exit_code(ended.values().copied(), run.interrupt.requested())
}

/// Finds all stages, and looks whether the bundle has what they need, and whether their
/// guards let the work be done.
async fn choose_and_check(run: &Run, choice: Choice, work: &Work) -> Result<Chosen, Vec<Failure>> {
    let mut chosen = choose(run, choice).await?;
    let check = |stage: &Stage| {
        let has_all = run.workshop.check(&stage.definition);
        let failure = has_all.and_then(|()| guarded(run, stage, work)).err()?;
        Some(failure.of_stage(&stage.name))
    };
    let mut lacking: Vec<Failure> = chosen.stages.iter().filter_map(check).collect();
    if !matches!(work, Work::Down(_)) {
        let failure = |absent: &Absent| absent.failure(run.project.is_some());
        lacking.extend(chosen.absent.iter().map(failure));
        // Only a `down` has anything to look for.
        chosen
            .stages
            .retain(|stage| stage.origin != Origin::Nowhere);
    }
    match lacking.is_empty() {
        true => Ok(chosen),
        false => Err(lacking),
    }
}

fn guarded(run: &Run, stage: &Stage, work: &Work) -> Result<(), Failure> {
    let definition = &stage.definition;
    match work {
        Work::Up(options) => {
            guards::template(definition)?;
            guards::lifetime(definition, options.lives)?;
            let wanted = definition.guards.clean_git;
            let revision = match wanted {
                true => run.workshop.git_revision(run.project()?),
                false => None,
            };
            guards::source(definition, revision.as_deref())
        }
        Work::Plan(options) => {
            guards::template(definition)?;
            guards::lifetime(definition, options.lives)
        }
        Work::Down(options) => guards::down(definition, &options.confirmed),
        Work::Status | Work::History => Ok(()),
    }
}

/// The stages that can't be worked on side by side, by their places in `asked`: a
/// local cloud starts with its first stage and stops with its last.
fn lanes(asked: &[Stage]) -> Vec<Vec<usize>> {
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    let mut of_port: BTreeMap<u16, usize> = BTreeMap::new();
    for (index, stage) in asked.iter().enumerate() {
        match stage.definition.place {
            Place::Local { port } => {
                let lane = *of_port.entry(port).or_insert(lanes.len());
                match lanes.get_mut(lane) {
                    Some(lane) => lane.push(index),
                    None => lanes.push(vec![index]),
                }
            }
            Place::Aws { .. } => lanes.push(vec![index]),
        }
    }
    lanes
}

async fn in_turn(
    run: &Run,
    asked: &[Stage],
    absent: &[Absent],
    lane: Vec<usize>,
    work: &Work,
    console: &Console,
) -> Vec<(usize, Ended)> {
    let mut all = Vec::new();
    for index in lane {
        let ended = match run.interrupt.requested() {
            true => Ended::NotBegun,
            false => one(run, &asked[index], absent, work, console).await,
        };
        all.push((index, ended));
    }
    all
}

async fn one(run: &Run, stage: &Stage, absent: &[Absent], work: &Work, console: &Console) -> Ended {
    let screen = console.screen(&stage.name);
    let result = match work {
        Work::Up(options) => up::run(run, stage, &screen, *options).await,
        Work::Down(options) => {
            let absent = absent.iter().find(|absent| absent.name == stage.name);
            down::run(run, stage, &screen, options, absent).await
        }
        Work::Plan(options) => plan::run(run, stage, &screen, *options).await,
        Work::Status => status::run(run, stage, &screen).await,
        Work::History => history::run(run, stage, &screen).await,
    };
    match result {
        Ok(()) => {
            screen.finish();
            Ended::Done
        }
        Err(failure) => {
            screen.failed(&failure);
            Ended::Failed(failure.exit_code())
        }
    }
}

/// Ctrl-C's, where a stage was stopped by it or not begun; else that of the first
/// stage, in the order they were asked for, that failed.
fn exit_code(ended: impl Iterator<Item = Ended> + Clone, interrupted: bool) -> u8 {
    let failed = |ended| match ended {
        Ended::Done => None,
        Ended::Failed(code) => Some(code),
        Ended::NotBegun => Some(exit::INTERRUPTED),
    };
    match ended.filter_map(failed).next() {
        Some(_) if interrupted => exit::INTERRUPTED,
        Some(code) => code,
        None => exit::SUCCESS,
    }
}

fn summary(all: &[(String, Ended)]) -> String {
    let which = |wanted: fn(Ended) -> bool| -> Vec<&str> {
        let found = all.iter().filter(|(_, ended)| wanted(*ended));
        found.map(|(name, _)| name.as_str()).collect()
    };
    let done = which(|ended| ended == Ended::Done);
    let mut text = format!("{} of {} stages done", done.len(), all.len());
    for (what, names) in [
        ("failed", which(|ended| matches!(ended, Ended::Failed(_)))),
        ("not begun", which(|ended| ended == Ended::NotBegun)),
    ] {
        if !names.is_empty() {
            text += &format!("; {what}: {}", names.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::stage_file::{self, FileText};

    fn stage(name: &str, text: &str) -> Stage {
        let service = FileText {
            path: "stages/service.toml",
            text: "service = \"chat\"\n[functions.f]\n[routes]\nr = \"f\"\n",
        };
        let file = FileText { path: name, text };
        let definition = stage_file::read(name, service, file).expect("a legal stage");
        Stage::of_file(name.to_owned(), definition)
    }

    #[test]
    fn stages_on_aws_go_side_by_side_and_those_of_one_local_cloud_in_turn() {
        let aws = "target = \"aws\"";
        let local = |port| format!("target = \"local\"\nport = {port}");
        let asked = [
            stage("alpha", aws),
            stage("one", &local(4000)),
            stage("beta", aws),
            stage("elsewhere", &local(5000)),
            stage("two", &local(4000)),
        ];
        assert_eq!(lanes(&asked), [vec![0], vec![1, 4], vec![2], vec![3]]);
    }

    #[test]
    fn the_exit_code_is_that_of_the_first_stage_that_failed() {
        let code = |ended: &[Ended], interrupted| exit_code(ended.iter().copied(), interrupted);
        assert_eq!(code(&[Ended::Done, Ended::Done], false), exit::SUCCESS);
        // Ctrl-C that came when all was done.
        assert_eq!(code(&[Ended::Done], true), exit::SUCCESS);
        let failed = [Ended::Done, Ended::Failed(5), Ended::Failed(3)];
        assert_eq!(code(&failed, false), 5);
        assert_eq!(code(&failed, true), exit::INTERRUPTED);
        assert_eq!(
            code(&[Ended::Done, Ended::NotBegun], true),
            exit::INTERRUPTED
        );
    }

    #[test]
    fn the_summary_names_what_isnt_done() {
        let all = |ended: &[Ended]| -> Vec<(String, Ended)> {
            let names = ["alpha", "beta", "gamma"].map(str::to_owned);
            names.into_iter().zip(ended.iter().copied()).collect()
        };
        let [done, failed, not_begun] = [Ended::Done, Ended::Failed(1), Ended::NotBegun];
        assert_eq!(summary(&all(&[done, done, done])), "3 of 3 stages done");
        assert_eq!(
            summary(&all(&[done, failed, not_begun])),
            "1 of 3 stages done; failed: beta; not begun: gamma"
        );
    }
}
