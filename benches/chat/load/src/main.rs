//! The load side of `make proof` and `make bench-chat`: many members of the chat's rooms
//! on the local cloud, and what they must find.
//!
//! Each command prints a table and, last, one line of JSON with its figures, and fails
//! when what must hold doesn't.
//!
//! Deliberately absent: starting the local cloud and DynamoDB, which scripts do.

mod ask;
mod failure;
mod fan_out;
mod figures;
mod functions;
mod proof;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

#[derive(Parser)]
#[command(about = "Load for the chat on the local cloud")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Many members, functions that are killed, connections that are cut: who hears what?
    Proof(proof::Options),
    /// One says something in a large room, where every post takes 20 ms
    FanOut(fan_out::Options),
}

type Ran = Result<(), Failure>;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let ran = figures::raise_descriptor_limit().and_then(|()| match command {
        Command::Proof(options) => on_one_core(proof::run(options)),
        Command::FanOut(options) => on_one_core(fan_out::run(options)),
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            figures::complain(&failure);
            ExitCode::FAILURE
        }
    }
}

/// The client shares the cores with what it loads: it keeps to one.
fn on_one_core(work: impl Future<Output = Ran>) -> Ran {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build()?.block_on(work)
}
