//! `$default` behind the Lambda Runtime API.

use chat::{Choice, DynamoStore, Environment, Event, Gateway, Invocation};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    let gateway = Gateway::new(&environment)?;
    let table = Choice::table_of_process();
    let store = table.map(|table| DynamoStore::new(table, &environment));
    let store = store.transpose()?;
    chat::run(async |event: &Event, invocation: &Invocation| {
        default::handle(event, &gateway.at(event)?, store.as_ref(), invocation).await
    })
    .await
}
