//! CloudWatch Logs: groups, streams, events.

use cloud_model::LogEvent;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::common::{ACCOUNT, REGION, World};

const GROUP: &str = "/aws/lambda/chat";

fn world_with_group() -> World {
    let mut world = World::new();
    world
        .logs("CreateLogGroup", &json!({ "logGroupName": GROUP }))
        .ok();
    world
}

fn write(world: &mut World, stream: &str, events: &[(i64, &str)]) -> bool {
    let event = |(ms, message): &(i64, &str)| LogEvent {
        timestamp: Timestamp::from_millisecond(*ms).unwrap(),
        message: (*message).to_owned(),
    };
    world
        .cloud
        .put_log_events(GROUP, stream, events.iter().map(event).collect())
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["message"].as_str().unwrap())
        .collect()
}

fn get(world: &mut World, more: Value) -> Value {
    let mut body = json!({ "logGroupName": GROUP, "logStreamName": "s" });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    world.logs("GetLogEvents", &body).ok()
}

fn filter(world: &mut World, more: Value) -> Value {
    let mut body = json!({ "logGroupName": GROUP });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    world.logs("FilterLogEvents", &body).ok()
}

#[test]
fn a_group_is_described_with_both_arns() {
    let mut world = world_with_group();
    let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}");
    let described = world
        .logs(
            "DescribeLogGroups",
            &json!({ "logGroupNamePrefix": "/aws/" }),
        )
        .ok();
    let expected = json!({ "logGroups": [{
        "arn": format!("{arn}:*"),
        "creationTime": world.now.as_millisecond(),
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "logGroupName": GROUP,
        "metricFilterCount": 0,
        "storedBytes": 0,
    }] });
    assert_eq!(described, expected);
    let none = world
        .logs(
            "DescribeLogGroups",
            &json!({ "logGroupNamePrefix": "/other" }),
        )
        .ok();
    assert_eq!(none, json!({ "logGroups": [] }));
}

#[test]
fn groups_are_listed_in_pages() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world
            .logs("CreateLogGroup", &json!({ "logGroupName": name }))
            .ok();
    }
    let first = world.logs("DescribeLogGroups", &json!({ "limit": 2 })).ok();
    assert_eq!(first["logGroups"].as_array().unwrap().len(), 2);
    let second = world
        .logs(
            "DescribeLogGroups",
            &json!({ "limit": 2, "nextToken": first["nextToken"] }),
        )
        .ok();
    assert_eq!(second["logGroups"][0]["logGroupName"], "c");
    assert_eq!(second.get("nextToken"), None);
    world
        .logs("DescribeLogGroups", &json!({ "nextToken": "x" }))
        .is_failure(
            400,
            "InvalidParameterException",
            "The specified nextToken is invalid.",
        );
    world
        .logs("DescribeLogGroups", &json!({ "limit": 51 }))
        .is_failure(400, "InvalidParameterException", "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50");
}

#[test]
fn a_group_is_created_once_and_gone_when_deleted() {
    let mut world = world_with_group();
    let body = json!({ "logGroupName": GROUP });
    world.logs("CreateLogGroup", &body).is_failure(
        400,
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    );
    assert_eq!(world.logs("DeleteLogGroup", &body).status, 200);
    let unknown = "The specified log group does not exist.";
    for operation in [
        "DeleteLogGroup",
        "DeleteRetentionPolicy",
        "DescribeLogStreams",
        "FilterLogEvents",
    ] {
        world
            .logs(operation, &body)
            .is_failure(400, "ResourceNotFoundException", unknown);
    }
    world
        .logs("CreateLogGroup", &json!({ "logGroupName": "a b" }))
        .is_failure(400, "InvalidParameterException", r"1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+");
}

#[test]
fn events_for_a_group_that_is_not_there_are_dropped() {
    let mut world = World::new();
    assert!(!write(&mut world, "s", &[(1, "lost")]));
    assert!(world.cloud.inventory().is_empty());
    let mut world = world_with_group();
    assert!(write(&mut world, "s", &[(1, "kept")]));
}

