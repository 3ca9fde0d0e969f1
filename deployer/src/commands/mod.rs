//! One file a verb.

mod build;
mod connect;
mod down;
mod history;
mod local_cloud;
mod logs;
mod package;
mod plan;
mod rollback;
mod run;
mod schema;
mod stages;
mod status;
mod up;

use crate::cli::{self, Cli, Source, Stages, Verb};
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Console, report, text};
use build::Workshop;
use deployer_engine::interrupt::Interrupt;
use deployer_package::Bundle;
use run::Run;
use stages::Work;

/// Runs the verb; gives the exit code.
pub async fn run(arguments: Cli) -> u8 {
    let found = Project::find(arguments.project.as_deref());
    let project = match (found, &arguments.verb) {
        (Ok(project), _) => project,
        // An address needs no project.
        (Err(failure), Verb::Connect(options)) => {
            return ended(connect::run(Err(failure), options).await);
        }
        (Err(failure), _) => return fail(&failure),
    };
    match arguments.verb {
        Verb::Up(options) => {
            let work = Work::Up(up::Options {
                no_wait: options.writes.no_wait,
                adopt: options.adoption.adopt,
                verify: options.verification.wanted(),
            });
            match workshop(&options.source) {
                Ok(workshop) => {
                    let interrupt = interrupt_on_ctrl_c();
                    on_stages(project, options.writes.stages, work, workshop, interrupt).await
                }
                Err(failure) => fail(&failure),
            }
        }
        Verb::Package(options) => package::run(&project, options).await,
        Verb::Down(cli::Down { writes, confirm }) => {
            let work = Work::Down(down::Options {
                no_wait: writes.no_wait,
                confirmed: confirm,
            });
            let (workshop, interrupt) = (Workshop::default(), interrupt_on_ctrl_c());
            on_stages(project, writes.stages, work, workshop, interrupt).await
        }
        Verb::Plan(options) => {
            let work = Work::Plan(options.adoption.adopt);
            match workshop(&options.source) {
                Ok(workshop) => reading(project, options.stages, work, workshop).await,
                Err(failure) => fail(&failure),
            }
        }
        Verb::Status(stages) => reading(project, stages, Work::Status, Workshop::default()).await,
        Verb::History(stages) => reading(project, stages, Work::History, Workshop::default()).await,
        Verb::Rollback(options) => {
            let screen = Console::new(options.json, 1).screen(&options.stage);
            let interrupt = interrupt_on_ctrl_c();
            let result = rollback::run(&project, &options, &screen, &interrupt).await;
            screen.finish();
            ended(result)
        }
        Verb::Connect(options) => ended(connect::run(Ok(project), &options).await),
        Verb::Logs(options) => ended(logs::run(&project, &options).await),
        Verb::LocalCloud(options) => ended(local_cloud::run(&project, &options).await),
        Verb::Schema(options) => ended(schema::run(&project, &options)),
    }
}

/// A bundle is read as a whole before anything else is done.
fn workshop(source: &Source) -> Result<Workshop, Failure> {
    match &source.from {
        Some(path) => {
            let bundle = Bundle::read(path, source.digest.as_deref())?;
            Ok(Workshop::with_bundle(bundle))
        }
        None => Ok(Workshop::default()),
    }
}

/// What only reads ends as any program does.
async fn reading(project: Project, stages: Stages, work: Work, workshop: Workshop) -> u8 {
    on_stages(project, stages, work, workshop, Interrupt::default()).await
}

async fn on_stages(
    project: Project,
    stages: Stages,
    work: Work,
    workshop: Workshop,
    interrupt: Interrupt,
) -> u8 {
    let run = Run {
        project,
        workshop,
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
