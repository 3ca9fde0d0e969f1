//! `$default` behind the Lambda Runtime API.

use chat::{Event, Gateway};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let gateway = Gateway::from_env()?;
    chat::run(async |event: &Event| default::handle(event, &gateway.at(event)?).await).await
}
