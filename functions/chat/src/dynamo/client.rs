//! The table's client, and what of [`Store`] is a line or two.

use super::items::{Update, format_of, number, seconds, spoken};
use super::membership::{META, connection_key};
use crate::envelope::Format;
use crate::environment::{Environment, MissingVariable};
use crate::limits::{CONNECTION_LIFETIME_MS, FORMATS_REMEMBERED, MEMBERS_PER_TABLE_ROOM};
use crate::store::{
    Draft, Joined, Joining, Member, Message, Range, Store, StoreError, Stored, rate,
};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Of one attempt: what takes longer is tried again, which every write here bears.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// A table, and what this process remembers of it.
#[derive(Debug)]
pub struct DynamoStore {
    pub(super) client: Client,
    pub(super) table: String,
    /// The most members that a room has.
    pub(super) room_limit: usize,
    /// What connections speak, which never changes.
    formats: RefCell<BTreeMap<String, Format>>,
}

impl DynamoStore {
    /// The table of this name; where and as whom, says the environment.
    ///
    /// # Errors
    /// Names the variable that is not set or empty.
    pub fn new(table: String, environment: &Environment) -> Result<Self, MissingVariable> {
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(FIRST_PAUSE);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut config = environment
            .clients()?
            .retry_config(retries)
            .timeout_config(timeouts);
        config.set_endpoint_url(environment.endpoint("DYNAMODB"));
        Ok(Self {
            client: Client::new(&config.build()),
            table,
            room_limit: MEMBERS_PER_TABLE_ROOM,
            formats: RefCell::default(),
        })
    }

    /// With so many members a room at most, rather than
    /// [`MEMBERS_PER_TABLE_ROOM`](crate::MEMBERS_PER_TABLE_ROOM).
    #[must_use]
    pub fn limited_to(self, room_limit: usize) -> Self {
        Self { room_limit, ..self }
    }

    fn remember(&self, id: &str, format: Format) {
        let mut formats = self.formats.borrow_mut();
        if formats.len() >= FORMATS_REMEMBERED {
            formats.clear();
        }
        formats.insert(id.to_owned(), format);
    }
}

impl Store for DynamoStore {
    async fn note(&self, id: &str, format: Format, now: i64) -> Result<(), StoreError> {
        let update = Update {
            set: "SET speaks = :speaks, expires = :expires",
            only_if: "",
            values: [
                (":speaks", spoken(format)),
                (":expires", number(seconds(now + CONNECTION_LIFETIME_MS))),
            ],
        };
        self.update(&connection_key(id), META, update).await?;
        Ok(())
    }

    async fn format(&self, id: &str) -> Result<Option<Format>, StoreError> {
        if let Some(format) = self.formats.borrow().get(id) {
            return Ok(Some(*format));
        }
        let meta = self.get(&connection_key(id), META).await?;
        let format = meta.as_ref().map(format_of).unwrap_or_default();
        self.remember(id, format);
        Ok(Some(format))
    }

    async fn disconnect(&self, id: &str, now: i64) -> Result<(), StoreError> {
        Box::pin(self.bury(id, now)).await
    }

    async fn join(
        &self,
        room: &str,
        joining: &Joining<'_>,
        now: i64,
    ) -> Result<Joined, StoreError> {
        Box::pin(self.join_room(room, joining, now)).await
    }

    async fn leave(&self, room: &str, id: &str, now: i64) -> Result<Option<Member>, StoreError> {
        let Some(member) = self.membership(room, id, now).await? else {
            return Ok(None);
        };
        // Ended by nobody else meanwhile, or by an attempt whose answer was lost.
        self.end(room, &member).await?;
        Ok(Some(member))
    }

    async fn prune(&self, room: &str, member: &Member) -> Result<(), StoreError> {
        self.end(room, member).await?;
        Ok(())
    }

    async fn member(&self, room: &str, id: &str, now: i64) -> Result<Option<Member>, StoreError> {
        self.membership(room, id, now).await
    }

    async fn members(&self, room: &str, now: i64) -> Result<Vec<Member>, StoreError> {
        self.members_of(room, now).await
    }

    /// In one write mostly: the bucket has drained. In two when it hasn't.
    async fn admit(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let pk = connection_key(id);
        let expires = seconds(now + CONNECTION_LIFETIME_MS);
        let first = Update {
            set: "SET drained = :next, expires = if_not_exists(expires, :expires)",
            only_if: "attribute_not_exists(drained) OR drained <= :now",
            values: [
                (":next", number(now + rate::STEP)),
                (":now", number(now)),
                (":expires", number(expires)),
            ],
        };
        if self.update(&pk, META, first).await?.is_some() {
            return Ok(true);
        }
        let more = Update {
            set: "SET drained = drained + :step",
            only_if: "drained <= :full",
            values: [
                (":step", number(rate::STEP)),
                (":full", number(now + rate::ROOM)),
            ],
        };
        Ok(self.update(&pk, META, more).await?.is_some())
    }

    async fn append(&self, room: &str, draft: &Draft<'_>, now: i64) -> Result<Stored, StoreError> {
        Box::pin(self.append_to(room, draft, now)).await
    }

    async fn history(
        &self,
        room: &str,
        range: Range,
        most: usize,
        now: i64,
    ) -> Result<Vec<Message>, StoreError> {
        self.messages_of(room, range, most, now).await
    }
}
