//! One file a verb.

mod build;
mod down;
mod history;
mod local_cloud;
mod plan;
mod rollback;
mod schema;
mod status;
mod up;

use crate::cli::{Cli, Stages, Verb};
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Screen, report, text};
use deployer_engine::interrupt::Interrupt;
use deployer_engine::verify::Verify;

/// Runs the verb; gives the exit code.
pub async fn run(arguments: Cli) -> u8 {
    let project = match Project::find(arguments.project.as_deref()) {
        Ok(project) => project,
        Err(failure) => return fail(&failure),
    };
    match arguments.verb {
        Verb::Up(options) => {
            let work = Work::Up(up::Options {
                no_wait: options.writes.no_wait,
                adopt: options.adoption.adopt,
                verify: match options.no_verify {
                    true => Verify::Nothing,
                    false => Verify::Endpoint,
                },
            });
            each(&project, options.writes.stages, work).await
        }
        Verb::Down(writes) => each(&project, writes.stages, Work::Down(writes.no_wait)).await,
        Verb::Plan(options) => {
            let work = Work::Plan(options.adoption.adopt);
            each(&project, options.stages, work).await
        }
        Verb::Status(stages) => each(&project, stages, Work::Status).await,
        Verb::History(stages) => each(&project, stages, Work::History).await,
        Verb::Rollback(options) => {
            let screen = Screen::new(options.json);
            let interrupt = interrupt_on_ctrl_c();
            let result = rollback::run(&project, &options, &screen, &interrupt).await;
            screen.finish();
            ended(result)
        }
        Verb::LocalCloud(options) => ended(local_cloud::run(&project, &options).await),
        Verb::Schema(options) => ended(schema::run(&project, &options)),
    }
}

/// What is done to a stage.
#[derive(Debug, Clone, Copy)]
enum Work {
    Up(up::Options),
    /// Whether not to wait for another.
    Down(bool),
    /// Whether to adopt.
    Plan(bool),
    Status,
    History,
}

/// One stage after the other. All stage files are read before anything is
/// touched; after that a failing stage doesn't hide the others.
async fn each(project: &Project, stages: Stages, work: Work) -> u8 {
    let misread: Vec<Failure> = stages
        .stages
        .iter()
        .filter_map(|name| project.read_stage(name).err())
        .collect();
    if !misread.is_empty() {
        misread.iter().for_each(|failure| {
            fail(failure);
        });
        return exit::BAD_INPUT;
    }
    // What only reads ends as any program does.
    let interrupt = match work {
        Work::Up(_) | Work::Down(_) => interrupt_on_ctrl_c(),
        Work::Plan(_) | Work::Status | Work::History => Interrupt::default(),
    };
    let mut code = exit::SUCCESS;
    for (index, name) in stages.stages.iter().enumerate() {
        let screen = Screen::new(stages.json);
        let result = match work {
            Work::Up(options) => up::run(project, name, &screen, &interrupt, options).await,
            Work::Down(no_wait) => down::run(project, name, &screen, &interrupt, no_wait).await,
            Work::Plan(adopt) => plan::run(project, name, &screen, adopt).await,
            Work::Status => status::run(project, name, &screen).await,
            Work::History => history::run(project, name, &screen).await,
        };
        screen.finish();
        if let Err(failure) = result {
            code = fail(&failure);
            if interrupt.requested() {
                code = exit::INTERRUPTED;
            }
        }
        let rest = &stages.stages[index + 1..];
        if interrupt.requested() && !rest.is_empty() {
            let message = format!("interrupted: not begun: {}", rest.join(", "));
            return fail(&Failure::Interrupted { message });
        }
    }
    code
}

fn ended(result: Result<(), Failure>) -> u8 {
    match result {
        Ok(()) => exit::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> u8 {
    report::failure(failure);
    failure.exit_code()
}

/// The first Ctrl-C asks to stop: what is in flight is finished. The second ends the
/// process there and then.
fn interrupt_on_ctrl_c() -> Interrupt {
    let interrupt = Interrupt::default();
    let asked = interrupt.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        asked.request();
        text::progress("interrupted: finishing the calls in flight; Ctrl-C again stops at once");
        if tokio::signal::ctrl_c().await.is_ok() {
            text::error(
                "stopped at once: calls in flight may or may not have been carried out",
                "the next `up` (or `down`) looks first and goes on from there",
            );
            std::process::exit(exit::INTERRUPTED.into());
        }
    });
    interrupt
}
