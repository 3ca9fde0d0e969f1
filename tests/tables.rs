//! Tables of a stage on the wire: made, mended, taken over, kept, removed; and what a
//! local stage is told that needs some where there are none.

use deployer_core::names::Names;
use deployer_core::table::{ON_DOWN_TAG, TABLES_TAG, TableStatus};
use deployer_engine::cloud::CloudReader;
use deployer_engine::up::make_plan;
use serde_json::{Value, json};
use testkit::by_hand::{Operation, succeed};
use testkit::{Deployer, Release, TinyProject, World, free_port};

const SERVICE: Release = Release {
    service: r#"
service = "chat"
[functions.room]
tables.ROOMS = { table = "rooms", actions = ["GetItem", "PutItem"] }
invokes_itself = true
[routes]
join = "room"
[tables.rooms]
partition_key = "pk"
sort_key = "sk"
ttl = "expires"
point_in_time_recovery = true
on_down = "remove"
"#,
    code: "first",
};

/// A service with a table that `down` treats so.
macro_rules! on_down {
    ($what:literal) => {
        Release {
            service: concat!(
                r#"
service = "chat"
[functions.room]
tables.ROOMS = { table = "rooms", actions = ["GetItem"] }
[routes]
join = "room"
[tables.rooms]
partition_key = "pk"
on_down = "#,
                $what
            ),
            ..SERVICE
        }
    };
}

