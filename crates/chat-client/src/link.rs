//! A WebSocket connection that comes back: it is opened, used, and opened again when it is
//! cut, after waits that grow while it can't be opened. Nothing is said about what goes
//! over it.
//!
//! Deliberately absent: a task of its own, and a queue. Whoever holds a [`Link`] asks it
//! what happens [`next`](Link::next), and nothing happens else.

use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::backoff::Backoff;
use crate::trust::Trust;

/// Of opening a connection: API Gateway gives `$connect` 29 s.
const CONNECT_WAIT: Duration = Duration::from_secs(35);
/// How long the other side may take to end its half of a close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// Of one message; API Gateway's have 128 KB at most.
const MESSAGE_LIMIT: usize = 16 << 20;
/// Of what is kept of a refusal's body.
const REFUSAL_LIMIT: usize = 4_096;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What opens the next connection: asked before each attempt, so that a token or a signature
/// in it can be a new one.
pub type Ask = Box<dyn FnMut() -> Boxed<Result<Request, String>> + Send>;

/// How a link connects.
#[derive(Clone)]
pub struct LinkOptions {
    /// `None`: the platform's roots.
    pub trust: Option<Trust>,
    /// The longest first wait before connecting again.
    pub first_wait: Duration,
    /// The longest of all waits before connecting again.
    pub longest_wait: Duration,
    /// Between two PINGs. A connection on which nothing at all is heard from one to the next
    /// is taken for cut. `None`: no PINGs.
    pub ping_every: Option<Duration>,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            trust: None,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(30),
            ping_every: None,
        }
    }
}

