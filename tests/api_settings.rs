//! Settings of the API, its stage and its routes over the wire: set, read back,
//! changed by hand, cleared.

use deployer_core::account_logging::role_name;
use deployer_core::names::LogGroupName;
use deployer_core::observed::{ApiState, Observed};
use deployer_core::stage_settings::{LoggingLevel, Rate, StageSettings};
use deployer_engine::cloud::CloudReader;
use deployer_engine::up::make_plan;
use testkit::{Call, Fault, FaultyWriter, Release, World};

const PLAIN: &str = r#"
service = "chat"
[functions.connect]
[functions.room]
[routes]
"$connect" = "connect"
join = "room"
"#;

const SET: &str = r#"
service = "chat"
[functions.connect]
[functions.room]
[routes]
"$connect" = "connect"
join = "room"
[api]
ip_address_type = "dualstack"
[api_stage]
variables = { colour = "blue", shape = "round" }
throttling = { burst_limit = 100, rate_limit = 50.5 }
metrics = true
access_logs = { format = '{"id":"$context.requestId","route":"$context.routeKey"}', retention_days = 7 }
execution_logs = { level = "info", retention_days = 3 }
[route_settings."$connect"]
authorization = "iam"
[route_settings.join]
throttling = { burst_limit = 2 }
[tags]
team = "chat"
cost = "42"
"#;

fn release(service: &'static str) -> Release {
    Release {
        service,
        code: "first",
    }
}

async fn look(world: &World, release: Release) -> Observed {
    let (desired, _) = world.session.desired(release);
    let looked = make_plan(&world.session.cloud, &desired).await;
    looked.expect("it reads").1
}

fn api(observed: &Observed) -> &ApiState {
    match observed.apis.as_slice() {
        [api] => api,
        apis => panic!("{} APIs", apis.len()),
    }
}

/// One request to the local cloud, signed for a service by name only.
async fn by_hand(world: &World, call: Call<'_>) {
    let status = testkit::send(world.port(), call).await;
    assert!((200..300).contains(&status), "{status}");
}

async fn patch(world: &World, path: &str, body: &str) {
    let call = Call {
        service: "apigateway",
        method: "PATCH",
        path,
        headers: &[("content-type", "application/json")],
        body,
    };
    by_hand(world, call).await;
}

async fn logs(world: &World, operation: &str, body: &str) {
    let target = format!("Logs_20140328.{operation}");
    let call = Call {
        service: "logs",
        method: "POST",
        path: "/",
        headers: &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", &target),
        ],
        body,
    };
    by_hand(world, call).await;
}

#[tokio::test]
async fn what_the_file_sets_is_there_and_a_second_plan_is_empty() {
    let world = World::new().await;
    world.converge(release(SET), "a first up").await;
    let observed = look(&world, release(SET)).await;
    let api = api(&observed);
    assert_eq!(api.settings.ip_address_type, "dualstack");
    let authorization = |key: &str| {
        let route = api.routes.iter().find(|route| route.route_key == key);
        route.expect("a route").authorization.as_str()
    };
    assert_eq!(authorization("$connect"), "AWS_IAM");
    assert_eq!(authorization("join"), "NONE");
    let settings = &api.stages[0].settings;
    assert_eq!(settings.variables["colour"], "blue");
    assert_eq!(settings.default_route.burst_limit, 100);
    assert_eq!(settings.default_route.rate_limit, Rate(50.5));
    assert!(settings.default_route.metrics);
    assert_eq!(settings.default_route.level, LoggingLevel::Info);
    let join = &settings.routes[&"join".into()];
    assert_eq!((join.burst_limit, join.level), (2, LoggingLevel::Info));
    assert!(settings.access_log.is_some());
    let access = observed.access_log_group.as_ref().expect("a log group");
    assert_eq!(access.retention_days, Some(7));
    let [(name, execution)] = observed.execution_log_groups.iter().collect::<Vec<_>>()[..] else {
        panic!("{:?}", observed.execution_log_groups);
    };
    let expected = format!("/aws/apigateway/{}/alpha", api.api_id);
    assert_eq!(*name, LogGroupName::new(expected));
    assert_eq!(execution.retention_days, Some(3));
    let tagged = [
        &api.tags,
        &api.stages[0].tags,
        &access.tags,
        &execution.tags,
        &observed.journal.as_ref().expect("a journal").tags,
    ];
    for tags in tagged
        .into_iter()
        .chain(observed.roles.values().map(|role| &role.tags))
        .chain(observed.functions.values().map(|function| &function.tags))
        .chain(observed.log_groups.values().map(|group| &group.tags))
    {
        assert_eq!(
            (tags["team"].as_str(), tags["cost"].as_str()),
            ("chat", "42")
        );
    }
    let up = world.session.up(release(SET)).await.expect("up works");
    assert!(up.plan.is_empty(), "{}", up.plan);
    world.empty(release(SET), "settings").await;
}

