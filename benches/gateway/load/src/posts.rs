//! The ceiling of fan-out: what a function does for a room, posts by the SDK, a bounded
//! number at once and on one core, into a server that only takes them.

use std::time::{Duration, Instant};

use aws_sdk_apigatewaymanagement::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig,
};
use aws_sdk_apigatewaymanagement::error::DisplayErrorContext;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, Config};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::failure::Failure;
use crate::{Ran, figures};

/// As many as the shipped functions have under way at once.
const POSTS_AT_ONCE: usize = 32;
/// Of the form that API Gateway's have.
const CONNECTION_ID: &str = "PJqB0fHsqRcCHlw=";
const TEXT: &str = "[PJqB0fHsqRcCHlw=]: round 00000";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the sink listens: http://HOST:PORT
    #[arg(long)]
    url: String,
    /// Posts in a round
    #[arg(long)]
    members: usize,
    #[arg(long)]
    rounds: usize,
}

pub(crate) async fn run(options: Options) -> Ran {
    let client = client(&options.url);
    // Opens the connections that all rounds use.
    round(&client, options.members).await?;
    let mut took = Duration::ZERO;
    for _ in 0..options.rounds {
        let began = Instant::now();
        round(&client, options.members).await?;
        took += began.elapsed();
    }
    let posts = (options.members * options.rounds) as u64;
    figures::print(&figures::rate(posts, took))
}

async fn round(client: &Client, members: usize) -> Result<(), Failure> {
    stream::iter(0..members)
        .map(|_| post(client))
        .buffer_unordered(POSTS_AT_ONCE)
        .try_collect::<()>()
        .await
}

async fn post(client: &Client) -> Result<(), Failure> {
    let post = client.post_to_connection().connection_id(CONNECTION_ID);
    let posted = post.data(Blob::new(TEXT)).send().await;
    posted.map_err(|error| Failure::Post(DisplayErrorContext(error).to_string()))?;
    Ok(())
}

fn client(url: &str) -> Client {
    let credentials = Credentials::new("AKIABENCH", "bench", None, None, "bench");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Client::from_conf(config)
}
