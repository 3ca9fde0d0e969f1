//! The proof: many members, most by the client library and some by raw sockets, in rooms that
//! eight environments serve, while functions are killed and connections cut. In the end every
//! member must have been told what the rooms' logs have.
//!
//! Deliberately absent: half-open connections, which no side notices for long, and rooms
//! that several invocations tell.

mod cuts;
mod ledger;
mod member;
mod processes;
mod raw;
mod reader;
mod socket;
mod tellings;
mod verdict;
mod witness;
mod world;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::{Ran, ask, figures, functions};
use cuts::{Cutter, Deleter};
use ledger::{LogFaults, Logs, MemberFaults, Stay};
use processes::{Environments, Functions, Kills};
use tellings::Tellings;
use verdict::Found;
use witness::SocketFaults;
use world::{Pace, Phase, World, so_many};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The chat's URL: ws://HOST:PORT/API/STAGE
    #[arg(long)]
    url: String,
    /// How long clients talk
    #[arg(long, default_value_t = 1.5)]
    minutes: f64,
    /// Equal seeds decide alike; what the machine makes of it differs
    #[arg(long)]
    seed: u64,
    /// Members that use the client library
    #[arg(long, default_value_t = 400)]
    members: usize,
    /// Clients without it
    #[arg(long, default_value_t = 100)]
    raw: usize,
    #[arg(long, default_value_t = 20)]
    rooms: u64,
    /// The room function's reserved concurrency: so many environments must serve at once
    #[arg(long, default_value_t = 8)]
    environments: u64,
    /// Mean milliseconds between two kills, resets, and deletes of connections
    #[arg(long, default_value_t = 1_500)]
    kill_ms: u64,
    #[arg(long, default_value_t = 700)]
    reset_ms: u64,
    #[arg(long, default_value_t = 1_500)]
    delete_ms: u64,
    /// Mean milliseconds between what one client does
    #[arg(long, default_value_t = 25_000)]
    pause_ms: u64,
}

/// Clients begin within this part of the time; then the killing begins.
const RAMP: f64 = 0.25;
const LONGEST_RAMP: Duration = Duration::from_secs(30);
/// Between two crowds that speak at once.
const CROWD_EVERY: Duration = Duration::from_secs(5);
/// The client library says something eight times, five seconds apart, and more often when it is
/// cut; where eight environments are too few for a slow machine, most of it is said again.
const ANSWERS_WAIT: Duration = Duration::from_secs(240);
/// For what was under way when its sender went away.
const IDLE_WAIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(crate) async fn run(options: Options) -> Ran {
    // The client library draws its own lots.
    fastrand::seed(options.seed);
    LocalSet::new().run_until(prove(options)).await
}

async fn prove(options: Options) -> Ran {
    let began = Instant::now();
    let (address, path) = ask::parts(&options.url)?;
    let talk = Duration::from_secs_f64(options.minutes * 60.0);
    let ramp = talk.mul_f64(RAMP).min(LONGEST_RAMP);
    let cutter = Cutter::before(address).await?;
    let cut_url = format!("ws://{}/{path}", cutter.address());
    let pace = Pace {
        rooms: options.rooms,
        ramp,
        pause: Duration::from_millis(options.pause_ms),
        life: talk.mul_f64(0.25),
    };
    let world = Arc::new(World::new(options.url.clone(), cut_url, pace));
    let processes = Functions::of(address).await?;
    let deleter = Deleter::of(&options.url)?;
    let mut lots = fastrand::Rng::with_seed(options.seed);

    let (mut members, mut raws) = (JoinSet::new(), JoinSet::new());
    for number in 0..options.members {
        let world = Arc::clone(&world);
        members.spawn_local(member::live(world, options.members, number, lots.fork()));
    }
    for number in 0..options.raw {
        raws.spawn_local(raw::live(Arc::clone(&world), number, lots.fork()));
    }

    let seen = RefCell::new(Environments::default());
    let kills = RefCell::new(Kills::default());
    let (resets, deletes) = (RefCell::new(0), RefCell::new(0));
    let tellings = RefCell::new(Tellings::default());
    let every = Duration::from_millis;
    let harm = async {
        sleep(ramp).await;
        tokio::join!(
            processes.kill_some(every(options.kill_ms), lots.fork(), &kills),
            cutter.cut_some(every(options.reset_ms), lots.fork(), &resets),
            deleter.delete_some(&world, every(options.delete_ms), lots.fork(), &deletes),
        );
    };
    let crowds = async {
        loop {
            sleep(CROWD_EVERY).await;
            world.crowd.send_modify(|number| *number += 1);
        }
    };
    let ending = async {
        tokio::select! {
            () = sleep(talk) => {}
            () = harm => {}
            () = crowds => {}
        }
        figures::progress("nobody says anything more; who is there catches up");
        world.phase.send_replace(Phase::Quiet);
        let logs = Arc::new(conclude(&world, address).await?);
        world.phase.send_replace(Phase::Over(Arc::clone(&logs)));
        Ok::<_, Failure>(logs)
    };
    let watching = async {
        tokio::select! {
            followed = tellings::follow(address, &tellings) => followed,
            () = processes.watch(&seen) => Ok(()),
            read = ending => {
                let logs = read?;
                let stays = gather(&mut members).await?;
                let sockets = gather(&mut raws).await?;
                tellings::read(address, &tellings).await?;
                let tellings = tellings.borrow();
                let mut found = examine(&world, &logs, &stays, &sockets, &tellings);
                found.logs = LogFaults::find(&logs, &world.sends());
                found.seed = options.seed;
                found.seconds = began.elapsed().as_secs_f64();
                found.kills = *kills.borrow();
                (found.resets, found.deletes) = (*resets.borrow(), *deletes.borrow());
                found.environments_wanted = options.environments;
                let seen = seen.borrow();
                found.environments = seen.at_once as u64;
                found.at_work = seen.at_work_at_once as u64;
                found.environments_in_all = seen.all.len() as u64;
                report(&found)
            }
        }
    };
    watching.await
}

