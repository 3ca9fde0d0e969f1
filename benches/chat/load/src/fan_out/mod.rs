//! One member of a large room says something: how long until the last post was answered, where
//! each takes 20 ms?
//!
//! The room function's own processes run behind the local cloud's Runtime API, and ask
//! dynalite for the members. The sender's event is given to Lambda's Invoke as API Gateway
//! gives it; posts go to a sink in this process that answers each after the delay.
//!
//! Deliberately absent: open WebSockets, which `make bench-gateway` measures.

mod rows;
mod sink;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::{Ran, ask, figures, functions};
use sink::{Sink, id_of};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The local cloud, with the chat deployed to it: http://HOST:PORT
    #[arg(long)]
    cloud: String,
    /// The chat's table is there: http://HOST:PORT
    #[arg(long)]
    dynamodb: String,
    /// Where the room function looks for the certificate that it is to trust
    #[arg(long)]
    certificate: PathBuf,
    #[arg(long)]
    members: usize,
    /// What every post takes in addition, in ms
    #[arg(long, default_value_t = 20)]
    delay_ms: u64,
    /// Messages that are measured, after the first and some that only warm up
    #[arg(long, default_value_t = 10)]
    rounds: usize,
}

const WARM_UP: usize = 2;
/// A message that hasn't reached everybody by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(crate) async fn run(options: Options) -> Ran {
    LocalSet::new().run_until(measure(options)).await
}

async fn measure(options: Options) -> Ran {
    let members = options.members;
    let (cloud, _) = ask::parts(&options.cloud)?;
    let (dynamodb, _) = ask::parts(&options.dynamodb)?;
    let delay = Duration::from_millis(options.delay_ms);
    let sink = Sink::start(&options.certificate, delay).await?;
    let process = functions::cloud(cloud).await?;
    let room = format!("bench-{members}");
    rows::fill(dynamodb, &room, members).await?;
    let mut queries = Vec::new();
    for _ in 0..WARM_UP + options.rounds {
        queries.push(ms(rows::query(dynamodb, &room, members).await?));
    }
    queries.drain(..WARM_UP);

    let mut rounds = Vec::new();
    let mut first = 0.0;
    let mut processor = 0.0;
    for round in 0..1 + WARM_UP + options.rounds {
        let used = processor_ms(process);
        let took = ms(tell(cloud, &sink, &room, members, round).await?);
        match round {
            0 => first = took,
            _ if round > WARM_UP => {
                rounds.push(took);
                processor += processor_ms(process) - used;
            }
            _ => {}
        }
    }
    let peaks = rooms(process).filter_map(functions::peak_mb);
    let peak = peaks.fold(0.0, f64::max);
    rounds.sort_by(f64::total_cmp);
    queries.sort_by(f64::total_cmp);
    let counts = sink.counts();
    figures::print(
        &json!({
            "members": members,
            "delay_ms": options.delay_ms,
            "rounds": rounds.len(),
            "first_ms": first,
            "p50_ms": middle(&rounds),
            "best_ms": rounds.first(),
            "worst_ms": rounds.last(),
            "query_alone_p50_ms": middle(&queries),
            "room_processes": rooms(process).count(),
            "room_peak_mb": (peak * 10.0).round() / 10.0,
            "room_processor_ms_each": (processor / options.rounds as f64).round(),
            "posts_at_once": counts.at_once,
            "tls_handshakes": counts.connections,
        })
        .to_string(),
    )
}

/// From the sender's event to the last member's answered post. Each must have been told once.
async fn tell(
    cloud: &str,
    sink: &Sink,
    room: &str,
    members: usize,
    round: usize,
) -> Result<Duration, Failure> {
    let text = format!("round {round:05}");
    sink.begin(members, &text);
    let event = event(&sink.domain_name(), room, &text).to_string();
    let path = "POST /2015-03-31/functions/chat-local-room/invocations?Qualifier=1";
    let claim = ask::claim("lambda");
    let began = Instant::now();
    let invoking = ask::request(cloud, path, &claim, &event);
    let telling = timeout(PATIENCE, sink.all_told());
    let (answer, told) = tokio::join!(invoking, telling);
    let answer = answer?;
    if answer["statusCode"] != 200 {
        return Err(Failure::Answer {
            what: format!("the sender's event of {text}"),
            answer: answer.to_string(),
        });
    }
    let last = told.map_err(|_| {
        let many = sink.told();
        Failure::Silent(format!("{text}: {many} of {members} were told"))
    })?;
    while functions::invocations(cloud).await? > 0 {
        sleep(LOOK_AGAIN).await;
    }
    match sink.too_many() {
        0 => Ok(last - began),
        many => Err(Failure::Answer {
            what: text,
            answer: format!("{many} posts too many"),
        }),
    }
}

/// As API Gateway has it, for a connection to the sink's domain.
fn event(domain_name: &str, room: &str, text: &str) -> Value {
    let body = json!({ "action": "send", "room": room, "msg": text });
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis(),
    );
    let now = now.unwrap_or(i64::MAX);
    json!({
        "requestContext": {
            "routeKey": "send",
            "messageId": "PJqCFfHyKRcCHlw=",
            "eventType": "MESSAGE",
            "extendedRequestId": "PJqCFEqHqRcFd0w=",
            "requestTime": "29/Nov/2026:08:04:03 +0000",
            "messageDirection": "IN",
            "stage": "local",
            "connectedAt": now,
            "requestTimeEpoch": now,
            "identity": { "sourceIp": "127.0.0.1" },
            "requestId": "PJqCFEqHqRcFd0w=",
            "domainName": domain_name,
            "connectionId": id_of(0),
            "apiId": "abcd123456",
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}

fn rooms(cloud: i32) -> impl Iterator<Item = i32> {
    let children = functions::children(cloud).into_iter();
    children.filter(|id| functions::is_room(*id) == Some(true))
}

/// Of all room processes together.
fn processor_ms(cloud: i32) -> f64 {
    rooms(cloud).filter_map(functions::processor_ms).sum()
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e4).round() / 10.0
}

/// Of sorted figures.
fn middle(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}
