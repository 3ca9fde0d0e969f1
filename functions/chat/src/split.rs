//! A room too large for one invocation: parts of its members, each told by another
//! invocation of the same function and version.
//!
//! A part is handed on whole, with its texts and connections, and is never split again.
//! It is safe to retry: whom it has told is recorded as it goes, and a part that comes
//! twice while it is being served is left to the first. Only where an invocation was
//! killed may those be told twice whom it told since the last record.

use crate::envelope::Format;
use crate::fan_out::fan_out;
use crate::post::{Delivery, Post, Telling};
use crate::run::Invocation;
use crate::store::{Member, Store, StoreError};
use futures_util::future::{Either, select};
use futures_util::pin_mut;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::sleep;

/// How often a part's progress is recorded.
const RECORDED_EVERY: Duration = Duration::from_millis(500);

/// A part of a fan-out, as the event of an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chunk {
    /// Which part of which fan-out; nothing else of this name is ever told.
    pub chunk: String,
    /// The domain that the connections came to.
    pub domain_name: String,
    /// The stage that they came to.
    pub stage: String,
    /// The room.
    pub room: String,
    /// The text of those who hear plain ones.
    pub plain: String,
    /// The text of those who hear JSON.
    pub json: String,
    /// Whom to tell.
    pub members: Vec<Addressee>,
}

/// A member to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addressee {
    id: String,
    format: Format,
    joined: String,
}

impl From<&Member> for Addressee {
    fn from(member: &Member) -> Self {
        Self {
            id: member.id.clone(),
            format: member.format,
            joined: member.joined.clone(),
        }
    }
}

impl From<&Addressee> for Member {
    fn from(addressee: &Addressee) -> Self {
        Self {
            id: addressee.id.clone(),
            name: None,
            format: addressee.format,
            joined: addressee.joined.clone(),
        }
    }
}

/// Hands parts to other invocations.
pub trait Relay {
    /// Whether there is anybody to hand them to.
    fn splits(&self) -> bool;

    /// Has a part told, some time soon.
    ///
    /// # Errors
    /// When it was not taken: its members are not told.
    fn relay(&self, chunk: &Chunk) -> impl Future<Output = Result<(), String>>;
}

/// One invocation tells all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRelay;

impl Relay for NoRelay {
    fn splits(&self) -> bool {
        false
    }

    async fn relay(&self, _: &Chunk) -> Result<(), String> {
        Err("there is nobody to hand members to".to_owned())
    }
}

/// Remembers how far parts have come.
pub trait Progress {
    /// Takes a part on until a time, and says whom it has told before, a character of
    /// `0` or `1` each; `None` while another invocation has it.
    fn begin(
        &self,
        chunk: &str,
        now: i64,
        until: i64,
    ) -> impl Future<Output = Result<Option<String>, StoreError>>;

    /// Notes whom it has told so far.
    fn record(&self, chunk: &str, served: &str) -> impl Future<Output = Result<(), StoreError>>;
}

/// Tells a part's members whom it has not told before.
///
/// # Errors
/// When it is not known whom it has told: Lambda is to try again.
pub async fn serve_chunk(
    chunk: &Chunk,
    store: &impl Store,
    progress: &impl Progress,
    post: &impl Post,
    invocation: &Invocation,
    now: i64,
) -> Result<Delivery, StoreError> {
    let left = invocation
        .deadline
        .saturating_duration_since(tokio::time::Instant::now());
    let until = now + i64::try_from(left.as_millis()).unwrap_or(i64::MAX / 2);
    let Some(before) = progress.begin(&chunk.chunk, now, until).await? else {
        return Ok(Delivery::default());
    };
    let mut served = before.into_bytes();
    served.resize(chunk.members.len(), b'0');
    let missing: Vec<usize> = (0..served.len()).filter(|&at| served[at] != b'1').collect();
    let tellings: Vec<_> = missing
        .iter()
        .map(|&at| &chunk.members[at])
        .map(|member| Telling {
            to: &member.id,
            text: match member.format {
                Format::Plain => &chunk.plain,
                Format::Json => &chunk.json,
            },
        })
        .collect();
    let served = RefCell::new(served);
    let shown = || String::from_utf8_lossy(&served.borrow()).into_owned();
    let telling = fan_out(post, &tellings, invocation.deadline, |index| {
        served.borrow_mut()[missing[index]] = b'1';
    });
    let recording = async {
        loop {
            sleep(RECORDED_EVERY).await;
            // The next one says more.
            let _ = progress.record(&chunk.chunk, &shown()).await;
        }
    };
    pin_mut!(telling, recording);
    let delivery = match select(telling, recording).await {
        Either::Left((delivery, _)) => delivery,
        Either::Right((never, _)) => never,
    };
    // If this fails, a part that comes again by mistake is told again: there is no better.
    let _ = progress.record(&chunk.chunk, &shown()).await;
    for member in &chunk.members {
        if delivery.gone.contains(&member.id) {
            let _ = store.prune(&chunk.room, &member.into()).await;
        }
    }
    Ok(delivery)
}

#[cfg(test)]
mod tests;
