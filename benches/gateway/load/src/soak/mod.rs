//! `soak`: many clients that join, send and vanish, functions that are killed, and in the
//! end a look at what is left.
//!
//! It fails when a message was neither answered nor its connection closed, when the
//! gateway closed a connection that it should have kept, when memory grows, or when
//! connections, processes or descriptors stay behind.
//!
//! Deliberately absent: figures of speed; how many messages go through depends on the
//! machine.

mod client;
mod gateway;
mod ledger;
mod process;
mod trend;
mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::failure::Failure;
use crate::{Ran, figures};
use client::World;
use gateway::Gateway;
use process::Process;
use trend::Sample;
use verdict::Found;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    url: String,
    /// The gateway's process
    #[arg(long)]
    pid: i32,
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    #[arg(long, default_value_t = 2_000)]
    clients: usize,
    /// Mean pause of a client between two messages
    #[arg(long, default_value_t = 2_000)]
    pause_ms: u64,
    /// Equal seeds have clients draw the same lots
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Between two looks at the gateway's memory.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two functions' processes that are killed.
const KILL_EVERY: Duration = Duration::from_secs(2);
/// How long connections, processes and descriptors may take to be gone.
const END_WAIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(crate) async fn run(options: Options) -> Ran {
    let process = Process(options.pid);
    let gateway = Gateway::of(&options.url)?;
    let before = process.descriptors()?;
    let world = Arc::new(World::new(
        options.url,
        Duration::from_millis(options.pause_ms),
    ));
    let mut lots = fastrand::Rng::with_seed(options.seed);
    let mut clients = JoinSet::new();
    for number in 0..options.clients {
        clients.spawn(client::live(Arc::clone(&world), number, lots.fork()));
    }
    let until = Instant::now() + Duration::from_secs_f64(options.minutes * 60.0);
    let mut samples = Vec::new();
    let mut kills = 0;
    let watching = watch(process, &gateway, until, &mut samples);
    let killing = kill_some(process, until, &mut lots, &mut kills);
    tokio::try_join!(watching, killing)?;
    world.end();
    while let Some(ended) = clients.join_next().await {
        ended.map_err(|error| Failure::Miscounted(format!("a client: {error}")))?;
    }
    let idle = gateway.is_idle_within(END_WAIT).await?;
    // What functions hold ends with them; what stays then is the gateway's own.
    let last_kill = kill_all(process)?;
    let health = gateway.has_no_processes_within(END_WAIT).await?;
    let after = settled_descriptors(process, before).await?;
    let found = Found {
        ledger: world.ledger.figures(),
        samples,
        kills: kills + last_kill,
        connections_left: idle.connections,
        invocations_left: idle.invocations,
        processes_left: health.processes,
        descriptors: (before, after),
    };
    let verdicts = found.verdicts();
    figures::print_text(&verdict::table(&found, &verdicts))?;
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.holds).collect();
    let mut line = found.figures();
    line["failed"] = json!(failed.iter().map(|it| it.what).collect::<Vec<_>>());
    figures::print(&line)?;
    match failed.len() {
        0 => Ok(()),
        many => Err(Failure::Miscounted(format!(
            "{many} of the soak's conditions don't hold"
        ))),
    }
}

async fn watch(
    process: Process,
    gateway: &Gateway,
    until: Instant,
    samples: &mut Vec<Sample>,
) -> Ran {
    let began = Instant::now();
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while Instant::now() < until {
        ticks.tick().await;
        samples.push(Sample {
            at_s: began.elapsed().as_secs_f64(),
            memory_mb: process.memory_mb()?,
            logs_mb: gateway.logs_mb().await?,
        });
    }
    Ok(())
}

async fn kill_some(
    process: Process,
    until: Instant,
    lots: &mut fastrand::Rng,
    kills: &mut usize,
) -> Ran {
    while Instant::now() < until {
        sleep(KILL_EVERY).await;
        let children = process.children()?;
        if let Some(victim) = lots.choice(children) {
            // It may have ended by itself meanwhile.
            *kills += usize::from(kill(Pid::from_raw(victim), Signal::SIGKILL).is_ok());
        }
    }
    Ok(())
}

fn kill_all(process: Process) -> Result<usize, Failure> {
    let children = process.children()?;
    let killed = children
        .into_iter()
        .filter(|child| kill(Pid::from_raw(*child), Signal::SIGKILL).is_ok());
    Ok(killed.count())
}

/// As many as before, or what stays beyond that.
async fn settled_descriptors(process: Process, before: usize) -> Result<usize, Failure> {
    let deadline = Instant::now() + END_WAIT;
    loop {
        let now = process.descriptors()?;
        if now <= before || Instant::now() > deadline {
            return Ok(now);
        }
        sleep(LOOK_AGAIN).await;
    }
}
