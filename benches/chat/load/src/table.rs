//! The chat's table, as docs/CHAT.md describes it, in an emulated DynamoDB.

use serde_json::json;

use crate::{Ran, ask};

/// Whom the stage files name it to.
pub(crate) const NAME: &str = "rooms";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where it listens: http://HOST:PORT
    #[arg(long)]
    dynamodb: String,
}

pub(crate) async fn run(options: Options) -> Ran {
    let (address, _) = ask::parts(&options.dynamodb)?;
    let keys = [("pk", "HASH"), ("sk", "RANGE")];
    let schema = keys.map(|(name, kind)| json!({ "AttributeName": name, "KeyType": kind }));
    let names = keys.map(|(name, _)| json!({ "AttributeName": name, "AttributeType": "S" }));
    let table = json!({
        "TableName": NAME,
        "KeySchema": schema,
        "AttributeDefinitions": names,
        "BillingMode": "PAY_PER_REQUEST",
    });
    let target = "DynamoDB_20120810.CreateTable";
    ask::call(address, "dynamodb", target, &table).await?;
    Ok(())
}
