//! One file a verb.

mod build;
mod choice;
mod connect;
mod dev;
mod doctor;
mod down;
mod export;
mod history;
mod init;
mod invoke;
mod list;
mod local_cloud;
mod logs;
mod new;
mod package;
mod permissions;
mod plan;
mod promote;
mod rollback;
mod run;
mod schema;
mod shell;
mod show;
mod stages;
mod status;
pub mod up;

use crate::cli::{self, Cli, Elsewhere, Look, Source, StageFiles, Stages, Verb};
use crate::connect::target;
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Console, Output, Screen, report, text};
use build::Workshop;
use choice::Choice;
use deployer_engine::interrupt::Interrupt;
use deployer_package::Bundle;
use jiff::Timestamp;
use run::Run;
use stages::Work;

/// Runs the verb; gives the exit code.
pub async fn run(arguments: Cli) -> u8 {
    let given = arguments.project.clone();
    let project = match Project::find(given.as_deref()) {
        Ok(project) => Some(project),
        // There is to be one.
        Err(_) if matches!(arguments.verb, Verb::New(_) | Verb::Init(_)) => None,
        // What lives in an account is found without any file.
        Err(_) if given.is_none() && goes_by_account(&arguments.verb) => None,
        Err(failure) => return fail(&failure),
    };
    let run = Run {
        project,
        workshop: Workshop::default(),
        interrupt: Interrupt::default(),
        now: Timestamp::now(),
    };
    match arguments.verb {
        Verb::Up(options) => {
            let work = Work::Up(up::Options {
                no_wait: options.writes.no_wait,
                adopt: options.adoption.adopt,
                verify: options.verification.wanted(),
                lives: options.lifetime.ttl,
            });
            match run.stocked(&options.source) {
                Ok(run) => {
                    let output = Output::stream(options.writes.stages.json);
                    described(run.interruptible(), options.writes.stages, work, output).await
                }
                Err(failure) => fail(&failure),
            }
        }
        Verb::Plan(options) => {
            let work = Work::Plan(plan::Options {
                adopt: options.adoption.adopt,
                lives: options.lifetime.ttl,
                exit_code: options.exit_code,
            });
            let output = match options.markdown {
                true => Output::Markdown,
                false => Output::result(options.stages.json),
            };
            match run.stocked(&options.source) {
                Ok(run) => described(run, options.stages, work, output).await,
                Err(failure) => fail(&failure),
            }
        }
        Verb::Down(options) => down_of(run.interruptible(), options).await,
        Verb::Status(options) => match options.watch {
            None => looking(run, options.look, Work::Status).await,
            Some(pause) => status::watch(&run, options.look, pause).await,
        },
        Verb::History(look) => looking(run, look, Work::History).await,
        Verb::List(options) => {
            let screen = Console::new(Output::result(options.json), 1).screen("list");
            ended(list::run(&run, &options, &screen).await)
        }
        Verb::Rollback(options) => {
            let stage = options.name.as_ref().unwrap_or(&options.stage);
            let screen = Console::new(Output::stream(options.json), 1).screen(stage);
            let result = rollback::run(&run.interruptible(), options, &screen).await;
            written(result, &screen)
        }
        Verb::Promote(options) => {
            let (run, output) = match options.plan {
                true => (run, Output::result(options.json)),
                false => (run.interruptible(), Output::stream(options.json)),
            };
            let screen = Console::new(output, 1).screen(&options.to);
            let result = promote::run(&run, &options, &screen).await;
            written(result, &screen)
        }
        Verb::Export(options) => {
            let screen = Console::new(Output::result(options.json), 1).screen(&options.stage);
            let result = export::run(&run, options, &screen).await;
            written(result, &screen)
        }
        Verb::Stages(StageFiles::Show(options)) => {
            ended(run.project().and_then(|it| show::run(it, &options)))
        }
        Verb::Package(options) => match run.project() {
            Ok(project) => package::run(project, options).await,
            Err(failure) => fail(&failure),
        },
        Verb::Permissions(options) => match run.project() {
            Ok(project) => permissions::run(project, &options).await,
            Err(failure) => fail(&failure),
        },
        Verb::Connect(options) => ended(connect::run(run.project(), &options).await),
        Verb::Logs(options) => match run.project() {
            Ok(project) => ended(logs::run(project, &options).await),
            Err(failure) => fail(&failure),
        },
        Verb::Invoke(options) => match run.project() {
            Ok(project) => ended(invoke::run(project, &options).await),
            Err(failure) => fail(&failure),
        },
        Verb::Doctor(options) => doctor::run(run.project.as_ref(), &options).await,
        Verb::Dev(options) => match run.project() {
            Ok(project) => match dev::run(project, &options).await {
                Ok(code) => code,
                Err(failure) => fail(&failure),
            },
            Err(failure) => fail(&failure),
        },
        Verb::LocalCloud(options) => match run.project() {
            Ok(project) => ended(local_cloud::run(project, &options).await),
            Err(failure) => fail(&failure),
        },
        Verb::New(options) => ended(new::run(given.as_deref(), &options)),
        Verb::Init(options) => ended(init::run(given.as_deref(), &options).await),
        Verb::Schema(options) => ended(run.project().and_then(|it| schema::run(it, &options))),
        Verb::Completions(options) => ended(shell::completions(&options)),
        Verb::Man(options) => ended(shell::man(&options)),
    }
}

