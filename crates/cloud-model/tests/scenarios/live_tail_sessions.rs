//! Sessions of StartLiveTail: what they are told, and what they show.

use cloud_model::{Effect, LiveTail, LogEvent};
use serde_json::{Value, json};

use crate::common::{ACCOUNT, REGION, World};

fn arn(group: &str) -> String {
    format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}")
}

fn world() -> World {
    let mut world = World::new();
    for group in ["a", "b"] {
        let input = json!({ "logGroupName": group });
        world.logs("CreateLogGroup", &input).ok();
    }
    world
}

fn write(world: &mut World, group: &str, stream: &str, messages: &[&str]) {
    let event = |message: &&str| LogEvent {
        timestamp: world.now,
        message: (*message).to_owned(),
    };
    let events = messages.iter().map(event).collect();
    assert!(world.cloud.put_log_events(group, stream, events));
}

fn follow(world: &mut World, input: &Value) -> LiveTail {
    let answer = world.logs("StartLiveTail", input);
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    match answer.effects.as_slice() {
        [Effect::LiveTailStarted(tail)] => (**tail).clone(),
        other => panic!("{other:?}"),
    }
}

/// Messages, each with its stream.
fn shown(world: &World, tail: &mut LiveTail) -> Vec<String> {
    let update = world.cloud.live_tail(tail);
    assert_eq!(update["sessionMetadata"]["sampled"], false);
    let results = update["sessionResults"].as_array().unwrap().iter();
    let text = |result: &Value| {
        let of = |name: &str| result[name].as_str().unwrap().to_owned();
        format!("{} {}", of("logStreamName"), of("message"))
    };
    results.map(text).collect()
}

#[test]
fn a_session_shows_what_arrives_while_it_lasts_and_nothing_twice() {
    let mut world = world();
    write(&mut world, "a", "s", &["before"]);
    let input = json!({ "logGroupIdentifiers": [arn("a"), arn("b")] });
    let mut tail = follow(&mut world, &input);
    let start = tail.start.clone();
    assert_eq!(start["logGroupIdentifiers"], input["logGroupIdentifiers"]);
    assert_eq!(start["sessionId"].as_str().map(str::len), Some(36));
    assert!(shown(&world, &mut tail).is_empty());
    write(&mut world, "a", "s", &["one", "two"]);
    write(&mut world, "b", "t", &["three"]);
    let update = world.cloud.live_tail(&mut tail.clone());
    let expected = json!({
        "ingestionTime": world.now.as_millisecond(),
        "logGroupIdentifier": arn("a"),
        "logStreamName": "s",
        "message": "one",
        "timestamp": world.now.as_millisecond(),
    });
    assert_eq!(update["sessionResults"][0], expected);
    assert_eq!(shown(&world, &mut tail), ["s one", "s two", "t three"]);
    assert!(shown(&world, &mut tail).is_empty());
}

#[test]
fn streams_and_patterns_narrow_what_a_session_shows() {
    let mut world = world();
    let mut following = |more: Value| {
        let mut input = json!({ "logGroupIdentifiers": [arn("a")] });
        let members = input.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        follow(&mut world, &input)
    };
    let mut named = following(json!({ "logStreamNames": ["x/1"] }));
    let mut prefixed = following(json!({ "logStreamNamePrefixes": ["x/", "z"] }));
    let mut matching = following(json!({ "logEventFilterPattern": "ERROR" }));
    for stream in ["x/1", "x/2", "y"] {
        write(&mut world, "a", stream, &["ERROR", "fine"]);
    }
    assert_eq!(shown(&world, &mut named), ["x/1 ERROR", "x/1 fine"]);
    let of_x = ["x/1 ERROR", "x/1 fine", "x/2 ERROR", "x/2 fine"];
    assert_eq!(shown(&world, &mut prefixed), of_x);
    let errors = ["x/1 ERROR", "x/2 ERROR", "y ERROR"];
    assert_eq!(shown(&world, &mut matching), errors);
}

#[test]
fn five_hundred_events_a_second_are_shown_and_the_session_says_that_there_were_more() {
    let mut world = world();
    let input = json!({ "logGroupIdentifiers": [arn("a")] });
    let mut tail = follow(&mut world, &input);
    write(&mut world, "a", "s", &["x"; 501]);
    let update = world.cloud.live_tail(&mut tail);
    assert_eq!(update["sessionResults"].as_array().unwrap().len(), 500);
    assert_eq!(update["sessionMetadata"]["sampled"], true);
    assert!(shown(&world, &mut tail).is_empty());
}

#[test]
fn a_group_made_again_is_not_the_one_that_is_followed() {
    let mut world = world();
    let input = json!({ "logGroupIdentifiers": [arn("a")] });
    let mut tail = follow(&mut world, &input);
    let group = json!({ "logGroupName": "a" });
    world.logs("DeleteLogGroup", &group).ok();
    world.logs("CreateLogGroup", &group).ok();
    write(&mut world, "a", "s", &["another"]);
    assert!(shown(&world, &mut tail).is_empty());
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let mut world = world();
    let mut refused = |input: Value, code: &str, part: &str| {
        let answer = world.logs("StartLiveTail", &input);
        let (status, found, message) = answer.failure();
        assert_eq!((status, found.as_str()), (400, code));
        assert!(message.contains(part), "{message}");
        assert!(answer.effects.is_empty());
    };
    let invalid = "InvalidParameterException";
    refused(json!({}), invalid, "Member must not be null");
    let eleven: Vec<String> = (0..11).map(|at| arn(&at.to_string())).collect();
    let eleven = json!({ "logGroupIdentifiers": eleven });
    refused(eleven, invalid, "less than or equal to 10");
    let name = json!({ "logGroupIdentifiers": ["a"] });
    refused(name, invalid, "must be ARNs");
    let starred = json!({ "logGroupIdentifiers": [arn("a:*")] });
    refused(starred, invalid, "without :*");
    let gone = json!({ "logGroupIdentifiers": [arn("gone")] });
    refused(gone, "ResourceNotFoundException", "does not exist");
    let both = json!({
        "logGroupIdentifiers": [arn("a")], "logStreamNames": ["s"], "logStreamNamePrefixes": ["s"],
    });
    refused(both, invalid, "mutually exclusive");
    let two = json!({ "logGroupIdentifiers": [arn("a"), arn("b")], "logStreamNames": ["s"] });
    refused(two, invalid, "single log group");
    let pattern = json!({ "logGroupIdentifiers": [arn("a")], "logEventFilterPattern": "a/b" });
    refused(pattern, invalid, "Invalid character(s)");
}
