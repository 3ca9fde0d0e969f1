//! The `deployer` command: parses arguments, runs one verb, ends with a
//! documented exit code.
//!
//! Deliberately absent: everything else. Verbs live in `commands/`, printing in
//! `render/`, the work in the libraries.

mod begin;
mod cli;
mod commands;
mod completion;
mod connect;
#[cfg(test)]
mod documents;
mod duration;
mod exit;
mod failure;
mod guards;
mod holder;
mod invoke;
mod local;
mod project;
mod provenance;
#[cfg(test)]
mod reference;
mod render;
mod stage;
mod template;
mod traffic;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A shell that asks for completions gets them, and nothing else happens.
    CompleteEnv::with_factory(cli::Cli::command)
        .var(completion::VARIABLE)
        .complete();
    let arguments = match cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = match error.use_stderr() {
                true => exit::BAD_INPUT,
                false => exit::SUCCESS,
            };
            // Nowhere to complain if even this can't be printed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            render::text::error(
                &format!("can't start: {error}"),
                "free some memory or threads",
            );
            return ExitCode::from(exit::FAILURE);
        }
    };
    ExitCode::from(runtime.block_on(commands::run(arguments)))
}
