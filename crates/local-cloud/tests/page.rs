//! The page of the local cloud: who gets it, and what it is told.

mod support;

use serde_json::{Value, json};
use support::TestCloud;
use support::deploy::{Function, function_arn};
use support::http::{Answer, request, signed};

/// Everything that is made for pages: method, path, and the status where all is well.
const ENDPOINTS: [(&str, &str, u16); 15] = [
    ("GET", "/", 200),
    ("GET", "/_local/page/app.css", 200),
    ("GET", "/_local/page/nothing.js", 404),
    ("GET", "/chat", 307),
    ("GET", "/chat/", 200),
    ("GET", "/_local/chat/index.html", 200),
    ("GET", "/_local/overview", 200),
    ("GET", "/_local/deployments", 400),
    ("GET", "/_local/invocations", 200),
    ("POST", "/_local/invocations/none/resend", 404),
    ("DELETE", "/_local/connections/none=", 404),
    ("GET", "/_local/faults", 200),
    ("POST", "/_local/faults", 400),
    ("DELETE", "/_local/faults/none", 404),
    ("DELETE", "/_local/faults", 204),
];

async fn ask(cloud: &TestCloud, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("x-local-cloud", "1")];
    all.extend(headers);
    request(cloud.port, method, path, &all, b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_this_port_and_who_is_no_page_are_answered() {
    let cloud = TestCloud::start().await;
    for (method, path, expected) in ENDPOINTS {
        for name in ["127.0.0.1", "localhost", "[::1]"] {
            let host = format!("{name}:{}", cloud.port);
            let origin = format!("http://{host}");
            let own = [
                ("host", host.as_str()),
                ("origin", &origin),
                ("sec-fetch-site", "same-origin"),
            ];
            for headers in [&own[..], &own[..1], &[own[0], ("sec-fetch-site", "none")]] {
                let answer = ask(&cloud, method, path, headers).await;
                assert_eq!(answer.status, expected, "{method} {path}: {answer:?}");
                for (name, value) in [
                    ("cache-control", "no-store"),
                    ("x-content-type-options", "nosniff"),
                    ("referrer-policy", "no-referrer"),
                    ("x-frame-options", "DENY"),
                ] {
                    assert_eq!(answer.header(name), Some(value), "{path}");
                }
                if answer.status >= 400 {
                    assert!(answer.json()["message"].is_string(), "{answer:?}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_are_refused_everything() {
    let cloud = TestCloud::start().await;
    let (host, other) = (
        format!("127.0.0.1:{}", cloud.port),
        format!("http://127.0.0.1:{}", cloud.port + 1),
    );
    let (rebound, same) = (
        format!("evil.test:{}", cloud.port),
        format!("http://evil.test:{}", cloud.port),
    );
    let (encrypted, by_name) = (
        format!("https://{host}"),
        format!("http://localhost:{}", cloud.port),
    );
    let here = ("host", host.as_str());
    let endpoints = ENDPOINTS.map(|(method, path, _)| (method, path));
    for (method, path) in endpoints.into_iter().chain([("GET", "/_local/traffic")]) {
        for headers in [
            &[here, ("origin", "https://site.example")][..],
            &[here, ("origin", "null")],
            // Another port of this machine, another scheme, another name of it.
            &[here, ("origin", &other)],
            &[here, ("origin", &encrypted)],
            &[here, ("origin", &by_name)],
            &[here, ("sec-fetch-site", "cross-site")],
            &[here, ("sec-fetch-site", "same-site")],
            // A name that was made this machine's: to the browser all is the same origin.
            &[("host", &rebound), ("origin", &same)],
            &[("host", &rebound), ("sec-fetch-site", "same-origin")],
            &[("host", &rebound)],
        ] {
            let answer = ask(&cloud, method, path, headers).await;
            assert_eq!(
                answer.status, 403,
                "{method} {path} {headers:?}: {answer:?}"
            );
            assert!(answer.json()["message"].is_string(), "{answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_needs_the_header_that_no_form_can_send() {
    let cloud = TestCloud::start().await;
    let id = cloud.fault(&json!({ "kind": "crash" })).await;
    let one = format!("/_local/faults/{id}");
    for (method, path) in [
        ("POST", "/_local/faults"),
        ("DELETE", "/_local/faults"),
        ("DELETE", one.as_str()),
        ("DELETE", "/_local/connections/none="),
        ("POST", "/_local/invocations/none/resend"),
    ] {
        let answer = request(cloud.port, method, path, &[], b"{}").await;
        assert_eq!(answer.status, 403, "{method} {path}");
        assert!(answer.body.contains("x-local-cloud"), "{answer:?}");
    }
    let faults = cloud.look("/_local/faults").await;
    assert_eq!(faults["faults"][0]["id"], id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_and_the_end_stay_closed_to_every_page() {
    let cloud = TestCloud::start().await;
    let origin = format!("http://127.0.0.1:{}", cloud.port);
    for mark in [
        [("origin", origin.as_str()), ("x-local-cloud", "1")],
        [("sec-fetch-site", "same-origin"), ("x-local-cloud", "1")],
    ] {
        for (service, method, path) in [
            ("apigateway", "GET", "/v2/apis"),
            ("lambda", "GET", "/2015-03-31/functions"),
            ("lambda", "POST", "/2015-03-31/functions/f/invocations"),
            ("iam", "POST", "/"),
            ("execute-api", "POST", "/abcd123456/local/@connections/abc="),
            ("local", "POST", "/_local/shutdown"),
            ("local", "GET", "/_local/health"),
            ("local", "GET", "/_local/code/0a"),
        ] {
            let answer = signed(service, cloud.port, method, path, &mark, b"").await;
            assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
        }
    }
    assert_eq!(cloud.health().await["name"], "local-cloud");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_chats_page_are_documents_that_load_nothing_from_elsewhere() {
    let cloud = TestCloud::start().await;
    for path in ["/", "/chat/", "/chat/?url=ws://x"] {
        let page = cloud.page("GET", path, "").await;
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let policy = page.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(page.body.contains("<html"), "{path}: {page:?}");
    }
    let folder = cloud.page("GET", "/chat?url=ws://x", "").await;
    assert_eq!(folder.header("location"), Some("/chat/?url=ws://x"));
    assert_eq!(cloud.page("POST", "/chat/", "").await.status, 405);
    assert_eq!(
        cloud.page("GET", "/_local/page/../health", "").await.status,
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_by_tls_too() {
    let cloud = TestCloud::start().await;
    let own = format!("https://127.0.0.1:{}", cloud.port);
    let plain = format!("http://127.0.0.1:{}", cloud.port);
    for (origin, expected) in [(own, 200), (plain, 403)] {
        let headers = [("origin", origin.as_str())];
        for path in ["/", "/_local/overview"] {
            let answer = cloud.request_by_tls("GET", path, &headers, b"").await;
            assert_eq!(answer.status, expected, "{origin} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_what_is_live_and_who_is_connected() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let _client = cloud.connect(&stage).await;
    let found = cloud.look("/_local/overview").await;
    assert_eq!(found["region"], "us-east-1");
    assert_eq!(found["account"], "000000000000");
    assert_eq!(found["consistent"], true);
    let api = &found["apis"][0];
    assert_eq!(api["apiId"], stage.api_id.as_str());
    assert_eq!(api["routeSelectionExpression"], "$request.body.action");
    let shown = &api["stages"][0];
    let address = format!("127.0.0.1:{}{}", cloud.port, stage.path());
    assert_eq!(shown["url"], format!("ws://{address}"));
    assert_eq!(shown["secureUrl"], format!("wss://{address}"));
    assert_eq!(shown["release"], Value::Null);
    let routes = json!([
        { "routeKey": "$connect", "authorization": "NONE", "function": "scripted", "qualifier": null, "timeoutMs": 29000 },
        { "routeKey": "$default", "authorization": "NONE", "function": "scripted", "qualifier": null, "timeoutMs": 29000 },
    ]);
    assert_eq!(shown["routes"], routes);
    let function = &found["functions"][0];
    assert_eq!(function["functionName"], "scripted");
    assert_eq!(function["timeoutS"], 20);
    assert_eq!(found["connectionsOpen"], 1);
    assert_eq!(found["connections"][0]["apiId"], stage.api_id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_deployments_can_be_compared() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let publish = async || {
        let path = "/2015-03-31/functions/scripted/versions";
        cloud.lambda("POST", path, &json!({})).await.json()["Version"].clone()
    };
    assert_eq!(publish().await, "1");
    let arn = format!("{}:${{stageVariables.version}}", function_arn("scripted"));
    let variables = json!({ "version": "1" });
    let routes = [("$default", arn)];
    let stage = cloud.stage_of_arns(&routes, &role, 1000, &variables).await;
    let change =
        json!({ "MemorySize": 256, "Timeout": 7, "Environment": { "Variables": { "NEW": "x" } } });
    let path = "/2015-03-31/functions/scripted/configuration";
    assert_eq!(cloud.lambda("PUT", path, &change).await.status, 200);
    assert_eq!(publish().await, "2");
    let api = format!("/v2/apis/{}", stage.api_id);
    let second = json!({ "description": "deployer release 0123456789abcdef manifest 0a" });
    let made = cloud
        .api("POST", &format!("{api}/deployments"), &second)
        .await;
    let live =
        json!({ "deploymentId": made["deploymentId"], "stageVariables": { "version": "2" } });
    cloud
        .api("PATCH", &format!("{api}/stages/local"), &live)
        .await;

    let path = format!("/_local/deployments?apiId={}", stage.api_id);
    let found = cloud.look(&path).await;
    let [newest, oldest] = found["deployments"].as_array().unwrap().as_slice() else {
        panic!("{found}");
    };
    assert_eq!(newest["deploymentId"], made["deploymentId"]);
    assert_eq!(newest["release"], "0123456789abcdef");
    assert_eq!(
        (&newest["liveOn"], &oldest["liveOn"]),
        (&json!(["local"]), &json!([]))
    );
    assert_eq!(
        newest["routes"],
        json!([{ "routeKey": "$default", "authorization": "NONE", "integration": {
            "type": "AWS_PROXY", "function": "scripted", "qualifier": "2", "timeoutMs": 1000,
        } }])
    );
    let function = &newest["functions"][0];
    assert_eq!(
        (&function["version"], &function["memoryMb"]),
        (&json!("2"), &json!(256))
    );
    assert_eq!(
        (&function["timeoutS"], &function["runtime"]),
        (&json!(7), &json!("provided.al2023"))
    );
    assert_eq!(function["environmentNames"], json!(["NEW"]));
    assert_eq!(
        cloud
            .page("GET", "/_local/deployments?apiId=none", "")
            .await
            .status,
        404
    );
    let overview = cloud.look("/_local/overview").await;
    let shown = &overview["apis"][0]["stages"][0];
    assert_eq!(shown["release"], "0123456789abcdef");
    assert_eq!(shown["routes"][0]["qualifier"], "2");
    assert_eq!(overview["functions"][0]["versions"], json!(["1", "2"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_functions_variables_is_told_anywhere() {
    const VALUE: &str = "the-value-of-the-secret";
    let cloud = TestCloud::start().await;
    let function = Function {
        environment: &[("SECRET", VALUE), ("PLAIN", VALUE)],
        ..Function::default()
    };
    let mut told = cloud.told().await;
    let stage = cloud
        .scripted_as(&function, &["$connect", "$default"])
        .await;
    let mut client = cloud.connect(&stage).await;
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
    for fault in ["crash", "throttle"] {
        cloud.fault(&json!({ "kind": fault, "times": 1 })).await;
        client.tell("echo hello").await;
        assert!(client.text().await.contains("Internal server error"));
    }
    let marker = "the last line";
    client.tell(&format!("print {marker}")).await;
    let mut lines = String::new();
    let of_marker = |line: &Value| line["message"].as_str() == Some(marker);
    told.find_all(|line| {
        lines += &line.to_string();
        line["kind"] == "log" && of_marker(line)
    })
    .await;
    assert!(
        lines.contains("invocation") && !lines.contains(VALUE),
        "{lines}"
    );
    let deployments = format!("/_local/deployments?apiId={}", stage.api_id);
    for path in [
        "/_local/overview",
        &deployments,
        "/_local/invocations",
        "/_local/faults",
        "/",
    ] {
        let answer = cloud.page("GET", path, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.body.contains(VALUE), "{path}: {answer:?}");
    }
    let names = &cloud.look("/_local/overview").await["functions"][0]["environmentNames"];
    assert_eq!(names, &json!(["PLAIN", "SECRET"]));
}
