//! Attributes, and the table's kinds of calls.
//!
//! Calls are boxed, here and beside: rustc bears only so many futures in each other.

use super::DynamoStore;
use crate::envelope::Format;
use crate::store::StoreError;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use std::error::Error;

pub(super) type Item = HashMap<String, AttributeValue>;

/// The attribute that [`format_of`] reads.
pub(super) const SPEAKS: &str = "speaks";
const JSON: &str = "json";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn item<const N: usize>(fields: [(&str, AttributeValue); N]) -> Item {
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

pub(super) fn text_of<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn number_of<N: std::str::FromStr>(item: &Item, name: &str) -> Option<N> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// How somebody is spoken to, as an attribute.
pub(super) fn spoken(format: Format) -> AttributeValue {
    text(match format {
        Format::Plain => "plain",
        Format::Json => JSON,
    })
}

/// How whom the item is about is spoken to.
pub(super) fn format_of(item: &Item) -> Format {
    match text_of(item, SPEAKS) {
        Some(JSON) => Format::Json,
        _ => Format::Plain,
    }
}

/// Whether the item still counts.
pub(super) fn lives(item: &Item, now: i64) -> bool {
    number_of::<i64>(item, "expires").is_none_or(|expires| expires > seconds(now))
}

/// Milliseconds to whole seconds, of which the last has begun.
pub(super) fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1000)
}

/// Whether a conditional write has taken place.
pub(super) fn done<T, E>(result: Result<T, SdkError<E>>) -> Result<Option<T>, StoreError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(failure(error)),
    }
}

pub(super) fn failure<E>(error: SdkError<E>) -> StoreError
where
    E: Error + Send + Sync + 'static,
{
    StoreError(DisplayErrorContext(error).to_string())
}

/// An update or its condition: the expressions, and the values they name.
pub(super) struct Update<'u, const N: usize> {
    pub(super) set: &'u str,
    pub(super) only_if: &'u str,
    pub(super) values: [(&'u str, AttributeValue); N],
}

impl DynamoStore {
    pub(super) fn key(pk: &str, sk: &str) -> Item {
        item([("pk", text(pk)), ("sk", text(sk))])
    }

    /// Consistently.
    pub(super) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, StoreError> {
        let call = self.client.get_item().table_name(&self.table);
        let call = call.set_key(Some(Self::key(pk, sk))).consistent_read(true);
        Ok(Box::pin(call.send()).await.map_err(failure)?.item)
    }

    /// Everything below a key from a place on, consistently, in order.
    pub(super) async fn all(&self, pk: &str) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let call = self.client.query().table_name(&self.table);
            let call = call
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(pk))
                .consistent_read(true)
                .set_exclusive_start_key(start);
            let page = Box::pin(call.send()).await.map_err(failure)?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Writes the item where there is none, or one that has expired. Whether it did.
    pub(super) async fn put_absent(&self, item: Item, now: i64) -> Result<bool, StoreError> {
        let call = self.client.put_item().table_name(&self.table);
        let call = call
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR expires <= :now")
            .expression_attribute_values(":now", number(seconds(now)));
        Ok(done(Box::pin(call.send()).await)?.is_some())
    }

    /// Updates, on a condition if there is one. The new item, if it did.
    pub(super) async fn update<const N: usize>(
        &self,
        pk: &str,
        sk: &str,
        update: Update<'_, N>,
    ) -> Result<Option<Item>, StoreError> {
        let call = self.client.update_item().table_name(&self.table);
        let mut call = call
            .set_key(Some(Self::key(pk, sk)))
            .update_expression(update.set)
            .set_expression_attribute_values(Some(item(update.values)))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew);
        if !update.only_if.is_empty() {
            call = call.condition_expression(update.only_if);
        }
        let output = done(Box::pin(call.send()).await)?;
        Ok(output.map(|output| output.attributes.unwrap_or_default()))
    }

    /// Deletes what was written for this membership, and nothing newer.
    pub(super) async fn delete_joined(
        &self,
        pk: &str,
        sk: &str,
        joined: &str,
    ) -> Result<bool, StoreError> {
        let call = self.client.delete_item().table_name(&self.table);
        let call = call
            .set_key(Some(Self::key(pk, sk)))
            .condition_expression("joined = :joined")
            .expression_attribute_values(":joined", text(joined));
        Ok(done(Box::pin(call.send()).await)?.is_some())
    }
}
