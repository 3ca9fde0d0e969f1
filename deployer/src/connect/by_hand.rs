//! A connection that a user, or a pipe, sends lines over.

use super::commands::{self, HELP, Line};
use super::editor::Input;
use super::explain;
use super::templates::Templates;
use crate::failure::Failure;
use crate::render::Talk;
use crate::render::talk::{Line as Shown, milliseconds};
use chat_client::tungstenite::protocol::CloseFrame;
use chat_client::tungstenite::{Bytes, Message};
use chat_client::{Happening, Link, OpenError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// API Gateway ends a connection that is idle for 10 minutes.
const KEEP_ALIVE: Duration = Duration::from_secs(8 * 60);

/// How it is held.
pub struct Settings<'a> {
    /// The stage or address, as the user calls it.
    pub to: &'a str,
    /// The address.
    pub url: &'a str,
    /// Sent when nothing else was for a while.
    pub keep_alive: Option<&'a str>,
    /// Whether to connect again after a cut.
    pub reconnect: bool,
    /// How long it must be silent after the input's end.
    pub linger: Duration,
    /// What was sent is a template from then on.
    pub templates: Arc<Mutex<Templates>>,
}

/// Holds it until the user ends it.
///
/// # Errors
/// When the first connection isn't opened, a later one is refused for good, or is cut and
/// not to be opened again.
pub async fn run(
    link: Link,
    mut input: Input,
    talk: &Talk,
    settings: &Settings<'_>,
) -> Result<(), Failure> {
    let mut conversation = Conversation {
        link,
        talk,
        settings,
        by_hand: input.by_hand,
        open: false,
        opened_before: false,
        sent_at: None,
        ping_at: None,
        spoke_at: Instant::now(),
        heard_at: Instant::now(),
    };
    let mut input_ended = false;
    let frame = loop {
        // What is piped waits for the connection; who types may give up.
        let listens = !input_ended && (input.by_hand || conversation.open);
        let silent_at = conversation.heard_at + settings.linger;
        let idle_at = conversation.spoke_at + KEEP_ALIVE;
        tokio::select! {
            happening = conversation.link.next() => conversation.happened(happening)?,
            line = input.lines.recv(), if listens => match line {
                Some(line) => {
                    if let Some(code) = conversation.line(&line).await {
                        break code;
                    }
                }
                None if input.by_hand => break None,
                None => {
                    input_ended = true;
                    conversation.heard_at = Instant::now();
                }
            },
            () = sleep_until(silent_at), if input_ended => break None,
            () = sleep_until(idle_at), if conversation.open => conversation.keep_alive().await,
            _ = tokio::signal::ctrl_c() => break None,
        }
    };
    conversation.link.close(frame).await;
    Ok(())
}

struct Conversation<'a> {
    link: Link,
    talk: &'a Talk,
    settings: &'a Settings<'a>,
    by_hand: bool,
    open: bool,
    opened_before: bool,
    /// Of a message that nothing was heard since.
    sent_at: Option<Instant>,
    ping_at: Option<Instant>,
    spoke_at: Instant,
    heard_at: Instant,
}

impl Conversation<'_> {
    fn happened(&mut self, happening: Happening) -> Result<(), Failure> {
        match happening {
            Happening::Opened { subprotocol, took } => {
                (self.open, self.opened_before) = (true, true);
                (self.spoke_at, self.heard_at) = (Instant::now(), Instant::now());
                self.talk.line(&Shown::Opened {
                    url: self.settings.url,
                    subprotocol: subprotocol.as_deref(),
                    ms: milliseconds(took),
                });
            }
            Happening::Heard(message) => self.heard(&message),
            Happening::Lost { code, reason, wait } => {
                self.open = false;
                (self.sent_at, self.ping_at) = (None, None);
                let again = self.settings.reconnect.then(|| milliseconds(wait));
                self.talk.line(&Shown::Lost {
                    code,
                    reason: &reason,
                    again_in_ms: again,
                });
                if !self.settings.reconnect {
                    return Err(Failure::NotSo {
                        message: format!("{}: the connection was cut", self.settings.to),
                        next_step: "run the command again, or without --no-reconnect".to_owned(),
                    });
                }
            }
            Happening::Failed { error, wait } => self.failed(&error, wait)?,
        }
        Ok(())
    }

    fn failed(&self, error: &OpenError, wait: Duration) -> Result<(), Failure> {
        if !self.opened_before || !explain::may_pass(error) {
            return Err(explain::refusal(self.settings.to, error));
        }
        self.talk.line(&Shown::Failed {
            reason: &error.to_string(),
            again_in_ms: milliseconds(wait),
        });
        Ok(())
    }

    fn heard(&mut self, message: &Message) {
        let latency = |at: &mut Option<Instant>| at.take().map(|at| milliseconds(at.elapsed()));
        match message {
            Message::Text(text) => {
                self.heard_at = Instant::now();
                let ms = latency(&mut self.sent_at);
                self.talk.line(&Shown::Message { text, ms });
            }
            Message::Binary(bytes) => {
                self.heard_at = Instant::now();
                let ms = latency(&mut self.sent_at);
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                self.talk.line(&Shown::Binary { hex: &hex, ms });
            }
            // The link's own PINGs have no text.
            Message::Pong(text) if !text.is_empty() => {
                if let Some(ms) = latency(&mut self.ping_at) {
                    self.talk.line(&Shown::Pong { ms });
                }
            }
            _ => {}
        }
    }

    /// Does what a line says; the frame to close with, if it is the last.
    async fn line(&mut self, line: &str) -> Option<Option<CloseFrame>> {
        // A pipe's lines are messages, whatever they look like.
        let line = match self.by_hand {
            true => commands::read(line),
            false if line.is_empty() => Line::Empty,
            false => Line::Message(line.to_owned()),
        };
        match line {
            Line::Empty => {}
            Line::Message(text) => self.say(&text).await,
            Line::Binary(bytes) => self.send(Message::binary(bytes)).await,
            Line::Ping => {
                self.ping_at = Some(Instant::now());
                self.send(Message::Ping(Bytes::from_static(b"deployer")))
                    .await;
            }
            Line::Help => self.talk.note(HELP),
            Line::Reconnect => self.link.hang_up(None),
            Line::Wrong(what) => self.talk.note(&what),
            Line::Close(code) => {
                return Some(code.map(|code| CloseFrame {
                    code: code.into(),
                    reason: Default::default(),
                }));
            }
        }
        None
    }

    async fn say(&mut self, text: &str) {
        let looks_like_json = text.trim_start().starts_with('{');
        if self.by_hand
            && looks_like_json
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text)
        {
            self.talk.note(&format!("sent, but it is no JSON: {error}"));
        }
        self.learn(text);
        self.sent_at = Some(Instant::now());
        self.send(Message::text(text)).await;
    }

    fn learn(&self, text: &str) {
        let templates = self.settings.templates.lock();
        templates
            .unwrap_or_else(PoisonError::into_inner)
            .learn(text);
    }

    async fn send(&mut self, message: Message) {
        self.spoke_at = Instant::now();
        if self.link.send(message).await.is_err() {
            (self.sent_at, self.ping_at) = (None, None);
            self.talk.note("not connected: this wasn't sent");
        }
    }

    async fn keep_alive(&mut self) {
        match self.settings.keep_alive {
            Some(text) => self.send(Message::text(text)).await,
            None => self.spoke_at = Instant::now(),
        }
    }
}
