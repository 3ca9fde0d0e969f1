//! What the fuzz targets of `fuzz/` do with their input: each says what must hold
//! whatever comes, and panics where it doesn't. The corpus is replayed by a test.
//!
//! Deliberately absent: the fuzzer.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Write};

use bytes::Bytes;
use cloud_model::{Cloud, LiveStage, Settings};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::WebSocket;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::gateway::connection::{self, End, Received};
use crate::gateway::json_path::JsonPath;
use crate::gateway::proxy_response::ProxyResponse;
use crate::gateway::route_selection::{self, CONNECT, DEFAULT, DISCONNECT};
use crate::gateway::{events, samples};
use crate::ids::RandomIds;
use crate::limits::{MAX_MESSAGE, MAX_UNPACKED};
use crate::runtime::unpack::unpack;
use crate::sigv4::{Expected, Secret, Signed, verify};

/// The first line, and what comes after it.
fn lines(input: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(input);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    (first.to_owned(), rest.to_owned())
}

/// A selection expression, and a message: it takes a route that exists, and never one of
/// the connection's own life.
pub fn route_selection(input: &[u8]) {
    let (expression, message) = lines(input);
    let route = |key: &str| {
        let route_key = key.to_owned();
        let route = samples::route();
        (
            route_key.clone(),
            cloud_model::LiveRoute { route_key, ..route },
        )
    };
    let keys = [CONNECT, DISCONNECT, "join", "", "1", "[a, 1]"];
    let mut stage = LiveStage {
        route_selection_expression: expression,
        routes: keys.into_iter().map(route).collect(),
        ..samples::stage()
    };
    let strict = route_selection::select(&stage, &message);
    let strict = strict.map(|route| route.route_key.clone());
    if let Some(key) = &strict {
        assert!(stage.routes.contains_key(key), "{key} is no route");
        assert!(key != CONNECT && key != DISCONNECT, "{key} was reached");
    }
    stage.routes.extend([route(DEFAULT)]);
    let with_default = route_selection::select(&stage, &message);
    let with_default = with_default.map(|route| route.route_key.clone());
    assert_eq!(with_default, strict.or(Some(DEFAULT.to_owned())));
}

/// A path, and JSON: what a path of plain names finds is what is there.
pub fn json_path(input: &[u8]) {
    let (path, body) = lines(input);
    let Ok(body) = serde_json::from_str::<Value>(&body) else {
        return;
    };
    let found = JsonPath::parse(&path).select(&body);
    let mut names = path.split('.');
    let plain = names.next() == Some("") && !path.contains(['[', '*']);
    if !plain || path.ends_with('.') || path.contains("..") {
        return;
    }
    let at = names.try_fold(&body, |value, name| value.as_object()?.get(name));
    match at {
        None | Some(Value::Null) => assert_eq!(found, ""),
        Some(Value::String(text)) => assert_eq!(&found, text),
        Some(Value::Object(members)) => assert!(found.len() > members.len()),
        Some(Value::Array(items)) => assert!(found.len() > items.len()),
        Some(scalar) => assert_eq!(found, scalar.to_string()),
    }
}

/// Headers, and below them a path: nobody gets through who doesn't know the secret.
pub fn sigv4(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (head, path) = text.split_once("\n\n").unwrap_or((&text, "/"));
    let Ok(uri) = path.trim().parse::<Uri>() else {
        return;
    };
    let signed = Signed {
        method: &Method::POST,
        uri: &uri,
        headers: &headers(head),
        body: b"{}",
    };
    let expected = Expected {
        region: Some("us-east-1"),
        service: "execute-api",
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
    };
    let secret = |_: &str| {
        Some(Secret {
            secret_access_key: uuid::Uuid::new_v4().to_string(),
            session_token: None,
        })
    };
    assert!(
        verify(signed, expected, secret).is_err(),
        "it was let through"
    );
}

