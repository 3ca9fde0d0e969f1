//! One client: connects, says something now and then, and vanishes in one of several
//! ways; again and again.
//!
//! It has one message under way at a time and waits for what comes of it, so that every
//! message has a fate. Only a slow reader sends several, and counts what comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::ledger::Ledger;
use crate::failure::Failure;
use crate::socket::{self, DEADLINE, Stream, is_error_frame};

/// Members that a room has, about; the chat takes 128.
const ROOM: usize = 16;
/// Messages of a connection, at most.
const MESSAGES: u32 = 12;
/// What a slow reader sends before it reads: within what the gateway keeps for one.
const SLOW_MESSAGES: usize = 8;
const SLOW_BYTES: usize = 4 * 1024;
const SLOW_PAUSE: Duration = Duration::from_secs(3);
/// What one sends who never reads: more than the gateway keeps.
const DEAF_MESSAGES: usize = 200;
const DEAF_BYTES: usize = 16 * 1024;
const DEAF_PATIENCE: Duration = Duration::from_secs(5);

/// What all clients share.
pub(super) struct World {
    url: String,
    pause: Duration,
    over: AtomicBool,
    pub(super) ledger: Ledger,
}

impl World {
    pub(super) fn new(url: String, pause: Duration) -> Self {
        Self {
            url,
            pause,
            over: AtomicBool::new(false),
            ledger: Ledger::default(),
        }
    }

    /// Clients end what they are at, and connect no more.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// Lives until the world is over.
pub(super) async fn live(world: Arc<World>, number: usize, mut lots: fastrand::Rng) {
    // All at once would be one burst at the beginning.
    sleep(world.pause.mul_f64(2.0 * lots.f64())).await;
    while !world.is_over() {
        match socket::open(&world.url).await {
            Ok(stream) => {
                world.ledger.connected.one();
                let client = Client {
                    world: &world,
                    stream,
                    room: format!("soak-{}", number / ROOM),
                    number,
                    sequence: lots.u32(..),
                    joined: false,
                };
                // How it ended is in the ledger.
                let _ended = client.run(&mut lots).await;
            }
            Err(Failure::Socket(tungstenite::Error::Http(_))) => world.ledger.refused.one(),
            Err(failure) => {
                world.ledger.broken.one();
                world.ledger.wrong(format!("a handshake: {failure}"));
            }
        }
        sleep(world.pause.mul_f64(lots.f64())).await;
    }
}

/// The connection is of no use any more; why is in the ledger.
struct Ended;

struct Client<'w> {
    world: &'w World,
    stream: Stream,
    room: String,
    number: usize,
    sequence: u32,
    joined: bool,
}

