//! The shipped handlers as one function for emulators whose `@connections` has no TLS:
//! the same rooms, the same posts by the SDK, but by `http://`, to the address that
//! `BENCH_EXECUTE_API` begins.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;

use aws_sdk_apigatewaymanagement::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig,
};
use aws_sdk_apigatewaymanagement::error::DisplayErrorContext;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, Config};
use chat::{Event, Invocation, MemoryStore, Post, PostError};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let base = env::var("BENCH_EXECUTE_API")?;
    let clients = RefCell::default();
    let rooms = room::Handler::new(MemoryStore::default());
    let table: Option<&MemoryStore> = None;
    chat::run(async |event: &Event, invocation: &Invocation| {
        let context = &event.request_context;
        match context.route_key.as_deref() {
            Some("$connect") => connect::handle(event, table).await,
            Some("$disconnect") => disconnect::handle(event, table).await,
            route => {
                let part = |part: &Option<String>| part.clone().unwrap_or_default();
                let url = format!("{base}/{}/{}", part(&context.apiid), part(&context.stage));
                let connections = Connections(client(&clients, url));
                match route {
                    Some("join" | "send") => rooms.handle(event, &connections, invocation).await,
                    _ => default::handle(event, &connections, table, invocation).await,
                }
            }
        }
    })
    .await
}

fn client(clients: &RefCell<BTreeMap<String, Client>>, url: String) -> Client {
    let mut clients = clients.borrow_mut();
    let client = clients.entry(url).or_insert_with_key(|url| {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "bench"))
            .endpoint_url(url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Client::from_conf(config)
    });
    client.clone()
}

struct Connections(Client);

impl Post for Connections {
    async fn post(&self, connection_id: &str, text: &str) -> Result<(), PostError> {
        let post = self.0.post_to_connection().connection_id(connection_id);
        match post.data(Blob::new(text)).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|it| it.status().as_u16() == 410) =>
            {
                Err(PostError::Gone)
            }
            Err(error) => Err(PostError::Other(DisplayErrorContext(error).to_string())),
        }
    }
}
