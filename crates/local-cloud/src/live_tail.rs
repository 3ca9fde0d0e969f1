//! Sessions of StartLiveTail: an answer that goes on, with an event of its stream each
//! second, until the client goes, the session gets too old or the cloud stops.
//!
//! Deliberately absent: what a session shows. That is the model's.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};
use cloud_model::LiveTail;
use futures_util::{Stream, StreamExt as _, stream};
use http::StatusCode;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::http_io::{self, Answer, Body};
use crate::limits::{LIVE_TAIL_PAUSE, LIVE_TAIL_SESSION, LIVE_TAILS};
use crate::model::Model;

/// The sessions there are.
pub(crate) struct LiveTails {
    places: Arc<Semaphore>,
    over: watch::Sender<bool>,
}

impl Default for LiveTails {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(LIVE_TAILS)),
            over: watch::Sender::new(false),
        }
    }
}

impl LiveTails {
    /// Ends all sessions.
    pub(crate) fn end(&self) {
        self.over.send_replace(true);
    }

    /// The answer, once the model has said yes: its head, then the session's events.
    pub(crate) fn answer(&self, head: Answer, tail: LiveTail, model: &Arc<Model>) -> Answer {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let text = format!("There are {LIVE_TAILS} sessions already.");
            let code = "LimitExceededException";
            let body = json!({ "__type": code, "message": text }).to_string();
            return http_io::error(StatusCode::BAD_REQUEST, code, body);
        };
        let session = Session {
            tail,
            model: Arc::clone(model),
            over: self.over.subscribe(),
            began: Instant::now(),
            _place: place,
        };
        let frames = session.events().map(|event| Ok(Frame::data(event)));
        head.map(|_| Body::Right(StreamBody::new(Box::pin(frames))))
    }
}

/// What a body of events is, for the type of all bodies.
pub(crate) type Events =
    StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;

struct Session {
    tail: LiveTail,
    model: Arc<Model>,
    over: watch::Receiver<bool>,
    began: Instant,
    _place: OwnedSemaphorePermit,
}

impl Session {
    fn events(self) -> impl Stream<Item = Bytes> + Send {
        let first = [
            event("initial-response", &json!({})),
            event("sessionStart", &self.tail.start),
        ];
        let mut seconds = interval(LIVE_TAIL_PAUSE);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let updates = stream::unfold(Some((self, seconds)), |state| async {
            let (mut session, mut seconds) = state?;
            tokio::select! {
                _ = session.over.wait_for(|over| *over) => return None,
                _ = seconds.tick() => {}
            }
            if session.began.elapsed() >= LIVE_TAIL_SESSION {
                return Some((session_timeout(), None));
            }
            let update = session.model.live_tail(&mut session.tail);
            Some((event("sessionUpdate", &update), Some((session, seconds))))
        });
        stream::iter(first).chain(updates)
    }
}

fn event(kind: &'static str, payload: &Value) -> Bytes {
    message("event", ":event-type", kind, payload)
}

fn session_timeout() -> Bytes {
    let payload = json!({ "message": "The session has timed out." });
    let kind = "SessionTimeoutException";
    message("exception", ":exception-type", kind, &payload)
}

fn message(of: &'static str, naming: &'static str, kind: &'static str, payload: &Value) -> Bytes {
    let text = |value: &'static str| HeaderValue::String(value.into());
    let message = Message::new(payload.to_string())
        .add_header(Header::new(":message-type", text(of)))
        .add_header(Header::new(naming, text(kind)))
        .add_header(Header::new(":content-type", text("application/json")));
    let mut bytes = BytesMut::new();
    // It fails for headers and payloads beyond 16 MiB, and these are bounded.
    let written = write_message_to(&message, &mut bytes);
    debug_assert!(written.is_ok(), "the message is within its bounds");
    bytes.freeze()
}
