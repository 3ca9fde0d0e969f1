//! The rooms behind the Lambda Runtime API.

use chat::{
    Choice, Chunk, DynamoStore, Environment, Event, Gateway, Invocation, LambdaRelay, MemoryStore,
    serve_chunk,
};
use lambda_runtime::Error;
use room::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    let gateway = Gateway::new(&environment)?;
    match Choice::of_process()? {
        Choice::Memory => {
            let rooms = Handler::new(MemoryStore::default());
            chat::run(async |event: &Event, invocation: &Invocation| {
                rooms.handle(event, &gateway.at(event)?, invocation).await
            })
            .await
        }
        Choice::Table(table) => {
            let store = DynamoStore::new(table, &environment)?;
            let rooms = Handler::with_relay(store, LambdaRelay::new(&environment)?);
            chat::run_with_chunks(
                async |event: &Event, invocation: &Invocation| {
                    rooms.handle(event, &gateway.at(event)?, invocation).await
                },
                async |chunk: &Chunk, invocation: &Invocation| {
                    let post = gateway.of_stage(&chunk.domain_name, &chunk.stage);
                    let (store, now) = (rooms.store(), chat::clock());
                    serve_chunk(chunk, store, store, &post, invocation, now).await
                },
            )
            .await
        }
    }
}