impl Client<'_> {
    async fn run(mut self, lots: &mut fastrand::Rng) -> Result<(), Ended> {
        for _ in 0..lots.u32(1..=MESSAGES) {
            self.pause(self.world.pause.mul_f64(2.0 * lots.f64()))
                .await?;
            if self.world.is_over() {
                break;
            }
            match lots.u32(..10) {
                0 | 1 if self.joined => self.send().await?,
                0 | 1 => self.join().await?,
                _ => self.echo().await?,
            }
        }
        self.vanish(lots).await
    }

    /// Says nothing, but hears what the others in its room say.
    async fn pause(&mut self, pause: Duration) -> Result<(), Ended> {
        let listening = async {
            loop {
                let text = self.next().await?;
                self.overhear(&text);
            }
        };
        match timeout(pause, listening).await {
            Ok(ended) => ended,
            Err(_) => Ok(()),
        }
    }

    async fn echo(&mut self) -> Result<(), Ended> {
        let text = self.unique("echo");
        self.say(&text).await?;
        self.answer(|got| got == text).await.map(drop)
    }

    async fn join(&mut self) -> Result<(), Ended> {
        let room = self.room.clone();
        let request = json!({ "action": "join", "room": room });
        self.say(&request.to_string()).await?;
        // Who isn't a member hears of nobody else's joining.
        let told = [
            format!(" has joined to Room {room}"),
            format!("You have already joined to {room}."),
            format!("{room} cannot have more than 128 members."),
        ];
        let is_told = |got: &str| told.iter().any(|end| got.ends_with(end.as_str()));
        self.joined = self.answer(is_told).await?;
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Ended> {
        let text = self.unique("room");
        let request = json!({ "action": "send", "room": self.room, "msg": text });
        self.say(&request.to_string()).await?;
        let delivered = format!("]: {text}");
        // Rooms are forgotten when their process is killed.
        let forgotten = format!(
            "In order to send message room to {}, join first.",
            self.room
        );
        let mut joined = true;
        let is_told = |got: &str| {
            joined &= got != forgotten;
            got == forgotten || got.ends_with(&delivered)
        };
        self.answer(is_told).await?;
        self.joined = joined;
        Ok(())
    }

    fn unique(&mut self, word: &str) -> String {
        self.sequence = self.sequence.wrapping_add(1);
        format!("{word} {} {}", self.number, self.sequence)
    }

    async fn say(&mut self, text: &str) -> Result<(), Ended> {
        let ledger = &self.world.ledger;
        ledger.sent.one();
        let sent = socket::send(&mut self.stream, text).await;
        sent.map_err(|failure| self.lost(&failure))
    }

    /// Waits for what a message comes to; whether it was the answer.
    async fn answer(&mut self, mut is_it: impl FnMut(&str) -> bool) -> Result<bool, Ended> {
        let waiting = async {
            loop {
                let text = socket::receive(&mut self.stream).await?;
                if is_it(&text) {
                    return Ok(true);
                }
                if is_error_frame(&text) {
                    return Ok(false);
                }
                overhear(self.world, &text);
            }
        };
        // Others may talk all the time.
        let waited = timeout(DEADLINE, waiting).await;
        match waited.unwrap_or(Err(Failure::Silent(DEADLINE))) {
            Ok(answered) => {
                let ledger = &self.world.ledger;
                match answered {
                    true => ledger.answered.one(),
                    false => ledger.failed.one(),
                }
                Ok(answered)
            }
            Err(failure) => Err(self.lost(&failure)),
        }
    }

    /// A message's connection ended, or nothing came for it.
    fn lost(&self, failure: &Failure) -> Ended {
        let ledger = &self.world.ledger;
        match failure {
            Failure::Silent(_) => ledger.silent.one(),
            _ => ledger.closed.one(),
        }
        ledger.wrong(format!("client {}: {failure}", self.number));
        Ended
    }

    async fn next(&mut self) -> Result<String, Ended> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => {
                    self.world
                        .ledger
                        .wrong(format!("client {} was closed", self.number));
                    // No message was under way: one more that was sent, and lost.
                    self.world.ledger.sent.one();
                    self.world.ledger.closed.one();
                    return Err(Ended);
                }
                Some(Ok(_)) => {}
            }
        }
    }

    fn overhear(&self, text: &str) {
        overhear(self.world, text);
    }

    async fn vanish(mut self, lots: &mut fastrand::Rng) -> Result<(), Ended> {
        match lots.u32(..10) {
            0..=3 => socket::close(self.stream).await,
            4 | 5 => drop(self.stream),
            6 | 7 => self.cut(lots).await,
            8 => self.read_slowly().await?,
            _ => self.never_read().await,
        }
        Ok(())
    }

    /// Resets the connection, perhaps while a message is under way.
    async fn cut(mut self, lots: &mut fastrand::Rng) {
        if lots.bool() {
            let text = self.unique("cut");
            self.world.ledger.sent.one();
            self.world.ledger.cut.one();
            let _gone = socket::send(&mut self.stream, &text).await;
        }
        let _only_slower = self.stream.get_ref().set_zero_linger();
    }

    /// Sends several, reads nothing for a while, and then everything.
    async fn read_slowly(&mut self) -> Result<(), Ended> {
        let mut expected = Vec::new();
        for _ in 0..SLOW_MESSAGES {
            let text = format!("{:x<SLOW_BYTES$}", self.unique("slow"));
            self.say(&text).await?;
            expected.push(text);
        }
        sleep(SLOW_PAUSE).await;
        for _ in 0..SLOW_MESSAGES {
            // Their functions run beside each other: in any order.
            let mut which = None;
            let is_one = |got: &str| {
                which = expected.iter().position(|text| text == got);
                which.is_some()
            };
            self.answer(is_one).await?;
            which.map(|at| expected.swap_remove(at));
        }
        Ok(())
    }

    /// Sends more than the gateway keeps, and cuts the connection.
    async fn never_read(mut self) {
        let sending = async {
            for _ in 0..DEAF_MESSAGES {
                let text = format!("{:x<DEAF_BYTES$}", self.unique("deaf"));
                if self.stream.feed(Message::text(text)).await.is_err() {
                    return;
                }
                self.world.ledger.sent.one();
                self.world.ledger.cut.one();
            }
            let _gone = self.stream.flush().await;
        };
        // In the end the gateway doesn't read any more either.
        let _stuck = timeout(DEAF_PATIENCE, sending).await;
        let _only_slower = self.stream.get_ref().set_zero_linger();
    }
}

/// What comes without having been asked for: others' texts in a room.
fn overhear(world: &World, text: &str) {
    let ledger = &world.ledger;
    // After such a frame was taken for the answer, the answer itself comes.
    let is_late = text.starts_with("echo ") || text.starts_with("slow ");
    if is_error_frame(text) || is_late {
        ledger.late.one();
    } else if text.starts_with('[') && text.contains("]: room ")
        || text.contains(" has joined to Room soak-")
    {
        ledger.heard.one();
    } else {
        ledger.stray.one();
        ledger.wrong(format!("stray: {text:.80}"));
    }
}
