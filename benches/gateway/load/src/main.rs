//! The one load client of `make bench-gateway` and `make soak`, and what its own
//! ceiling is measured against.
//!
//! Each command prints figures as lines of JSON on stdout and fails when it can't prove
//! that it measured the right thing: every echo's text is compared, and every message of
//! a room is counted at each of its members.
//!
//! Deliberately absent: starting gateways and reading the memory of those that are
//! measured, which `bench.py` does, and `wss://`.

mod bare;
mod connects;
mod echo;
mod failure;
mod fan_out;
mod figures;
mod hold;
mod posts;
mod soak;
mod socket;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

#[derive(Parser)]
#[command(about = "Load for WebSocket gateways")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A bare WebSocket server that echoes: the ceiling of `echo`
    EchoServer,
    /// A bare HTTP server that takes every post: the ceiling of `posts`
    HttpSink,
    /// Posts to so many connections as functions do, by the SDK, and nothing else
    Posts(posts::Options),
    /// Opens connections, some at once
    Connects(connects::Options),
    /// Sends texts and compares what comes back
    Echo(echo::Options),
    /// One sends, and all members of its room are told
    FanOut(fan_out::Options),
    /// Opens connections and holds them until a line comes on stdin
    Hold(hold::Options),
    /// Many clients that come and go, and functions that are killed: what stays behind?
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let ran = figures::raise_descriptor_limit().and_then(|()| match command {
        // What is measured may use all cores, as the gateway does.
        Command::EchoServer => on_all_cores(bare::echo_server()),
        Command::HttpSink => on_all_cores(bare::http_sink()),
        // The client shares the cores with what it measures: it keeps to one.
        Command::Posts(options) => on_one_core(posts::run(options)),
        Command::Connects(options) => on_one_core(connects::run(options)),
        Command::Echo(options) => on_one_core(echo::run(options)),
        Command::FanOut(options) => on_one_core(fan_out::run(options)),
        Command::Hold(options) => on_one_core(hold::run(options)),
        Command::Soak(options) => on_one_core(soak::run(options)),
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            figures::complain(&failure);
            ExitCode::FAILURE
        }
    }
}

type Ran = Result<(), Failure>;

fn on_all_cores(work: impl Future<Output = Ran>) -> Ran {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build()?.block_on(work)
}

fn on_one_core(work: impl Future<Output = Ran>) -> Ran {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build()?.block_on(work)
}