/// Waits until everything that was said has its fate, and reads the logs.
async fn conclude(world: &World, address: &str) -> Result<Logs, Failure> {
    let answered = async {
        while world.waiting() > 0 {
            sleep(LOOK_AGAIN).await;
        }
    };
    // What is stored once the logs are read would look like messages that nobody accepted.
    let late = |_| Failure::Silent(format!("{} messages that were said", world.waiting()));
    timeout(ANSWERS_WAIT, answered).await.map_err(late)?;
    let idle = async {
        while functions::invocations(address).await? > 0 {
            sleep(LOOK_AGAIN).await;
        }
        Ok::<_, Failure>(())
    };
    let busy = |_| Failure::Silent("functions that are at work".to_owned());
    timeout(IDLE_WAIT, idle).await.map_err(busy)??;
    reader::read(world).await
}

async fn gather<T: 'static>(clients: &mut JoinSet<Vec<T>>) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    while let Some(ended) = clients.join_next().await {
        all.extend(ended?);
    }
    Ok(all)
}

fn examine(
    world: &World,
    logs: &Logs,
    stays: &[Stay],
    sockets: &[witness::Socket],
    tellings: &Tellings,
) -> Found {
    let mut members = MemberFaults::default();
    for stay in stays {
        members.add(stay, logs.get(&stay.room).unwrap_or(&Vec::new()));
    }
    let mut raw = SocketFaults::default();
    for socket in sockets {
        raw.add(socket, logs);
    }
    let is_message = |told: &&ledger::Told| matches!(told, ledger::Told::Message(_));
    let sends = world.sends();
    let told = |stay: &Stay| stay.told.iter().filter(is_message).count() as u64;
    Found {
        accepted: logs.values().map(|log| log.len() as u64).sum(),
        said: sends.len() as u64,
        stays: stays.len() as u64,
        stays_to_the_end: stays.iter().filter(|it| it.to_the_end).count() as u64,
        told: stays.iter().map(told).sum(),
        returns: so_many(&world.counts.returns),
        members,
        sockets: sockets.len() as u64,
        heard: raw.heard,
        late: raw.late,
        stray: raw.stray,
        altered: raw.altered,
        blame: raw.blame(&tellings.ended),
        unanswered: so_many(&world.counts.unanswered),
        table_errors: tellings.errors,
        undelivered: tellings.undelivered,
        ..Found::default()
    }
}

fn report(found: &Found) -> Ran {
    figures::print(&verdict::table(found))?;
    figures::print(&found.figures().to_string())?;
    let failed = found.verdicts().iter().filter(|it| !it.holds()).count();
    match failed {
        0 => Ok(()),
        some => Err(Failure::Conditions(some)),
    }
}