fn headers(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in text.lines().take(64) {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// A query, headers, and below them a message: events are JSON and say what came. The
/// same text as a function's answer is read or refused.
pub fn events(input: &[u8]) {
    let (query, rest) = lines(input);
    let (head, text) = rest.split_once("\n\n").unwrap_or((&rest, ""));
    let (facts, occasion) = (samples::facts(), samples::occasion());
    let read = |event: Bytes| -> Value { serde_json::from_slice(&event).expect("it is JSON") };

    let message = read(events::message(&facts, &occasion, "$default", "id", text));
    assert_eq!(message["body"], text);
    assert_eq!(message["isBase64Encoded"], false);
    let ended = read(events::disconnect(&facts, &occasion, 1000, text));
    assert_eq!(ended["requestContext"]["disconnectReason"], text);

    let headers = headers(head);
    let event = read(events::connect(&facts, &occasion, &headers, Some(&query)));
    for (single, multi) in [
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ] {
        let names = |key: &str| -> BTreeSet<String> {
            let members = event[key].as_object();
            members.map_or(BTreeSet::new(), |it| it.keys().cloned().collect())
        };
        assert_eq!(names(single), names(multi));
        for name in names(single) {
            let all = event[multi][&name].as_array().expect("a list");
            assert_eq!(
                Some(&event[single][&name]),
                all.last(),
                "the last one counts"
            );
        }
    }
    if let Ok(answer) = ProxyResponse::parse(text.as_bytes()) {
        assert!((100..600).contains(&answer.status.as_u16()));
    }
}

/// A function's zip: the model takes or refuses it, and what comes out stays inside, is
/// no link and no more than Lambda's limit.
pub fn zip_intake(input: &[u8]) {
    use base64::Engine as _;
    let code = base64::engine::general_purpose::STANDARD.encode(input);
    let body = json!({ "ZipFile": code }).to_string();
    let request = Request::put("/2015-03-31/functions/f/code")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/lambda/aws4_request",
        )
        .body(Bytes::from(body))
        .expect("a request");
    let settings = Settings {
        account_id: crate::ACCOUNT_ID.to_owned(),
        region: crate::REGION.to_owned(),
        websocket_base: String::new(),
        code_base: String::new(),
        code_key: String::new(),
        function_activation: jiff::SignedDuration::ZERO,
        realism: None,
        enforce_iam: false,
    };
    let now = "2026-01-01T00:00:00Z".parse().expect("a time");
    let handled = Cloud::new(settings).handle(&request, now, &mut RandomIds);
    assert!(
        !handled.response.status().is_success(),
        "there is no function"
    );

    let dir = tempfile::tempdir().expect("a directory");
    let target = dir.path().join("code");
    let _refused = unpack(input, &target);
    let beside: Vec<_> = std::fs::read_dir(dir.path())
        .expect("it is there")
        .collect();
    assert!(beside.len() <= 1, "something came out beside: {beside:?}");
    let mut bytes = 0;
    let mut left = vec![target];
    while let Some(path) = left.pop() {
        let Ok(about) = std::fs::symlink_metadata(&path) else {
            continue;
        };
        assert!(!about.is_symlink(), "{} is a link", path.display());
        if about.is_dir() {
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            left.extend(entries.map(|entry| entry.path()));
        } else {
            bytes += about.len();
        }
    }
    assert!(bytes <= MAX_UNPACKED + 1, "{bytes} bytes came out");
}

/// What a client sends once it is connected: whatever it is, there is an end to it, and
/// no message beyond the limits gets in.
pub fn websocket_input(input: &[u8]) {
    let stream = Client {
        sends: Cursor::new(input),
    };
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, Some(connection::config()));
    // A frame has two bytes at least; then comes the end.
    for _ in 0..=input.len() / 2 + 1 {
        let received = socket.read();
        match Received::of(Some(received)) {
            Received::Text(text) => assert!(text.len() <= MAX_MESSAGE),
            Received::ControlFrame => {}
            Received::End(End::ByGateway(closing)) => {
                assert!([1002, 1003, 1007, 1009].contains(&closing.code));
                return;
            }
            Received::End(End::ByClient(_) | End::Dropped) => return,
        }
    }
    panic!("it goes on and on");
}

/// Bytes that a client sends; it hears nothing.
struct Client<'a> {
    sends: Cursor<&'a [u8]>,
}

impl Read for Client<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.sends.read(into)
    }
}

impl Write for Client<'_> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn what_the_fuzz_targets_have_learnt_holds() {
        type Target = fn(&[u8]);
        let targets: [(&str, Target); 6] = [
            ("route_selection", super::route_selection),
            ("json_path", super::json_path),
            ("sigv4", super::sigv4),
            ("events", super::events),
            ("zip_intake", super::zip_intake),
            ("websocket_input", super::websocket_input),
        ];
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        for (name, target) in targets {
            let inputs = std::fs::read_dir(corpus.join(name)).unwrap();
            let paths: Vec<_> = inputs.map(|input| input.unwrap().path()).collect();
            assert!(!paths.is_empty(), "{name} has a corpus");
            for path in paths {
                target(&std::fs::read(&path).unwrap());
            }
        }
    }
}
