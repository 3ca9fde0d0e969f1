//! CloudWatch: what services publish of themselves, read by GetMetricData.

use cloud_model::{LAMBDA_METRICS, Measure};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{Answer, World};

const TARGET: &str = "GraniteServiceVersion20100801.GetMetricData";

fn at(time: &str) -> Timestamp {
    format!("2026-01-02T{time}Z").parse().unwrap()
}

fn measure(world: &mut World, time: &str, name: &str, value: f64) {
    let measure = Measure {
        namespace: LAMBDA_METRICS,
        name,
        dimensions: &[("FunctionName", "room")],
        value,
    };
    world.cloud.record(&[measure], at(time));
}

fn query(id: &str, name: &str, stat: &str, period: u32) -> Value {
    json!({ "Id": id, "MetricStat": { "Period": period, "Stat": stat, "Metric": {
        "Namespace": "AWS/Lambda", "MetricName": name,
        "Dimensions": [{ "Name": "FunctionName", "Value": "room" }],
    } } })
}

fn ask(world: &mut World, queries: &[Value], more: &Value) -> Answer {
    let (from, to) = (at("03:00:00").as_second(), at("03:03:00").as_second());
    let mut input = json!({ "MetricDataQueries": queries, "StartTime": from, "EndTime": to });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    world.json11("monitoring", TARGET, &input, None)
}

fn values(world: &mut World, query: Value) -> Value {
    let answer = ask(world, &[query], &Value::Null).ok();
    answer["MetricDataResults"][0]["Values"].clone()
}

fn measured() -> World {
    let mut world = World::new();
    for (time, value) in [("03:00:10", 10.0), ("03:00:50", 30.0), ("03:02:00", 50.0)] {
        measure(&mut world, time, "Duration", value);
    }
    world
}

#[test]
fn values_come_by_the_period_newest_first() {
    let mut world = measured();
    let answer = ask(
        &mut world,
        &[query("d", "Duration", "Sum", 60)],
        &Value::Null,
    )
    .ok();
    let (first, third) = (at("03:00:00").as_second(), at("03:02:00").as_second());
    let expected = json!([{ "Id": "d", "Label": "Duration", "StatusCode": "Complete",
        "Timestamps": [third, first], "Values": [50.0, 40.0] }]);
    assert_eq!(answer["MetricDataResults"], expected);
    let ascending = json!({ "ScanBy": "TimestampAscending" });
    let answer = ask(&mut world, &[query("d", "Duration", "Sum", 60)], &ascending).ok();
    assert_eq!(
        answer["MetricDataResults"][0]["Values"],
        json!([40.0, 50.0])
    );
}

#[test]
fn statistics_are_of_all_values_of_a_period() {
    let mut world = measured();
    for (stat, value) in [
        ("SampleCount", 3.0),
        ("Average", 30.0),
        ("Minimum", 10.0),
        ("Maximum", 50.0),
        ("p100", 50.0),
    ] {
        let found = values(&mut world, query("d", "Duration", stat, 3_600));
        assert_eq!(found, json!([value]), "{stat}");
    }
    let median = values(&mut world, query("d", "Duration", "p50", 3_600));
    let median = median[0].as_f64().unwrap();
    assert!((median / 30.0 - 1.0).abs() < 0.011, "{median}");
}

#[test]
fn what_was_never_measured_has_no_values() {
    let mut world = measured();
    assert_eq!(
        values(&mut world, query("e", "Errors", "Sum", 60)),
        json!([])
    );
    let mut other = query("d", "Duration", "Sum", 60);
    other["MetricStat"]["Unit"] = json!("Count");
    assert_eq!(values(&mut world, other), json!([]));
    let mut hidden = query("d", "Duration", "Sum", 60);
    hidden["ReturnData"] = json!(false);
    let answer = ask(&mut world, &[hidden], &Value::Null).ok();
    assert_eq!(answer["MetricDataResults"], json!([]));
}

#[test]
fn points_beyond_what_is_wanted_come_on_another_page() {
    let mut world = measured();
    let queries = ["a", "b", "c"].map(|id| query(id, "Duration", "Sum", 60));
    let two = json!({ "MaxDatapoints": 2 });
    let first = ask(&mut world, &queries, &two).ok();
    assert_eq!(first["MetricDataResults"].as_array().unwrap().len(), 1);
    let more = json!({ "MaxDatapoints": 4, "NextToken": first["NextToken"] });
    let rest = ask(&mut world, &queries, &more).ok();
    let ids: Vec<&Value> = rest["MetricDataResults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["Id"])
        .collect();
    assert_eq!(ids, ["b", "c"]);
    assert!(rest.get("NextToken").is_none());
    let invented = json!({ "NextToken": "invented" });
    let refused = ask(&mut world, &queries, &invented).failure();
    assert_eq!(refused.1, "InvalidNextToken");
}

#[test]
fn what_isnt_honoured_is_refused_by_name() {
    let mut world = World::new();
    let mut refused = |query: Value, what: &str| {
        let (status, code, text) = ask(&mut world, &[query], &Value::Null).failure();
        assert_eq!((status, code.as_str()), (400, "ValidationError"), "{text}");
        assert!(text.contains(what), "{text}");
    };
    refused(query("d", "Duration", "tm99", 60), "the statistic tm99");
    refused(query("d", "Duration", "Sum", 10), "periods below a minute");
    refused(query("d", "Duration", "Sum", 90), "multiple of 60");
    refused(query("D", "Duration", "Sum", 60), "pattern");
    refused(json!({ "Id": "e", "Expression": "a + b" }), "Expression");
    let twice = [0, 1].map(|_| query("d", "Duration", "Sum", 60));
    let (_, _, text) = ask(&mut world, &twice, &Value::Null).failure();
    assert!(text.contains("not unique"), "{text}");
    let target = "GraniteServiceVersion20100801.PutMetricData";
    let (status, _, text) = world
        .json11("monitoring", target, &json!({}), None)
        .failure();
    assert_eq!(status, 501);
    assert!(text.contains("CloudWatch's PutMetricData"), "{text}");
}
