//! Lambda Managed Instances: one process has several events at once.

mod support;

use local_cloud::Config;
use serde_json::json;
use support::TestCloud;
use support::deploy::Function;
use support::http::Answer;

const FUNCTION: &str = "/2015-03-31/functions/scripted";

/// With a published version whose process has up to `events` events at once.
async fn start(events: u32, timeout: u32, change: impl FnOnce(&mut Config)) -> TestCloud {
    let cloud = TestCloud::start_with(change).await;
    let role = cloud.role("all").await;
    let function = Function {
        timeout,
        ..Function::default()
    };
    cloud.function(&function, &role).await;
    let provider = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:mine";
    let instances = json!({ "CapacityProviderConfig": {
        "LambdaManagedInstancesCapacityProviderConfig": {
            "CapacityProviderArn": provider,
            "PerExecutionEnvironmentMaxConcurrency": events,
        },
    }});
    let path = format!("{FUNCTION}/configuration");
    let changed = cloud.lambda("PUT", &path, &instances).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let path = format!("{FUNCTION}/versions");
    assert_eq!(cloud.lambda("POST", &path, &json!({})).await.status, 201);
    cloud
}

async fn invoke(cloud: &TestCloud, script: &str) -> Answer {
    let path = format!("{FUNCTION}/invocations?Qualifier=1");
    cloud.lambda("POST", &path, &json!({ "do": script })).await
}

fn answer_of(answer: &Answer) -> &str {
    let outcome = (answer.status, answer.header("x-amz-function-error"));
    assert_eq!(outcome, (200, None), "{answer:?}");
    &answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_as_many_events_at_once_as_its_function_says() {
    let cloud = start(3, 20, |_| ()).await;
    let meet = || invoke(&cloud, "meet 3");
    let (first, second, third) = tokio::join!(meet(), meet(), meet());
    assert_eq!(answer_of(&first), answer_of(&second));
    assert_eq!(answer_of(&second), answer_of(&third));
    assert_eq!(cloud.health().await["processes"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_beyond_that_get_a_process_of_their_own() {
    let cloud = start(2, 20, |_| ()).await;
    let file = cloud.dir.path().join("go");
    let script = format!("await-file {}", file.display());
    let wait = || invoke(&cloud, &script);
    let go = async {
        cloud
            .until("there are two processes", async |cloud| {
                (cloud.health().await["processes"] == 2).then_some(())
            })
            .await;
        std::fs::write(&file, "").unwrap();
    };
    let (first, second, third, ()) = tokio::join!(wait(), wait(), wait(), go);
    for answer in [first, second, third] {
        answer_of(&answer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_not_frozen_while_it_has_any_event() {
    let cloud = start(2, 20, |_| ()).await;
    let file = cloud.dir.path().join("go");
    let script = format!("await-file {}", file.display());
    let others = async {
        for _ in 0..3 {
            answer_of(&invoke(&cloud, "reveal").await);
        }
        std::fs::write(&file, "").unwrap();
    };
    let (waited, ()) = tokio::join!(invoke(&cloud, &script), others);
    answer_of(&waited);
    assert_eq!(cloud.health().await["processes"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_that_takes_too_long_ends_all_of_its_process() {
    let cloud = start(2, 2, |_| ()).await;
    let late = async {
        // Later than the other one, so that its own time isn't over.
        cloud
            .until("an event runs", async |cloud| {
                (cloud.health().await["invocations"] == 1).then_some(())
            })
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        invoke(&cloud, "sleep 60000").await
    };
    let (first, second) = tokio::join!(invoke(&cloud, "sleep 60000"), late);
    assert_eq!(first.json()["errorType"], "Sandbox.Timedout");
    assert_eq!(second.json()["errorType"], "Runtime.ExitError");
    answer_of(&invoke(&cloud, "reveal").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_wholly_idle_ends_after_a_while() {
    let idle = std::time::Duration::from_millis(200);
    let cloud = start(3, 20, |config| config.limits.process_idle = idle).await;
    answer_of(&invoke(&cloud, "reveal").await);
    cloud
        .until("the process is gone", async |cloud| {
            (cloud.health().await["processes"] == 0).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_wholly_idle_makes_room_for_another_function() {
    let cloud = start(3, 20, |config| config.limits.processes = 1).await;
    answer_of(&invoke(&cloud, "reveal").await);
    let other = Function {
        name: "other",
        ..Function::default()
    };
    cloud.function(&other, &cloud.role("more").await).await;
    let path = "/2015-03-31/functions/other/invocations";
    let answer = cloud.lambda("POST", path, &json!({ "do": "reveal" })).await;
    answer_of(&answer);
    assert_eq!(cloud.health().await["processes"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_published_does_not_run_there() {
    let cloud = start(2, 20, |_| ()).await;
    let path = format!("{FUNCTION}/invocations");
    let refused = cloud.lambda("POST", &path, &json!({})).await;
    assert_eq!(
        (refused.status, refused.header("x-amzn-errortype")),
        (400, Some("InvalidParameterValueException"))
    );
}
