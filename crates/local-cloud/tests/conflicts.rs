//! With realism: what the model delays, the port delays; what it refuses, the
//! port refuses. The habits themselves are tested where they are modelled.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use local_cloud::{Clock, Realism};
use serde_json::json;
use support::TestCloud;
use support::http::{Answer, signed};

/// A clock that stands until it is told otherwise.
#[derive(Default)]
struct Standing(AtomicI64);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

async fn gateway(cloud: &TestCloud, path: &str, body: serde_json::Value) -> Answer {
    let body = body.to_string();
    signed("apigateway", cloud.port, "POST", path, &[], body.as_bytes()).await
}

async fn new_api(cloud: &TestCloud) -> String {
    let api = json!({
        "name": "chat",
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
    });
    let made = gateway(cloud, "/v2/apis", api).await.json();
    made["apiId"].as_str().unwrap().to_owned()
}

async fn add_route(cloud: &TestCloud, api: &str, key: &str) -> u16 {
    let path = format!("/v2/apis/{api}/routes");
    let made = gateway(cloud, &path, json!({ "routeKey": key })).await;
    made.status
}

fn conflicts() -> Option<Realism> {
    Some(Realism {
        conflicts: true,
        ..Realism::none(7)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_writes_follow_each_other_meets_no_conflict() {
    let cloud = TestCloud::start_with(|config| config.realism = conflicts()).await;
    let api = new_api(&cloud).await;
    for n in 0..8 {
        assert_eq!(add_route(&cloud, &api, &format!("r{n}")).await, 201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_refused_while_another_one_is_carried_out() {
    let clock = Arc::new(Standing::default());
    let cloud = TestCloud::start_with(|config| {
        config.realism = conflicts();
        config.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    })
    .await;
    let api = new_api(&cloud).await;
    assert_eq!(add_route(&cloud, &api, "first").await, 201);
    assert_eq!(add_route(&cloud, &api, "second").await, 409);
    clock.0.store(1, Ordering::SeqCst);
    assert_eq!(add_route(&cloud, &api, "second").await, 201);
}
