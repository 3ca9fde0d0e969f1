//! Lambda: functions and versions over their life.

use cloud_model::{Effect, NoCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::{
    ACCOUNT, FUNCTIONS, REGION, World, all_pages, function_arn, function_input, zip_file,
};

const NOTHING: Value = Value::Null;

fn configuration(world: &mut World, name: &str) -> Value {
    world
        .lambda(
            "GET",
            &format!("{FUNCTIONS}/{name}/configuration"),
            &NOTHING,
        )
        .ok()
}

fn publish(world: &mut World, body: Value) -> Value {
    let answer = world.lambda("POST", &format!("{FUNCTIONS}/chat/versions"), &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.ok()
}

#[test]
fn a_new_function_is_shown_with_its_defaults() {
    let mut world = World::new();
    let made = world.new_function("chat");
    let expected = json!({
        "Architectures": ["x86_64"],
        "CodeSha256": made["CodeSha256"],
        "CodeSize": made["CodeSize"],
        "Description": "",
        "EphemeralStorage": { "Size": 512 },
        "FunctionArn": function_arn("chat"),
        "FunctionName": "chat",
        "Handler": "bootstrap",
        "LastModified": "2026-01-02T03:04:05.678+0000",
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/chat" },
        "MemorySize": 128,
        "PackageType": "Zip",
        "RevisionId": made["RevisionId"],
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/function"),
        "Runtime": "provided.al2023",
        "RuntimeVersionConfig": { "RuntimeVersionArn": format!("arn:aws:lambda:{REGION}::runtime:local") },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "Timeout": 3,
        "TracingConfig": { "Mode": "PassThrough" },
        "Version": "$LATEST",
    });
    assert_eq!(
        made, expected,
        "even without delay, creation itself answers Pending"
    );
    let settled = configuration(&mut world, "chat");
    assert_eq!(
        (&settled["State"], &settled["LastUpdateStatus"]),
        (&json!("Active"), &json!("Successful"))
    );
    assert_eq!(settled.get("StateReason"), None);
    assert_ne!(
        settled["RevisionId"], made["RevisionId"],
        "settling changes the revision"
    );
}

#[test]
fn get_function_shows_code_tags_and_concurrency() {
    let mut world = World::new();
    world.new_function("other");
    let mut input = function_input("chat");
    input["Tags"] = json!({ "a": "1" });
    world.lambda("POST", FUNCTIONS, &input).ok();
    world
        .lambda(
            "PUT",
            "/2017-10-31/functions/chat/concurrency",
            &json!({ "ReservedConcurrentExecutions": 0 }),
        )
        .ok();
    let got = world
        .lambda("GET", &format!("{FUNCTIONS}/chat"), &NOTHING)
        .ok();
    assert_eq!(got["Code"]["RepositoryType"], "S3");
    assert_eq!(got["Tags"], json!({ "a": "1" }));
    assert_eq!(
        got["Concurrency"],
        json!({ "ReservedConcurrentExecutions": 0 })
    );
    assert_eq!(got["Configuration"], configuration(&mut world, "chat"));
    let got = world
        .lambda("GET", &format!("{FUNCTIONS}/other"), &NOTHING)
        .ok();
    assert_eq!((got.get("Tags"), got.get("Concurrency")), (None, None));
    let latest = world
        .lambda(
            "GET",
            &format!("{FUNCTIONS}/chat?Qualifier=$LATEST"),
            &NOTHING,
        )
        .ok();
    assert_eq!(
        latest["Configuration"]["FunctionArn"],
        function_arn("chat:$LATEST")
    );
}

#[test]
fn a_functions_code_can_be_had_for_ten_minutes_by_whoever_was_told_where() {
    let mut world = World::new();
    world.new_function("chat");
    let path = format!("{FUNCTIONS}/chat");
    let got = world.lambda("GET", &path, &NOTHING).ok();
    let location = got["Code"]["Location"].as_str().expect("a URL");
    let (base, query) = location.split_once('?').expect("a signature");
    let digest = base.strip_prefix("http://127.0.0.1:9100/code/");
    let digest = digest.expect("the cloud's own");
    let after = |seconds| world.now + SignedDuration::from_secs(seconds);
    let code = |digest, query, seconds| world.cloud.code(digest, query, after(seconds));
    let zip = code(digest, query, 0).expect("it was just told");
    assert_eq!(json!(zip.len()), got["Configuration"]["CodeSize"]);
    assert!(code(digest, query, 600).is_ok());
    assert_eq!(code(digest, query, 601), Err(NoCode::Expired));
    let longer = query.replace("Expires=600", "Expires=900");
    assert_ne!(longer, query);
    let unsigned = query.split("&X-Amz-Signature").next().expect("a query");
    for query in [
        &longer,
        unsigned,
        "",
        "&X-Amz-Signature=0",
        "&X-Amz-Signature=0é",
    ] {
        assert_eq!(code(digest, query, 0), Err(NoCode::Unsigned), "{query}");
    }
    assert_eq!(code("other", query, 0), Err(NoCode::Unsigned));
    let told = (digest.to_owned(), query.to_owned());
    world.lambda("DELETE", &path, &NOTHING);
    let gone = world.cloud.code(&told.0, &told.1, world.now);
    assert_eq!(gone, Err(NoCode::Gone));
}

#[test]
fn states_follow_the_clock_and_changes_wait_for_them() {
    let mut world = World::with_activation(SignedDuration::from_secs(5));
    world.new_function("chat");
    assert_eq!(configuration(&mut world, "chat")["State"], "Pending");
    let code = format!("{FUNCTIONS}/chat/code");
    let settings = format!("{FUNCTIONS}/chat/configuration");
    let versions = format!("{FUNCTIONS}/chat/versions");
    let zip = json!({ "ZipFile": zip_file("two") });
    let pending = "The operation cannot be performed at this time. The function is currently in the following state: Pending";
    for (method, path, body) in [
        ("PUT", &code, &zip),
        ("PUT", &settings, &json!({})),
        ("POST", &versions, &json!({})),
    ] {
        world
            .lambda(method, path, body)
            .is_failure(409, "ResourceConflictException", pending);
    }
    world.wait(SignedDuration::from_secs(5));
    assert_eq!(configuration(&mut world, "chat")["State"], "Active");

    let updated = world.lambda("PUT", &code, &zip).ok();
    assert_eq!(
        (&updated["State"], &updated["LastUpdateStatus"]),
        (&json!("Active"), &json!("InProgress"))
    );
    assert_eq!(updated["LastUpdateStatusReasonCode"], "Creating");
    assert_eq!(
        updated["LastUpdateStatusReason"],
        "The function is being created."
    );
    world.wait(SignedDuration::from_secs(4));
    assert_eq!(
        configuration(&mut world, "chat")["LastUpdateStatus"],
        "InProgress"
    );
    let busy = format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {}",
        function_arn("chat")
    );
    for (method, path, body) in [
        ("PUT", &code, &zip),
        ("PUT", &settings, &json!({})),
        ("POST", &versions, &json!({})),
    ] {
        world
            .lambda(method, path, body)
            .is_failure(409, "ResourceConflictException", &busy);
    }
    let concurrency = json!({ "ReservedConcurrentExecutions": 1 });
    assert_eq!(
        world
            .lambda(
                "PUT",
                "/2017-10-31/functions/chat/concurrency",
                &concurrency
            )
            .status,
        200
    );
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(
        configuration(&mut world, "chat")["LastUpdateStatus"],
        "Successful"
    );
    assert_eq!(world.lambda("PUT", &settings, &json!({})).status, 200);
}

#[test]
fn an_update_merges_and_even_an_equal_one_changes_revision_and_time() {
    let mut world = World::new();
    world.new_function("chat");
    let path = format!("{FUNCTIONS}/chat/configuration");
    let update = json!({ "Description": "d", "MemorySize": 256, "Environment": { "Variables": { "K1": "v" } } });
    world.lambda("PUT", &path, &update).ok();
    let first = configuration(&mut world, "chat");
    assert_eq!(
        (
            &first["Description"],
            &first["MemorySize"],
            &first["Timeout"]
        ),
        (&json!("d"), &json!(256), &json!(3))
    );
    world.wait(SignedDuration::from_millis(1));
    world.lambda("PUT", &path, &update).ok();
    let second = configuration(&mut world, "chat");
    assert_ne!(second["RevisionId"], first["RevisionId"]);
    assert_eq!(second["LastModified"], "2026-01-02T03:04:05.679+0000");
    assert_eq!(second["Environment"], json!({ "Variables": { "K1": "v" } }));
    let third = world
        .lambda(
            "PUT",
            &path,
            &json!({ "Environment": { "Variables": { "K2": "w" } } }),
        )
        .ok();
    assert_eq!(
        third["Environment"],
        json!({ "Variables": { "K2": "w" } }),
        "variables are replaced as a whole"
    );
}

#[test]
fn code_is_updated_or_only_tried() {
    let mut world = World::new();
    let made = world.new_function("chat");
    let path = format!("{FUNCTIONS}/chat/code");
    let trial = world
        .lambda(
            "PUT",
            &path,
            &json!({ "ZipFile": zip_file("two"), "DryRun": true }),
        )
        .ok();
    assert_ne!(trial["CodeSha256"], made["CodeSha256"]);
    assert_eq!(
        configuration(&mut world, "chat")["CodeSha256"],
        made["CodeSha256"]
    );
    let update = json!({ "ZipFile": zip_file("two"), "Architectures": ["arm64"] });
    let updated = world.lambda("PUT", &path, &update).ok();
    assert_eq!(updated["CodeSha256"], trial["CodeSha256"]);
    assert_eq!(updated["Architectures"], json!(["arm64"]));
}

#[test]
fn a_revision_id_guards_updates_and_publication() {
    let mut world = World::new();
    let made = world.new_function("chat");
    let text = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
    let stale = made["RevisionId"].clone();
    for (method, part, body) in [
        (
            "PUT",
            "code",
            json!({ "ZipFile": zip_file("two"), "RevisionId": stale }),
        ),
        ("PUT", "configuration", json!({ "RevisionId": stale })),
        ("POST", "versions", json!({ "RevisionId": stale })),
    ] {
        let path = format!("{FUNCTIONS}/chat/{part}");
        world
            .lambda(method, &path, &body)
            .is_failure(412, "PreconditionFailedException", text);
    }
    let current = configuration(&mut world, "chat")["RevisionId"].clone();
    let path = format!("{FUNCTIONS}/chat/configuration");
    assert_eq!(
        world
            .lambda("PUT", &path, &json!({ "RevisionId": current }))
            .status,
        200
    );
}

#[test]
fn publishing_again_without_a_change_gives_the_last_version() {
    let mut world = World::new();
    world.new_function("chat");
    let first = publish(&mut world, json!({ "Description": "one" }));
    assert_eq!(
        (&first["Version"], &first["Description"]),
        (&json!("1"), &json!("one"))
    );
    assert_eq!(first["FunctionArn"], function_arn("chat:1"));
    assert_eq!(
        (&first["State"], &first["LastUpdateStatus"]),
        (&json!("Active"), &json!("Successful"))
    );
    assert_eq!(
        publish(&mut world, json!({ "Description": "again" })),
        first
    );

    let path = format!("{FUNCTIONS}/chat/configuration");
    world
        .lambda("PUT", &path, &json!({ "Description": "new" }))
        .ok();
    let second = publish(&mut world, json!({}));
    assert_eq!(
        (&second["Version"], &second["Description"]),
        (&json!("2"), &json!("new"))
    );
    assert_eq!(
        configuration(&mut world, "chat:1")["Description"],
        "one",
        "version 1 is as it was"
    );
    world
        .lambda(
            "PUT",
            &format!("{FUNCTIONS}/chat/code"),
            &json!({ "ZipFile": zip_file("two") }),
        )
        .ok();
    assert_eq!(publish(&mut world, json!({}))["Version"], "3");
}

#[test]
fn a_code_hash_guards_publication() {
    let mut world = World::new();
    let made = world.new_function("chat");
    let current = made["CodeSha256"].as_str().unwrap();
    let text = format!(
        "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the CodeSHA256 in $LATEST."
    );
    world
        .lambda(
            "POST",
            &format!("{FUNCTIONS}/chat/versions"),
            &json!({ "CodeSha256": "x" }),
        )
        .is_failure(400, "InvalidParameterValueException", &text);
    assert_eq!(
        publish(&mut world, json!({ "CodeSha256": current }))["Version"],
        "1"
    );
}

#[test]
fn version_numbers_are_not_used_twice() {
    let mut world = World::new();
    world.new_function("chat");
    publish(&mut world, json!({}));
    let deleted = world.lambda("DELETE", &format!("{FUNCTIONS}/chat?Qualifier=1"), &NOTHING);
    assert_eq!((deleted.status, deleted.effects.len()), (204, 0));
    assert_eq!(publish(&mut world, json!({}))["Version"], "2");
    let path = format!("{FUNCTIONS}/chat:7");
    assert_eq!(
        world.lambda("DELETE", &path, &NOTHING).status,
        204,
        "recorded: no mistake"
    );
}

#[test]
fn publishing_with_creation_and_with_code() {
    let mut world = World::with_activation(SignedDuration::from_secs(1));
    world.new_function("other");
    let mut input = function_input("chat");
    input["Publish"] = json!(true);
    let made = world.lambda("POST", FUNCTIONS, &input).ok();
    assert_eq!(
        (&made["Version"], &made["FunctionArn"]),
        (&json!("1"), &json!(function_arn("chat")))
    );
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(configuration(&mut world, "chat:1")["State"], "Active");
    let update = json!({ "ZipFile": zip_file("two"), "Publish": true });
    let updated = world
        .lambda("PUT", &format!("{FUNCTIONS}/chat/code"), &update)
        .ok();
    assert_eq!(
        (&updated["Version"], &updated["FunctionArn"]),
        (&json!("2"), &json!(function_arn("chat:2")))
    );
    assert_eq!(
        (&updated["State"], updated.get("LastUpdateStatus")),
        (&json!("Pending"), None)
    );
    assert_eq!(
        configuration(&mut world, "chat")["LastUpdateStatus"],
        "InProgress"
    );
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(configuration(&mut world, "chat:2")["State"], "Active");
}

#[test]
fn versions_are_listed_in_pages_in_the_order_of_numbers() {
    let mut world = World::new();
    world.new_function("chat");
    for n in 1..=11 {
        let path = format!("{FUNCTIONS}/chat/configuration");
        world
            .lambda("PUT", &path, &json!({ "Description": n.to_string() }))
            .ok();
        publish(&mut world, json!({}));
    }
    let path = format!("{FUNCTIONS}/chat/versions?MaxItems=5");
    let pages = all_pages(
        &mut world,
        "lambda",
        &path,
        ["Versions", "Version", "NextMarker", "Marker"],
    );
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2]);
    assert_eq!(
        pages.concat(),
        [
            "$LATEST", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"
        ]
    );
    let listed = world.lambda("GET", &path, &NOTHING).ok();
    assert_eq!(
        listed["Versions"][0]["FunctionArn"],
        function_arn("chat:$LATEST")
    );
    assert_eq!(
        listed["Versions"][0].get("State"),
        None,
        "lists show no state"
    );
}