#[test]
fn retention_takes_known_days_only_and_hides_what_is_older() {
    let mut world = world_with_group();
    let put = |world: &mut World, days: i64| {
        world.logs(
            "PutRetentionPolicy",
            &json!({ "logGroupName": GROUP, "retentionInDays": days }),
        )
    };
    let (status, code, message) = put(&mut world, 2).failure();
    assert_eq!((status, code.as_str()), (400, "InvalidParameterException"));
    assert!(message.starts_with("1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5,"), "{message}");
    assert_eq!(put(&mut world, 1).status, 200);
    let described = world.logs("DescribeLogGroups", &json!({})).ok();
    assert_eq!(described["logGroups"][0]["retentionInDays"], 1);

    let then = world.now.as_millisecond();
    write(&mut world, "s", &[(then, "old"), (then + 3_600_000, "new")]);
    world.wait(SignedDuration::from_secs(24 * 60 * 60 + 1));
    assert_eq!(messages(&get(&mut world, json!({}))), ["new"]);
    assert_eq!(messages(&filter(&mut world, json!({}))), ["new"]);
    world
        .logs("DeleteRetentionPolicy", &json!({ "logGroupName": GROUP }))
        .ok();
    assert_eq!(messages(&get(&mut world, json!({}))), ["old", "new"]);
}

#[test]
fn tags_go_by_the_arn_without_a_star() {
    let mut world = World::new();
    world
        .logs(
            "CreateLogGroup",
            &json!({ "logGroupName": GROUP, "tags": { "a": "1" } }),
        )
        .ok();
    let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}");
    world
        .logs(
            "TagResource",
            &json!({ "resourceArn": arn, "tags": { "b": "2" } }),
        )
        .ok();
    world
        .logs(
            "UntagResource",
            &json!({ "resourceArn": arn, "tagKeys": ["a"] }),
        )
        .ok();
    let listed = world
        .logs("ListTagsForResource", &json!({ "resourceArn": arn }))
        .ok();
    assert_eq!(listed, json!({ "tags": { "b": "2" } }));
    let star = format!("{arn}:*");
    world
        .logs("ListTagsForResource", &json!({ "resourceArn": star }))
        .is_failure(
            400,
            "InvalidParameterException",
            &format!("Invalid resource ARN: {star}"),
        );
    world
        .logs(
            "ListTagsForResource",
            &json!({ "resourceArn": format!("{arn}x") }),
        )
        .is_failure(
            400,
            "ResourceNotFoundException",
            "The specified resource does not exist.",
        );
}

#[test]
fn a_stream_is_read_from_its_end_or_head_and_followed() {
    let mut world = world_with_group();
    write(
        &mut world,
        "s",
        &[(10, "a"), (20, "b"), (30, "c"), (40, "d"), (50, "e")],
    );
    write(&mut world, "other", &[(25, "x")]);
    let all = get(&mut world, json!({}));
    assert_eq!(messages(&all), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        all["events"][0],
        json!({ "message": "a", "timestamp": 10, "ingestionTime": 10 })
    );

    // Backwards from the end.
    let end = get(&mut world, json!({ "limit": 2 }));
    assert_eq!(messages(&end), ["d", "e"]);
    let before = get(
        &mut world,
        json!({ "limit": 2, "nextToken": end["nextBackwardToken"] }),
    );
    assert_eq!(messages(&before), ["b", "c"]);

    // Forwards from the head, to where nothing is, and on when something comes.
    let head = get(&mut world, json!({ "limit": 3, "startFromHead": true }));
    assert_eq!(messages(&head), ["a", "b", "c"]);
    let next = get(
        &mut world,
        json!({ "limit": 3, "nextToken": head["nextForwardToken"] }),
    );
    assert_eq!(messages(&next), ["d", "e"]);
    let edge = get(&mut world, json!({ "nextToken": next["nextForwardToken"] }));
    assert_eq!(messages(&edge), Vec::<&str>::new());
    assert_eq!(
        edge["nextForwardToken"], next["nextForwardToken"],
        "the end gives the token back"
    );
    write(&mut world, "s", &[(50, "f")]);
    let more = get(&mut world, json!({ "nextToken": edge["nextForwardToken"] }));
    assert_eq!(messages(&more), ["f"], "same time, later arrival");

    assert_eq!(
        messages(&get(&mut world, json!({ "startTime": 20, "endTime": 40 }))),
        ["b", "c"],
        "the end is outside"
    );
}

#[test]
fn reading_a_stream_needs_one_and_a_token_that_was_given() {
    let mut world = world_with_group();
    world
        .logs(
            "GetLogEvents",
            &json!({ "logGroupName": GROUP, "logStreamName": "none" }),
        )
        .is_failure(
            400,
            "ResourceNotFoundException",
            "The specified log stream does not exist.",
        );
    write(&mut world, "s", &[(1, "a")]);
    world
        .logs(
            "GetLogEvents",
            &json!({ "logGroupName": GROUP, "logStreamName": "s", "nextToken": "f/x" }),
        )
        .is_failure(
            400,
            "InvalidParameterException",
            "The specified nextToken is invalid.",
        );
}

