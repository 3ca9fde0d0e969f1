//! `join` and `send` behind the Lambda Runtime API.

use chat::{Event, Gateway};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let gateway = Gateway::from_env()?;
    let rooms = room::Handler::default();
    chat::run(async |event: &Event| rooms.handle(event, &gateway.at(event)?).await).await
}
