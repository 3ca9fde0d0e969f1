//! Measures what freezing processes between events costs: invokes the scripted
//! function one time after the other, by turns in a cloud that freezes and in one that
//! doesn't, and tells the times.
//!
//! `cargo run --profile simulate -p local-cloud --example invoke_latency` after
//! `cargo build --profile simulate -p local-cloud --example scripted_function`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;
use support::TestCloud;
use support::deploy::Function;

const ROUNDS: usize = 20;
const INVOKES: usize = 200;
/// Pause after each invocation, so that the process is idle when the next one comes.
const PAUSE: Duration = Duration::from_millis(1);

#[tokio::main]
async fn main() {
    let clouds = [start(true).await, start(false).await];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (cloud, times) in clouds.iter().zip(&mut times) {
            for _ in 0..INVOKES {
                times.push(invoke(cloud).await);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    for (what, times) in ["freezing", "not freezing"].iter().zip(&mut times) {
        times.sort_unstable();
        let at = |part: f64| times[(times.len() as f64 * part) as usize].as_micros();
        let line = format!(
            "{what}: p50 {} µs, p90 {} µs, p99 {} µs of {}\n",
            at(0.5),
            at(0.9),
            at(0.99),
            times.len()
        );
        let _closed = std::io::stdout().write_all(line.as_bytes());
    }
}

async fn start(freeze: bool) -> TestCloud {
    let cloud = TestCloud::start_with(|config| config.freeze = freeze).await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    invoke(&cloud).await;
    cloud
}

async fn invoke(cloud: &TestCloud) -> Duration {
    let path = "/2015-03-31/functions/scripted/invocations";
    let began = Instant::now();
    let answer = cloud.lambda("POST", path, &json!({ "do": "reveal" })).await;
    let took = began.elapsed();
    assert_eq!(answer.status, 200, "{answer:?}");
    took
}
