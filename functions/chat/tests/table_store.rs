//! The promises of every store, by the one in a table, and what only a table promises.
//!
//! Against any implementation of DynamoDB: they run only when asked for (`--ignored`),
//! with its address in CHAT_TEST_DYNAMODB.

#[macro_use]
mod suite;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use aws_sdk_dynamodb::{Client, Config};
use chat::{
    CONNECTION_LIFETIME_MS, DynamoStore, Environment, Format, HISTORY_LIFETIME_MS, Joined, Joining,
    Progress, ROOMS_PER_CONNECTION, Range, Store,
};
use futures_util::future::join_all;
use proptest::prelude::{ProptestConfig, proptest};
use suite::{NOW, draft, join, joining};

/// Of a room, so that filling one takes no long.
const MEMBERS: usize = 6;

fn address() -> String {
    std::env::var("CHAT_TEST_DYNAMODB").expect("CHAT_TEST_DYNAMODB, the address of a DynamoDB")
}

/// A table of its own.
struct Table {
    name: String,
    client: Client,
}

impl Table {
    async fn new() -> Self {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(address())
            .build();
        let client = Client::from_conf(config);
        let name = format!("chat-{}-{}", std::process::id(), suite::request());
        let key = |name, kind| {
            let key = KeySchemaElement::builder().attribute_name(name);
            key.key_type(kind).build().expect("a key")
        };
        let text = |name| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            let attribute = attribute.attribute_type(ScalarAttributeType::S);
            attribute.build().expect("an attribute")
        };
        let create = client.create_table().table_name(&name);
        create
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .attribute_definitions(text("pk"))
            .attribute_definitions(text("sk"))
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await
            .expect("a table");
        Self { name, client }
    }

    /// An environment of a function: a client of its own.
    fn store(&self) -> DynamoStore {
        let environment = Environment::from_variables(|name| {
            Some(match name {
                "AWS_ENDPOINT_URL_DYNAMODB" => address(),
                "AWS_REGION" => "us-east-1".to_owned(),
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "test".to_owned(),
                _ => return None,
            })
        });
        let store = DynamoStore::new(self.name.clone(), &environment);
        store.expect("a store").limited_to(MEMBERS)
    }

    async fn items(&self) -> Vec<(String, String)> {
        let scan = self.client.scan().table_name(&self.name);
        let scan = scan.consistent_read(true).send().await.expect("items");
        let text = |value: &AttributeValue| value.as_s().cloned().expect("a text");
        let items = scan.items.unwrap_or_default();
        let keys = items.iter().map(|it| (text(&it["pk"]), text(&it["sk"])));
        keys.collect()
    }

    async fn delete(&self, pk: &str, sk: &str) {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let delete = self.client.delete_item().table_name(&self.name);
        let delete = delete.key("pk", text(pk)).key("sk", text(sk));
        delete.send().await.expect("a deletion");
    }
}

async fn subject() -> (DynamoStore, usize) {
    (Table::new().await.store(), MEMBERS)
}

macro_rules! promise {
    ($case:ident) => {
        #[tokio::test]
        #[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
        async fn $case() {
            let (store, most) = subject().await;
            suite::$case(&store, most).await;
        }
    };
}

