//! AWS's quotas, 409s and delays, each by its switch, and repeatable.

use cloud_model::Realism;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::{
    ACCOUNT, Answer, FUNCTIONS, GATEWAY_TRUST, LAMBDA_TRUST, World, element, elements,
    function_arn, function_input,
};

const NOTHING: Value = Value::Null;
const SEED: u64 = 7;
const CONCURRENT: &str =
    "Unable to complete operation due to concurrent modification. Please try again later.";

fn ms(ms: i64) -> SignedDuration {
    SignedDuration::from_millis(ms)
}

fn quotas() -> World {
    World::with_realism(Realism {
        request_quotas: true,
        ..Realism::none(SEED)
    })
}

fn conflicts() -> World {
    World::with_realism(Realism {
        conflicts: true,
        ..Realism::none(SEED)
    })
}

fn propagation(seed: u64) -> World {
    World::with_realism(Realism {
        iam_propagation: true,
        ..Realism::none(seed)
    })
}

fn stale_reads() -> World {
    World::with_realism(Realism {
        stale_reads: true,
        ..Realism::none(SEED)
    })
}

/// Waits in small steps until it holds; gives how long that took.
fn until(world: &mut World, mut holds: impl FnMut(&mut World) -> bool) -> SignedDuration {
    let start = world.now;
    while !holds(world) {
        world.wait(ms(10));
        let waited = world.now.duration_since(start);
        assert!(waited < SignedDuration::from_secs(60), "it never holds");
    }
    world.now.duration_since(start)
}

fn add_route(world: &mut World, api: &str, key: &str) -> Answer {
    let path = format!("/v2/apis/{api}/routes");
    world.gateway("POST", &path, &json!({ "routeKey": key }))
}

fn allow_invoke(world: &mut World, role: &str) {
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}]}"#;
    let parameters = [
        ("RoleName", role),
        ("PolicyName", "invoke"),
        ("PolicyDocument", document),
    ];
    assert_eq!(world.iam("PutRolePolicy", &parameters).status, 200);
}

#[test]
fn without_realism_nothing_is_throttled_delayed_or_in_conflict() {
    let mut world = World::new();
    let api = world.new_api("chat");
    for n in 0..100 {
        let made = add_route(&mut world, &api, &format!("r{n}"));
        assert_eq!((made.status, made.held_back), (201, SignedDuration::ZERO));
    }
    for _ in 0..3 {
        world.new_deployment(&api, &json!({}));
    }
    let role = world.new_role("invoke", GATEWAY_TRUST);
    allow_invoke(&mut world, "invoke");
    let arn = function_arn("chat");
    assert_eq!(world.cloud.may_invoke(Some(&role), &arn, world.now), Ok(()));
    world.new_function("chat");
}

#[test]
fn api_gateway_serves_40_requests_at_once_and_10_a_second() {
    let mut world = quotas();
    for _ in 0..40 {
        let answer = world.gateway("GET", "/v2/apis/none", &NOTHING);
        assert_eq!(answer.status, 404, "what fails counts, too");
    }
    let refused = world.gateway("GET", "/v2/apis", &NOTHING);
    assert_eq!(refused.error.as_deref(), Some("TooManyRequestsException"));
    assert_eq!(refused.json(), json!({ "message": "Too Many Requests" }));
    assert_eq!(refused.status, 429);
    world.wait(ms(100));
    let mut statuses = || world.gateway("GET", "/v2/apis", &NOTHING).status;
    assert_eq!([statuses(), statuses()], [200, 429]);
}

#[test]
fn one_deployment_is_made_in_five_seconds_in_the_whole_account() {
    let mut world = quotas();
    let (one, other) = (world.new_api("one"), world.new_api("other"));
    add_route(&mut world, &one, "$connect").ok();
    let deploy = |world: &mut World, api: &str| {
        let path = format!("/v2/apis/{api}/deployments");
        world.gateway("POST", &path, &json!({})).status
    };
    assert_eq!(deploy(&mut world, &other), 400, "it has no routes");
    assert_eq!(deploy(&mut world, &one), 429, "but the attempt counts");
    world.wait(ms(4_999));
    assert_eq!(deploy(&mut world, &one), 429);
    world.wait(ms(1));
    assert_eq!(deploy(&mut world, &one), 201);
    let list = format!("/v2/apis/{one}/deployments");
    assert_eq!(world.gateway("GET", &list, &NOTHING).status, 200);
}

