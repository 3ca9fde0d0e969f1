//! An API that somebody else made, as CDK does (names of its own, an integration for each
//! route, permissions by the functions' own policies): imported, taken over while a client is
//! connected, moved route by route, and removed. The functions that were there stay.

use deployer_core::names::ApiId;
use deployer_engine::cloud::CloudReader;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::up::{make_plan, up};
use http::Method;
use local_cloud::{ACCOUNT_ID, REGION};
use serde_json::{Value, json};
use testkit::by_hand::{Operation, call, succeed};
use testkit::{Client, Deployer, Fault, FaultyWriter, Release, TinyProject, WireCall, World};

/// A stage that invokes it, and has a function of its own.
const CHAT: Release = Release {
    service: r#"
service = "chat"
[functions.mine]
[functions.room]
existing = "somebody-alpha-tiny"
[routes]
join = "room"
leave = "room"
send = "mine"
"#,
    code: "first",
};

/// What is deployed first stands for a function of somebody else's.
const SOMEBODY: &str = r#"
service = "somebody"
[functions.tiny]
[routes]
"$default" = "tiny"
"#;
const FUNCTION: &str = "somebody-local-tiny";

async fn gateway(port: u16, method: Method, path: &str, body: &Value) -> Value {
    let text = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let call = WireCall::new("apigateway", method, path, &text);
    let answer = call.succeed(port).await;
    serde_json::from_str(&answer).unwrap_or(Value::Null)
}

async fn post(port: u16, path: &str, body: Value) -> Value {
    gateway(port, Method::POST, path, &body).await
}

fn text(answer: &Value, member: &str) -> String {
    let found = answer[member].as_str();
    found
        .unwrap_or_else(|| panic!("{member}: {answer}"))
        .to_owned()
}

