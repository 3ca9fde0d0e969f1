//! A client for scenarios: signs nothing, but carries a scope; decodes nothing
//! beyond what an assertion needs.

use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_model::{Caller, Cloud, Effect, IdSource, Realism, Settings, Snapshot};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::restored;

pub const REGION: &str = "eu-central-1";
pub const ACCOUNT: &str = "123456789012";
pub const LAMBDA_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub const GATEWAY_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Ids that count.
struct Counter(u64);

impl IdSource for Counter {
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        // Spread, so that ids don't differ in their first character only.
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// What a call answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub error: Option<String>,
    pub text: String,
    pub effects: Vec<Effect>,
    pub request_id: String,
    pub held_back: SignedDuration,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status < 300, "{self:?}");
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Status, error type and text of a failure, whatever the protocol.
    #[track_caller]
    pub fn failure(&self) -> (u16, String, String) {
        assert!(self.status >= 300, "{self:?}");
        if self.text.starts_with('<') {
            return (
                self.status,
                element(&self.text, "Code"),
                element(&self.text, "Message"),
            );
        }
        let body = self.json();
        let message = body
            .get("message")
            .or_else(|| body.get("Message"))
            .and_then(Value::as_str);
        let code = self
            .error
            .clone()
            .or_else(|| body["__type"].as_str().map(str::to_owned));
        (
            self.status,
            code.unwrap_or_default(),
            message.unwrap_or_default().to_owned(),
        )
    }

    #[track_caller]
    pub fn is_failure(&self, status: u16, code: &str, message: &str) {
        assert_eq!(
            self.failure(),
            (status, code.to_owned(), message.to_owned())
        );
    }
}

/// The text of the first element of that name, with `&quot;` and so on as is.
pub fn element(xml: &str, name: &str) -> String {
    elements(xml, name).into_iter().next().unwrap_or_default()
}

/// The texts of all elements of that name.
pub fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1);
    parts
        .filter_map(|part| part.split(&close).next())
        .map(str::to_owned)
        .collect()
}

/// The account with a client and a clock. Somebody keeps it elsewhere, and at the end of
/// every scenario what is kept must be the account.
pub struct World {
    pub cloud: Cloud,
    pub now: Timestamp,
    /// Who sends; `None`: the account's own user.
    pub caller: Option<Caller>,
    ids: Counter,
    kept: Snapshot,
    /// `false`: the scenario takes the changes itself.
    pub keeping: bool,
}

impl Drop for World {
    fn drop(&mut self) {
        if self.keeping && !std::thread::panicking() {
            restored::keep(&mut self.kept, &mut self.cloud);
            restored::assert_kept(&self.cloud, &self.kept);
        }
    }
}

/// Keeping a large account after every call would take a while.
const KEPT_AT_ONCE: usize = 20_000;

impl World {
    pub fn new() -> Self {
        Self::with_activation(SignedDuration::ZERO)
    }

    pub fn with_activation(function_activation: SignedDuration) -> Self {
        Self::with(function_activation, None)
    }

    pub fn with_realism(realism: Realism) -> Self {
        Self::with(SignedDuration::ZERO, Some(realism))
    }

    /// Where callers may only do what their roles allow.
    pub fn enforcing_iam() -> Self {
        let mut made = Self::new();
        let settings = Settings {
            enforce_iam: true,
            ..made.cloud.settings().clone()
        };
        made.cloud = Cloud::new(settings);
        made
    }

    fn with(function_activation: SignedDuration, realism: Option<Realism>) -> Self {
        let settings = Settings {
            account_id: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            websocket_base: "ws://127.0.0.1:9100".to_owned(),
            code_base: "http://127.0.0.1:9100/code".to_owned(),
            code_key: "key".to_owned(),
            function_activation,
            realism,
            enforce_iam: false,
        };
        let now = "2026-01-02T03:04:05.678Z".parse().unwrap();
        Self {
            cloud: Cloud::restore(settings, &Snapshot::default()).unwrap(),
            now,
            caller: None,
            ids: Counter(0),
            kept: Snapshot::default(),
            keeping: true,
        }
    }

    pub fn wait(&mut self, duration: SignedDuration) {
        self.now += duration;
    }

    pub fn send(&mut self, request: &Request<Bytes>) -> Answer {
        let caller = self.caller.clone();
        self.send_as(caller.as_ref(), request)
    }

    pub fn send_as(&mut self, caller: Option<&Caller>, request: &Request<Bytes>) -> Answer {
        let handled = self
            .cloud
            .handle_as(request, caller, self.now, &mut self.ids);
        if self.keeping && self.kept.state.len() < KEPT_AT_ONCE {
            restored::keep(&mut self.kept, &mut self.cloud);
        }
        let response: Response<Bytes> = handled.response;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        Answer {
            status: response.status().as_u16(),
            error: header("x-amzn-errortype"),
            request_id: header("x-amzn-requestid").unwrap_or_default(),
            text: String::from_utf8(response.body().to_vec()).unwrap(),
            effects: handled.effects,
            held_back: handled.held_back,
        }
    }

    /// restJson1 of API Gateway.
    pub fn gateway(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        self.rest("apigateway", method, path, body)
    }

