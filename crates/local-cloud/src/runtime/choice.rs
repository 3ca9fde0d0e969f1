//! Which environment gets an event: an idle one, else one that gets free soon, else
//! a new one; and what becomes of it after the event.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cloud_model::FunctionVersion;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::place::{Place, Slot, Starting};
use super::pool::{Group, Handle, Key, Pool, key_of};
use crate::limits::{LOOKING_AT_ONCE, MOVING_PATIENCE, START_PATIENCE, STARTING_AT_ONCE};

pub(super) enum Found {
    Idle(Handle),
    MayStart(Slot),
    Stopping,
}

enum Looked {
    Found(Found),
    /// There is none; look again after so long.
    Wait(Duration),
}

impl Pool {
    /// From now on idle environments of the function's other revisions end.
    pub(super) fn prefer(&self, function: &FunctionVersion) {
        let mut state = self.lock();
        let group = state.groups.entry(key_of(function)).or_default();
        if group.revision != function.revision_id {
            group.revision.clone_from(&function.revision_id);
            group.idle.clear();
            group.reset.clear();
        }
    }

    /// An idle environment, or leave to start one; waits for either, in the order of
    /// coming.
    pub(super) async fn find(self: &Arc<Self>, function: &FunctionVersion) -> Found {
        let began = Instant::now();
        let mut place = None;
        loop {
            let look_again = match self.look(function, began.elapsed(), &mut place) {
                Looked::Found(found) => return found,
                Looked::Wait(look_again) => look_again,
            };
            match place.as_mut() {
                Some(freed) => match timeout(look_again, freed).await {
                    Ok(Ok(handle)) => return Found::Idle(handle),
                    Ok(Err(_gone)) => place = None,
                    Err(_) => {}
                },
                // Nobody hands over environments of an old revision.
                None => tokio::time::sleep(START_PATIENCE / 10).await,
            }
        }
    }

    /// Looks once. `place` is the event's in the queue of those that wait: it keeps it
    /// from one look to the next, for else who comes later could be served before.
    fn look(
        self: &Arc<Self>,
        function: &FunctionVersion,
        waited: Duration,
        place: &mut Option<oneshot::Receiver<Handle>>,
    ) -> Looked {
        if *self.stop.borrow() {
            return Looked::Found(Found::Stopping);
        }
        let mut guard = self.lock();
        let state = &mut *guard;
        let group = state.groups.entry(key_of(function)).or_default();
        let current = group.revision == function.revision_id;
        // Environments are handed over under the same lock: none can come from here on.
        if let Some(handle) = place.as_mut().and_then(|place| place.try_recv().ok()) {
            return Looked::Found(Found::Idle(handle));
        }
        while current && let Some((handle, _)) = group.idle.pop() {
            if !handle.jobs.is_closed() {
                *place = None;
                return Looked::Found(Found::Idle(handle));
            }
        }
        let none_busy = group.live == group.starting;
        let impatient = waited >= patience(group);
        let may_start = match function.max_concurrency {
            None => group.starting < STARTING_AT_ONCE && (none_busy || impatient || !current),
            // One that starts has places for others, too.
            Some(_) => group.starting == 0 && (group.live == 0 || impatient || !current),
        };
        if may_start && state.environments < self.limits.processes {
            *place = None;
            group.live += 1;
            group.starting += 1;
            state.environments += 1;
            let place = Place {
                pool: Arc::clone(self),
                key: key_of(function),
                access_key_id: None,
            };
            let starting = Starting {
                pool: Arc::clone(self),
                key: key_of(function),
            };
            let reset = group.reset.pop().filter(|_| current);
            let reset = reset.map(|(stream, _)| stream);
            return Looked::Found(Found::MayStart(Slot {
                place,
                starting,
                reset,
            }));
        }
        if !current {
            *place = None;
        } else if place.is_none() {
            let (freed, wait) = oneshot::channel();
            group.waiting.retain(|waiting| !waiting.is_closed());
            group.waiting.push_back(freed);
            *place = Some(wait);
        }
        let many = (group.waiting.len() / LOOKING_AT_ONCE) as u32;
        if state.environments >= self.limits.processes {
            evict_one(&mut state.groups);
        }
        Looked::Wait(START_PATIENCE * (1 + many))
    }

    /// Takes back the environment of an invocation that is over.
    pub(super) fn release(&self, handle: Handle) {
        if *self.stop.borrow() {
            return;
        }
        let mut state = self.lock();
        if handle.jobs.is_closed() {
            let group = state.groups.entry(handle.key).or_default();
            // The environment may have been the last that there was.
            if group.live == 0 && group.revision.is_empty() {
                group.revision.clone_from(&handle.revision);
            }
            let is_known = group.reset.iter().any(|(it, _)| *it == handle.log_stream);
            if group.revision == handle.revision && !is_known {
                group.reset.push((handle.log_stream, Instant::now()));
            }
            return;
        }
        let Some(group) = state.groups.get_mut(&handle.key) else {
            return;
        };
        if group.revision != handle.revision {
            return;
        }
        group.freed = Some(Instant::now());
        let mut handle = handle;
        while let Some(waiting) = group.waiting.pop_front() {
            match waiting.send(handle) {
                Ok(()) => return,
                Err(back) => handle = back,
            }
        }
        group.idle.push((handle, Instant::now()));
    }
}

/// How long an event waits before a further environment is started for it. The more
/// there are, the sooner one gets free, and the less a further one helps a machine with
/// few cores. Where one got free just now, the queue moves: the functions compute rather
/// than wait, or are quick, and a further one would only take the others' time.
fn patience(group: &Group) -> Duration {
    let patience = START_PATIENCE * (1 + group.live as u32 / 2);
    let moves = group.freed.is_some_and(|at| at.elapsed() < START_PATIENCE);
    if moves {
        patience * MOVING_PATIENCE
    } else {
        patience
    }
}

/// Makes room: lets go of the environment that has been idle longest.
fn evict_one(groups: &mut HashMap<Key, Group>) {
    let oldest = groups
        .values_mut()
        .filter_map(|group| Some((idle_since(group).min()?, group)))
        .min_by_key(|(since, _)| *since);
    if let Some((oldest, group)) = oldest {
        let_go(group, |since| since <= oldest);
    }
}

/// Lets go of environments that are wholly idle, by when the last of their events ended.
pub(super) fn let_go(group: &mut Group, ends: impl Fn(Instant) -> bool) {
    let ended: Vec<Arc<()>> = environments(group)
        .filter(|(_, since)| ends(*since))
        .map(|(environment, _)| Arc::clone(environment))
        .collect();
    let stays = |handle: &Handle| !ended.iter().any(|it| Arc::ptr_eq(it, &handle.environment));
    group.idle.retain(|(handle, _)| stays(handle));
}

fn idle_since(group: &Group) -> impl Iterator<Item = Instant> {
    environments(group).map(|(_, since)| since)
}

/// The environments of which all handles are idle.
fn environments(group: &Group) -> impl Iterator<Item = (&Arc<()>, Instant)> {
    let mut all: Vec<(&Arc<()>, usize, Instant)> = Vec::new();
    for (handle, since) in &group.idle {
        match all
            .iter_mut()
            .find(|(it, ..)| Arc::ptr_eq(it, &handle.environment))
        {
            Some((_, count, last)) => {
                *count += 1;
                *last = (*last).max(*since);
            }
            None => all.push((&handle.environment, 1, *since)),
        }
    }
    let idle = all
        .into_iter()
        .filter(|(it, count, _)| Arc::strong_count(it) == *count);
    idle.map(|(it, _, since)| (it, since))
}
