//! Lambda: aliases of versions.

use serde_json::{Value, json};

use crate::common::{FUNCTIONS, World, function_arn, zip_file};

const NOTHING: Value = Value::Null;
const ALIASES: &str = "/2015-03-31/functions/chat/aliases";

/// With `chat` and its versions 1 and 2.
fn world() -> World {
    let mut world = World::new();
    world.new_function("chat");
    let versions = format!("{FUNCTIONS}/chat/versions");
    world.lambda("POST", &versions, &NOTHING).ok();
    let code = json!({ "ZipFile": zip_file("two"), "Publish": true });
    world
        .lambda("PUT", &format!("{FUNCTIONS}/chat/code"), &code)
        .ok();
    world
}

fn create(world: &mut World, name: &str, version: &str) -> Value {
    let body = json!({ "Name": name, "FunctionVersion": version });
    let answer = world.lambda("POST", ALIASES, &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.ok()
}

fn names(listed: &Value) -> Vec<&str> {
    let aliases = listed["Aliases"].as_array().unwrap().iter();
    aliases.map(|it| it["Name"].as_str().unwrap()).collect()
}

#[test]
fn an_alias_is_shown_with_its_version_and_description() {
    let mut world = world();
    let body = json!({ "Name": "live", "FunctionVersion": "1", "Description": "d" });
    let made = world.lambda("POST", ALIASES, &body).ok();
    let expected = json!({
        "AliasArn": function_arn("chat:live"),
        "Description": "d",
        "FunctionVersion": "1",
        "Name": "live",
        "RevisionId": made["RevisionId"],
    });
    assert_eq!(made, expected);
    let got = world.lambda("GET", &format!("{ALIASES}/live"), &NOTHING);
    assert_eq!(got.ok(), expected);
    assert_eq!(create(&mut world, "other", "2")["Description"], "");
    assert_eq!(
        create(&mut world, "2026-01-02", "$LATEST")["Name"],
        "2026-01-02"
    );
}

#[test]
fn an_alias_names_its_version_wherever_versions_are_named() {
    let mut world = world();
    create(&mut world, "live", "1");
    let first = world.cloud.function_version("chat:1", world.now).unwrap();
    let live = world
        .cloud
        .function_version(&function_arn("chat:live"), world.now)
        .unwrap();
    assert_eq!((live.version.as_str(), &live.zip), ("1", &first.zip));
    assert_eq!(live.revision_id, first.revision_id, "the same environment");
    assert_eq!(live.invoked_arn, function_arn("chat:live"));

    let shown = |world: &mut World, qualifier: &str| {
        let path = format!("{FUNCTIONS}/chat?Qualifier={qualifier}");
        world.lambda("GET", &path, &NOTHING).ok()["Configuration"].clone()
    };
    let (by_alias, by_number) = (shown(&mut world, "live"), shown(&mut world, "1"));
    assert_eq!(by_alias["FunctionArn"], function_arn("chat:live"));
    assert_eq!(by_number["FunctionArn"], function_arn("chat:1"));
    assert_eq!(by_alias["Version"], "1");
    assert_eq!(by_alias["CodeSha256"], by_number["CodeSha256"]);
    let latest = shown(&mut world, "$LATEST");
    assert_ne!(by_number["CodeSha256"], latest["CodeSha256"]);

    let update = json!({ "FunctionVersion": "2" });
    world
        .lambda("PUT", &format!("{ALIASES}/live"), &update)
        .ok();
    let live = world.cloud.function_version("chat:live", world.now);
    assert_eq!(live.unwrap().version, "2");
}

#[test]
fn an_update_merges_and_always_changes_the_revision() {
    let mut world = world();
    let made = create(&mut world, "live", "1");
    let path = format!("{ALIASES}/live");
    let described = world
        .lambda("PUT", &path, &json!({ "Description": "d" }))
        .ok();
    assert_eq!(
        (&described["Description"], &described["FunctionVersion"]),
        (&json!("d"), &json!("1"))
    );
    let same = world.lambda("PUT", &path, &json!({})).ok();
    assert_eq!(same["Description"], "d");
    assert_ne!(made["RevisionId"], described["RevisionId"]);
    assert_ne!(described["RevisionId"], same["RevisionId"]);
}

#[test]
fn a_revision_id_guards_the_update() {
    let mut world = world();
    let made = create(&mut world, "live", "1");
    let path = format!("{ALIASES}/live");
    let move_on = |id: &Value| json!({ "FunctionVersion": "2", "RevisionId": id });
    world
        .lambda("PUT", &path, &move_on(&json!("other")))
        .is_failure(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the \
             GetFunction/GetAlias API to retrieve the latest Revision Id",
        );
    let got = world.lambda("GET", &path, &NOTHING).ok();
    assert_eq!(got, made, "nothing changed");
    let moved = world.lambda("PUT", &path, &move_on(&made["RevisionId"]));
    assert_eq!(moved.ok()["FunctionVersion"], "2");
}

#[test]
fn aliases_are_listed_in_pages_and_by_version() {
    let mut world = world();
    for (name, version) in [("c", "1"), ("a", "1"), ("b", "2")] {
        create(&mut world, name, version);
    }
    let all = world.lambda("GET", ALIASES, &NOTHING).ok();
    assert_eq!(names(&all), ["a", "b", "c"]);
    let of_one = format!("{ALIASES}?FunctionVersion=1");
    let of_one = world.lambda("GET", &of_one, &NOTHING).ok();
    assert_eq!(names(&of_one), ["a", "c"]);
    let page = format!("{ALIASES}?MaxItems=2");
    let page = world.lambda("GET", &page, &NOTHING).ok();
    let next = format!("{ALIASES}?Marker={}", page["NextMarker"].as_str().unwrap());
    assert_eq!(names(&world.lambda("GET", &next, &NOTHING).ok()), ["c"]);
}

#[test]
fn a_version_is_not_deleted_while_an_alias_points_to_it() {
    let mut world = world();
    create(&mut world, "live", "1");
    let version = format!("{FUNCTIONS}/chat?Qualifier=1");
    world.lambda("DELETE", &version, &NOTHING).is_failure(
        409,
        "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [live]",
    );
    let alias = format!("{ALIASES}/live");
    for _ in 0..2 {
        let deleted = world.lambda("DELETE", &alias, &NOTHING);
        assert_eq!(deleted.status, 204, "also when it is gone: {deleted:?}");
    }
    assert_eq!(world.lambda("DELETE", &version, &NOTHING).status, 204);
    assert!(
        world
            .cloud
            .function_version("chat:live", world.now)
            .is_err()
    );
}

#[test]
fn what_is_not_there_is_named_as_lambda_names_it() {
    let mut world = world();
    create(&mut world, "live", "1");
    let (code, none) = ("ResourceNotFoundException", function_arn("chat:none"));
    let path = format!("{ALIASES}/none");
    let cannot_find = format!("Cannot find alias arn: {none}");
    world
        .lambda("GET", &path, &NOTHING)
        .is_failure(404, code, &cannot_find);
    let alias_not_found = format!("Alias not found: {none}");
    world
        .lambda("PUT", &path, &json!({}))
        .is_failure(404, code, &alias_not_found);
    let qualified = format!("{FUNCTIONS}/chat?Qualifier=none");
    let function_not_found = format!("Function not found: {none}");
    world
        .lambda("GET", &qualified, &NOTHING)
        .is_failure(404, code, &function_not_found);

    let tenth = json!({ "Name": "new", "FunctionVersion": "10" });
    let missing = format!("Function not found: {}", function_arn("chat:10"));
    world
        .lambda("POST", ALIASES, &tenth)
        .is_failure(404, code, &missing);
    let update = json!({ "FunctionVersion": "10" });
    world
        .lambda("PUT", &format!("{ALIASES}/live"), &update)
        .is_failure(404, code, &missing);
    let missing = format!("Function not found: {}", function_arn("nobody:10"));
    world
        .lambda("POST", &format!("{FUNCTIONS}/nobody/aliases"), &tenth)
        .is_failure(404, code, &missing);
}

#[test]
fn an_alias_is_made_once_and_is_no_number() {
    let mut world = world();
    create(&mut world, "live", "1");
    let body = json!({ "Name": "live", "FunctionVersion": "2" });
    let exists = format!("Alias already exists: {}", function_arn("chat:live"));
    world
        .lambda("POST", ALIASES, &body)
        .is_failure(409, "ResourceConflictException", &exists);
    let body = json!({ "Name": "2024", "FunctionVersion": "1" });
    world.lambda("POST", ALIASES, &body).is_failure(
        400,
        "ValidationException",
        "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    );
    let body = json!({ "Name": "new", "FunctionVersion": "live" });
    let (status, code, _) = world.lambda("POST", ALIASES, &body).failure();
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
}

#[test]
fn weights_are_checked_as_lambda_does() {
    let mut world = world();
    create(&mut world, "live", "1");
    let constraint = |value: &str, rule: &str| {
        format!(
            "1 validation error detected: Value '{value}' at \
             'routingConfig.additionalVersionWeights' failed to satisfy constraint: {rule}"
        )
    };
    let weight = "Map value must satisfy constraint: [Member must have value less than or equal \
                  to 1.0, Member must have value greater than or equal to 0.0, Member must not be \
                  null]";
    let key = "Map keys must satisfy constraint: [Member must have length less than or equal to \
               1024, Member must have length greater than or equal to 1, Member must satisfy \
               regular expression pattern: [0-9]+]";
    let (validation, invalid) = ("ValidationException", "InvalidParameterValueException");
    let refused = [
        (
            "1",
            json!({ "2": 2.0 }),
            validation,
            constraint("{2=2.0}", weight),
        ),
        (
            "1",
            json!({ "2": -1.0 }),
            validation,
            constraint("{2=-1.0}", weight),
        ),
        (
            "1",
            json!({ "$LATEST": 0.5 }),
            validation,
            constraint("{$LATEST=0.5}", key),
        ),
        (
            "1",
            json!({ "1": 0.1, "2": 0.1 }),
            invalid,
            "Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned(),
        ),
        (
            "1",
            json!({ "1": 0.5 }),
            invalid,
            "Invalid function version 1. Function version 1 is already included in routing \
             configuration."
                .to_owned(),
        ),
        (
            "$LATEST",
            json!({ "2": 0.5 }),
            invalid,
            "$LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
        ),
        (
            "1",
            json!({ "9": 0.5 }),
            "ResourceNotFoundException",
            format!("Function not found: {}", function_arn("chat:9")),
        ),
    ];
    for (version, weights, code, message) in refused {
        let body = json!({
            "Name": "new",
            "FunctionVersion": version,
            "RoutingConfig": { "AdditionalVersionWeights": weights },
        });
        let made = world.lambda("POST", ALIASES, &body);
        let status = if code.starts_with("ResourceNot") {
            404
        } else {
            400
        };
        made.is_failure(status, code, &message);
        let updated = world.lambda("PUT", &format!("{ALIASES}/live"), &body);
        updated.is_failure(status, code, &message);
    }
    let none = json!({
        "Name": "new",
        "FunctionVersion": "1",
        "RoutingConfig": { "AdditionalVersionWeights": {} },
    });
    assert_eq!(world.lambda("POST", ALIASES, &none).status, 201);
}

fn weighted(version: &str, weights: Value) -> Value {
    json!({
        "Name": "live",
        "FunctionVersion": version,
        "RoutingConfig": { "AdditionalVersionWeights": weights },
    })
}

#[test]
fn weights_are_shown_kept_by_other_updates_and_cleared_by_an_empty_map() {
    let mut world = world();
    let half = json!({ "AdditionalVersionWeights": { "2": 0.5 } });
    let body = weighted("1", json!({ "2": 0.5 }));
    let made = world.lambda("POST", ALIASES, &body).ok();
    assert_eq!(made["RoutingConfig"], half);
    let path = format!("{ALIASES}/live");
    let described = json!({ "Description": "d" });
    let described = world.lambda("PUT", &path, &described).ok();
    assert_eq!(described["RoutingConfig"], half);
    world
        .lambda("PUT", &path, &json!({ "FunctionVersion": "2" }))
        .is_failure(
            400,
            "InvalidParameterValueException",
            "Invalid function version 2. Function version 2 is already included in routing \
             configuration.",
        );
    let moved = weighted("2", json!({}));
    let moved = world.lambda("PUT", &path, &moved).ok();
    assert_eq!(moved.get("RoutingConfig"), None);
    assert_eq!(moved["FunctionVersion"], "2");
}

#[test]
fn a_version_is_not_deleted_while_an_alias_runs_it_by_weight() {
    let mut world = world();
    let body = weighted("1", json!({ "2": 0.5 }));
    world.lambda("POST", ALIASES, &body).ok();
    world
        .lambda("DELETE", &format!("{FUNCTIONS}/chat?Qualifier=2"), &NOTHING)
        .is_failure(
            409,
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it: [live]",
        );
}

#[test]
fn versions_that_share_an_alias_share_their_role() {
    let mut world = world();
    let role = world.new_role("other", crate::common::LAMBDA_TRUST);
    let path = format!("{FUNCTIONS}/chat/configuration");
    world.lambda("PUT", &path, &json!({ "Role": role })).ok();
    let versions = format!("{FUNCTIONS}/chat/versions");
    assert_eq!(
        world.lambda("POST", &versions, &NOTHING).ok()["Version"],
        "3"
    );
    let body = weighted("1", json!({ "3": 0.5 }));
    world.lambda("POST", ALIASES, &body).is_failure(
        400,
        "InvalidParameterValueException",
        "Specified versions must be associated with the same execution role",
    );
}

/// Draws these fractions of all numbers.
struct Draws(Vec<f64>);

impl cloud_model::IdSource for Draws {
    fn next_u64(&mut self) -> u64 {
        let fraction = self.0.pop().expect("nothing more is drawn");
        (fraction * (1_u64 << 53) as f64) as u64 * (1 << 11)
    }
}

#[test]
fn an_invocation_runs_the_additional_version_as_often_as_its_weight_says() {
    let mut world = world();
    let body = weighted("1", json!({ "2": 0.25 }));
    world.lambda("POST", ALIASES, &body).ok();
    let drawn = |fraction: f64| {
        let mut draws = Draws(vec![fraction]);
        let found = world
            .cloud
            .drawn_version("chat:live", world.now, &mut draws)
            .unwrap();
        assert_eq!(found.invoked_arn, function_arn("chat:live"));
        found.version
    };
    assert_eq!(drawn(0.0), "2");
    assert_eq!(drawn(0.2499), "2");
    assert_eq!(drawn(0.25), "1");
    assert_eq!(drawn(0.9999), "1");
    let named = world
        .cloud
        .drawn_version("chat:1", world.now, &mut Draws(Vec::new()));
    assert_eq!(named.unwrap().version, "1", "without a draw");
}
