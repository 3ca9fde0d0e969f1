//! Sessions of roles.

use aws_credential_types::Credentials;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::TestCloud;
use super::http::signed;

pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Credentials of a session of a new role, `ci`, with this policy.
pub async fn session(cloud: &TestCloud, policy: &str) -> Credentials {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
    }]});
    let form = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName=ci&AssumeRolePolicyDocument={}",
        encoded(&trust.to_string())
    );
    let made = signed("iam", cloud.port, "POST", "/", &[FORM], form.as_bytes()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let form = format!(
        "Action=PutRolePolicy&Version=2010-05-08&RoleName=ci&PolicyName=p&PolicyDocument={}",
        encoded(policy)
    );
    let put = signed("iam", cloud.port, "POST", "/", &[FORM], form.as_bytes()).await;
    assert_eq!(put.status, 200, "{put:?}");
    let form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=run&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fci";
    let assumed = signed("sts", cloud.port, "POST", "/", &[FORM], form.as_bytes()).await;
    assert_eq!(assumed.status, 200, "{assumed:?}");
    let text = |name: &str| element(&assumed.body, name).to_owned();
    let token = Some(text("SessionToken"));
    Credentials::new(
        text("AccessKeyId"),
        text("SecretAccessKey"),
        token,
        None,
        "test",
    )
}

pub fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).expect(name);
    rest.split("</").next().unwrap_or_default()
}
