//! A client without the client library: it opens a socket, joins a room, talks, leaves,
//! listens where it is no member, and vanishes in one of several ways. What it hears is
//! written down; what it doesn't hear it never asks for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::ledger::{Fate, Heard};
use super::socket::{Answer, Socket, is_error, now_ms, request};
use super::witness::{self, Witness};
use super::world::{Phase, World, one_more, token_of};
use crate::failure::Failure;

/// What one connection does at most before it vanishes.
const DEEDS: u32 = 12;
/// Of ten, so many stay to the end.
const STAY: u32 = 5;
/// How long after the end of all it listens for what it is still to be told.
const LAST_WORDS: Duration = Duration::from_secs(15);
/// The longest pause of one that is in no room.
const BEFORE_JOINING: Duration = Duration::from_secs(4);
const ABSENCE: Duration = Duration::from_secs(3);

/// Lives until all is over, by several connections; gives what each witnessed.
pub(super) async fn live(
    world: Arc<World>,
    number: usize,
    mut lots: fastrand::Rng,
) -> Vec<witness::Socket> {
    let mut sockets = Vec::new();
    let stays_to_the_end = lots.u32(..10) < STAY;
    sleep(world.pace.ramp.mul_f64(lots.f64())).await;
    while world.is_talking() {
        let Ok(socket) = Socket::open(&world.url).await else {
            one_more(&world.counts.not_opened);
            sleep(ABSENCE.mul_f64(lots.f64())).await;
            continue;
        };
        let mut raw = Raw {
            world: &world,
            socket,
            own_room: format!("own-{number}-{}", sockets.len()),
            me: None,
            room: None,
            member: false,
            heard: witness::Socket::default(),
        };
        let deeds = match stays_to_the_end {
            true => u32::MAX,
            false => lots.u32(1..=DEEDS),
        };
        match raw.run(deeds, &mut lots).await {
            Ok(()) => {}
            Err(_gone) => one_more(&world.counts.closed),
        }
        let Raw { socket, heard, .. } = raw;
        sockets.push(heard);
        match lots.bool() {
            true => socket.cut(),
            false => socket.close().await,
        }
        sleep(ABSENCE.mul_f64(lots.f64())).await;
    }
    sockets
}

struct Raw<'w> {
    world: &'w World,
    socket: Socket,
    /// Where nobody else is: by joining it the socket learns its connection's id.
    own_room: String,
    me: Option<String>,
    /// The room it asked to join, and hasn't heard that it is out of.
    room: Option<String>,
    /// Whether it has heard that it is in.
    member: bool,
    heard: witness::Socket,
}

