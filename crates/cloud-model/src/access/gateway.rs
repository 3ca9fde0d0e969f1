//! API Gateway: an action for each HTTP verb, on the path.

use super::Need;
use crate::Settings;
use crate::assumptions::TAG_ON_CREATE;
use crate::wire::members::Members;
use crate::wire::rest_json::RestRequest;

const SERVICE: &str = "apigateway.amazonaws.com";

pub(super) fn needs(request: &RestRequest, members: &Members, settings: &Settings) -> Vec<Need> {
    let path = request.path();
    let path = match path.as_slice() {
        ["v2", rest @ ..] => rest,
        all => all,
    };
    let arn = |path: &str| format!("arn:aws:apigateway:{}::/{path}", settings.region);
    let action = format!("apigateway:{}", request.method);
    let mut needs = vec![Need::new(action, arn(&path.join("/")))];
    if path.first() != Some(&"tags") && members.says_something("tags") {
        // What is to be tagged has no id yet.
        needs.push(Need::new(TAG_ON_CREATE, arn("tags/*")));
    }
    let mut roles: Vec<String> = Vec::new();
    for member in ["credentialsArn", "authorizerCredentialsArn"] {
        roles.extend(members.text(member).ok().flatten());
    }
    for patch in members
        .objects("patchOperations")
        .ok()
        .flatten()
        .into_iter()
        .flatten()
    {
        let text = |name: &str| patch.text(name).ok().flatten();
        if text("path").as_deref() == Some("/cloudwatchRoleArn") {
            roles.extend(text("value"));
        }
    }
    let given = roles.iter().filter(|arn| !arn.is_empty());
    needs.extend(given.map(|arn| Need::pass_role(arn, SERVICE)));
    needs
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use serde_json::{Value, json};

    use super::*;

    fn of(method: &str, path: &str, body: Value) -> Vec<(String, String)> {
        let body = Bytes::from(body.to_string());
        let request = Request::builder().method(method).uri(path).body(body);
        let request = request.expect("a request");
        let members = Members::parse(request.body()).expect("an object");
        let settings = crate::access::tests::settings();
        let needs = needs(&RestRequest::read(&request), &members, &settings);
        needs
            .into_iter()
            .map(|it| (it.action, it.resource))
            .collect()
    }

    fn pair(action: &str, resource: &str) -> (String, String) {
        (action.to_owned(), resource.to_owned())
    }

    #[test]
    fn an_operation_needs_its_verb_on_its_path_without_the_version() {
        assert_eq!(
            of("POST", "/v2/apis", json!({ "tags": { "a": "b" } })),
            [
                pair("apigateway:POST", "arn:aws:apigateway:us-east-1::/apis"),
                pair(TAG_ON_CREATE, "arn:aws:apigateway:us-east-1::/tags/*"),
            ]
        );
        assert_eq!(
            of("DELETE", "/v2/apis/a/routes/r", json!({})),
            [pair(
                "apigateway:DELETE",
                "arn:aws:apigateway:us-east-1::/apis/a/routes/r"
            )]
        );
    }

    #[test]
    fn who_hands_a_role_over_must_be_allowed_to_pass_it() {
        let role = "arn:aws:iam::1:role/invoke";
        let integration = of(
            "POST",
            "/v2/apis/a/integrations",
            json!({ "credentialsArn": role }),
        );
        assert_eq!(integration[1], pair("iam:PassRole", role));
        let patch = json!({ "patchOperations": [{ "path": "/cloudwatchRoleArn", "value": role }] });
        let account = of("PATCH", "/account", patch);
        assert_eq!(
            account[0],
            pair("apigateway:PATCH", "arn:aws:apigateway:us-east-1::/account")
        );
        assert_eq!(account[1], pair("iam:PassRole", role));
    }
}
