//! A function in the account that somebody else made: contents invoke it, and no command may
//! change or remove it.

use crate::contents::{ACCOUNT, REGION};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use cloud_model::{Cloud, IdSource, Inventory};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// The name of the function, and of the role that it runs as.
pub const NAME: &str = "somebodys";

/// Makes the role and the function, with a version.
///
/// # Panics
/// When the account refuses: there is nothing yet that it could refuse for.
pub fn make(cloud: &mut Cloud, ids: &mut dyn IdSource, now: Timestamp) {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "lambda.amazonaws.com" },
    }] });
    let zip = deployer_package::package(b"somebody's").expect("a zip").zip;
    let function = json!({
        "FunctionName": NAME, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/{NAME}"),
        "Code": { "ZipFile": BASE64.encode(zip) }, "Publish": true,
    });
    // Long ago: whatever takes its time is over.
    let mut hand = Hand {
        cloud,
        ids,
        now: now - SignedDuration::from_hours(48),
    };
    let trust = ("AssumeRolePolicyDocument", &*trust.to_string());
    hand.iam("CreateRole", &[("RoleName", NAME), trust]);
    hand.now += SignedDuration::from_hours(24);
    let path = "/2015-03-31/functions";
    hand.succeed("lambda", path, "application/json", function.to_string());
}

/// Somebody who may do anything, and doesn't use the deployer.
pub struct Hand<'a> {
    /// The account.
    pub cloud: &'a mut Cloud,
    /// Where its ids come from.
    pub ids: &'a mut dyn IdSource,
    /// When it is done.
    pub now: Timestamp,
}

impl Hand<'_> {
    /// A call to IAM.
    ///
    /// # Panics
    /// When it is refused.
    pub fn iam(&mut self, action: &str, parameters: &[(&str, &str)]) {
        let mut form = format!("Action={action}&Version=2010-05-08");
        for (name, value) in parameters {
            let escaped: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            form += &format!("&{name}={escaped}");
        }
        self.succeed("iam", "/", "application/x-www-form-urlencoded", form);
    }

    fn succeed(&mut self, service: &str, path: &str, content_type: &str, body: String) {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIA/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=00"
        );
        let request = Request::post(path)
            .header("authorization", scope)
            .header("content-type", content_type)
            .body(Bytes::from(body))
            .expect("a request");
        let answer = self.cloud.handle(&request, self.now, self.ids).response;
        assert!(
            answer.status().is_success(),
            "{service} {path}: {:?}",
            answer.body()
        );
    }
}

/// What is in the account beside that.
///
/// # Panics
/// When it isn't there any more: nobody may take it.
pub fn without(mut all: Inventory) -> Inventory {
    for list in [&mut all.functions, &mut all.roles] {
        assert!(list.names.iter().any(|name| name == NAME), "{NAME} is gone");
        list.names.retain(|name| name != NAME);
        list.count -= 1;
    }
    all
}