/// An API with these routes, all to the function; its id.
async fn api_by_hand(port: u16, stage: &str, function: &str, routes: &[&str]) -> String {
    let api = post(
        port,
        "/v2/apis",
        json!({ "name": "Chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action", "tags": { "team": "chat" } }),
    )
    .await;
    let id = text(&api, "apiId");
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function}");
    let uri =
        format!("arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations");
    for route in routes {
        let integration = post(
            port,
            &format!("/v2/apis/{id}/integrations"),
            json!({ "integrationType": "AWS_PROXY", "integrationUri": uri }),
        )
        .await;
        let target = format!("integrations/{}", text(&integration, "integrationId"));
        let body = json!({ "routeKey": route, "target": target });
        post(port, &format!("/v2/apis/{id}/routes"), body).await;
    }
    let deployment = post(port, &format!("/v2/apis/{id}/deployments"), json!({})).await;
    let stage = json!({ "stageName": stage, "deploymentId": text(&deployment, "deploymentId") });
    post(port, &format!("/v2/apis/{id}/stages"), stage).await;
    let permission = json!({
        "StatementId": format!("gateway-{id}"),
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{id}/*/*"),
    });
    let policy = format!("/2015-03-31/functions/{function}/policy");
    succeed(port, Operation::Lambda("POST", &policy), &permission).await;
    id
}

/// The function's code and settings, as AWS tells whether anything of them was written.
async fn function(port: u16, name: &str) -> (Value, Value) {
    let path = format!("/2015-03-31/functions/{name}");
    let found = succeed(port, Operation::Lambda("GET", &path), &Value::Null).await;
    let path = format!("{path}/policy");
    let policy = succeed(port, Operation::Lambda("GET", &path), &Value::Null).await;
    let configuration = &found["Configuration"];
    (
        json!([
            configuration["RevisionId"],
            configuration["CodeSha256"],
            found["Tags"]
        ]),
        policy,
    )
}

/// The draft's routes and integrations.
async fn draft(port: u16, id: &str) -> (Value, Value) {
    let read = |what: &str| {
        let path = format!("/v2/apis/{id}/{what}");
        async move { gateway(port, Method::GET, &path, &Value::Null).await["items"].clone() }
    };
    (read("routes").await, read("integrations").await)
}

/// Lets the function post to connections of any API, as its maker would.
async fn may_post(port: u16) {
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*",
    }] });
    let escaped: String = policy
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    let form = format!(
        "Action=PutRolePolicy&Version=2010-05-08&RoleName=somebody-local-{REGION}-functions&PolicyName=hand&PolicyDocument={escaped}"
    );
    succeed(port, Operation::Iam(&form), &Value::Null).await;
}

fn somebody() -> (TinyProject, Deployer) {
    let project = TinyProject::new();
    project.write("src/main.rs", &TinyProject::answering("theirs"));
    project.write("stages/service.toml", SOMEBODY);
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    deployer.succeed(&["up", "local"]);
    for file in ["service.toml", "local.toml"] {
        std::fs::remove_file(project.path().join("stages").join(file)).expect("it was there");
    }
    (project, deployer)
}

fn replaced(project: &TinyProject, file: &str, old: &str, new: &str) {
    let text = std::fs::read_to_string(project.path().join(file)).expect("it is there");
    assert!(text.contains(old), "{text}");
    project.write(file, &text.replace(old, new));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_made_by_hand_is_imported_adopted_moved_route_by_route_and_removed() {
    let (project, deployer) = somebody();
    let port = deployer.port();
    may_post(port).await;
    let id = api_by_hand(port, "Prod", FUNCTION, &["$connect", "$default", "join"]).await;
    let url = format!("ws://127.0.0.1:{port}/{id}/Prod");
    let mut client = Client::connect(&url).await.expect("it serves");
    client.send("hello").await;
    assert_eq!(client.text().await, "theirs");
    let before = (function(port, FUNCTION).await, draft(port, &id).await);

    let port_of = port.to_string();
    let import = ["import", id.as_str(), "--local", "--port", &port_of];
    let imported = deployer.result(&import);
    assert_eq!(imported["stage"], "Prod", "{imported}");
    assert_eq!(imported["lost"], json!([]));
    let again = deployer.run(&import);
    assert_eq!(again.code, 2, "{}", again.stderr);

    // Without being asked, nothing is taken over.
    let refused = deployer.run(&["up", "Prod"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("up --adopt"), "{}", refused.stderr);
    let plan = deployer.succeed(&["plan", "Prod", "--adopt"]);
    for replaced in [
        "+ api",
        "integration",
        "route ",
        "+ function",
        "~ function",
        "- function",
    ] {
        assert!(!plan.contains(replaced), "{plan}");
    }
    let up = deployer.result(&["up", "Prod", "--adopt"]);
    assert!(text(&up, "url").ends_with(&format!("/{id}/Prod")), "{up}");
    assert_eq!(
        (function(port, FUNCTION).await, draft(port, &id).await),
        before
    );
    client.send("hello").await;
    assert_eq!(client.text().await, "theirs");
    let plan = deployer.succeed(&["plan", "Prod"]);
    assert!(plan.contains("nothing to do"), "{plan}");

    // What of a function is named must be there, too.
    let named = format!("existing = \"{FUNCTION}\"");
    let alias = format!("existing = \"{FUNCTION}:nobodys\"");
    replaced(&project, "stages/Prod.toml", &named, &alias);
    let refused = deployer.run(&["plan", "Prod"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    let said = format!("function {FUNCTION}:nobodys isn't there");
    assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    replaced(&project, "stages/Prod.toml", &alias, &named);

    // One route moves to a function of ours.
    project.write("src/main.rs", &TinyProject::answering("ours"));
    replaced(
        &project,
        "stages/service.toml",
        "\n[routes]",
        "\n[functions.mine]\npackage = \"tiny\"\n\n[routes]",
    );
    let routes = project.path().join("stages/service.toml");
    let routes = std::fs::read_to_string(routes).expect("it is there");
    let old = routes
        .lines()
        .find(|it| it.starts_with("\"join\""))
        .expect("a route");
    replaced(&project, "stages/service.toml", old, "join = \"mine\"");
    deployer.succeed(&["up", "Prod"]);
    client.send(r#"{"action":"join"}"#).await;
    assert_eq!(client.text().await, "ours");
    client.send("hello").await;
    assert_eq!(client.text().await, "theirs");
    assert_eq!(function(port, FUNCTION).await, before.0);
    deployer.succeed(&["rollback", "Prod"]);
    client.send(r#"{"action":"join"}"#).await;
    assert_eq!(client.text().await, "theirs");

    deployer.succeed(&["down", "Prod"]);
    assert_eq!(function(port, FUNCTION).await, before.0);
    let gone = WireCall::new("apigateway", Method::GET, &format!("/v2/apis/{id}"), "");
    assert_eq!(gone.send(port).await.0, 404);
    let mine = Operation::Lambda("GET", "/2015-03-31/functions/chat-Prod-mine");
    assert_eq!(call(port, mine, &Value::Null).await.0, 404);
    let refused = deployer.run(&["up", "Prod", "--adopt"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("remove `adopt`"),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stage_files_cant_say_is_told_before_anything_is_written() {
    let (project, deployer) = somebody();
    let port = deployer.port();
    let id = api_by_hand(port, "alpha", FUNCTION, &["$connect", "$default"]).await;
    post(
        port,
        &format!("/v2/apis/{id}/routes"),
        json!({ "routeKey": "old" }),
    )
    .await;
    let port_of = port.to_string();
    let import = ["import", id.as_str(), "--local", "--port", &port_of];
    let refused = deployer.run(&import);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("route old"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--partial"), "{}", refused.stderr);
    let written = std::fs::read_dir(project.path().join("stages")).expect("a folder");
    assert_eq!(written.count(), 0);
    let said = deployer.succeed(&[&import[..], &["--partial"]].concat());
    assert!(said.contains("lost: route old"), "{said}");
    let plan = deployer.succeed(&["plan", "alpha", "--adopt"]);
    assert!(plan.contains("- route           old"), "{plan}");
    deployer.succeed(&["stages", "show", "alpha"]);
    let missing = deployer.run(&["import", "nothing", "--local", "--port", &port_of]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    let nobodys = testkit::free_port().to_string();
    let missing = deployer.run(&["import", id.as_str(), "--local", "--port", &nobodys]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    assert!(
        missing.stderr.contains("which isn't running"),
        "{}",
        missing.stderr
    );
}

#[tokio::test]
async fn an_adoption_by_id_that_dies_at_any_write_is_finished_by_the_next() {
    const THEIRS: &str = "somebody-alpha-tiny";
    let world = World::new().await;
    let port = world.port();
    let somebody = Release {
        service: SOMEBODY,
        code: "theirs",
    };
    world.converge(somebody, "somebody's up").await;
    let cloud = &world.session.cloud;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let after = format!("adoption, {fault:?} write {write}");
            let id = api_by_hand(port, "alpha", THEIRS, &["join", "leave", "send", "old"]).await;
            let theirs = function(port, THEIRS).await;
            let (mut desired, artifacts) = world.session.desired(CHAT);
            desired.adopt = true;
            desired.api = Some(ApiId::new(id.as_str()));
            let writer = FaultyWriter::new(cloud, fault, write);
            let interrupt = Interrupt::default();
            let means = world
                .session
                .means(&desired, &artifacts, &writer, &interrupt);
            let first = up(&desired, &means).await.expect("it reads");
            let finished = !writer.reached();
            // A lost answer is looked after within the same run.
            assert!(
                first.outcome.complete() == finished || fault == Fault::After,
                "{after}"
            );
            let means = world.session.means(&desired, &artifacts, cloud, &interrupt);
            let again = up(&desired, &means).await.expect("nobody's or ours");
            assert!(
                again.outcome.complete(),
                "{after}: {:?}",
                again.outcome.failed
            );
            let (plan, observed) = make_plan(cloud, &desired).await.expect("it reads");
            assert!(plan.is_empty(), "{after}: {plan}");
            let apis: Vec<&str> = observed
                .apis
                .iter()
                .map(|api| api.api_id.as_str())
                .collect();
            assert_eq!(apis, [id.as_str()], "{after}");
            assert_eq!(observed.apis[0].routes.len(), 3, "{after}");
            // One for each of its routes, as they were, and one of ours.
            assert_eq!(observed.apis[0].integrations.len(), 3, "{after}");

            let down = world.session.down(CHAT).await.expect("it reads");
            assert!(down.outcome.complete(), "{after}: {}", down.left);
            let left = cloud.list_apis(&desired.names).await.expect("it reads");
            assert!(left.is_empty(), "{after}");
            assert_eq!(function(port, THEIRS).await, theirs, "{after}");
            if finished {
                break;
            }
            write += 1;
        }
    }
}
