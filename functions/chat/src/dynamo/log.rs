//! The messages of a room, in a table: numbers without gaps, each id once.
//!
//! The log is its own sequencer. A message is put at the place after the last one, if
//! nothing is there; if something is, at the next. A place is never freed while somebody
//! may still try for it: messages live far longer than claims, and none expires before
//! an earlier one.
//!
//! A message with an id first claims a place: whoever tries to store it, at once or
//! again, drives the same claim, and only the place that it says is tried. A claim moves on
//! only from a place that another message has.

use super::DynamoStore;
use super::items::{Item, Update, item, lives, number, number_of, seconds, text, text_of};
use crate::limits::{CONNECTION_LIFETIME_MS, HISTORY_LIFETIME_MS};
use crate::store::{Draft, Message, Range, StoreError, Stored};
use aws_sdk_dynamodb::types::AttributeValue;

/// How many places one invocation tries. Each miss means that another message was
/// stored, so that this is how many others may be faster.
const PLACES_TRIED: usize = 100;
const HEAD: &str = "head";

fn log_key(room: &str) -> String {
    format!("log#{room}")
}

fn place(seq: u64) -> String {
    format!("{seq:020}")
}

/// Where a message may go next.
struct End {
    /// The highest number given.
    last: u64,
    /// No message may expire before this, in seconds.
    expires: i64,
}

