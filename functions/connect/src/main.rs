//! `$connect` behind the Lambda Runtime API.

use chat::Event;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    chat::run(async |event: &Event| connect::handle(event)).await
}