    /// restJson1 of Lambda.
    pub fn lambda(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        self.rest("lambda", method, path, body)
    }

    pub fn rest(&mut self, service: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", authorization(service))
            .header("content-type", "application/json");
        self.send(&request.body(body).unwrap())
    }

    /// awsQuery of IAM.
    pub fn iam(&mut self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.query("iam", action, parameters)
    }

    pub fn query(&mut self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let mut form = format!("Action={action}&Version=2010-05-08");
        for (name, value) in parameters {
            form += &format!("&{name}={}", encode(value));
        }
        let request = Request::builder()
            .method("POST")
            .uri("/")
            .header("authorization", authorization(service))
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(&request.body(Bytes::from(form)).unwrap())
    }

    /// awsJson1.1 of CloudWatch Logs.
    pub fn logs(&mut self, operation: &str, body: &Value) -> Answer {
        let caller = self.caller.clone();
        let target = format!("Logs_20140328.{operation}");
        self.json11("logs", &target, body, caller.as_ref())
    }

    /// awsJson1.1 of any service.
    pub fn json11(
        &mut self,
        service: &str,
        target: &str,
        body: &Value,
        caller: Option<&Caller>,
    ) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri("/")
            .header("authorization", authorization(service))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        self.send_as(caller, &request)
    }

    /// A new API's id.
    pub fn new_api(&mut self, name: &str) -> String {
        let body = json!({
            "name": name,
            "protocolType": "WEBSOCKET",
            "routeSelectionExpression": "$request.body.action",
        });
        let api = self.gateway("POST", "/v2/apis", &body).ok();
        api["apiId"].as_str().unwrap().to_owned()
    }

    /// A new integration's id.
    pub fn new_integration(&mut self, api: &str, function: &str) -> String {
        let body = json!({
            "integrationType": "AWS_PROXY",
            "integrationUri": integration_uri(function),
        });
        let made = self
            .gateway("POST", &format!("/v2/apis/{api}/integrations"), &body)
            .ok();
        made["integrationId"].as_str().unwrap().to_owned()
    }

    /// A new route's id.
    pub fn new_route(&mut self, api: &str, key: &str, integration: Option<&str>) -> String {
        let mut body = json!({ "routeKey": key });
        if let Some(id) = integration {
            body["target"] = json!(format!("integrations/{id}"));
        }
        let made = self
            .gateway("POST", &format!("/v2/apis/{api}/routes"), &body)
            .ok();
        made["routeId"].as_str().unwrap().to_owned()
    }

    /// A new deployment's id.
    pub fn new_deployment(&mut self, api: &str, body: &Value) -> String {
        let made = self
            .gateway("POST", &format!("/v2/apis/{api}/deployments"), body)
            .ok();
        made["deploymentId"].as_str().unwrap().to_owned()
    }

    /// A new role's ARN.
    pub fn new_role(&mut self, name: &str, trust: &str) -> String {
        let made = self.iam(
            "CreateRole",
            &[("RoleName", name), ("AssumeRolePolicyDocument", trust)],
        );
        assert_eq!(made.status, 200, "{made:?}");
        element(&made.text, "Arn")
    }

    /// Creates a function, and the role `function` if it is not there.
    pub fn new_function(&mut self, name: &str) -> Value {
        let parameters = [
            ("RoleName", "function"),
            ("AssumeRolePolicyDocument", LAMBDA_TRUST),
        ];
        self.iam("CreateRole", &parameters);
        self.lambda("POST", FUNCTIONS, &function_input(name)).ok()
    }
}

pub const FUNCTIONS: &str = "/2015-03-31/functions";

/// The least that CreateFunction takes.
pub fn function_input(name: &str) -> Value {
    json!({
        "Code": { "ZipFile": zip_file("one") },
        "FunctionName": name,
        "Handler": "bootstrap",
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/function"),
        "Runtime": "provided.al2023",
    })
}

/// A zip with a `bootstrap` of that content, as base64.
pub fn zip_file(content: &str) -> String {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file(
            "bootstrap",
            SimpleFileOptions::default().unix_permissions(0o755),
        )
        .unwrap();
    writer.write_all(content.as_bytes()).unwrap();
    STANDARD.encode(writer.finish().unwrap().into_inner())
}

pub fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

pub fn integration_uri(function: &str) -> String {
    let arn = function_arn(function);
    format!("arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations")
}

fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/{REGION}/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00"
    )
}

/// The names or ids under `key` in all pages of a GET list.
pub fn all_pages(
    world: &mut World,
    service: &str,
    path: &str,
    [list, key, next, token]: [&str; 4],
) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut uri = path.to_owned();
    loop {
        let page = world.rest(service, "GET", &uri, &Value::Null).ok();
        let items = page[list].as_array().unwrap();
        pages.push(
            items
                .iter()
                .map(|item| item[key].as_str().unwrap().to_owned())
                .collect(),
        );
        match page[next].as_str() {
            Some(text) => uri = format!("{path}&{token}={text}"),
            None => return pages,
        }
        assert!(pages.len() < 100, "pages end");
    }
}
