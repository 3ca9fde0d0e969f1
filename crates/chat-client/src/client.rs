//! A session and its connection: one task that connects, comes back, and passes on what
//! the session says and hears.
//!
//! Deliberately absent: what to say and tell, which is the session's to decide.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::backoff::Backoff;
use crate::session::{Event, Session};

/// How often the session is asked what is due.
const TICK: Duration = Duration::from_millis(250);
/// Of opening a connection: API Gateway gives `$connect` 29 s.
const CONNECT_WAIT: Duration = Duration::from_secs(35);
/// What the user asked for and the task hasn't taken yet.
const COMMANDS: usize = 1_024;
/// What the user hasn't read yet; who doesn't read slows the connection down.
const EVENTS: usize = 1_024;
/// How long the other side may take to end its half of a close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

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
        url: impl FnMut() -> String + Send + 'static,
        options: Options,
    ) -> (Self, mpsc::Receiver<Event>) {
        let (commands, taken) = mpsc::channel(COMMANDS);
        let (events, told) = mpsc::channel(EVENTS);
        let task = Task {
            url,
            session: Session::new(random(), random()),
            began: Instant::now(),
            commands: taken,
            events,
            backoff: Backoff::new(options.first_wait, options.longest_wait, fastrand::u64(..)),
            options,
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

struct Task<U> {
    url: U,
    options: Options,
    session: Session,
    began: Instant,
    backoff: Backoff,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
}

/// The user has no more wishes, or reads no more.
struct Ended;

impl<U: FnMut() -> String> Task<U> {
    async fn run(mut self) {
        while self.connect_and_stay().await.is_ok() {}
    }

    /// One connection, from its opening to its end, and the wait before the next one.
    async fn connect_and_stay(&mut self) -> Result<(), Ended> {
        let opening = open((self.url)(), self.options.subprotocols.clone());
        let opened = self.meanwhile(timeout(CONNECT_WAIT, opening)).await?;
        if let Ok(Ok(mut socket)) = opened {
            self.backoff.succeeded();
            self.session.opened(self.now());
            let stayed = self.stay(&mut socket).await;
            self.session.closed();
            if stayed.is_err() {
                let _gone_already = timeout(CLOSE_WAIT, socket.close(None)).await;
            }
            stayed?;
        }
        let wait = self.backoff.next_wait();
        self.meanwhile(sleep(wait)).await
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for something while the user's wishes are noted.
    async fn meanwhile<T>(&mut self, waiting: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                done = &mut waiting => return Ok(done),
                command = self.commands.recv() => self.obey(command)?,
            }
        }
    }

    /// Passes on in both directions until the connection ends.
    async fn stay(&mut self, socket: &mut Socket) -> Result<(), Ended> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            for event in self.session.take_events() {
                self.events.send(event).await.map_err(|_| Ended)?;
            }
            for frame in self.session.take_frames() {
                if socket.send(Message::text(frame)).await.is_err() {
                    return Ok(());
                }
            }
            tokio::select! {
                heard = socket.next() => match heard {
                    Some(Ok(Message::Text(text))) => {
                        let now = self.now();
                        self.session.heard(&text, now);
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    Some(Ok(_)) => {}
                },
                command = self.commands.recv() => self.obey(command)?,
                _ = ticks.tick() => {
                    let now = self.now();
                    self.session.tick(now);
                }
            }
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

async fn open(url: String, subprotocols: Vec<String>) -> Result<Socket, Error> {
    let mut request = url.into_client_request()?;
    if !subprotocols.is_empty() {
        let offered = HeaderValue::from_str(&subprotocols.join(", "))?;
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", offered);
    }
    let (socket, _) = connect_async(request).await?;
    Ok(socket)
}
/// Nobody else's, and not to be guessed: 32 characters.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