#[test]
fn functions_are_listed_in_pages_and_with_all_versions() {
    let mut world = World::new();
    for name in ["a", "b", "chat"] {
        world.new_function(name);
    }
    publish(&mut world, json!({}));
    let keys = ["Functions", "FunctionArn", "NextMarker", "Marker"];
    let pages = all_pages(
        &mut world,
        "lambda",
        &format!("{FUNCTIONS}/?MaxItems=2"),
        keys,
    );
    let latest: Vec<String> = ["a", "b", "chat"].map(function_arn).to_vec();
    assert_eq!((pages.len(), pages.concat()), (2, latest));
    let pages = all_pages(
        &mut world,
        "lambda",
        &format!("{FUNCTIONS}?FunctionVersion=ALL&MaxItems=3"),
        keys,
    );
    let all: Vec<String> = ["a:$LATEST", "b:$LATEST", "chat:$LATEST", "chat:1"]
        .map(function_arn)
        .to_vec();
    assert_eq!((pages.len(), pages.concat()), (2, all));
}

#[test]
fn deleting_a_function_takes_its_versions_along() {
    let mut world = World::new();
    world.new_function("chat");
    publish(&mut world, json!({}));
    let deleted = world.lambda("DELETE", &format!("{FUNCTIONS}/chat"), &NOTHING);
    assert_eq!(deleted.status, 204);
    assert_eq!(
        deleted.effects,
        [Effect::FunctionDeleted {
            function_name: "chat".to_owned()
        }]
    );
    assert!(world.cloud.function_version("chat:1", world.now).is_err());
    assert_eq!(world.cloud.inventory().functions.count, 0);
}

