//! The main job as a user does it: up, two clients chat, down.

use std::path::Path;
use testkit::{Client, Deployer, Received};

/// The workspace: the project whose service is the chat.
fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the deployer lies in the workspace")
}

fn deployer() -> Deployer {
    Deployer::new(env!("CARGO_BIN_EXE_deployer"), project())
}

fn up(deployer: &Deployer) -> String {
    let result = deployer.result(&["up", "local"]);
    result["url"].as_str().expect("a URL").to_owned()
}

/// Sends, and gives the sender's next message once all functions are done.
async fn say(deployer: &Deployer, client: &mut Client, text: &str) -> String {
    client.send(text).await;
    let answer = client.text().await;
    deployer.until_idle().await;
    answer
}

fn id_of(joined: &str) -> &str {
    joined
        .strip_suffix(" has joined to Room room1")
        .expect(joined)
}

const JOIN: &str = r#"{"action":"join","room":"room1"}"#;

#[tokio::test]
async fn two_clients_chat_from_up_to_down() {
    let deployer = deployer();
    let first = deployer.run(&["up", "local"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(
        first.stdout.contains("chat/local is live"),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("tls   wss://127.0.0.1:"),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("next  deployer connect local"),
        "{}",
        first.stdout
    );
    let second = deployer.succeed(&["up", "local"]);
    assert!(second.starts_with("chat/local: nothing to do"), "{second}");
    assert!(
        deployer
            .succeed(&["plan", "local"])
            .starts_with("chat/local: nothing to do")
    );
    let url = up(&deployer);
    assert!(deployer.succeed(&["status", "local"]).contains(&url));

    let mut a = Client::connect(&url).await.expect("A is let in");
    assert_eq!(say(&deployer, &mut a, "hi there").await, "hi there");
    let joined = say(&deployer, &mut a, JOIN).await;
    let id_a = id_of(&joined).to_owned();
    assert_eq!(
        say(&deployer, &mut a, JOIN).await,
        "You have already joined to room1."
    );
    let said = say(
        &deployer,
        &mut a,
        r#"{"action":"send","room":"room1","msg":"this is AWS"}"#,
    )
    .await;
    assert_eq!(said, format!("[{id_a}]: this is AWS"));

    let mut b = Client::connect(&url).await.expect("B is let in");
    let refused = say(
        &deployer,
        &mut b,
        r#"{"action":"send","room":"room1","msg":"x"}"#,
    )
    .await;
    assert_eq!(
        refused,
        "In order to send message room to room1, join first."
    );
    let joined = say(&deployer, &mut b, JOIN).await;
    let id_b = id_of(&joined).to_owned();
    assert_eq!(a.text().await, joined);
    let said = say(
        &deployer,
        &mut b,
        r#"{"action":"send","room":"room1","msg":"this is AWS User B"}"#,
    )
    .await;
    assert_eq!(said, format!("[{id_b}]: this is AWS User B"));
    assert_eq!(a.text().await, said);

    // Malformed requests concern their sender alone.
    for (request, about) in [
        (r#"{"action":"join"}"#.to_owned(), "room"),
        (r#"{"action":"join","room":7}"#.to_owned(), "room"),
        (r#"{"action":"send","room":"room1"}"#.to_owned(), "msg"),
        (
            format!(
                r#"{{"action":"send","room":"room1","msg":"{}"}}"#,
                "x".repeat(5000)
            ),
            "msg",
        ),
    ] {
        let answer = say(&deployer, &mut b, &request).await;
        assert!(answer.contains(about), "{request}: {answer}");
    }

    // Who is gone has left, and doesn't keep a message from the rest.
    drop(a);
    deployer.until_connected(1).await;
    let who = r#"{"action":"who","room":"room1"}"#;
    let there = say(&deployer, &mut b, who).await;
    assert!(there.contains(&id_b) && !there.contains(&id_a), "{there}");
    let said = say(
        &deployer,
        &mut b,
        r#"{"action":"send","room":"room1","msg":"alone"}"#,
    )
    .await;
    assert_eq!(said, format!("[{id_b}]: alone"));

    // Down, while B is connected.
    let down = deployer.succeed(&["down", "local"]);
    assert!(down.contains("chat/local is gone"), "{down}");
    assert!(down.contains("the local cloud has stopped"), "{down}");
    assert!(matches!(b.receive().await, Received::Closed(1001 | 1006)));
    let again = deployer.succeed(&["down", "local"]);
    assert_eq!(again, "chat/local: nothing to do\n");
    assert!(std::net::TcpStream::connect(("127.0.0.1", deployer.port())).is_err());
    let left = project().join(format!(".deployer/local-cloud-{}", deployer.port()));
    assert!(!left.exists(), "{}", left.display());
}

#[tokio::test]
async fn a_client_by_tls_chats_with_the_others_and_trusts_an_authority_that_outlives_down() {
    let ca = tempfile::tempdir().expect("a folder");
    let mut deployer = deployer();
    let dir = ca.path().to_str().expect("a path that is text");
    deployer.set("DEPLOYER_LOCAL_CA", dir);
    let result = deployer.result(&["up", "local"]);
    let url = |key: &str| result[key].as_str().expect(key).to_owned();
    let authority = ca.path().join("ca.pem");

    let mut plain = Client::connect(&url("url")).await.expect("let in");
    let encrypted = Client::connect_by_tls(&url("secure_url"), &authority).await;
    let mut encrypted = encrypted.expect("let in");
    let joined = say(&deployer, &mut plain, JOIN).await;
    let id = id_of(&joined);
    say(&deployer, &mut encrypted, JOIN).await;
    plain.text().await;
    let send = r#"{"action":"send","room":"room1","msg":"hello"}"#;
    let said = say(&deployer, &mut plain, send).await;
    assert_eq!(said, format!("[{id}]: hello"));
    assert_eq!(encrypted.text().await, said);

    let before = std::fs::read(&authority).expect("a certificate");
    deployer.succeed(&["down", "local"]);
    assert_eq!(std::fs::read(&authority).expect("still there"), before);
}

#[tokio::test]
async fn what_clients_must_not_send_ends_their_connection_and_no_other() {
    let deployer = deployer();
    let url = up(&deployer);
    let mut bystander = Client::connect(&url).await.expect("let in");
    let cases: [(&str, u16); 2] = [("binary", 1003), ("200 KB", 1009)];
    for (case, code) in cases {
        let mut client = Client::connect(&url).await.expect("let in");
        match case {
            "binary" => client.send_binary(&[0, 159, 146, 150]).await,
            _ => client.send(&"x".repeat(200_000)).await,
        }
        assert_eq!(client.receive().await, Received::Closed(code), "{case}");
    }
    // Garbage that is text has no route: it is echoed.
    assert_eq!(
        say(&deployer, &mut bystander, "{\"action\":").await,
        "{\"action\":"
    );
    let status = Client::connect(&format!("{url}-of-nobody")).await.err();
    assert_eq!(status, Some(403), "a stage that doesn't exist");
}

#[tokio::test]
async fn events_that_overlap_in_the_room_get_the_gateways_own_error_frame() {
    let deployer = deployer();
    let url = up(&deployer);
    let mut client = Client::connect(&url).await.expect("let in");
    const AT_ONCE: usize = 20;
    for index in 0..AT_ONCE {
        client
            .send(&format!(r#"{{"action":"join","room":"r{index}"}}"#))
            .await;
    }
    let mut refused = 0;
    for _ in 0..AT_ONCE {
        let answer = client.text().await;
        if answer.starts_with(r#"{"message": "Internal server error", "connectionId":""#) {
            refused += 1;
        } else {
            assert!(
                answer.contains("has joined to Room r") || answer.contains("more than"),
                "{answer}"
            );
        }
    }
    assert!(
        refused > 0 && refused < AT_ONCE,
        "{refused} of {AT_ONCE} were refused"
    );
}
