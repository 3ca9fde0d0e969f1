//! The functions' processes, as the kernel has them: how many serve the rooms, and at once;
//! and killing some.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use crate::failure::Failure;
use crate::functions::{self, children, is_room, state};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// How long a killer waits for a room's process that is at work.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of ten kills, so many are of a room's process; the others of any.
const ROOMS: u32 = 8;
/// A local cloud's functions.
pub(super) struct Functions {
    cloud: i32,
    /// Whether a process is a room's, by its id.
    known: RefCell<BTreeMap<i32, bool>>,
}

/// What was seen of the room function's environments.
#[derive(Debug, Default)]
pub(super) struct Environments {
    /// The most that there were at once, and that were at work at once.
    pub(super) at_once: usize,
    pub(super) at_work_at_once: usize,
    /// All that there were.
    pub(super) all: BTreeSet<i32>,
}

/// Kills by what was killed.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Kills {
    /// Of rooms' processes, and of these, at work.
    pub(super) rooms: u64,
    pub(super) at_work: u64,
    /// Of other functions' processes.
    pub(super) others: u64,
}

#[derive(Debug, Clone, Copy)]
struct Process {
    id: i32,
    is_room: bool,
    /// The local cloud lets processes stand still between events.
    at_work: bool,
}

impl Functions {
    /// Of the local cloud at this address.
    pub(super) async fn of(address: &str) -> Result<Self, Failure> {
        Ok(Self {
            cloud: functions::cloud(address).await?,
            known: RefCell::default(),
        })
    }

    /// Looks until it is dropped.
    pub(super) async fn watch(&self, seen: &RefCell<Environments>) {
        loop {
            let rooms = self.now().into_iter().filter(|it| it.is_room);
            let rooms: Vec<Process> = rooms.collect();
            let at_work = rooms.iter().filter(|it| it.at_work).count();
            {
                let mut seen = seen.borrow_mut();
                seen.at_once = seen.at_once.max(rooms.len());
                seen.at_work_at_once = seen.at_work_at_once.max(at_work);
                seen.all.extend(rooms.iter().map(|it| it.id));
            }
            sleep(LOOK).await;
        }
    }

    /// Kills one every so often, until it is dropped.
    pub(super) async fn kill_some(
        &self,
        every: Duration,
        mut lots: fastrand::Rng,
        kills: &RefCell<Kills>,
    ) {
        loop {
            sleep(every.mul_f64(2.0 * lots.f64())).await;
            let victim = match lots.u32(..10) < ROOMS {
                true => self.a_room_at_work(&mut lots).await,
                false => lots.choice(self.now()),
            };
            let Some(victim) = victim else {
                continue;
            };
            // It may have ended by itself meanwhile.
            if kill(Pid::from_raw(victim.id), Signal::SIGKILL).is_ok() {
                let mut kills = kills.borrow_mut();
                kills.rooms += u64::from(victim.is_room);
                kills.at_work += u64::from(victim.is_room && victim.at_work);
                kills.others += u64::from(!victim.is_room);
            }
        }
    }

    /// One at work, at any moment of its work; after a while an idle one.
    async fn a_room_at_work(&self, lots: &mut fastrand::Rng) -> Option<Process> {
        let until = Instant::now() + PATIENCE;
        loop {
            let rooms = self.now().into_iter().filter(|it| it.is_room);
            let (busy, idle): (Vec<_>, Vec<_>) = rooms.partition(|it| it.at_work);
            if !busy.is_empty() {
                return lots.choice(busy);
            }
            if Instant::now() > until {
                return lots.choice(idle);
            }
            sleep(Duration::from_millis(1 + lots.u64(..8))).await;
        }
    }

    fn now(&self) -> Vec<Process> {
        let mut known = self.known.borrow_mut();
        let mut processes = Vec::new();
        for id in children(self.cloud) {
            let Some(state) = state(id) else {
                continue;
            };
            let is_room = match known.get(&id) {
                Some(is_room) => *is_room,
                None => match is_room(id) {
                    Some(is_room) => {
                        known.insert(id, is_room);
                        is_room
                    }
                    None => continue,
                },
            };
            processes.push(Process {
                id,
                is_room,
                at_work: !matches!(state, 'T' | 't'),
            });
        }
        processes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::process::{Command, Stdio};

    #[test]
    fn a_child_that_stands_still_is_not_at_work_and_no_room_without_its_name() {
        let this = Functions {
            cloud: i32::try_from(std::process::id()).unwrap(),
            known: RefCell::default(),
        };
        let start = |name: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", "echo; read _"]);
            command.env("AWS_LAMBDA_FUNCTION_NAME", name);
            let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = pipes.spawn().unwrap();
            // Only then does it run.
            let out = child.stdout.as_mut().unwrap();
            out.read_exact(&mut [0]).unwrap();
            child
        };
        let mut room = start("chat-local-room");
        let mut other = start("chat-local-connect");
        let id_of = |child: &std::process::Child| i32::try_from(child.id()).unwrap();
        let find = |child: &std::process::Child| {
            let now = this.now();
            now.into_iter().find(|it| it.id == id_of(child))
        };
        let (found, not_room) = (find(&room).unwrap(), find(&other).unwrap());
        assert!(found.is_room && found.at_work && !not_room.is_room);
        kill(Pid::from_raw(found.id), Signal::SIGSTOP).unwrap();
        while find(&room).unwrap().at_work {}
        for child in [&mut room, &mut other] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(find(&room).is_none());
    }
}
