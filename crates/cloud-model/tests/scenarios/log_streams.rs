//! CloudWatch Logs: streams that are made, and events that are put, over the
//! wire.

use serde_json::{Value, json};

use crate::common::{Answer, World};

const GROUP: &str = "/chat";
const INVALID: &str = "InvalidParameterException";
const MINUTE: i64 = 60 * 1_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// With a group and the stream `s` in it.
fn world() -> World {
    let mut world = World::new();
    world
        .logs("CreateLogGroup", &json!({ "logGroupName": GROUP }))
        .ok();
    stream(&mut world, "CreateLogStream", "s").ok();
    world
}

fn stream(world: &mut World, operation: &str, name: &str) -> Answer {
    let body = json!({ "logGroupName": GROUP, "logStreamName": name });
    world.logs(operation, &body)
}

fn put_to(world: &mut World, stream: &str, events: &[(i64, &str)]) -> Answer {
    let event = |(at, message): &(i64, &str)| json!({ "timestamp": at, "message": message });
    let events: Vec<Value> = events.iter().map(event).collect();
    let body = json!({ "logGroupName": GROUP, "logStreamName": stream, "logEvents": events });
    world.logs("PutLogEvents", &body)
}

fn put(world: &mut World, events: &[(i64, &str)]) -> Answer {
    put_to(world, "s", events)
}

fn messages(world: &mut World) -> Vec<String> {
    let body = json!({ "logGroupName": GROUP, "logStreamName": "s", "startFromHead": true });
    let got = world.logs("GetLogEvents", &body).ok();
    let events = got["events"].as_array().unwrap().iter();
    events
        .map(|it| it["message"].as_str().unwrap().to_owned())
        .collect()
}

fn streams(world: &mut World) -> Value {
    let body = json!({ "logGroupName": GROUP });
    world.logs("DescribeLogStreams", &body).ok()["logStreams"].clone()
}

#[test]
fn a_stream_is_made_once_and_shown_without_events() {
    let mut world = world();
    stream(&mut world, "CreateLogStream", "s").is_failure(
        400,
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    );
    let shown = streams(&mut world);
    assert_eq!(shown[0]["creationTime"], world.now.as_millisecond());
    assert_eq!(shown[0].get("firstEventTimestamp"), None);
    assert_eq!(messages(&mut world), [""; 0]);
}

#[test]
fn a_stream_is_deleted_with_its_events() {
    let mut world = world();
    let now = world.now.as_millisecond();
    put(&mut world, &[(now, "hello")]).ok();
    stream(&mut world, "DeleteLogStream", "s").ok();
    assert_eq!(streams(&mut world), json!([]));
    let missing = "The specified log stream does not exist.";
    stream(&mut world, "DeleteLogStream", "s").is_failure(
        400,
        "ResourceNotFoundException",
        missing,
    );
    put(&mut world, &[(now, "lost")]).is_failure(400, "ResourceNotFoundException", missing);
    stream(&mut world, "CreateLogStream", "s").ok();
    assert_eq!(messages(&mut world), [""; 0]);
}

#[test]
fn streams_need_a_group_and_a_name_without_colons_and_stars() {
    let mut world = world();
    for operation in ["CreateLogStream", "DeleteLogStream", "PutLogEvents"] {
        let body = json!({
            "logGroupName": "none",
            "logStreamName": "s",
            "logEvents": [{ "timestamp": 1, "message": "m" }],
        });
        world.logs(operation, &body).is_failure(
            400,
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        );
    }
    stream(&mut world, "CreateLogStream", "a:b").is_failure(
        400,
        INVALID,
        "1 validation error detected: Value 'a:b' at 'logStreamName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [^:*]*",
    );
}

#[test]
fn events_are_read_back_with_the_time_they_arrived() {
    let mut world = world();
    let now = world.now.as_millisecond();
    let first = put(&mut world, &[(now - HOUR, "one"), (now, "two")]).ok();
    let token = first["nextSequenceToken"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 56, "AWS still gives one");
    assert_eq!(first.get("rejectedLogEventsInfo"), None);
    let body = json!({
        "logGroupName": GROUP, "logStreamName": "s", "sequenceToken": "any",
        "logEvents": [{ "timestamp": now, "message": "three" }],
    });
    let second = world.logs("PutLogEvents", &body).ok();
    assert_ne!(second["nextSequenceToken"], token);
    assert_eq!(messages(&mut world), ["one", "two", "three"]);
    let body = json!({ "logGroupName": GROUP, "filterPattern": "one" });
    let found = world.logs("FilterLogEvents", &body).ok();
    assert_eq!(found["events"][0]["ingestionTime"], now);
    let shown = streams(&mut world);
    assert_eq!(
        (
            &shown[0]["firstEventTimestamp"],
            &shown[0]["lastIngestionTime"]
        ),
        (&json!(now - HOUR), &json!(now))
    );
}