#[test]
fn concurrency_is_reserved_shown_and_released() {
    let mut world = World::new();
    world.new_function("chat");
    world.new_function("other");
    let put = "/2017-10-31/functions/chat/concurrency";
    let get = "/2019-09-30/functions/chat/concurrency";
    assert_eq!(world.lambda("GET", get, &NOTHING).ok(), json!({}));
    let reserved = json!({ "ReservedConcurrentExecutions": 900 });
    assert_eq!(world.lambda("PUT", put, &reserved).ok(), reserved);
    assert_eq!(world.lambda("GET", get, &NOTHING).ok(), reserved);
    let settings = world
        .lambda("GET", "/2016-08-19/account-settings", &NOTHING)
        .ok();
    assert_eq!(
        settings["AccountLimit"]["UnreservedConcurrentExecutions"],
        100
    );
    assert_eq!(settings["AccountUsage"]["FunctionCount"], 2);
    let text = "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].";
    world
        .lambda(
            "PUT",
            "/2017-10-31/functions/other/concurrency",
            &json!({ "ReservedConcurrentExecutions": 1 }),
        )
        .is_failure(400, "InvalidParameterValueException", text);
    assert_eq!(
        world.lambda("PUT", put, &reserved).status,
        200,
        "its own reservation does not count twice"
    );
    assert_eq!(world.lambda("DELETE", put, &NOTHING).status, 204);
    assert_eq!(world.lambda("GET", get, &NOTHING).ok(), json!({}));
}

