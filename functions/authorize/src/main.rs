//! The authorizer behind the Lambda Runtime API.

use authorize::{Key, Request, authorize};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use secrets::Secrets;
use std::time::{SystemTime, UNIX_EPOCH};

/// The secret that holds the key, as the stage file names it.
const KEY: &str = "TOKEN_KEY";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let key = Key::new(Secrets::resolve().await?.get(KEY)?.as_bytes())?;
    let key = &key;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Request>| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        authorize(&event.payload, key, now).map_err(Error::from)
    }))
    .await
}
