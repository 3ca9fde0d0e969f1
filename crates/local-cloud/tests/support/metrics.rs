//! What CloudWatch tells of the cloud.

use serde_json::{Value, json};

use super::TestCloud;
use super::http::signed;

/// The sum of a metric so far.
pub async fn sum(
    cloud: &TestCloud,
    namespace: &str,
    name: &str,
    dimensions: &[(&str, &str)],
) -> f64 {
    let now = jiff::Timestamp::now().as_second();
    let dimensions: Vec<Value> = dimensions
        .iter()
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect();
    let input = json!({ "StartTime": now - 3_600, "EndTime": now + 60, "MetricDataQueries": [
        { "Id": "m", "MetricStat": { "Period": 60, "Stat": "Sum", "Metric": {
            "Namespace": namespace, "MetricName": name, "Dimensions": dimensions,
        } } },
    ] });
    let headers = [
        (
            "x-amz-target",
            "GraniteServiceVersion20100801.GetMetricData",
        ),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let body = input.to_string();
    let answer = signed(
        "monitoring",
        cloud.port,
        "POST",
        "/",
        &headers,
        body.as_bytes(),
    )
    .await;
    let output: Value = answer.json();
    let values = output["MetricDataResults"][0]["Values"]
        .as_array()
        .expect("values");
    values.iter().filter_map(Value::as_f64).sum()
}