#[test]
fn lambda_serves_15_requests_a_second_and_counts_get_function_apart() {
    let mut world = quotas();
    for _ in 0..15 {
        let answer = world.lambda("GET", FUNCTIONS, &NOTHING);
        assert_eq!(answer.status, 200);
    }
    let refused = world.lambda("GET", FUNCTIONS, &NOTHING);
    assert_eq!(refused.error.as_deref(), Some("TooManyRequestsException"));
    let body = json!({
        "Reason": "CallerRateLimitExceeded",
        "Type": "User",
        "message": "Rate exceeded",
    });
    assert_eq!((refused.status, refused.json()), (429, body));
    let get = format!("{FUNCTIONS}/chat");
    for _ in 0..100 {
        assert_eq!(world.lambda("GET", &get, &NOTHING).status, 404);
    }
    assert_eq!(world.lambda("GET", &get, &NOTHING).status, 429);
}

#[test]
fn iam_throttles_writes_in_its_own_words_and_reads_never() {
    let mut world = quotas();
    for n in 0..15 {
        world.new_role(&format!("r{n}"), LAMBDA_TRUST);
    }
    let delete = [("RoleName", "r0")];
    world
        .iam("DeleteRole", &delete)
        .is_failure(400, "Throttling", "Rate exceeded");
    for _ in 0..100 {
        assert_eq!(world.iam("GetRole", &delete).status, 200);
    }
    world.wait(ms(67));
    assert_eq!(world.iam("DeleteRole", &delete).status, 200);
}

#[test]
fn a_write_to_an_api_that_is_being_written_to_is_refused_and_changes_nothing() {
    let mut world = conflicts();
    let (api, other) = (world.new_api("chat"), world.new_api("other"));
    let first = add_route(&mut world, &api, "first");
    let busy = first.held_back;
    assert!((ms(20)..=ms(80)).contains(&busy), "{busy}");
    first.ok();
    let path = format!("/v2/apis/{api}");
    let others = [
        ("POST", format!("{path}/routes"), json!({ "routeKey": "x" })),
        ("PATCH", path.clone(), json!({ "name": "renamed" })),
        ("DELETE", path.clone(), NOTHING),
    ];
    for (method, path, body) in &others {
        let refused = world.gateway(method, path, body);
        refused.is_failure(409, "ConflictException", CONCURRENT);
        assert_eq!(refused.held_back, SignedDuration::ZERO);
    }
    add_route(&mut world, &other, "first").ok();
    let routes = world.gateway("GET", &format!("{path}/routes"), &NOTHING);
    assert_eq!(routes.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.gateway("GET", &path, &NOTHING).ok()["name"], "chat");

    world.wait(busy - ms(1));
    let early = add_route(&mut world, &api, "second");
    early.is_failure(409, "ConflictException", CONCURRENT);
    world.wait(ms(1));
    add_route(&mut world, &api, "second").ok();
}

#[test]
fn who_waits_for_each_answer_meets_no_conflict() {
    let mut world = conflicts();
    let api = world.new_api("chat");
    for n in 0..50 {
        let made = add_route(&mut world, &api, &format!("r{n}"));
        let took = made.held_back;
        made.ok();
        world.wait(took);
    }
}

#[test]
fn a_new_role_cannot_be_assumed_by_lambda_for_some_seconds() {
    let mut world = propagation(SEED);
    world.new_role("function", LAMBDA_TRUST);
    let shown = world.iam("GetRole", &[("RoleName", "function")]);
    assert_eq!(shown.status, 200, "IAM itself knows it");
    world
        .lambda("POST", FUNCTIONS, &function_input("chat"))
        .is_failure(
            400,
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        );
    let waited = until(&mut world, |world| {
        let made = world.lambda("POST", FUNCTIONS, &function_input("chat"));
        made.status == 201
    });
    assert!((ms(3_000)..=ms(12_000)).contains(&waited), "{waited}");
}

