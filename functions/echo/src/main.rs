//! `$default` behind the Lambda Runtime API.
//!
//! It posts, because an API Gateway route without a route response returns nothing of its
//! function's answer.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest as Event;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, Config};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = &config()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        serve(&event.payload, config.clone()).await
    }))
    .await
}

/// Posts what is to be said, and answers API Gateway.
async fn serve(event: &Event, config: Builder) -> Result<Value, Error> {
    let reply = echo::reply(event)?;
    let client = Client::from_conf(config.endpoint_url(&reply.endpoint).build());
    let post = client
        .post_to_connection()
        .connection_id(reply.connection_id)
        .data(Blob::new(reply.text));
    match post
        .send()
        .await
        .map_err(|error| error.into_service_error())
    {
        Ok(_) => {}
        // Who has gone needs no answer.
        Err(error) if error.is_gone_exception() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(json!({ "statusCode": 200 }))
}

/// As whom AWS is called: Lambda says it in the environment. Reading only that keeps the
/// function small and quick to start.
fn config() -> Result<Builder, Error> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        // Lambda replaces a process before its credentials expire.
        None,
        "environment",
    );
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    Ok(Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(http))
}

fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("environment variable {name} is not set").into())
}
