//! A session and its connection: one task that passes on what the session says and hears.
//!
//! Deliberately absent: what to say and tell, which is the session's to decide, and coming
//! back, which is the [`Link`]'s.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::link::{Happening, Link, LinkOptions};
use crate::session::{Event, Session};

/// How often the session is asked what is due.
const TICK: Duration = Duration::from_millis(250);
/// What the user asked for and the task hasn't taken yet.
const COMMANDS: usize = 1_024;
/// What the user hasn't read yet; who doesn't read slows the connection down.
const EVENTS: usize = 1_024;

/// How a client connects.
#[derive(Debug, Clone)]
pub struct Options {
    /// Offered when connecting; `chat.json`, say, and a token beside it for an authorizer.
    pub subprotocols: Vec<String>,
    /// The longest first wait before connecting again.
    pub first_wait: Duration,
    /// The longest of all waits before connecting again.
    pub longest_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            subprotocols: Vec::new(),
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// The client has stopped: its user dropped the events, or it was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the chat client has stopped")
    }
}

impl std::error::Error for Stopped {}

enum Command {
    Join(String),
    Leave(String),
    Send {
        room: String,
        text: String,
        id: oneshot::Sender<String>,
    },
}

/// A client, which stays connected until it is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
}

impl Client {
    /// Starts one in the background. `url` is asked before each attempt, so that a token in
    /// it can be a new one; the events must be read.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(
        mut url: impl FnMut() -> String + Send + 'static,
        options: Options,
    ) -> (Self, mpsc::Receiver<Event>) {
        let (commands, taken) = mpsc::channel(COMMANDS);
        let (events, told) = mpsc::channel(EVENTS);
        let link_options = LinkOptions {
            first_wait: options.first_wait,
            longest_wait: options.longest_wait,
            ..LinkOptions::default()
        };
        let ask = Box::new(move || {
            let request = request(url(), &options.subprotocols);
            Box::pin(async move { request }) as _
        });
        let task = Task {
            link: Link::new(ask, link_options),
            open: false,
            session: Session::new(random(), random()),
            began: Instant::now(),
            commands: taken,
            events,
        };
        tokio::spawn(task.run());
        (Self { commands }, told)
    }

    /// From now on the client is a member of the room, across connections.
    ///
    /// # Errors
    /// When the client has stopped.
    pub async fn join(&self, room: &str) -> Result<(), Stopped> {
        let command = Command::Join(room.to_owned());
        self.commands.send(command).await.map_err(|_| Stopped)
    }

    /// No longer.
    ///
    /// # Errors
    /// When the client has stopped.
    pub async fn leave(&self, room: &str) -> Result<(), Stopped> {
        let command = Command::Leave(room.to_owned());
        self.commands.send(command).await.map_err(|_| Stopped)
    }

    /// Says something in a room that was joined; what becomes of it comes as
    /// [`Event::Sent`] or [`Event::Refused`]. Answers the message's id.
    ///
    /// # Errors
    /// When the client has stopped.
    pub async fn send(&self, room: &str, text: &str) -> Result<String, Stopped> {
        let (id, answered) = oneshot::channel();
        let command = Command::Send {
            room: room.to_owned(),
            text: text.to_owned(),
            id,
        };
        self.commands.send(command).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }
}

struct Task {
    link: Link,
    open: bool,
    session: Session,
    began: Instant,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
}

/// The user has no more wishes, or reads no more.
struct Ended;

impl Task {
    async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.pass_on(&mut ticks).await.is_ok() {}
        self.link.close(None).await;
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for something to happen, and passes on what comes of it.
    async fn pass_on(&mut self, ticks: &mut Interval) -> Result<(), Ended> {
        tokio::select! {
            happening = self.link.next() => self.happened(happening),
            command = self.commands.recv() => self.obey(command)?,
            _ = ticks.tick(), if self.open => {
                let now = self.now();
                self.session.tick(now);
            }
        }
        if !self.open {
            return Ok(());
        }
        for event in self.session.take_events() {
            self.events.send(event).await.map_err(|_| Ended)?;
        }
        for frame in self.session.take_frames() {
            // What isn't said here the session says again.
            if self.link.send(Message::text(frame)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn happened(&mut self, happening: Happening) {
        let now = self.now();
        match happening {
            Happening::Opened { .. } => {
                self.open = true;
                self.session.opened(now);
            }
            Happening::Heard(Message::Text(text)) => self.session.heard(&text, now),
            Happening::Lost { .. } => {
                self.open = false;
                self.session.closed();
            }
            Happening::Heard(_) | Happening::Failed { .. } => {}
        }
    }

    fn obey(&mut self, command: Option<Command>) -> Result<(), Ended> {
        let now = self.now();
        match command.ok_or(Ended)? {
            Command::Join(room) => self.session.join(&room, now),
            Command::Leave(room) => self.session.leave(&room, now),
            Command::Send { room, text, id } => {
                // Whoever asked may have stopped waiting.
                let _unread = id.send(self.session.send(&room, &text, now));
            }
        }
        Ok(())
    }
}

fn request(url: String, subprotocols: &[String]) -> Result<Request, String> {
    let mut request = url
        .into_client_request()
        .map_err(|error| error.to_string())?;
    if !subprotocols.is_empty() {
        let offered = HeaderValue::from_str(&subprotocols.join(", "));
        let offered = offered.map_err(|error| error.to_string())?;
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", offered);
    }
    Ok(request)
}

/// Nobody else's, and not to be guessed: 32 characters.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
