//! A script's client: one connection, and what was heard on it.

use chat_client::tungstenite::Message;
use chat_client::tungstenite::protocol::CloseFrame;
use chat_client::{Happening, Link, OpenError};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Of ending a connection; the link bounds its own part of it.
const CLOSE_WAIT: Duration = Duration::from_secs(7);
/// What the run wants of it, and hasn't been taken yet.
const ORDERS: usize = 64;

/// What a client tells the run.
#[derive(Debug)]
pub enum Told {
    Opened,
    Heard(String),
    Ended { code: Option<u16>, reason: String },
    Refused(OpenError),
}

#[derive(Debug)]
enum Order {
    Send(String),
    Close(Option<u16>),
}

/// How far a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It wasn't begun.
    New,
    Opening,
    Open,
    /// Not from here.
    Ended {
        code: Option<u16>,
        reason: String,
    },
    /// From here.
    Closed,
    Refused(OpenError),
}

/// A client, as the run sees it.
#[derive(Debug)]
pub struct Member {
    orders: Option<mpsc::Sender<Order>>,
    pub state: State,
    /// What it heard and the script hasn't asked for yet.
    pub heard: VecDeque<String>,
    /// What it sent last, and how often again.
    pub last_sent: Option<(String, u32)>,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            orders: None,
            state: State::New,
            heard: VecDeque::new(),
            last_sent: None,
        }
    }
}

impl Member {
    /// Begins to connect; what becomes of it is told to `tell` with its `place`.
    pub fn connect(&mut self, link: Link, place: usize, tell: mpsc::Sender<(usize, Told)>) {
        let (orders, taken) = mpsc::channel(ORDERS);
        tokio::spawn(live(link, place, tell, taken));
        self.orders = Some(orders);
        self.state = State::Opening;
    }

    /// Sends a message, after a pause.
    pub async fn send(&self, text: String, after: Duration) {
        let Some(orders) = self.orders.clone() else {
            return;
        };
        // A client that has ended says so itself.
        if after.is_zero() {
            let _ended = orders.send(Order::Send(text)).await;
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ended = orders.send(Order::Send(text)).await;
        });
    }

    /// Ends the connection, if there is one.
    pub async fn close(&mut self, code: Option<u16>) {
        if let Some(orders) = self.orders.take() {
            let _ended = orders.send(Order::Close(code)).await;
            // Until it has; it may be stuck with what it wants to tell.
            let _stuck = timeout(CLOSE_WAIT, orders.closed()).await;
        }
        if self.state == State::Open {
            self.state = State::Closed;
        }
    }
}

async fn live(
    mut link: Link,
    place: usize,
    tell: mpsc::Sender<(usize, Told)>,
    mut orders: mpsc::Receiver<Order>,
) {
    loop {
        let told = tokio::select! {
            happening = link.next() => match happening {
                Happening::Opened { .. } => Told::Opened,
                Happening::Heard(Message::Text(text)) => Told::Heard(text.to_string()),
                Happening::Heard(_) => continue,
                Happening::Lost { code, reason, .. } => Told::Ended { code, reason },
                Happening::Failed { error, .. } => Told::Refused(error),
            },
            order = orders.recv() => match order {
                Some(Order::Send(text)) => {
                    // What is wrong with the connection is told by what happens next.
                    let _told_next = link.send(Message::text(text)).await;
                    continue;
                }
                Some(Order::Close(code)) => {
                    let frame = code.map(|code| CloseFrame {
                        code: code.into(),
                        reason: Default::default(),
                    });
                    return link.close(frame).await;
                }
                None => return link.close(None).await,
            },
        };
        let is_last = matches!(told, Told::Ended { .. } | Told::Refused(_));
        if tell.send((place, told)).await.is_err() || is_last {
            return;
        }
    }
}