#[test]
fn tags_belong_to_the_function_and_change_its_revision() {
    let mut world = World::new();
    world.new_function("chat");
    let before = configuration(&mut world, "chat")["RevisionId"].clone();
    let path = format!(
        "/2017-03-31/tags/{}",
        function_arn("chat").replace(':', "%3A")
    );
    assert_eq!(
        world.lambda("GET", &path, &NOTHING).ok(),
        json!({ "Tags": {} })
    );
    assert_eq!(
        world
            .lambda("POST", &path, &json!({ "Tags": { "a": "1", "b": "2" } }))
            .status,
        204
    );
    assert_ne!(configuration(&mut world, "chat")["RevisionId"], before);
    assert_eq!(
        world
            .lambda(
                "DELETE",
                &format!("{path}?tagKeys=a&tagKeys=none"),
                &NOTHING
            )
            .status,
        204
    );
    assert_eq!(
        world.lambda("GET", &path, &NOTHING).ok(),
        json!({ "Tags": { "b": "2" } })
    );
}

#[test]
fn a_versions_number_is_never_used_again_not_even_after_its_function_was_made_anew() {
    let mut world = World::new();
    world.new_function("chat");
    let versions = format!("{FUNCTIONS}/chat/versions");
    let publish = |world: &mut World| world.lambda("POST", &versions, &json!({})).ok();
    assert_eq!(publish(&mut world)["Version"], "1");
    let function = format!("{FUNCTIONS}/chat");
    assert_eq!(world.lambda("DELETE", &function, &Value::Null).status, 204);
    world.new_function("chat");
    assert_eq!(publish(&mut world)["Version"], "2");
}

#[test]
fn no_function_has_signed_code() {
    let mut world = World::new();
    let path = |name: &str| format!("/2020-06-30/functions/{name}/code-signing-config");
    assert_eq!(world.lambda("GET", &path("chat"), &Value::Null).status, 404);
    world.new_function("chat");
    let shown = world.lambda("GET", &path("chat"), &Value::Null).ok();
    assert_eq!(shown, json!({}));
}
