//! Aliases in front of functions: which version an invocation runs.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cloud_model::IdSource;
use serde_json::json;
use support::TestCloud;
use support::deploy::{Function, function_arn};
use tokio_tungstenite::tungstenite::Message;

const FUNCTION: &str = "/2015-03-31/functions/scripted";

/// Numbers whose upper half is what the test says, and which differ in the lower.
struct Steered {
    upper: Arc<AtomicU64>,
    count: u64,
}

impl IdSource for Steered {
    fn next_u64(&mut self) -> u64 {
        self.count += 1;
        self.upper.load(Ordering::SeqCst) << 32 | self.count
    }
}

/// A cloud whose draws come out below or above a half.
struct Drawn {
    cloud: TestCloud,
    upper: Arc<AtomicU64>,
}

impl Drawn {
    /// With versions 1 and 2 and an alias that runs 2 for half of its invocations.
    async fn start() -> Self {
        let upper = Arc::new(AtomicU64::new(0));
        let source = Steered {
            upper: Arc::clone(&upper),
            count: 0,
        };
        let cloud = TestCloud::start_with(|config| config.ids = Box::new(source)).await;
        let role = cloud.role("all").await;
        cloud.function(&Function::default(), &role).await;
        for description in ["first", "second"] {
            let change = json!({ "Description": description });
            let path = format!("{FUNCTION}/configuration");
            assert_eq!(cloud.lambda("PUT", &path, &change).await.status, 200);
            let path = format!("{FUNCTION}/versions");
            let made = cloud.lambda("POST", &path, &json!({})).await;
            assert_eq!(made.status, 201, "{made:?}");
        }
        let alias = json!({
            "Name": "live", "FunctionVersion": "1",
            "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.5 } },
        });
        let made = cloud
            .lambda("POST", &format!("{FUNCTION}/aliases"), &alias)
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        Self { cloud, upper }
    }

    fn draw_low(&self) {
        self.upper.store(0, Ordering::SeqCst);
    }

    fn draw_high(&self) {
        self.upper.store(1 << 31, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_sends_each_invocation_to_a_version_by_weight() {
    let drawn = Drawn::start().await;
    let path = format!("{FUNCTION}/invocations?Qualifier=live");
    let executed = async || {
        let answer = drawn
            .cloud
            .lambda("POST", &path, &json!({ "do": "reveal" }))
            .await;
        assert_eq!(
            (answer.status, answer.header("x-amz-function-error")),
            (200, None)
        );
        answer.header("x-amz-executed-version").map(str::to_owned)
    };
    drawn.draw_low();
    assert_eq!(executed().await.as_deref(), Some("2"));
    drawn.draw_high();
    assert_eq!(executed().await.as_deref(), Some("1"));
    assert_eq!(executed().await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_that_names_an_alias_needs_permission_on_the_alias_alone() {
    let drawn = Drawn::start().await;
    let cloud = &drawn.cloud;
    let alias = function_arn("scripted:live");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": alias,
    }]});
    let role = cloud
        .role_with_policy("alias-only", &policy.to_string())
        .await;
    let routes = [
        ("$default", alias),
        ("numbered", function_arn("scripted:1")),
    ];
    let stage = cloud
        .stage_of_arns(&routes, &role, 29_000, &json!({}))
        .await;
    let mut client = cloud.connect(&stage).await;
    let version = "var AWS_LAMBDA_FUNCTION_VERSION";
    drawn.draw_low();
    client.tell(version).await;
    assert_eq!(client.text().await, "2");
    drawn.draw_high();
    client.tell(version).await;
    assert_eq!(client.text().await, "1");
    let by_number = json!({ "action": "numbered", "do": version });
    client.send(Message::text(by_number.to_string())).await;
    assert!(client.text().await.contains("Internal server error"));
}
