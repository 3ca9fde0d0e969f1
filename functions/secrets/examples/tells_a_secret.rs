//! A function that tells the value of the secret its event names: what scenarios
//! look through. A real function never does.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use secrets::Secrets;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let name = event.payload["secret"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let secrets = Secrets::resolve().await?;
        let value = secrets.get(&name)?;
        Ok::<_, Error>(json!({ "value": value, "debug": format!("{secrets:?}") }))
    }))
    .await
}