#[test]
fn a_changed_trust_is_known_to_lambda_after_some_seconds() {
    let mut world = propagation(SEED);
    world.new_role("function", LAMBDA_TRUST);
    let other = world.new_role("other", GATEWAY_TRUST);
    world.wait(SignedDuration::from_secs(12));
    world
        .lambda("POST", FUNCTIONS, &function_input("chat"))
        .ok();
    let trust = [("RoleName", "other"), ("PolicyDocument", LAMBDA_TRUST)];
    assert_eq!(world.iam("UpdateAssumeRolePolicy", &trust).status, 200);
    let path = format!("{FUNCTIONS}/chat/configuration");
    let update = json!({ "Role": other });
    let waited = until(&mut world, |world| {
        let updated = world.lambda("PUT", &path, &update);
        if updated.status != 200 {
            updated.is_failure(
                400,
                "InvalidParameterValueException",
                "The role defined for the function cannot be assumed by Lambda.",
            );
        }
        updated.status == 200
    });
    assert!((ms(3_000)..=ms(12_000)).contains(&waited), "{waited}");
}

#[test]
fn permissions_take_effect_and_end_after_some_seconds() {
    let mut world = propagation(SEED);
    let role = world.new_role("invoke", GATEWAY_TRUST);
    allow_invoke(&mut world, "invoke");
    let arn = function_arn("chat");
    let may = |world: &mut World| {
        let allows = world
            .cloud
            .role_allows(&role, "lambda:InvokeFunction", &arn, world.now);
        let may = world.cloud.may_invoke(Some(&role), &arn, world.now);
        assert_eq!(may.is_ok(), allows);
        allows
    };
    let granted = until(&mut world, may);
    assert!((ms(3_000)..=ms(12_000)).contains(&granted), "{granted}");
    let parameters = [("RoleName", "invoke"), ("PolicyName", "invoke")];
    assert_eq!(world.iam("DeleteRolePolicy", &parameters).status, 200);
    let ended = until(&mut world, |world| !may(world));
    assert!((ms(3_000)..=ms(12_000)).contains(&ended), "{ended}");
}

#[test]
fn functions_settle_after_a_while_that_the_seed_decides() {
    let realism = Realism {
        function_activation: true,
        ..Realism::none(SEED)
    };
    let mut world = World::with_realism(realism);
    world.new_function("chat");
    let path = format!("{FUNCTIONS}/chat/configuration");
    let state = |world: &mut World, member: &str| {
        let shown = world.lambda("GET", &path, &NOTHING).ok();
        shown[member].as_str().unwrap_or_default().to_owned()
    };
    let created = until(&mut world, |world| state(world, "State") == "Active");
    assert!((ms(500)..=ms(3_000)).contains(&created), "{created}");
    world.lambda("PUT", &path, &json!({ "Timeout": 9 })).ok();
    let done = |world: &mut World| state(world, "LastUpdateStatus") == "Successful";
    assert!(!done(&mut world));
    let updated = until(&mut world, done);
    assert!((ms(500)..=ms(3_000)).contains(&updated), "{updated}");
    assert_ne!(created, updated);
}

#[test]
fn lists_of_api_gateway_show_for_a_moment_what_was_there_before() {
    let mut world = stale_reads();
    let count = |world: &mut World, path: &str| {
        let listed = world.gateway("GET", path, &NOTHING).ok();
        listed["items"].as_array().unwrap().len()
    };
    let bound = SignedDuration::ZERO..=ms(1_500);
    let mut waits = Vec::new();
    let api = world.new_api("chat");
    let path = format!("/v2/apis/{api}");
    assert_eq!(
        world.gateway("GET", &path, &NOTHING).status,
        200,
        "an API itself is read as it is"
    );
    waits.push(until(&mut world, |world| count(world, "/v2/apis") == 1));
    add_route(&mut world, &api, "$connect").ok();
    world.new_integration(&api, "chat");
    let stage = json!({ "stageName": "local" });
    world
        .gateway("POST", &format!("{path}/stages"), &stage)
        .ok();
    for list in ["routes", "integrations", "stages"] {
        let list = format!("{path}/{list}");
        waits.push(until(&mut world, |world| count(world, &list) == 1));
    }
    world.gateway("DELETE", &path, &NOTHING).ok();
    assert_eq!(world.gateway("GET", &path, &NOTHING).status, 404);
    waits.push(until(&mut world, |world| count(world, "/v2/apis") == 0));
    assert!(waits.iter().all(|it| bound.contains(it)), "{waits:?}");
    assert!(waits.iter().any(|it| it.is_positive()), "{waits:?}");
}

