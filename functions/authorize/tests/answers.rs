//! Events as API Gateway sends them, and what it gets back.

use authorize::{Claims, Key, Request, Unauthorized, authorize, sign};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const METHOD: &str = "arn:aws:execute-api:eu-central-1:123456789012:abcd123456/alpha/$connect";

fn key() -> Key {
    Key::new(b"a key of thirty-two bytes or more").expect("long enough")
}

fn token(exp: u64) -> String {
    let claims = Claims {
        sub: "ann".to_owned(),
        exp,
        nbf: None,
    };
    sign(&claims, &key())
}

/// An authorizer's event, shortened.
fn event(query: &Value, headers: &Value) -> Request {
    let event = json!({
        "type": "REQUEST",
        "methodArn": METHOD,
        "headers": headers,
        "multiValueHeaders": {},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {},
        "stageVariables": {},
        "requestContext": {
            "routeKey": "$connect", "eventType": "CONNECT", "connectionId": "PJqB0fHsqRcCHlw=",
            "apiId": "abcd123456", "stage": "alpha",
        },
    });
    serde_json::from_value(event).expect("an event")
}

fn answer(request: &Request) -> Value {
    let answer = authorize(request, &key(), NOW).expect("it has a token");
    serde_json::to_value(answer).expect("JSON")
}

#[test]
fn a_good_token_is_let_in_to_what_was_asked_and_no_more() {
    let by_query = event(&json!({ "token": token(NOW + 60) }), &json!({}));
    let offered = format!("chat.json, token.{}", token(NOW + 60));
    let by_header = event(&json!({}), &json!({ "Sec-WebSocket-Protocol": offered }));
    for request in [by_query, by_header] {
        let expected = json!({
            "principalId": "ann",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    { "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": METHOD },
                ],
            },
            "context": { "name": "ann" },
        });
        assert_eq!(answer(&request), expected);
    }
}

#[test]
fn an_expired_or_forged_token_is_denied_and_names_nobody() {
    let forged = format!("{}x", token(NOW + 60));
    for token in [token(NOW), forged, "nonsense".to_owned()] {
        let denied = answer(&event(&json!({ "token": token }), &json!({})));
        let statement = &denied["policyDocument"]["Statement"][0];
        assert_eq!(statement["Effect"], "Deny", "{token}");
        assert_eq!(statement["Resource"], METHOD);
        assert_eq!(denied["principalId"], "nobody");
        assert!(denied.get("context").is_none());
    }
}

#[test]
fn without_a_token_the_error_is_the_one_that_api_gateway_makes_a_401_of() {
    let request = event(&Value::Null, &Value::Null);
    assert_eq!(authorize(&request, &key(), NOW), Err(Unauthorized));
    let error = Diagnostic::from(Unauthorized);
    assert_eq!(error.error_message, "Unauthorized");
}