#[test]
fn a_batch_is_in_order_and_within_a_day() {
    let mut world = world();
    let now = world.now.as_millisecond();
    put(&mut world, &[(now, "late"), (now - 1, "early")]).is_failure(
        400,
        INVALID,
        "Log events in a single PutLogEvents request must be in chronological order.",
    );
    put(&mut world, &[(now - DAY - 1, "early"), (now, "late")]).is_failure(
        400,
        INVALID,
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
    );
    assert_eq!(messages(&mut world), [""; 0], "nothing is kept by halves");
    put(&mut world, &[(now - DAY, "early"), (now, "late")]).ok();
}

#[test]
fn a_batch_and_an_event_have_a_mebibyte_with_26_bytes_for_each_event() {
    let mut world = world();
    let now = world.now.as_millisecond();
    let most = "x".repeat(1_048_576 - 26);
    put(&mut world, &[(now, &most)]).ok();
    assert_eq!(messages(&mut world)[0].len(), most.len(), "it isn't cut");
    put(&mut world, &[(now, &format!("{most}x"))]).is_failure(
        400,
        INVALID,
        "Log event too large: 1048577 bytes exceeds limit of 1048576",
    );
    let half = "x".repeat(524_288 - 26);
    put(&mut world, &[(now, &half), (now, &half)]).ok();
    put(&mut world, &[(now, &half), (now, &format!("{half}x"))]).is_failure(
        400,
        INVALID,
        "Upload too large: 1048577 bytes exceeds limit of 1048576",
    );
    let many = vec![(now, "m"); 10_001];
    let (_, code, message) = put(&mut world, &many).failure();
    assert_eq!(code, INVALID);
    assert!(
        message.ends_with("Member must have length less than or equal to 10000"),
        "{message}"
    );
    put(&mut world, &many[1..]).ok();
    let (_, code, _) = put(&mut world, &[]).failure();
    assert_eq!(code, INVALID);
    let (_, code, _) = put(&mut world, &[(now, "")]).failure();
    assert_eq!(code, INVALID);
}

#[test]
fn events_too_old_or_too_new_are_rejected_by_index_and_the_others_kept() {
    let mut world = world();
    let now = world.now.as_millisecond();
    let answer = put(
        &mut world,
        &[
            (now, "kept"),
            (now + 2 * HOUR, "kept, too"),
            (now + 2 * HOUR + 1, "new"),
        ],
    );
    let rejected = json!({ "tooNewLogEventStartIndex": 2 });
    assert_eq!(answer.ok()["rejectedLogEventsInfo"], rejected);
    let fortnight = now - 14 * DAY;
    let answer = put(&mut world, &[(fortnight - 1, "old"), (fortnight, "kept")]);
    let rejected = json!({ "tooOldLogEventEndIndex": 1 });
    assert_eq!(answer.ok()["rejectedLogEventsInfo"], rejected);
    assert_eq!(messages(&mut world), ["kept", "kept", "kept, too"]);

    let retention = json!({ "logGroupName": GROUP, "retentionInDays": 1 });
    world.logs("PutRetentionPolicy", &retention).ok();
    let answer = put(
        &mut world,
        &[(now - DAY - 1, "expired"), (now - DAY, "kept")],
    );
    let rejected = json!({ "expiredLogEventEndIndex": 1 });
    assert_eq!(answer.ok()["rejectedLogEventsInfo"], rejected);
}

#[test]
fn a_stream_that_was_made_stays_when_its_events_are_dropped() {
    let mut world = world();
    let now = world.now.as_millisecond();
    put(&mut world, &[(now, "small")]).ok();
    stream(&mut world, "CreateLogStream", "large").ok();
    let large = "x".repeat(1_000_000);
    for _ in 0..20 {
        put_to(&mut world, "large", &[(now, &large)]).ok();
    }
    assert_eq!(messages(&mut world), [""; 0], "the oldest are dropped");
    assert_eq!(streams(&mut world).as_array().unwrap().len(), 2);
}