#[tokio::test]
async fn each_setting_changed_by_hand_is_seen_and_restored() {
    let world = World::new().await;
    world.converge(release(SET), "a first up").await;
    let observed = look(&world, release(SET)).await;
    let api = api(&observed);
    let id = &api.api_id;
    let stage = format!("/v2/apis/{id}/stages/alpha");
    let of_stage = [
        (
            r#"{"stageVariables":{"colour":"red"}}"#,
            "variables.colour: red → blue",
        ),
        (
            r#"{"stageVariables":{"shape":""}}"#,
            "variables.shape: none → round",
        ),
        (
            r#"{"stageVariables":{"size":"1"}}"#,
            "variables.size: 1 → none",
        ),
        (
            r#"{"defaultRouteSettings":{"throttlingBurstLimit":101}}"#,
            "throttling.burst_limit: 101 → 100",
        ),
        (
            r#"{"defaultRouteSettings":{"throttlingRateLimit":1}}"#,
            "throttling.rate_limit: 1 → 50.5",
        ),
        (
            r#"{"defaultRouteSettings":{"detailedMetricsEnabled":false}}"#,
            "metrics: false → true",
        ),
        (
            r#"{"defaultRouteSettings":{"loggingLevel":"ERROR"}}"#,
            "execution_logs.level: ERROR → INFO",
        ),
        (
            r#"{"defaultRouteSettings":{"dataTraceEnabled":true}}"#,
            "execution_logs.data_trace: true → false",
        ),
        (
            r#"{"routeSettings":{"join":{"throttlingBurstLimit":3}}}"#,
            "route_settings.join.throttling.burst_limit: 3 → 2",
        ),
        (
            r#"{"routeSettings":{"$connect":{"throttlingBurstLimit":3}}}"#,
            "route_settings.$connect: burst 3",
        ),
        (
            r#"{"accessLogSettings":{"format":"$context.requestId"}}"#,
            "access_logs.format: $context.requestId →",
        ),
    ];
    let expect = async |what: &str| {
        let (desired, _) = world.session.desired(release(SET));
        let planned = make_plan(&world.session.cloud, &desired).await;
        let plan = planned.expect("it reads").0;
        assert!(plan.to_string().contains(what), "{what} is not in {plan}");
        world.converge(release(SET), what).await;
    };
    for (change, what) in of_stage {
        patch(&world, &stage, change).await;
        expect(what).await;
    }
    patch(
        &world,
        &format!("/v2/apis/{id}"),
        r#"{"ipAddressType":"ipv4"}"#,
    )
    .await;
    expect("ip_address_type: ipv4 → dualstack").await;
    let connect = api
        .routes
        .iter()
        .find(|route| route.route_key == "$connect");
    let path = format!(
        "/v2/apis/{id}/routes/{}",
        connect.expect("a route").route_id
    );
    patch(&world, &path, r#"{"authorizationType":"NONE"}"#).await;
    expect("authorization: NONE → AWS_IAM").await;
    let group = r#"{"logGroupName":"/aws/vendedlogs/apigateway/chat-alpha","retentionInDays":1}"#;
    logs(&world, "PutRetentionPolicy", group).await;
    expect("days: 1 → 7").await;
    let group = format!(r#"{{"logGroupName":"/aws/apigateway/{id}/alpha"}}"#);
    logs(&world, "DeleteLogGroup", &group).await;
    expect("log group       of execution logs").await;
    let arn = &world
        .session
        .account
        .log_group_arn(&"/deployer/chat-alpha".into());
    let tags = format!(r#"{{"resourceArn":"{arn}","tags":{{"hand":"made","team":"x"}}}}"#);
    logs(&world, "TagResource", &tags).await;
    expect("hand: made → none").await;
    world.empty(release(SET), "changes by hand").await;
}

#[tokio::test]
async fn a_stage_that_somebody_lets_deploy_by_itself_is_ours_again_after_the_next_up() {
    let world = World::new().await;
    world.converge(release(SET), "a first up").await;
    let observed = look(&world, release(SET)).await;
    let id = &api(&observed).api_id;
    let on = r#"{"autoDeploy":true}"#;
    patch(&world, &format!("/v2/apis/{id}/stages/alpha"), on).await;
    let selection = r#"{"routeSelectionExpression":"$request.body.kind"}"#;
    patch(&world, &format!("/v2/apis/{id}"), selection).await;
    let observed = look(&world, release(SET)).await;
    let live = api(&observed).live_deployment("alpha").expect("it is live");
    assert!(live.description.starts_with("Automatic deployment"));
    let (desired, _) = world.session.desired(release(SET));
    let looked = make_plan(&world.session.cloud, &desired).await;
    let plan = looked.expect("it reads").0.to_string();
    assert!(plan.contains("auto_deploy: true → false"), "{plan}");
    world.converge(release(SET), "autoDeploy by hand").await;
    let observed = look(&world, release(SET)).await;
    let api = api(&observed);
    assert!(!api.stages[0].auto_deploy);
    let of_aws = |text: &str| text.starts_with("Automatic deployment");
    assert!(!api.deployments.iter().any(|made| of_aws(&made.description)));
    world.empty(release(SET), "autoDeploy by hand").await;
}

#[tokio::test]
async fn settings_come_with_a_later_up_and_go_with_the_one_that_no_longer_has_them() {
    let world = World::new().await;
    world.converge(release(PLAIN), "a first up").await;
    world.converge(release(SET), "settings").await;
    world.converge(release(PLAIN), "no settings").await;
    let observed = look(&world, release(PLAIN)).await;
    let api = api(&observed);
    assert_eq!(api.stages[0].settings, StageSettings::default());
    assert!(api.settings.is_default());
    assert!(!api.tags.contains_key("team"));
    assert!(observed.access_log_group.is_none());
    assert!(observed.execution_log_groups.is_empty());
    world.empty(release(PLAIN), "settings that went").await;
}

#[tokio::test]
async fn down_leaves_the_accounts_role_for_logs_and_another_stage_uses_it() {
    let world = World::new().await;
    world.converge(release(SET), "a first up").await;
    world.empty(release(SET), "a down").await;
    let cloud = &world.session.cloud;
    let account = &world.session.account;
    let role = role_name(&account.region);
    let set = cloud.find_logging_role().await.expect("it reads");
    assert_eq!(set, Some(account.role_arn(&role)));
    let kept = cloud
        .find_role(&role)
        .await
        .expect("it reads")
        .expect("it is there");
    assert!(!kept.tags.contains_key("deployer:stage"), "{:?}", kept.tags);
    let up = world.session.up(release(SET)).await.expect("up works");
    let text = up.plan.to_string();
    assert!(!text.contains("deployer-account"), "{text}");
    world.empty(release(SET), "another life").await;
}

#[tokio::test]
async fn a_log_group_whose_api_is_gone_is_found_by_its_tags() {
    let world = World::new().await;
    world.converge(release(SET), "a first up").await;
    let observed = look(&world, release(SET)).await;
    let path = format!("/v2/apis/{}", api(&observed).api_id);
    let call = Call {
        service: "apigateway",
        method: "DELETE",
        path: &path,
        headers: &[],
        body: "",
    };
    by_hand(&world, call).await;
    world.empty(release(SET), "an API deleted by hand").await;
}

#[tokio::test]
async fn a_disabled_endpoint_is_live_when_it_says_so() {
    const DISABLED: &str = r#"
service = "chat"
[functions.room]
[routes]
join = "room"
[api]
disable_execute_api_endpoint = true
"#;
    const ENABLED: &str = r#"
service = "chat"
[functions.room]
[routes]
join = "room"
"#;
    let world = World::new().await;
    world.converge(release(DISABLED), "a first up").await;
    let up = world
        .session
        .up(release(DISABLED))
        .await
        .expect("it answers 403");
    let url = up.url.expect("it is live");
    assert_eq!(testkit::Client::connect(&url).await.err(), Some(403));
    world
        .converge(release(ENABLED), "an enabled endpoint")
        .await;
    assert!(testkit::Client::connect(&url).await.is_ok());
    world.empty(release(ENABLED), "both").await;
}

/// A change to `to` dies at each of its writes in turn; the next `up` finishes it.
async fn dies_at_any_write(from: &'static str, to: &'static str) {
    for fault in [Fault::Before, Fault::After] {
        // Deploying the first again takes the settings away or brings them back.
        let world = World::new().await;
        let mut write = 0;
        loop {
            let after = format!("{fault:?} write {write}");
            world.converge(release(from), &after).await;
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            let up = world.session.up_with(release(to), &writer).await;
            let up = up.expect("reading works");
            world.converge(release(to), &after).await;
            if !writer.reached() {
                assert_eq!(write, up.plan.steps.len(), "every write was made to fail");
                break;
            }
            write += 1;
        }
        world.empty(release(to), "changes").await;
    }
}

#[tokio::test]
async fn an_up_that_dies_while_it_sets_is_finished_by_the_next() {
    dies_at_any_write(PLAIN, SET).await;
}

#[tokio::test]
async fn an_up_that_dies_while_it_clears_is_finished_by_the_next() {
    dies_at_any_write(SET, PLAIN).await;
}

#[tokio::test]
async fn a_first_up_with_settings_that_dies_at_any_write_is_removed_whole() {
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            // New each time, so that the account's role is made each time.
            let world = World::new().await;
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            let up = world.session.up_with(release(SET), &writer).await;
            up.expect("reading works");
            let after = format!("first up, {fault:?} write {write}");
            let down = world.session.down(release(SET)).await;
            let down = down.unwrap_or_else(|error| panic!("{after}: {error}"));
            assert!(
                down.outcome.complete() && down.left.is_empty(),
                "{after}: {}",
                down.left
            );
            world.converge(release(SET), &after).await;
            world.empty(release(SET), &after).await;
            if !writer.reached() {
                break;
            }
            write += 1;
        }
    }
}