#[test]
fn a_new_role_is_unknown_to_reads_for_a_moment_but_not_to_writes() {
    let mut world = stale_reads();
    world.new_role("invoke", GATEWAY_TRUST);
    let name = [("RoleName", "invoke")];
    world.iam("GetRole", &name).is_failure(
        404,
        "NoSuchEntity",
        "The role with name invoke cannot be found.",
    );
    let listed = world.iam("ListRoles", &[]);
    assert_eq!(elements(&listed.text, "RoleName"), [""; 0]);
    allow_invoke(&mut world, "invoke");
    let waited = until(&mut world, |world| {
        world.iam("GetRole", &name).status == 200
    });
    assert!(waited <= ms(1_500), "{waited}");
    let policy = [("RoleName", "invoke"), ("PolicyName", "invoke")];
    until(&mut world, |world| {
        world.iam("GetRolePolicy", &policy).status == 200
    });
    let role = world.iam("GetRole", &name);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/invoke");
    assert_eq!(element(&role.text, "Arn"), arn);
}

#[test]
fn log_groups_are_listed_a_moment_after_they_are_made_or_deleted() {
    let mut world = stale_reads();
    let name = json!({ "logGroupName": "/chat" });
    let listed = |world: &mut World| {
        let groups = world.logs("DescribeLogGroups", &json!({})).ok();
        groups["logGroups"].as_array().unwrap().len()
    };
    world.logs("CreateLogGroup", &name).ok();
    let (status, code, _) = world.logs("CreateLogGroup", &name).failure();
    assert_eq!((status, &*code), (400, "ResourceAlreadyExistsException"));
    let made = until(&mut world, |world| listed(world) == 1);
    world.logs("DeleteLogGroup", &name).ok();
    let deleted = until(&mut world, |world| listed(world) == 0);
    assert!(made <= ms(1_500) && deleted <= ms(1_500));
    assert!(made.is_positive() || deleted.is_positive());
}

/// All that happens to a client that goes on whatever it is told, in steps of
/// 50 ms.
fn transcript(realism: Realism) -> Vec<(u16, String, SignedDuration)> {
    let mut world = World::with_realism(realism);
    let mut answers = Vec::new();
    let mut note = |world: &mut World, answer: Answer| {
        world.wait(ms(50));
        let id = answer.request_id;
        answers.push((
            answer.status,
            answer.text.replace(&id, ""),
            answer.held_back,
        ));
    };
    let role = [
        ("RoleName", "function"),
        ("AssumeRolePolicyDocument", LAMBDA_TRUST),
    ];
    let answer = world.iam("CreateRole", &role);
    note(&mut world, answer);
    let api = world.new_api("chat");
    for n in 0..200 {
        let answer = match n % 5 {
            0 => world.iam("GetRole", &role[..1]),
            1 => world.gateway("GET", "/v2/apis", &NOTHING),
            2 => add_route(&mut world, &api, &format!("r{n}")),
            3 => world.lambda("POST", FUNCTIONS, &function_input("chat")),
            _ => world.lambda("GET", &format!("{FUNCTIONS}/chat"), &NOTHING),
        };
        note(&mut world, answer);
    }
    answers
}

#[test]
fn a_seed_repeats_every_answer_and_another_seed_gives_other_delays() {
    let once = transcript(Realism::all(SEED));
    assert_eq!(once, transcript(Realism::all(SEED)));
    let other = transcript(Realism::all(SEED + 1));
    assert_ne!(once, other);
    for answers in [&once, &other] {
        let statuses: Vec<u16> = answers.iter().map(|(status, ..)| *status).collect();
        assert!(statuses.contains(&400) && statuses.contains(&201));
    }
}

#[test]
fn a_habit_that_is_turned_off_leaves_the_delays_of_the_others() {
    let held_back = |realism: Realism| -> Vec<SignedDuration> {
        let mut world = World::with_realism(realism);
        let api = world.new_api("chat");
        let took = |n: u32| {
            let took = add_route(&mut world, &api, &format!("r{n}")).held_back;
            world.wait(ms(200));
            took
        };
        (0..10).map(took).collect()
    };
    let alone = Realism {
        conflicts: true,
        ..Realism::none(SEED)
    };
    assert_eq!(held_back(Realism::all(SEED)), held_back(alone));
}