const RETAINED: Release = on_down!(r#""retain""#);
const REMOVED: Release = on_down!(r#""remove""#);

/// The service without any.
const WITHOUT: Release = Release {
    service: r#"
service = "chat"
[functions.room]
[routes]
join = "room"
"#,
    ..SERVICE
};

const TABLE: &str = "chat-alpha-rooms";

/// Something done to the tables by hand, as the account's own user.
async fn by_hand(world: &World, operation: &str, input: Value) {
    let target = format!("DynamoDB_20120810.{operation}");
    let operation = Operation::Json("dynamodb", &target);
    succeed(world.port(), operation, &input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_makes_the_table_with_its_settings_and_tags_and_a_second_one_does_nothing() {
    let world = World::new().await;
    world.converge(SERVICE, "the first up").await;
    assert_eq!(world.tables(), [TABLE]);
    let cloud = &world.session.cloud;
    let state = cloud.find_table(&TABLE.into()).await.unwrap().unwrap();
    assert_eq!(state.key.unwrap().to_string(), "pk (S), sk (S)");
    assert!(state.on_demand);
    assert_eq!(state.status, TableStatus::Active);
    let settings = state.settings.unwrap();
    assert_eq!(settings.ttl.as_deref(), Some("expires"));
    assert!(settings.point_in_time_recovery);
    assert_eq!(state.tags[ON_DOWN_TAG], "remove");
    let (desired, _) = world.session.desired(SERVICE);
    let (_, observed) = make_plan(cloud, &desired).await.unwrap();
    assert!(observed.journal.unwrap().tags.contains_key(TABLES_TAG));
    let (_, room) = observed.functions.first_key_value().unwrap();
    let version = room.versions.last().unwrap();
    assert_eq!(version.configuration.environment["ROOMS"], TABLE);
    world.empty(SERVICE, "down").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_by_hand_is_seen_and_mended() {
    let world = World::new().await;
    world.converge(SERVICE, "the first up").await;
    let table = json!({ "TableName": TABLE });
    let with = |member: &str, value: Value| {
        let mut input = table.clone();
        input[member] = value;
        input
    };
    let off = json!({ "Enabled": false, "AttributeName": "expires" });
    by_hand(
        &world,
        "UpdateTimeToLive",
        with("TimeToLiveSpecification", off),
    )
    .await;
    let off = json!({ "PointInTimeRecoveryEnabled": false });
    let input = with("PointInTimeRecoverySpecification", off);
    by_hand(&world, "UpdateContinuousBackups", input).await;
    by_hand(
        &world,
        "UpdateTable",
        with("BillingMode", json!("PROVISIONED")),
    )
    .await;
    let (desired, _) = world.session.desired(SERVICE);
    let (plan, _) = make_plan(&world.session.cloud, &desired).await.unwrap();
    let plan = plan.to_string();
    for change in [
        "billing_mode: PROVISIONED → PAY_PER_REQUEST",
        "ttl: none → expires",
        "point_in_time_recovery: false → true",
    ] {
        assert!(plan.contains(change), "{plan}");
    }
    world.converge(SERVICE, "the changes by hand").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_table_outlives_the_stage_and_the_next_up_takes_it_again() {
    let world = World::new().await;
    world.converge(RETAINED, "the first up").await;
    let down = world.session.down(WITHOUT).await.unwrap();
    assert!(
        down.outcome.complete() && down.left.is_empty(),
        "{}",
        down.left
    );
    assert_eq!(down.retained.tables, [TABLE.into()]);
    assert_eq!(world.tables(), [TABLE]);
    let up = world.session.up(RETAINED).await.unwrap();
    assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
    assert!(!up.plan.to_string().contains("+ table"), "{}", up.plan);
    // Now the file says otherwise.
    world.converge(REMOVED, "another word").await;
    world.empty(WITHOUT, "down").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_left_the_files_is_removed_by_a_down_that_knows_nothing_of_it() {
    let world = World::new().await;
    world.converge(SERVICE, "the first up").await;
    let up = world.session.up(WITHOUT).await.unwrap();
    assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
    assert_eq!(world.tables(), [TABLE], "no up deletes a table");
    world.empty(WITHOUT, "down").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_another_key_or_owner_is_refused_before_anything_is_touched() {
    let world = World::new().await;
    let create = json!({
        "TableName": TABLE,
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "N" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    by_hand(&world, "CreateTable", create).await;
    let refusal = world.session.up(SERVICE).await.unwrap_err().to_string();
    assert!(
        refusal.contains("table chat-alpha-rooms exists without"),
        "{refusal}"
    );
    let names = Names::new(
        deployer_core::names::StageIdentity {
            service: "chat".into(),
            stage: "alpha".into(),
        },
        local_cloud::REGION,
    );
    let tags: Vec<Value> = deployer_core::tags::ownership(&names.identity)
        .into_iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    let arn = world.session.account.table_arn(&TABLE.into());
    // While it is being made, nobody may tag it.
    let described = json!({ "TableName": TABLE });
    by_hand(&world, "DescribeTable", described).await;
    let input = json!({ "ResourceArn": arn, "Tags": tags });
    by_hand(&world, "TagResource", input).await;
    let refusal = world.session.up(SERVICE).await.unwrap_err().to_string();
    assert!(
        refusal.contains("has the key id (N), and the files want pk (S), sk (S)"),
        "{refusal}"
    );
    assert!(
        world
            .session
            .cloud
            .list_apis(&names)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tables_no_table_is_asked_for() {
    let world = World::new().await;
    let proxy = testkit::proxy::Proxy::start(world.port()).await;
    let session = testkit::Session::connect(proxy.endpoint()).await.unwrap();
    proxy.begin(None);
    assert!(session.up(WITHOUT).await.unwrap().outcome.complete());
    let down = session.down(WITHOUT).await.unwrap();
    assert!(down.outcome.complete());
    let calls = proxy.calls();
    assert!(!calls.is_empty());
    let of_dynamodb = calls
        .iter()
        .filter(|it| it.point.to_string().contains("dynamodb"));
    assert_eq!(of_dynamodb.count(), 0);
}

#[test]
fn a_local_stage_with_tables_is_told_to_bring_a_dynamodb() {
    let project = TinyProject::new();
    let port = free_port();
    project.write(
        "stages/local.toml",
        &format!("target = \"local\"\nport = {port}\n"),
    );
    project.write(
        "stages/service.toml",
        r#"
service = "tiny"
[functions.tiny]
tables.OWN = { table = "own", actions = ["GetItem"] }
[routes]
"$default" = "tiny"
[tables.own]
partition_key = "pk"
on_down = "remove"
"#,
    );
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let up = deployer.run(&["up", "local"]);
    assert_eq!(up.code, 1, "{}{}", up.stdout, up.stderr);
    for part in [
        "dynamodb:DescribeTable tiny-local-own",
        "DEPLOYER_LOCAL_DYNAMODB",
        "dynalite",
    ] {
        assert!(up.stderr.contains(part), "{}", up.stderr);
    }
    let down = deployer.run(&["down", "local"]);
    assert_eq!(down.code, 0, "{}{}", down.stdout, down.stderr);
}
