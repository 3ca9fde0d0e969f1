//! How far a part of a fan-out has come, so that a retry of it goes on from there.

use super::DynamoStore;
use super::items::{Update, number, seconds, text, text_of};
use crate::split::Progress;
use crate::store::StoreError;

/// For how long it is kept, in milliseconds: Lambda retries for up to 6 hours.
const KEPT_MS: i64 = 7 * 60 * 60 * 1000;
const PROGRESS: &str = "progress";

fn key(chunk: &str) -> String {
    format!("chunk#{chunk}")
}

impl Progress for DynamoStore {
    async fn begin(&self, chunk: &str, now: i64, until: i64) -> Result<Option<String>, StoreError> {
        let update = Update {
            set: "SET busy = :until, expires = :expires",
            only_if: "attribute_not_exists(busy) OR busy < :now",
            values: [
                (":until", number(until)),
                (":now", number(now)),
                (":expires", number(seconds(now + KEPT_MS))),
            ],
        };
        let begun = self.update(&key(chunk), PROGRESS, update).await?;
        Ok(begun.map(|item| text_of(&item, "served").unwrap_or_default().to_owned()))
    }

    async fn record(&self, chunk: &str, served: &str) -> Result<(), StoreError> {
        let update = Update {
            set: "SET served = :served",
            only_if: "",
            values: [(":served", text(served))],
        };
        self.update(&key(chunk), PROGRESS, update).await?;
        Ok(())
    }
}
