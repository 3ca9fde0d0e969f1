//! A raw socket: it speaks JSON by itself, and keeps what it hears.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::ask;
use crate::failure::Failure;

/// Of an answer: longer than a function has.
const ANSWER_WAIT: Duration = Duration::from_secs(25);
/// API Gateway gives `$connect` 29 s.
const CONNECT_WAIT: Duration = Duration::from_secs(35);

/// An open connection.
pub(super) struct Socket(WebSocketStream<TcpStream>);

/// What became of a request.
pub(super) enum Answer {
    /// What was waited for.
    This(Value),
    /// API Gateway's own frame: the function failed, was throttled or was killed.
    Failed,
    /// Nothing in time.
    Nothing,
}

impl Socket {
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        let (address, _) = ask::parts(url)?;
        let opening = async {
            let tcp = TcpStream::connect(address).await?;
            tcp.set_nodelay(true)?;
            let (socket, _) = client_async(url, tcp).await?;
            Ok(Self(socket))
        };
        let opened = timeout(CONNECT_WAIT, opening).await;
        opened.map_err(|_| Failure::Silent(url.to_owned()))?
    }

    pub(super) async fn say(&mut self, request: &Value) -> Result<(), Failure> {
        Ok(self.0.send(Message::text(request.to_string())).await?)
    }

    /// The next text.
    pub(super) async fn hear(&mut self) -> Result<Value, Failure> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
                }
                Some(Ok(Message::Close(_))) | None => return Err(Failure::Closed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Says something and waits for what is its answer; everything else that is heard
    /// goes to `aside`, and the answer, too.
    pub(super) async fn ask(
        &mut self,
        request: &Value,
        is_answer: impl Fn(&Value) -> bool,
        mut aside: impl FnMut(&Value),
    ) -> Result<Answer, Failure> {
        self.say(request).await?;
        let deadline = Instant::now() + ANSWER_WAIT;
        loop {
            let Ok(heard) = timeout_at(deadline, self.hear()).await else {
                return Ok(Answer::Nothing);
            };
            let heard = heard?;
            aside(&heard);
            if is_answer(&heard) {
                return Ok(Answer::This(heard));
            }
            // Only API Gateway's own have no type.
            if heard["type"].is_null() && heard["connectionId"].is_string() {
                return Ok(Answer::Failed);
            }
        }
    }

    /// Resets the connection.
    pub(super) fn cut(self) {
        let _only_slower = self.0.get_ref().set_zero_linger();
    }

    pub(super) async fn close(mut self) {
        let _gone_already = timeout(CONNECT_WAIT, self.0.close(None)).await;
    }
}

/// A request to a room, to be answered in JSON.
pub(super) fn request(action: &str, room: &str) -> Value {
    json!({ "action": action, "room": room, "format": "json" })
}

/// Whether this is an error with such a code about a room.
pub(super) fn is_error(heard: &Value, room: &str, code: &str) -> bool {
    heard["type"] == "error" && heard["room"] == room && heard["code"] == code
}

/// In ms since 1970.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