all_promises!(promise);

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    #[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
    fn any_life_of_rooms_in_several_environments_is_as_the_model_has_it(
        life in suite::random::life(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let table = Table::new().await;
            let environments = [table.store(), table.store(), table.store()];
            suite::random::live(&environments, "", &life).await;
        });
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn what_one_environment_has_answered_another_one_knows() {
    let table = Table::new().await;
    let (one, other) = (table.store(), table.store());
    join(&one, "r", "a=").await;
    assert_eq!(join(&other, "r", "a=").await, Joined::Already);
    assert_eq!(one.members("r", NOW).await, other.members("r", NOW).await);
    let stored = one.append("r", &draft("a=", Some("m")), NOW).await;
    assert_eq!(stored.map(|it| (it.seq, it.repeated)), Ok((1, false)));
    let again = other.append("r", &draft("a=", Some("m")), NOW).await;
    assert_eq!(again.map(|it| (it.seq, it.repeated)), Ok((1, true)));
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn joins_and_an_end_at_once_leave_no_member_whoever_is_first() {
    let table = Table::new().await;
    let (one, other) = (table.store(), table.store());
    for round in 0..20 {
        let id = format!("{round}=");
        let rooms = ["r", "s", "t"];
        let joins = rooms.map(|room| join(&one, room, &id));
        let (joined, ended) = tokio::join!(join_all(joins), other.disconnect(&id, NOW));
        ended.expect("an end");
        for (room, joined) in rooms.iter().zip(joined) {
            let member = one.member(room, &id, NOW).await;
            assert_eq!(member, Ok(None), "round {round}: {joined:?}");
        }
    }
    let left = table.items().await;
    assert!(left.iter().all(|(_, sk)| sk == "meta"), "{left:?}");
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn joining_and_leaving_at_once_leaves_no_member_that_an_end_does_not_find() {
    let table = Table::new().await;
    let (one, other) = (table.store(), table.store());
    for round in 0..20 {
        let id = format!("{round}=");
        join(&one, "r", &id).await;
        let later = NOW + 1000;
        let rejoin = Joining {
            request: suite::request(),
            ..joining(&id)
        };
        let (left, joined) =
            tokio::join!(one.leave("r", &id, later), other.join("r", &rejoin, later),);
        left.expect("a leave");
        joined.expect("a join");
        one.disconnect(&id, later).await.expect("an end");
        assert_eq!(one.members("r", later).await, Ok(vec![]), "round {round}");
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn rows_that_are_left_over_do_not_count_against_the_limit() {
    let table = Table::new().await;
    let store = table.store();
    for n in 0..ROOMS_PER_CONNECTION {
        join(&store, &format!("r{n}"), "a=").await;
    }
    // As if it had been killed between its two deletions.
    table.delete("room#r0", "a=").await;
    let joined = join(&store, "more", "a=").await;
    assert!(matches!(joined, Joined::Now { .. }), "{joined:?}");
    assert_eq!(join(&store, "more2", "a=").await, Joined::TooManyRooms);
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn joins_at_once_do_not_exceed_the_rooms_of_a_connection() {
    let table = Table::new().await;
    let store = table.store();
    let rooms: Vec<_> = (0..ROOMS_PER_CONNECTION + 4)
        .map(|n| format!("r{n}"))
        .collect();
    join_all(rooms.iter().map(|room| join(&store, room, "a="))).await;
    let mut joined = 0;
    for room in &rooms {
        let member = store.member(room, "a=", NOW).await.expect("a look");
        joined += usize::from(member.is_some());
    }
    assert!(joined <= ROOMS_PER_CONNECTION, "{joined}");
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn what_a_connection_speaks_is_known_in_every_environment() {
    let table = Table::new().await;
    let (one, other) = (table.store(), table.store());
    one.note("a=", Format::Json, NOW).await.expect("a note");
    assert_eq!(other.format("a=").await, Ok(Some(Format::Json)));
    assert_eq!(other.format("b=").await, Ok(Some(Format::Plain)));
    // Sending keeps it, and so does the connection's end.
    assert_eq!(one.admit("a=", NOW).await, Ok(true));
    one.disconnect("a=", NOW).await.expect("an end");
    assert_eq!(table.store().format("a=").await, Ok(Some(Format::Json)));
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn numbers_go_on_when_dynamodb_has_deleted_what_expired_in_any_order() {
    let table = Table::new().await;
    let store = table.store();
    join(&store, "r", "a=").await;
    for _ in 0..4 {
        store
            .append("r", &draft("a=", None), NOW)
            .await
            .expect("a message");
    }
    let end = NOW + HISTORY_LIFETIME_MS;
    for seq in [2, 4] {
        table.delete("log#r", &format!("{seq:020}")).await;
    }
    let stored = store.append("r", &draft("a=", None), end).await;
    assert_eq!(stored.map(|it| it.seq), Ok(5));
    for seq in [1, 3, 5] {
        table.delete("log#r", &format!("{seq:020}")).await;
    }
    let stored = store.append("r", &draft("a=", None), end).await;
    assert_eq!(stored.map(|it| it.seq), Ok(6));
    let found = store.history("r", Range::Last, 9, end).await.expect("one");
    assert_eq!(found.len(), 1);
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn ids_are_forgotten_when_no_connection_can_repeat_them() {
    let table = Table::new().await;
    let store = table.store();
    join(&store, "r", "a=").await;
    let one = draft("a=", Some("m"));
    store.append("r", &one, NOW).await.expect("a message");
    let end = NOW + CONNECTION_LIFETIME_MS;
    let two = draft("a=", Some("m"));
    let stored = store.append("r", &two, end).await;
    assert_eq!(stored.map(|it| (it.seq, it.repeated)), Ok((2, false)));
}

#[tokio::test]
#[ignore = "needs DynamoDB at CHAT_TEST_DYNAMODB"]
async fn a_part_of_a_fan_out_is_one_invocations_until_its_time_is_over() {
    let table = Table::new().await;
    let (one, other) = (table.store(), table.store());
    let begun = one.begin("c", NOW, NOW + 5000).await;
    assert_eq!(begun, Ok(Some(String::new())));
    one.record("c", "101").await.expect("a record");
    assert_eq!(other.begin("c", NOW + 5000, NOW + 9000).await, Ok(None));
    let again = other.begin("c", NOW + 5001, NOW + 9000).await;
    assert_eq!(again, Ok(Some("101".to_owned())));
}
