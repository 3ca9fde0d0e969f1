//! What happens in the cloud, for whoever watches: requests at the gateway, invocations,
//! posts to connections and lines of logs, each as a line of JSON with a number.
//!
//! Nobody is slowed by it. While nobody listens, an event costs a number; a reader that
//! is too slow is told how many events it has missed. Lines are bounded, and so are
//! those that wait ([`crate::limits`]).
//!
//! Deliberately absent: the past. What was before a reader came is in the logs, and the latest
//! invocations in [`crate::past`].

mod shown;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

pub(crate) use shown::{add_size, add_text, masked_text};

use crate::http_io::{self, Answer, Body};
use crate::limits::{TRAFFIC_LINES, TRAFFIC_READERS};

/// Where events are told, and read.
pub(crate) struct Traffic {
    /// The number of the latest event.
    latest: Mutex<u64>,
    lines: broadcast::Sender<Bytes>,
    places: Arc<Semaphore>,
    over: watch::Sender<bool>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            latest: Mutex::default(),
            lines: broadcast::Sender::new(TRAFFIC_LINES),
            places: Arc::new(Semaphore::new(TRAFFIC_READERS)),
            over: watch::Sender::new(false),
        }
    }
}

impl Traffic {
    /// Tells an event: an object with a `kind`. It is made only if somebody listens.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Value) {
        let event = (self.lines.receiver_count() > 0).then(event);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest += 1;
        if let Some(event) = event {
            // The last reader may have gone meanwhile.
            let _nobody = self.lines.send(line(Some(*latest), event));
        }
    }

    /// Ends all readers' answers.
    pub(crate) fn end(&self) {
        self.over.send_replace(true);
    }

    /// The answer to a reader: first what `now` says there is, then each event. Nothing
    /// that happens in between is lost.
    pub(crate) fn answer(&self, now: impl FnOnce() -> Value) -> Answer {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let text = format!("there are {TRAFFIC_READERS} readers already");
            let body = json!({ "message": text }).to_string();
            return http_io::json(StatusCode::TOO_MANY_REQUESTS, body);
        };
        let (lines, latest) = {
            let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            (self.lines.subscribe(), *latest)
        };
        let reader = Reader {
            lines,
            over: self.over.subscribe(),
            _place: place,
        };
        let first = line(Some(latest), now());
        let rest = stream::unfold(reader, |mut reader| async {
            let line = reader.next().await?;
            Some((line, reader))
        });
        let all = stream::iter([first]).chain(rest);
        let frames = all.map(|line| Ok(Frame::data(line)));
        let answer = http_io::empty(StatusCode::OK);
        let answer = http_io::with_header(answer, "content-type", "application/x-ndjson");
        answer.map(|_| Body::Right(StreamBody::new(Box::pin(frames))))
    }
}

struct Reader {
    lines: broadcast::Receiver<Bytes>,
    over: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// The next line; `None`: the cloud stops.
    async fn next(&mut self) -> Option<Bytes> {
        tokio::select! {
            // What is told is read before the end.
            biased;
            told = self.lines.recv() => match told {
                Ok(line) => Some(line),
                Err(RecvError::Lagged(count)) => {
                    Some(line(None, json!({ "kind": "missed", "count": count })))
                }
                Err(RecvError::Closed) => None,
            },
            _ = self.over.wait_for(|over| *over) => None,
        }
    }
}

/// The number stands in front.
fn line(number: Option<u64>, event: Value) -> Bytes {
    let event = event.to_string();
    let line = match (number, event.strip_prefix('{')) {
        (Some(number), Some(rest)) => format!("{{\"seq\":{number},{rest}\n"),
        _ => format!("{event}\n"),
    };
    Bytes::from(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(traffic: &Traffic) -> Reader {
        let place = Arc::clone(&traffic.places);
        Reader {
            lines: traffic.lines.subscribe(),
            over: traffic.over.subscribe(),
            _place: place.try_acquire_owned().unwrap(),
        }
    }

    async fn next(reader: &mut Reader) -> Value {
        serde_json::from_slice(&reader.next().await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn events_are_numbered_also_those_that_nobody_hears() {
        let traffic = Traffic::default();
        traffic.tell(|| panic!("nobody listens"));
        let mut reader = reader(&traffic);
        traffic.tell(|| json!({ "kind": "log" }));
        assert_eq!(next(&mut reader).await, json!({ "seq": 2, "kind": "log" }));
    }

    #[tokio::test]
    async fn who_is_too_slow_is_told_how_many_it_has_missed() {
        let traffic = Traffic::default();
        let mut reader = reader(&traffic);
        for n in 0..TRAFFIC_LINES + 10 {
            traffic.tell(|| json!({ "n": n }));
        }
        let missed = next(&mut reader).await;
        assert_eq!(missed, json!({ "kind": "missed", "count": 10 }));
        assert_eq!(next(&mut reader).await, json!({ "seq": 11, "n": 10 }));
    }

    #[tokio::test]
    async fn the_end_comes_after_what_was_told() {
        let traffic = Traffic::default();
        let mut reader = reader(&traffic);
        traffic.tell(|| json!({ "kind": "log" }));
        traffic.end();
        assert_eq!(next(&mut reader).await["seq"], 1);
        assert!(reader.next().await.is_none());
    }

    #[test]
    fn readers_are_few() {
        let traffic = Traffic::default();
        let now = || json!({ "kind": "listening" });
        let all: Vec<_> = (0..TRAFFIC_READERS).map(|_| traffic.answer(now)).collect();
        let refused = traffic.answer(now).status();
        assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS);
        drop(all);
        assert_eq!(traffic.answer(now).status(), StatusCode::OK);
    }
}