#[test]
fn filtering_interleaves_streams_by_time() {
    let mut world = world_with_group();
    write(&mut world, "one", &[(10, "INFO a"), (30, "ERROR c")]);
    write(&mut world, "two", &[(20, "ERROR b"), (40, "ERROR d")]);
    assert_eq!(
        messages(&filter(&mut world, json!({}))),
        ["INFO a", "ERROR b", "ERROR c", "ERROR d"]
    );
    let found = filter(
        &mut world,
        json!({ "filterPattern": "ERROR", "startTime": 20, "endTime": 30 }),
    );
    assert_eq!(
        messages(&found),
        ["ERROR b", "ERROR c"],
        "the end is inside"
    );
    assert_eq!(found["events"][0]["logStreamName"], "two");
    assert_ne!(found["events"][0]["eventId"], found["events"][1]["eventId"]);
    assert_eq!(
        messages(&filter(&mut world, json!({ "logStreamNames": ["two"] }))),
        ["ERROR b", "ERROR d"]
    );
    assert_eq!(
        messages(&filter(&mut world, json!({ "logStreamNamePrefix": "o" }))),
        ["INFO a", "ERROR c"]
    );

    let first = filter(&mut world, json!({ "limit": 3 }));
    assert_eq!(messages(&first).len(), 3);
    let second = filter(
        &mut world,
        json!({ "limit": 3, "nextToken": first["nextToken"] }),
    );
    assert_eq!(messages(&second), ["ERROR d"]);
    assert_eq!(second.get("nextToken"), None);
}

#[test]
fn a_page_of_events_has_at_most_a_mebibyte() {
    let mut world = world_with_group();
    let large = "x".repeat(250_000);
    let events: Vec<(i64, &str)> = (0..9).map(|ms| (ms, large.as_str())).collect();
    write(&mut world, "s", &events);
    let count = |page: &Value| page["events"].as_array().unwrap().len();
    let first = filter(&mut world, json!({}));
    let second = filter(&mut world, json!({ "nextToken": first["nextToken"] }));
    let third = filter(&mut world, json!({ "nextToken": second["nextToken"] }));
    assert_eq!([count(&first), count(&second), count(&third)], [4, 4, 1]);
    assert_eq!(third.get("nextToken"), None);
    let head = get(&mut world, json!({ "startFromHead": true }));
    let next = get(&mut world, json!({ "nextToken": head["nextForwardToken"] }));
    assert_eq!(
        (count(&head), next["events"][0]["timestamp"].as_i64()),
        (4, Some(4))
    );
    let end = get(&mut world, json!({}));
    assert_eq!(end["events"][0]["timestamp"], 5);
}

#[test]
fn patterns_that_are_not_understood_are_refused() {
    let mut world = world_with_group();
    let body = json!({ "logGroupName": GROUP, "filterPattern": "{ $.level = \"ERROR\" }" });
    world.logs("FilterLogEvents", &body).is_failure(
        400,
        "InvalidParameterException",
        "The local cloud does not support JSON filter patterns yet",
    );
}

#[test]
fn streams_are_ordered_by_name_or_by_their_last_event() {
    let mut world = world_with_group();
    write(&mut world, "a", &[(10, "x"), (50, "y")]);
    write(&mut world, "b", &[(30, "x")]);
    write(&mut world, "c", &[(20, "x")]);
    let names = |answer: Value| -> Vec<String> {
        let streams = answer["logStreams"].as_array().unwrap().iter();
        streams
            .map(|it| it["logStreamName"].as_str().unwrap().to_owned())
            .collect()
    };
    let by_name = world
        .logs("DescribeLogStreams", &json!({ "logGroupName": GROUP }))
        .ok();
    assert_eq!(by_name["logStreams"][0]["firstEventTimestamp"], 10);
    assert_eq!(by_name["logStreams"][0]["lastEventTimestamp"], 50);
    assert_eq!(names(by_name), ["a", "b", "c"]);
    let body = json!({ "logGroupName": GROUP, "orderBy": "LastEventTime", "descending": true, "limit": 2 });
    let latest = world.logs("DescribeLogStreams", &body).ok();
    let mut more = body.clone();
    more["nextToken"] = latest["nextToken"].clone();
    assert_eq!(names(latest), ["a", "b"]);
    assert_eq!(names(world.logs("DescribeLogStreams", &more).ok()), ["c"]);
    let body =
        json!({ "logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "a" });
    world.logs("DescribeLogStreams", &body).is_failure(
        400,
        "InvalidParameterException",
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
    );
}