impl Raw<'_> {
    async fn run(&mut self, deeds: u32, lots: &mut fastrand::Rng) -> Result<(), Failure> {
        let mut phase = self.world.phase.subscribe();
        for _ in 0..deeds {
            let longest = match self.member {
                true => 2 * self.world.pace.pause,
                false => BEFORE_JOINING,
            };
            let pause = longest.mul_f64(lots.f64());
            if !self.listen(pause, &mut phase).await? {
                return self.last_words(phase).await;
            }
            match (&self.me, &self.room, self.member) {
                (None, ..) => self.learn_who_it_is().await?,
                (_, Some(_), false) => self.join().await?,
                (_, Some(_), true) => match lots.u32(..8) {
                    0 => self.leave().await?,
                    _ => self.speak(lots).await?,
                },
                // Some only listen, in no room.
                (_, None, _) if lots.u32(..4) > 0 => {
                    let room = self.world.any_room(lots);
                    self.witness(Witness::Asks(room.clone()));
                    self.room = Some(room);
                    self.join().await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether there is time for more deeds.
    async fn listen(
        &mut self,
        pause: Duration,
        phase: &mut watch::Receiver<Phase>,
    ) -> Result<bool, Failure> {
        let until = Instant::now() + pause;
        while self.world.is_talking() {
            tokio::select! {
                heard = timeout_at(until, self.socket.hear()) => match heard {
                    Ok(heard) => note(&mut self.heard, &heard?),
                    Err(_over) => return Ok(true),
                },
                _ = phase.changed() => {}
            }
        }
        Ok(false)
    }

    fn witness(&mut self, what: Witness) {
        self.heard.witnessed.push(what);
    }

    async fn ask(
        &mut self,
        request: &Value,
        is_answer: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>, Failure> {
        let aside = |heard: &Value| note(&mut self.heard, heard);
        match self.socket.ask(request, is_answer, aside).await? {
            Answer::This(answer) => Ok(Some(answer)),
            Answer::Failed | Answer::Nothing => {
                one_more(&self.world.counts.unanswered);
                Ok(None)
            }
        }
    }

    async fn learn_who_it_is(&mut self) -> Result<(), Failure> {
        let room = self.own_room.clone();
        let request = request("join", &room);
        self.witness(Witness::Asks(room.clone()));
        let joined = |heard: &Value| heard["type"] == "joined" && heard["room"] == *room;
        if let Some(answer) = self.ask(&request, joined).await? {
            let me = answer["member"]["connection"].as_str().map(str::to_owned);
            self.me = me;
        } else {
            // It may be in already, and would never be told again who it is.
            self.own_room.push('+');
        }
        Ok(())
    }

    async fn join(&mut self) -> Result<(), Failure> {
        let (Some(room), Some(me)) = (self.room.clone(), self.me.clone()) else {
            return Ok(());
        };
        let is_mine = |heard: &Value| {
            heard["type"] == "joined"
                && heard["room"] == *room
                && heard["member"]["connection"] == *me
        };
        let is_answer = |heard: &Value| is_mine(heard) || is_error(heard, &room, "ALREADY_JOINED");
        if let Some(answer) = self.ask(&request("join", &room), is_answer).await? {
            self.member = true;
            let last = answer["last"].as_u64();
            self.witness(Witness::In(room, last));
        }
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Failure> {
        let (Some(room), Some(me)) = (self.room.clone(), self.me.clone()) else {
            return Ok(());
        };
        self.witness(Witness::Leaves(room.clone()));
        let is_answer = |heard: &Value| {
            let is_mine = heard["type"] == "left"
                && heard["room"] == *room
                && heard["member"]["connection"] == *me;
            is_mine || is_error(heard, &room, "NOT_A_MEMBER")
        };
        // Where no answer comes, it asks again some time.
        let answer = self.ask(&request("leave", &room), is_answer).await?;
        if answer.is_some() {
            self.witness(Witness::Out(room, now_ms()));
            self.room = None;
            self.member = false;
        }
        Ok(())
    }

    async fn speak(&mut self, lots: &mut fastrand::Rng) -> Result<(), Failure> {
        let Some(room) = self.room.clone() else {
            return Ok(());
        };
        let token = self.world.says(&room);
        let mut request = request("send", &room);
        request["msg"] = json!(token.to_string());
        if lots.bool() {
            request["id"] = json!(format!("raw-{token}"));
        }
        let is_answer = |heard: &Value| {
            heard["room"] == *room && (heard["type"] == "sent" || heard["type"] == "error")
        };
        let answer = self.ask(&request, is_answer).await;
        let fate = match &answer {
            Ok(Some(answer)) => match answer["seq"].as_u64() {
                Some(seq) => Fate::Stored(seq),
                None => Fate::Refused,
            },
            _ => Fate::Unknown,
        };
        self.world.became(token, fate);
        answer.map(drop)
    }

    /// Says nothing more; listens until it has heard its room's last message, or for a
    /// while.
    async fn last_words(&mut self, mut phase: watch::Receiver<Phase>) -> Result<(), Failure> {
        let logs = loop {
            if let Phase::Over(logs) = &*phase.borrow_and_update() {
                break Arc::clone(logs);
            }
            tokio::select! {
                heard = self.socket.hear() => note(&mut self.heard, &heard?),
                _ = phase.changed() => {}
            }
        };
        let room = self.room.as_ref().filter(|_| self.member);
        let top = room.and_then(|room| logs.get(room)).map_or(0, Vec::len) as u64;
        let until = Instant::now() + LAST_WORDS;
        while top > 0 && last(&self.heard, room) < top {
            match timeout_at(until, self.socket.hear()).await {
                Ok(heard) => note(&mut self.heard, &heard?),
                Err(_over) => break,
            }
        }
        self.heard.to_the_end = true;
        Ok(())
    }
}

fn last(heard: &witness::Socket, room: Option<&String>) -> u64 {
    let number = |it: &Witness| match it {
        Witness::Hears(place, heard, _) if Some(place) == room => Some(heard.seq),
        _ => None,
    };
    heard.witnessed.iter().rev().find_map(number).unwrap_or(0)
}

/// Writes down what concerns messages.
fn note(socket: &mut witness::Socket, heard: &Value) {
    if heard["type"] != "message" {
        return;
    }
    let text = |name: &str| heard[name].as_str().unwrap_or_default().to_owned();
    let said = Heard {
        seq: heard["seq"].as_u64().unwrap_or(0),
        token: token_of(&text("text")),
    };
    let at = heard["at"].as_i64().unwrap_or(i64::MAX);
    socket
        .witnessed
        .push(Witness::Hears(text("room"), said, at));
}