impl DynamoStore {
    /// Reads the room's end: its head and its last message lie beside each other.
    async fn end_of_log(&self, room: &str, now: i64) -> Result<End, StoreError> {
        let call = self.client.query().table_name(&self.table);
        let call = call
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(log_key(room)))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(2);
        let found = Box::pin(call.send()).await.map_err(super::items::failure)?;
        let items = found.items.unwrap_or_default();
        let is_head = |item: &&Item| text_of(item, "sk") == Some(HEAD);
        let last = items.iter().find(|item| !is_head(item));
        // When the last one that is there has expired, later ones may be deleted already.
        if let Some(last) = last.filter(|item| lives(item, now)) {
            return Ok(End {
                last: number_of(last, "seq").unwrap_or_default(),
                expires: number_of(last, "expires").unwrap_or_default(),
            });
        }
        let numbers = items.iter().filter_map(|item| number_of(item, "seq"));
        Ok(End {
            last: numbers.max().unwrap_or_default(),
            expires: 0,
        })
    }

    pub(super) async fn last_given(&self, room: &str, now: i64) -> Result<u64, StoreError> {
        Ok(self.end_of_log(room, now).await?.last)
    }

    pub(super) async fn append_to(
        &self,
        room: &str,
        draft: &Draft<'_>,
        now: i64,
    ) -> Result<Stored, StoreError> {
        let mut end = self.end_of_log(room, now).await?;
        let mut seq = match draft.id {
            Some(id) => self.claim(room, draft, id, end.last + 1, now).await?,
            None => end.last + 1,
        };
        for _ in 0..PLACES_TRIED {
            let (put, head) = futures_util::join!(
                self.put_message(room, draft, seq, &end, now),
                self.raise_head(room, seq),
            );
            head?;
            match put? {
                Put::Stored => {
                    return Ok(Stored {
                        seq,
                        repeated: false,
                    });
                }
                Put::WasThere => {
                    return Ok(Stored {
                        seq,
                        repeated: true,
                    });
                }
                Put::Taken => {}
            }
            end = self.end_of_log(room, now).await?;
            seq = match draft.id {
                Some(id) => self.move_claim(room, draft, id, seq, end.last + 1).await?,
                None => end.last + 1,
            };
        }
        Err(StoreError(format!(
            "{PLACES_TRIED} other messages were faster"
        )))
    }

    async fn put_message(
        &self,
        room: &str,
        draft: &Draft<'_>,
        seq: u64,
        end: &End,
        now: i64,
    ) -> Result<Put, StoreError> {
        let expires = seconds(now + HISTORY_LIFETIME_MS).max(end.expires);
        let mut message = item([
            ("pk", text(log_key(room))),
            ("sk", text(place(seq))),
            ("seq", number(seq)),
            ("connection", text(draft.connection)),
            ("body", text(draft.text)),
            ("at", number(now)),
            ("request", text(draft.request)),
            ("sender", text(draft.sender())),
            ("expires", number(expires)),
        ]);
        let optional = [("id", draft.id), ("name", draft.name)];
        for (name, value) in optional {
            if let Some(value) = value {
                message.insert(name.to_owned(), text(value));
            }
        }
        let call = self.client.put_item().table_name(&self.table);
        let call = call
            .set_item(Some(message))
            .condition_expression("attribute_not_exists(pk)");
        if super::items::done(Box::pin(call.send()).await)?.is_some() {
            return Ok(Put::Stored);
        }
        let found = self.get(&log_key(room), &place(seq)).await?;
        let found = found.unwrap_or_default();
        // This very attempt, whose answer was lost; or an earlier one of its sender's.
        if text_of(&found, "request") == Some(draft.request) {
            return Ok(Put::Stored);
        }
        let same = draft.id.is_some()
            && text_of(&found, "id") == draft.id
            && text_of(&found, "sender") == Some(&draft.sender());
        Ok(if same { Put::WasThere } else { Put::Taken })
    }

    /// Nobody hears of a number before the head is as high.
    async fn raise_head(&self, room: &str, seq: u64) -> Result<(), StoreError> {
        let update = Update {
            set: "SET seq = :seq",
            only_if: "attribute_not_exists(seq) OR seq < :seq",
            values: [(":seq", number(seq))],
        };
        self.update(&log_key(room), HEAD, update).await?;
        Ok(())
    }

    /// The place that the message is to take: this one, unless it has claimed one.
    async fn claim(
        &self,
        room: &str,
        draft: &Draft<'_>,
        id: &str,
        seq: u64,
        now: i64,
    ) -> Result<u64, StoreError> {
        let (pk, sk) = claim_key(room, draft, id);
        let claim = item([
            ("pk", text(&pk)),
            ("sk", text(&sk)),
            ("seq", number(seq)),
            ("expires", number(seconds(now + CONNECTION_LIFETIME_MS))),
        ]);
        if self.put_absent(claim, now).await? {
            return Ok(seq);
        }
        self.claimed(&pk, &sk).await
    }

    async fn claimed(&self, pk: &str, sk: &str) -> Result<u64, StoreError> {
        let claim = self.get(pk, sk).await?.unwrap_or_default();
        number_of(&claim, "seq")
            .ok_or_else(|| StoreError("a message's claim has expired meanwhile".to_owned()))
    }

    /// Moves the claim from a place that is taken; or learns where it was moved to.
    async fn move_claim(
        &self,
        room: &str,
        draft: &Draft<'_>,
        id: &str,
        from: u64,
        to: u64,
    ) -> Result<u64, StoreError> {
        let (pk, sk) = claim_key(room, draft, id);
        let update = Update {
            set: "SET seq = :to",
            only_if: "seq = :from",
            values: [(":to", number(to)), (":from", number(from))],
        };
        match self.update(&pk, &sk, update).await? {
            Some(_) => Ok(to),
            None => self.claimed(&pk, &sk).await,
        }
    }

    pub(super) async fn messages_of(
        &self,
        room: &str,
        range: Range,
        most: usize,
        now: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let (first, forward) = match range {
            Range::Last => (0, false),
            Range::After(seq) => (seq + 1, true),
        };
        let mut messages = Vec::new();
        let mut start = None;
        loop {
            let call = self.client.query().table_name(&self.table);
            let call = call
                .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", text(log_key(room)))
                .expression_attribute_values(":first", text(place(first)))
                .expression_attribute_values(":last", text(place(u64::MAX)))
                .consistent_read(true)
                .scan_index_forward(forward)
                .limit(i32::try_from(most).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let page = Box::pin(call.send()).await.map_err(super::items::failure)?;
            let items = page.items.unwrap_or_default();
            // Backwards, what comes after an expired one has expired as well.
            let over = !forward && items.iter().any(|item| !lives(item, now));
            let live = items.iter().filter(|item| lives(item, now));
            messages.extend(live.filter_map(message));
            start = page
                .last_evaluated_key
                .filter(|key: &std::collections::HashMap<String, AttributeValue>| !key.is_empty());
            if start.is_none() || over || messages.len() >= most {
                break;
            }
        }
        messages.truncate(most);
        messages.sort_by_key(|message| message.seq);
        Ok(messages)
    }
}

/// What trying a place has shown.
enum Put {
    Stored,
    /// It has the place already.
    WasThere,
    /// Another message has it.
    Taken,
}

fn claim_key(room: &str, draft: &Draft<'_>, id: &str) -> (String, String) {
    let sender = draft.sender();
    // The length keeps senders and ids apart, whatever they contain.
    let sk = format!("{}#{sender}#{id}", sender.len());
    (format!("id#{room}"), sk)
}

fn message(item: &Item) -> Option<Message> {
    Some(Message {
        seq: number_of(item, "seq")?,
        id: text_of(item, "id").map(str::to_owned),
        connection: text_of(item, "connection")?.to_owned(),
        name: text_of(item, "name").map(str::to_owned),
        text: text_of(item, "body")?.to_owned(),
        at: number_of(item, "at")?,
    })
}
