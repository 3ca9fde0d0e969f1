//! Lambda: an action for each operation, on the function, qualifier included.

use super::Need;
use crate::Settings;
use crate::operations;
use crate::wire::Service;
use crate::wire::members::Members;
use crate::wire::rest_json::RestRequest;

pub(super) fn needs(request: &RestRequest, members: &Members, settings: &Settings) -> Vec<Need> {
    let path = request.path();
    let method = request.method.as_str();
    let Some(operation) = operations::by_path(Service::Lambda, method, &path) else {
        return Vec::new();
    };
    // Every path that names a function, or its ARN, has it there.
    let function = path.get(2).copied();
    let text = |name: &str| members.text(name).ok().flatten();
    let created = text("FunctionName").filter(|_| operation == "CreateFunction");
    let function = function.map(str::to_owned).or(created);
    let resource = match (&function, request.query("Qualifier")) {
        (None, _) => "*".to_owned(),
        (Some(name), None) => arn(name, settings),
        (Some(name), Some(qualifier)) => format!("{}:{qualifier}", arn(name, settings)),
    };
    let mut needs = vec![Need::new(format!("lambda:{operation}"), resource.clone())];
    if operation == "CreateFunction" && members.says_something("Tags") {
        needs.push(Need::new("lambda:TagResource", resource));
    }
    if let Some(role) = text("Role") {
        needs.push(Need::pass_role(&role, "lambda.amazonaws.com"));
    }
    needs
}

/// The function whose tags an answer has beside all else: GetFunction's.
pub(super) fn tagged(request: &RestRequest, settings: &Settings) -> Option<String> {
    let path = request.path();
    let operation = operations::by_path(Service::Lambda, request.method.as_str(), &path)?;
    let name = path.get(2).filter(|_| operation == "GetFunction")?;
    Some(arn(name, settings))
}

fn arn(function: &str, settings: &Settings) -> String {
    match function.starts_with("arn:") {
        true => function.to_owned(),
        false => {
            let name = function.rsplit("function:").next().unwrap_or(function);
            let (region, account) = (&settings.region, &settings.account_id);
            format!("arn:aws:lambda:{region}:{account}:function:{name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use serde_json::json;

    use super::*;

    #[test]
    fn creating_a_function_needs_its_tags_and_its_role_to_be_allowed_too() {
        let input = json!({ "FunctionName": "chat", "Role": "arn:aws:iam::1:role/f", "Tags": { "a": "b" } });
        let body = Bytes::from(input.to_string());
        let request = Request::post("/2015-03-31/functions")
            .body(body)
            .expect("a request");
        let members = Members::parse(request.body()).expect("an object");
        let settings = crate::access::tests::settings();
        let needs = needs(&RestRequest::read(&request), &members, &settings);
        let actions: Vec<&str> = needs.iter().map(|it| it.action.as_str()).collect();
        assert_eq!(
            actions,
            [
                "lambda:CreateFunction",
                "lambda:TagResource",
                "iam:PassRole"
            ]
        );
        assert_eq!(
            needs[0].resource,
            "arn:aws:lambda:us-east-1:000000000000:function:chat"
        );
        assert_eq!(needs[2].resource, "arn:aws:iam::1:role/f");
    }

    #[test]
    fn a_version_is_a_resource_of_its_own() {
        let uri = "/2015-03-31/functions/chat?Qualifier=3";
        let request = Request::delete(uri).body(Bytes::new()).expect("a request");
        let settings = crate::access::tests::settings();
        let needs = needs(&RestRequest::read(&request), &Members::default(), &settings);
        assert_eq!(needs[0].action, "lambda:DeleteFunction");
        assert!(needs[0].resource.ends_with(":function:chat:3"), "{needs:?}");
    }
}
