//! One file a verb.

mod build;
mod down;
mod history;
mod local_cloud;
mod plan;
mod rollback;
mod run;
mod schema;
mod stages;
mod status;
mod up;

use crate::cli::{Cli, Stages, Verb};
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Console, report, text};
use deployer_engine::interrupt::Interrupt;
use run::Run;
use stages::Work;

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
                verify: options.verification.wanted(),
            });
            writing(project, options.writes.stages, work).await
        }
        Verb::Down(writes) => writing(project, writes.stages, Work::Down(writes.no_wait)).await,
        Verb::Plan(options) => {
            let work = Work::Plan(options.adoption.adopt);
            reading(project, options.stages, work).await
        }
        Verb::Status(stages) => reading(project, stages, Work::Status).await,
        Verb::History(stages) => reading(project, stages, Work::History).await,
        Verb::Rollback(options) => {
            let screen = Console::new(options.json, 1).screen(&options.stage);
            let interrupt = interrupt_on_ctrl_c();
            let result = rollback::run(&project, &options, &screen, &interrupt).await;
            screen.finish();
            ended(result)
        }
        Verb::LocalCloud(options) => ended(local_cloud::run(&project, &options).await),
        Verb::Schema(options) => ended(schema::run(&project, &options)),
    }
}

async fn writing(project: Project, stages: Stages, work: Work) -> u8 {
    on_stages(project, stages, work, interrupt_on_ctrl_c()).await
}

/// What only reads ends as any program does.
async fn reading(project: Project, stages: Stages, work: Work) -> u8 {
    on_stages(project, stages, work, Interrupt::default()).await
}

async fn on_stages(project: Project, stages: Stages, work: Work, interrupt: Interrupt) -> u8 {
    let run = Run {
        project,
        workshop: build::Workshop::default(),
        interrupt,
    };
    stages::run(&run, stages, work).await
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
