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

use crate::cli::{Cli, Stages, Up, Verb};
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Screen, report};
use deployer_engine::interrupt::Interrupt;
use deployer_engine::verify::Verify;

/// Runs the verb; gives the exit code.
pub async fn run(arguments: Cli) -> u8 {
    let project = match Project::find(arguments.project.as_deref()) {
        Ok(project) => project,
        Err(failure) => return fail(&failure),
    };
    match arguments.verb {
        Verb::Up(Up { writes, no_verify }) => {
            let verify = if no_verify {
                Verify::Nothing
            } else {
                Verify::Endpoint
            };
            each(&project, writes.stages, Work::Up(verify), writes.no_wait).await
        }
        Verb::Down(writes) => each(&project, writes.stages, Work::Down, writes.no_wait).await,
        Verb::Plan(stages) => each(&project, stages, Work::Plan, false).await,
        Verb::Status(stages) => each(&project, stages, Work::Status, false).await,
        Verb::History(stages) => each(&project, stages, Work::History, false).await,
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
    Up(Verify),
    Down,
    Plan,
    Status,
    History,
}

/// One stage after the other. All stage files are read before anything is
/// touched; after that a failing stage doesn't hide the others.
async fn each(project: &Project, stages: Stages, work: Work, no_wait: bool) -> u8 {
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
    let interrupt = interrupt_on_ctrl_c();
    let mut code = exit::SUCCESS;
    for name in &stages.stages {
        let screen = Screen::new(stages.json);
        let result = match work {
            Work::Up(verify) => up::run(project, name, &screen, &interrupt, no_wait, verify).await,
            Work::Down => down::run(project, name, &screen, &interrupt, no_wait).await,
            Work::Plan => plan::run(project, name, &screen).await,
            Work::Status => status::run(project, name, &screen).await,
            Work::History => history::run(project, name, &screen).await,
        };
        screen.finish();
        if let Err(failure) = result {
            code = fail(&failure);
        }
        if interrupt.requested() {
            return exit::INTERRUPTED;
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

/// The first Ctrl-C asks to stop; what is in flight is finished.
fn interrupt_on_ctrl_c() -> Interrupt {
    let interrupt = Interrupt::default();
    let asked = interrupt.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            asked.request();
        }
    });
    interrupt
}
