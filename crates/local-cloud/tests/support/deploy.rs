//! Deploys the scripted function and an API in front of it, through the wire.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::TestCloud;
use super::http::{Answer, signed};

/// A zip with the scripted function as its bootstrap.
pub fn scripted_zip() -> &'static [u8] {
    static ZIP: OnceLock<Vec<u8>> = OnceLock::new();
    ZIP.get_or_init(|| {
        // target/debug/deps/<test> -> target/debug/examples/<function>
        let test = std::env::current_exe().unwrap();
        let target = test
            .parent()
            .and_then(|deps| deps.parent())
            .map(PathBuf::from)
            .unwrap();
        let function = std::fs::read(target.join("examples/scripted_function")).unwrap();
        zip_of("bootstrap", &function, 0o755)
    })
}

pub fn zip_of(name: &str, content: &[u8], mode: u32) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
    writer.start_file(name, options).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

/// A function to deploy.
pub struct Function<'a> {
    pub name: &'a str,
    pub zip: &'a [u8],
    pub timeout: u32,
    pub environment: &'a [(&'a str, &'a str)],
}

impl Default for Function<'_> {
    fn default() -> Self {
        Self {
            name: "scripted",
            zip: scripted_zip(),
            timeout: 20,
            environment: &[],
        }
    }
}

/// An API stage to connect to.
pub struct Stage {
    pub api_id: String,
    pub name: String,
}

impl Stage {
    pub fn path(&self) -> String {
        format!("/{}/{}", self.api_id, self.name)
    }
}

pub fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{name}")
}

const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

impl TestCloud {
    /// A role that API Gateway and Lambda may assume and that may do anything.
    pub async fn role(&self, name: &str) -> String {
        self.role_with_policy(name, ALL).await
    }

    pub async fn role_with_policy(&self, name: &str, policy: &str) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]},
        }]});
        let trust = encoded(&trust.to_string());
        let role = format!(
            "Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={trust}"
        );
        self.iam(&role).await;
        let policy = encoded(policy);
        let put = format!(
            "Action=PutRolePolicy&Version=2010-05-08&RoleName={name}&PolicyName=p&PolicyDocument={policy}"
        );
        self.iam(&put).await;
        format!("arn:aws:iam::000000000000:role/{name}")
    }

    async fn iam(&self, form: &str) {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let answer = signed("iam", self.port, "POST", "/", &kind, form.as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub async fn lambda(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let kind = [("content-type", "application/json")];
        signed("lambda", self.port, method, path, &kind, body.as_bytes()).await
    }

    pub async fn function(&self, function: &Function<'_>, role: &str) {
        let variables: BTreeMap<_, _> = function.environment.iter().copied().collect();
        let body = json!({
            "FunctionName": function.name, "Role": role, "Runtime": "provided.al2023",
            "Handler": "scripted.handle", "Timeout": function.timeout,
            "Code": {"ZipFile": STANDARD.encode(function.zip)},
            "Environment": {"Variables": variables},
        });
        let group = json!({"logGroupName": format!("/aws/lambda/{}", function.name)});
        self.logs("CreateLogGroup", &group).await;
        let answer = self.lambda("POST", "/2015-03-31/functions", &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let path = format!("/2015-03-31/functions/{}/configuration", function.name);
        self.until("the function is active", async |cloud| {
            let configuration = cloud.lambda("GET", &path, &json!({})).await.json();
            (configuration["State"] == "Active").then_some(())
        })
        .await;
    }

    pub async fn logs(&self, operation: &str, body: &Value) -> Value {
        let target = format!("Logs_20140328.{operation}");
        let headers = [
            ("x-amz-target", target.as_str()),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let body = body.to_string();
        let answer = signed("logs", self.port, "POST", "/", &headers, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// All lines of a function's log.
    pub async fn log_lines(&self, function: &str) -> Vec<String> {
        let group = json!({"logGroupName": format!("/aws/lambda/{function}")});
        let found = self.logs("FilterLogEvents", &group).await;
        let events = found["events"].as_array().cloned().unwrap_or_default();
        let text = |event: &Value| event["message"].as_str().unwrap_or_default().to_owned();
        events.iter().map(text).collect()
    }

    pub async fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        let text = body.to_string();
        let kind = [("content-type", "application/json")];
        let answer = signed(
            "apigateway",
            self.port,
            method,
            path,
            &kind,
            text.as_bytes(),
        )
        .await;
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {answer:?}"
        );
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// An API with these routes, each to a function of that name.
    pub async fn stage(&self, routes: &[(&str, &str)], role: &str, timeout_ms: u32) -> Stage {
        let arns: Vec<_> = routes
            .iter()
            .map(|(key, name)| (*key, function_arn(name)))
            .collect();
        self.stage_of_arns(&arns, role, timeout_ms, &json!({}))
            .await
    }

    pub async fn stage_of_arns(
        &self,
        routes: &[(&str, String)],
        role: &str,
        timeout_ms: u32,
        variables: &Value,
    ) -> Stage {
        let expression = "$request.body.action";
        let api = json!({"name": "test", "protocolType": "WEBSOCKET", "routeSelectionExpression": expression});
        let api_id = self.api("POST", "/v2/apis", &api).await["apiId"]
            .as_str()
            .unwrap()
            .to_owned();
        for (key, arn) in routes {
            let uri = format!(
                "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
            );
            let integration = json!({
                "integrationType": "AWS_PROXY", "integrationMethod": "POST", "integrationUri": uri,
                "credentialsArn": role, "timeoutInMillis": timeout_ms,
            });
            let path = format!("/v2/apis/{api_id}/integrations");
            let id = self.api("POST", &path, &integration).await["integrationId"].clone();
            let target = format!("integrations/{}", id.as_str().unwrap());
            let route = json!({"routeKey": key, "target": target});
            self.api("POST", &format!("/v2/apis/{api_id}/routes"), &route)
                .await;
        }
        let deployments = format!("/v2/apis/{api_id}/deployments");
        let id = self.api("POST", &deployments, &json!({})).await["deploymentId"].clone();
        let stage = json!({"stageName": "local", "deploymentId": id, "stageVariables": variables});
        self.api("POST", &format!("/v2/apis/{api_id}/stages"), &stage)
            .await;
        Stage {
            api_id,
            name: "local".to_owned(),
        }
    }

    /// The path of a stage's route in the control plane.
    pub async fn route_path(&self, stage: &Stage, key: &str) -> String {
        let path = format!("/v2/apis/{}/routes", stage.api_id);
        let all = self.api("GET", &path, &Value::Null).await;
        let mut items = all["items"].as_array().unwrap().iter();
        let route = items.find(|it| it["routeKey"] == key).unwrap();
        format!("{path}/{}", route["routeId"].as_str().unwrap())
    }

    /// Makes the draft live.
    pub async fn redeploy(&self, stage: &Stage) {
        let path = format!("/v2/apis/{}/deployments", stage.api_id);
        self.api("POST", &path, &json!({ "stageName": stage.name }))
            .await;
    }

    /// The scripted function behind the usual routes.
    pub async fn scripted(&self) -> Stage {
        self.scripted_as(&Function::default(), &["$default", "$connect"])
            .await
    }

    pub async fn scripted_as(&self, function: &Function<'_>, keys: &[&str]) -> Stage {
        let role = self.role("all").await;
        self.function(function, &role).await;
        let routes: Vec<_> = keys.iter().map(|key| (*key, function.name)).collect();
        self.stage(&routes, &role, 29_000).await
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