fn goes_by_account(verb: &Verb) -> bool {
    match verb {
        Verb::Down(_)
        | Verb::Status(_)
        | Verb::History(_)
        | Verb::List(_)
        | Verb::Rollback(_)
        | Verb::Export(_) => true,
        Verb::Completions(_) | Verb::Man(_) => true,
        // This machine is looked at anywhere.
        Verb::Doctor(_) => true,
        // An address needs no project.
        Verb::Connect(options) => target::is_url(&options.to),
        Verb::New(_)
        | Verb::Init(_)
        | Verb::Up(_)
        | Verb::Plan(_)
        | Verb::Promote(_)
        | Verb::Package(_)
        | Verb::Stages(_)
        | Verb::Permissions(_)
        | Verb::Logs(_)
        | Verb::Invoke(_)
        | Verb::Dev(_)
        | Verb::LocalCloud(_)
        | Verb::Schema(_) => false,
    }
}

impl Run {
    /// With the bundle that functions are taken from, if there is one. It is read as a
    /// whole before anything else is done.
    fn stocked(self, source: &Source) -> Result<Self, Failure> {
        let Some(path) = &source.from else {
            return Ok(self);
        };
        let bundle = Bundle::read(path, source.digest.as_deref())?;
        Ok(Self {
            workshop: Workshop::with_bundle(bundle),
            ..self
        })
    }

    /// One that Ctrl-C asks to stop. What only reads ends as any program does.
    fn interruptible(self) -> Self {
        Self {
            interrupt: interrupt_on_ctrl_c(),
            ..self
        }
    }
}

/// Work that takes files.
async fn described(run: Run, stages: Stages, work: Work, output: Output) -> u8 {
    stages::run(&run, choice_of(stages, None), work, output).await
}

/// Work that takes what the account knows, too.
async fn looking(run: Run, Look { stages, elsewhere }: Look, work: Work) -> u8 {
    let output = Output::result(stages.json);
    stages::run(&run, choice_of(stages, Some(elsewhere)), work, output).await
}

fn choice_of(stages: Stages, elsewhere: Option<Elsewhere>) -> Choice {
    match stages.all {
        true => Choice::All,
        false => Choice::Named {
            stages: stages.stages,
            names: stages.names,
            elsewhere,
        },
    }
}

async fn down_of(run: Run, options: cli::Down) -> u8 {
    let selection = options.selection;
    let work = Work::Down(down::Options {
        no_wait: options.no_wait,
        confirmed: options.confirm,
        expired: selection.expired,
    });
    let choice = if options.all {
        Choice::All
    } else if selection.expired || selection.matching.is_some() {
        Choice::Found {
            selection,
            elsewhere: options.elsewhere,
            all_services: options.all_services,
        }
    } else {
        Choice::Named {
            stages: options.stages,
            names: options.names,
            elsewhere: Some(options.elsewhere),
        }
    };
    stages::run(&run, choice, work, Output::stream(options.json)).await
}

/// The end of a verb that writes to one stage.
fn written(result: Result<(), Failure>, screen: &Screen) -> u8 {
    match result {
        Ok(()) => {
            screen.finish();
            exit::SUCCESS
        }
        Err(failure) => {
            screen.failed(&failure);
            failure.exit_code()
        }
    }
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
