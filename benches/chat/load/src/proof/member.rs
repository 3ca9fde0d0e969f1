//! A member that uses the client library: it joins rooms, says something now and then,
//! leaves and comes back, and perhaps vanishes. What its library tells is written down.
//!
//! Deliberately absent: coming back after a cut. That is the library's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chat_client::{Client, Event, Options};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::ledger::{Fate, Heard, Stay, Told};
use super::world::{Phase, World, one_more, token_of};

/// Of ten, so many stay from their beginning to the end.
const STAY: u32 = 7;
/// Between leaving a room and joining it again at least: a `leave` must not be overtaken by
/// the `join` that follows, which the library notices only a minute later.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);
/// The longest absence of those that come back.
const LONGEST_ABSENCE: Duration = Duration::from_secs(4);
/// Of all members, about so many speak at once when a crowd does.
const CROWD: f64 = 14.0;
/// How long the rest of a room's messages may take when all is over: the library looks
/// once a minute whether it misses something.
pub(super) const CATCH_UP: Duration = Duration::from_secs(100);

/// Lives until all is over, perhaps several times; gives each stay in a room.
pub(super) async fn live(
    world: Arc<World>,
    members: usize,
    number: usize,
    mut lots: fastrand::Rng,
) -> Vec<Stay> {
    let mut stays = Vec::new();
    let stays_to_the_end = lots.u32(..10) < STAY;
    sleep(world.pace.ramp.mul_f64(lots.f64())).await;
    while world.is_talking() {
        let until = match stays_to_the_end {
            true => None,
            false => Some(Instant::now() + world.pace.life.mul_f64(2.0 * lots.f64())),
        };
        let mut life = Life::begin(&world, members, number, lots.fork());
        life.run(until).await;
        stays.extend(life.end());
        sleep(LONGEST_ABSENCE.mul_f64(lots.f64())).await;
    }
    stays
}

struct Life<'w> {
    world: &'w World,
    client: Client,
    events: Receiver<Event>,
    lots: fastrand::Rng,
    /// The probability to speak in a crowd.
    crowd: f64,
    /// By room, the one that the client is in or was last.
    stays: BTreeMap<String, Stay>,
    ended: Vec<Stay>,
    /// A room that was left, to come back to.
    left: Option<String>,
    /// The tokens of messages without an answer, by their ids.
    waiting: BTreeMap<String, (u64, String)>,
}

/// The library has stopped, which it never does by itself.
struct Stopped;

impl<'w> Life<'w> {
    fn begin(world: &'w World, members: usize, number: usize, lots: fastrand::Rng) -> Self {
        let url = world.cut_url.clone();
        let options = Options {
            // Both ways to ask for JSON.
            subprotocols: match number % 2 {
                0 => vec!["chat.json".to_owned()],
                _ => Vec::new(),
            },
            ..Options::default()
        };
        let (client, events) = Client::start(move || url.clone(), options);
        Self {
            world,
            client,
            events,
            lots,
            crowd: CROWD / members as f64,
            stays: BTreeMap::new(),
            ended: Vec::new(),
            left: None,
            waiting: BTreeMap::new(),
        }
    }

    /// Until its time is over, or everybody's; how is in its stays.
    async fn run(&mut self, until: Option<Instant>) {
        let _stopped = self.talk(until).await;
    }