/// Why a connection wasn't opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// There is no request to send, for this reason.
    NoRequest(String),
    /// The other side answered the handshake with another status than 101.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What came with it, as far as it is text.
        body: String,
    },
    /// It can't be reached, or doesn't speak WebSocket.
    Unreachable(String),
    /// It didn't answer in time.
    NoAnswer,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRequest(reason) | Self::Unreachable(reason) => f.write_str(reason),
            Self::Refused { status, body } if body.is_empty() => write!(f, "HTTP status {status}"),
            Self::Refused { status, body } => write!(f, "HTTP status {status}: {body}"),
            Self::NoAnswer => write!(f, "no answer in {CONNECT_WAIT:?}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// What a link tells.
#[derive(Debug)]
pub enum Happening {
    /// The connection is open, for the first time or again.
    Opened {
        /// The subprotocol that the other side chose.
        subprotocol: Option<String>,
        /// From the attempt's begin.
        took: Duration,
    },
    /// A message, or the answer to a PING.
    Heard(Message),
    /// The connection has ended. It is opened again after `wait`.
    Lost {
        /// The other side's close code; `None`: it said nothing.
        code: Option<u16>,
        /// Its words, or what went wrong.
        reason: String,
        /// Until the next attempt.
        wait: Duration,
    },
    /// An attempt has failed. The next one is made after `wait`.
    Failed {
        /// Why.
        error: OpenError,
        /// Until the next attempt.
        wait: Duration,
    },
}

/// There is no connection at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOpen;

enum State {
    Opening(Boxed<Result<(Socket, Response), OpenError>>, Instant),
    Open(Box<Socket>, Pulse),
    /// The other side has closed; it gets our half.
    Ending(Boxed<()>, Option<u16>, String),
    Waiting(Pin<Box<Sleep>>),
}

/// When the next PING is due.
struct Pulse {
    every: Option<Duration>,
    due: Option<Pin<Box<Sleep>>>,
    unanswered: bool,
}

impl Pulse {
    fn new(every: Option<Duration>) -> Self {
        let due = every.map(|every| Box::pin(sleep(every)));
        Self {
            every,
            due,
            unanswered: false,
        }
    }

    /// Waits until it is; for ever, if it never is.
    async fn beat(&mut self) {
        match &mut self.due {
            Some(due) => due.await,
            None => pending().await,
        }
        self.due = self.every.map(|every| Box::pin(sleep(every)));
    }
}

/// A connection that comes back.
pub struct Link {
    ask: Ask,
    options: LinkOptions,
    backoff: Backoff,
    state: State,
}

impl Link {
    /// One whose first connection is begun by the first [`next`](Self::next).
    pub fn new(ask: Ask, options: LinkOptions) -> Self {
        let backoff = Backoff::new(options.first_wait, options.longest_wait, fastrand::u64(..));
        Self {
            ask,
            options,
            backoff,
            state: State::Waiting(Box::pin(sleep(Duration::ZERO))),
        }
    }

    /// What happens next. Never ends. Nothing is lost when it isn't waited for to the end.
    pub async fn next(&mut self) -> Happening {
        loop {
            match &mut self.state {
                State::Waiting(sleep) => {
                    sleep.await;
                    let opening = open((self.ask)(), self.options.trust.clone());
                    self.state = State::Opening(Box::pin(opening), Instant::now());
                }
                State::Opening(opening, began) => {
                    let opened = opening.await;
                    let took = began.elapsed();
                    return self.opened(opened, took);
                }
                State::Open(socket, pulse) => {
                    let heard = tokio::select! {
                        heard = socket.next() => heard,
                        () = pulse.beat() => {
                            if pulse.unanswered {
                                return self.lost(None, "no answer to PING".to_owned());
                            }
                            pulse.unanswered = true;
                            if let Err(error) = socket.send(Message::Ping(Bytes::new())).await {
                                return self.lost(None, error.to_string());
                            }
                            continue;
                        }
                    };
                    pulse.unanswered = false;
                    match heard {
                        Some(Ok(Message::Close(frame))) => self.end(frame),
                        Some(Ok(message)) => return Happening::Heard(message),
                        Some(Err(error)) => return self.lost(None, error.to_string()),
                        None => return self.lost(None, "it was cut".to_owned()),
                    }
                }
                State::Ending(ending, code, reason) => {
                    ending.await;
                    let (code, reason) = (code.take(), std::mem::take(reason));
                    return self.lost(code, reason);
                }
            }
        }
    }

    fn opened(
        &mut self,
        opened: Result<(Socket, Response), OpenError>,
        took: Duration,
    ) -> Happening {
        match opened {
            Ok((socket, response)) => {
                self.backoff.succeeded();
                let chosen = response.headers().get("Sec-WebSocket-Protocol");
                let subprotocol = chosen.and_then(|it| it.to_str().ok()).map(str::to_owned);
                self.state = State::Open(Box::new(socket), Pulse::new(self.options.ping_every));
                Happening::Opened { subprotocol, took }
            }
            Err(error) => {
                let wait = self.wait();
                Happening::Failed { error, wait }
            }
        }
    }

    fn end(&mut self, frame: Option<CloseFrame>) {
        let code = frame.as_ref().map(|frame| frame.code.into());
        let reason = frame.map(|frame| frame.reason.to_string());
        let waiting = State::Waiting(Box::pin(sleep(Duration::ZERO)));
        if let State::Open(socket, _) = std::mem::replace(&mut self.state, waiting) {
            let ending = Box::pin(drain(socket));
            self.state = State::Ending(ending, code, reason.unwrap_or_default());
        }
    }

    fn lost(&mut self, code: Option<u16>, reason: String) -> Happening {
        let wait = self.wait();
        Happening::Lost { code, reason, wait }
    }

    fn wait(&mut self) -> Duration {
        let wait = self.backoff.next_wait();
        self.state = State::Waiting(Box::pin(sleep(wait)));
        wait
    }

    /// Sends a message on the connection that is open.
    ///
    /// # Errors
    /// When none is, or it ends meanwhile, which [`next`](Self::next) tells.
    pub async fn send(&mut self, message: Message) -> Result<(), NotOpen> {
        match &mut self.state {
            State::Open(socket, _) => socket.send(message).await.map_err(|_| NotOpen),
            _ => Err(NotOpen),
        }
    }

    /// Ends the connection that is open, if one is, and opens another: the end is told by
    /// [`next`](Self::next).
    pub fn hang_up(&mut self, frame: Option<CloseFrame>) {
        let waiting = State::Waiting(Box::pin(sleep(Duration::ZERO)));
        match std::mem::replace(&mut self.state, waiting) {
            State::Open(mut socket, _) => {
                let ending = async move {
                    if (*socket).close(frame).await.is_ok() {
                        drain(socket).await;
                    }
                };
                let reason = "closed from here".to_owned();
                self.state = State::Ending(Box::pin(ending), None, reason);
            }
            before => self.state = before,
        }
    }

    /// Ends the connection, if one is open, and waits a bounded time until the other side
    /// has ended its half.
    pub async fn close(self, frame: Option<CloseFrame>) {
        if let State::Open(mut socket, _) = self.state {
            let closing = async {
                // Gone already: as good as closed.
                if (*socket).close(frame).await.is_ok() {
                    drain(socket).await;
                }
            };
            let _too_slow = timeout(CLOSE_WAIT, closing).await;
        }
    }
}

/// Reads to the end, by which our half of a close gets out.
async fn drain(mut socket: Box<Socket>) {
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    let _too_slow = timeout(CLOSE_WAIT, end).await;
}

async fn open(
    asking: Boxed<Result<Request, String>>,
    trust: Option<Trust>,
) -> Result<(Socket, Response), OpenError> {
    let request = asking.await.map_err(OpenError::NoRequest)?;
    let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_LIMIT));
    let opening =
        connect_async_tls_with_config(request, Some(config), true, trust.map(Trust::connector));
    match timeout(CONNECT_WAIT, opening).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(Error::Http(response))) => {
            let body = response.body().as_deref().unwrap_or_default();
            let body = &body[..body.len().min(REFUSAL_LIMIT)];
            Err(OpenError::Refused {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(body).trim().to_owned(),
            })
        }
        Ok(Err(error)) => Err(OpenError::Unreachable(with_causes(&error))),
        Err(_) => Err(OpenError::NoAnswer),
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}
