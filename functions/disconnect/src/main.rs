//! `$disconnect` behind the Lambda Runtime API.

use chat::{Choice, DynamoStore, Environment, Event, Invocation};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let table = Choice::table_of_process();
    let store = table.map(|table| DynamoStore::new(table, &Environment::of_process()));
    let store = store.transpose()?;
    chat::run(async |event: &Event, _: &Invocation| disconnect::handle(event, store.as_ref()).await)
        .await
}