    async fn talk(&mut self, until: Option<Instant>) -> Result<(), Stopped> {
        for _ in 0..self.lots.u32(1..=2) {
            let room = self.world.any_room(&mut self.lots);
            self.join(room).await?;
        }
        let mut phase = self.world.phase.subscribe();
        let mut crowd = self.world.crowd.subscribe();
        let mut next = Instant::now() + self.pause();
        while self.world.is_talking() {
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(());
            }
            let wakes = until.map_or(next, |until| until.min(next));
            tokio::select! {
                event = self.events.recv() => self.note(event.ok_or(Stopped)?),
                _ = phase.changed() => {}
                _ = crowd.changed() => {
                    if self.lots.f64() < self.crowd {
                        self.speak().await?;
                    }
                }
                () = sleep_until(wakes) => if next <= Instant::now() {
                    self.act().await?;
                    next = Instant::now() + self.pause();
                },
            }
        }
        self.catch_up(phase).await
    }

    fn pause(&mut self) -> Duration {
        SHORTEST_PAUSE + self.world.pace.pause.mul_f64(2.0 * self.lots.f64())
    }

    async fn act(&mut self) -> Result<(), Stopped> {
        if let Some(room) = self.left.take() {
            return self.join(room).await;
        }
        match self.lots.u32(..10) {
            0 => self.leave().await,
            _ => self.speak().await,
        }
    }

    async fn join(&mut self, room: String) -> Result<(), Stopped> {
        let stay = Stay {
            room: room.clone(),
            ..Stay::default()
        };
        self.client.join(&room).await.map_err(|_| Stopped)?;
        if let Some(before) = self.stays.insert(room, stay) {
            self.ended.push(before);
        }
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Stopped> {
        let Some(room) = self.lots.choice(self.stays.keys()).cloned() else {
            return Ok(());
        };
        self.client.leave(&room).await.map_err(|_| Stopped)?;
        // The library says these no more.
        self.waiting.retain(|_, (token, said_in)| {
            let stays = *said_in != room;
            if !stays {
                self.world.became(*token, Fate::Unknown);
            }
            stays
        });
        self.left = Some(room);
        Ok(())
    }

    async fn speak(&mut self) -> Result<(), Stopped> {
        let rooms = self
            .stays
            .keys()
            .filter(|it| Some(*it) != self.left.as_ref());
        let Some(room) = self.lots.choice(rooms.collect::<Vec<_>>()).cloned() else {
            return Ok(());
        };
        let token = self.world.says(&room);
        let client = self.client.clone();
        let text = token.to_string();
        let id = {
            let saying = client.send(&room, &text);
            tokio::pin!(saying);
            loop {
                tokio::select! {
                    // The id must be known before its answer comes.
                    biased;
                    said = &mut saying => break said.map_err(|_| Stopped)?,
                    // Else the library, which waits until its events are read, never answers.
                    event = self.events.recv() => self.note(event.ok_or(Stopped)?),
                }
            }
        };
        self.waiting.insert(id, (token, room));
        Ok(())
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Joined { room, last } => {
                if let Some(stay) = self.stays.get_mut(&room) {
                    if !stay.told.is_empty() {
                        one_more(&self.world.counts.returns);
                    }
                    stay.told.push(Told::Joined(last));
                }
            }
            Event::Message { room, said } => {
                let heard = Heard {
                    seq: said.seq,
                    token: token_of(&said.text),
                };
                self.tell(&room, Told::Message(heard));
            }
            Event::Missed { room, from, to } => self.tell(&room, Told::Missed(to - from + 1)),
            Event::Sent { id, seq, .. } => self.answered(&id, Fate::Stored(seq)),
            Event::Refused { id: Some(id), .. } => self.answered(&id, Fate::Refused),
            Event::MemberJoined { member, .. } => self.world.sees(member.connection),
            Event::Refused { id: None, .. } | Event::MemberLeft { .. } => {}
        }
    }

    fn tell(&mut self, room: &str, told: Told) {
        if let Some(stay) = self.stays.get_mut(room) {
            stay.told.push(told);
        }
    }

    fn answered(&mut self, id: &str, fate: Fate) {
        if let Some((token, _)) = self.waiting.remove(id) {
            self.world.became(token, fate);
        }
    }

    /// Says nothing more; listens until it has been told all that its rooms' logs have.
    async fn catch_up(&mut self, mut phase: watch::Receiver<Phase>) -> Result<(), Stopped> {
        let logs = loop {
            if let Phase::Over(logs) = &*phase.borrow_and_update() {
                break Arc::clone(logs);
            }
            tokio::select! {
                event = self.events.recv() => self.note(event.ok_or(Stopped)?),
                _ = phase.changed() => {}
            }
        };
        let deadline = Instant::now() + CATCH_UP;
        let left = self.left.clone();
        let lacks = |stay: &Stay| {
            let top = logs.get(&stay.room).map_or(0, Vec::len) as u64;
            Some(&stay.room) != left.as_ref() && stay.last() < top
        };
        while self.stays.values().any(lacks) {
            match timeout_at(deadline, self.events.recv()).await {
                Ok(event) => self.note(event.ok_or(Stopped)?),
                Err(_late) => break,
            }
        }
        let there = self.stays.values_mut();
        for stay in there.filter(|stay| Some(&stay.room) != left.as_ref()) {
            stay.to_the_end = true;
        }
        Ok(())
    }

    /// Vanishes: dropping the library closes its connection, and no room is left.
    fn end(self) -> Vec<Stay> {
        for (token, _) in self.waiting.into_values() {
            self.world.became(token, Fate::Unknown);
        }
        self.ended
            .into_iter()
            .chain(self.stays.into_values())
            .collect()
    }
}
