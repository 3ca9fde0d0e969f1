//! The variables a function's process starts with, as Lambda sets them. Pure.
//!
//! Nothing of the cloud's own environment gets in. Deliberately absent:
//! `AWS_EXECUTION_ENV` and `_X_AMZN_TRACE_ID` (custom runtimes get neither),
//! X-Ray's variables.

use std::collections::BTreeMap;

use cloud_model::FunctionVersion;

use super::credentials::Keys;
use crate::tls::Trust;

/// What one environment is told beside its function's own configuration.
pub(crate) struct Surroundings<'a> {
    pub(crate) region: &'a str,
    pub(crate) task_root: &'a str,
    /// `host:port` of the environment's own Runtime API.
    pub(crate) runtime_api: &'a str,
    /// The local cloud's port.
    pub(crate) cloud_port: u16,
    /// By what a function trusts the local cloud's certificate.
    pub(crate) trust: &'a Trust,
    pub(crate) log_stream: &'a str,
    pub(crate) keys: &'a Keys,
}

/// All variables of the process.
pub(crate) fn variables(
    function: &FunctionVersion,
    around: &Surroundings<'_>,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: &str| {
        variables.insert(name.to_owned(), value.to_owned());
    };
    // A function may set these otherwise ...
    set("LANG", "en_US.UTF-8");
    set("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin");
    let root = around.task_root;
    set(
        "LD_LIBRARY_PATH",
        &format!("/lib64:/usr/lib64:{RUNTIME_DIR}:{RUNTIME_DIR}/lib:{root}:{root}/lib:/opt/lib"),
    );
    let cloud = format!("http://127.0.0.1:{}", around.cloud_port);
    for service in ["DYNAMODB", "LAMBDA", "SECRETS_MANAGER", "SSM"] {
        set(&format!("AWS_ENDPOINT_URL_{service}"), &cloud);
    }
    let bundle = around.trust.bundle.to_string_lossy();
    for replaces_the_roots in ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
        set(replaces_the_roots, &bundle);
    }
    // Node adds it to the roots that it has built in.
    let authority = around.trust.authority.to_string_lossy();
    set("NODE_EXTRA_CA_CERTS", &authority);
    for (name, value) in &function.environment {
        set(name, value);
    }
    // ... but not these, which are reserved.
    set("TZ", ":UTC");
    set("_HANDLER", &function.handler);
    set("AWS_REGION", around.region);
    set("AWS_DEFAULT_REGION", around.region);
    set("AWS_LAMBDA_FUNCTION_NAME", &function.function_name);
    set("AWS_LAMBDA_FUNCTION_VERSION", &function.version);
    set(
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        &function.memory_mb.to_string(),
    );
    match function.max_concurrency {
        None => set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        Some(most) => {
            set("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances");
            set("AWS_LAMBDA_MAX_CONCURRENCY", &most.to_string());
        }
    }
    set("AWS_LAMBDA_LOG_FORMAT", &function.log_format);
    if let Some(level) = &function.log_level {
        set("AWS_LAMBDA_LOG_LEVEL", level);
    }
    set("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group);
    set("AWS_LAMBDA_LOG_STREAM_NAME", around.log_stream);
    set("AWS_LAMBDA_RUNTIME_API", around.runtime_api);
    set("AWS_ACCESS_KEY_ID", &around.keys.access_key_id);
    set("AWS_SECRET_ACCESS_KEY", &around.keys.secret_access_key);
    set("AWS_SESSION_TOKEN", &around.keys.session_token);
    set("LAMBDA_TASK_ROOT", around.task_root);
    set("LAMBDA_RUNTIME_DIR", RUNTIME_DIR);
    variables
}

/// Lambda's own; there is nothing here.
const RUNTIME_DIR: &str = "/var/runtime";

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::sync::Arc;

    #[test]
    fn a_function_may_set_its_path_but_not_what_is_reserved() {
        let own = [
            ("PATH", "/mine"),
            ("AWS_REGION", "moon"),
            ("ROOM", "1"),
            ("AWS_CA_BUNDLE", "/mine.pem"),
        ];
        let function = FunctionVersion {
            function_name: "chat-room".to_owned(),
            version: "3".to_owned(),
            invoked_arn: String::new(),
            code_sha256: String::new(),
            revision_id: String::new(),
            zip: Arc::new(Bytes::new()),
            role_arn: String::new(),
            handler: "room.handle".to_owned(),
            environment: own.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            memory_mb: 256,
            timeout_seconds: 3,
            reserved_concurrency: None,
            log_group: "/aws/lambda/chat-room".to_owned(),
            log_format: "JSON".to_owned(),
            log_level: Some("WARN".to_owned()),
            system_log_level: None,
            runtime_version_arn: String::new(),
            max_concurrency: None,
        };
        let keys = Keys {
            access_key_id: "ASIAX".to_owned(),
            secret_access_key: "s".to_owned(),
            session_token: "t".to_owned(),
        };
        let variables = variables(
            &function,
            &Surroundings {
                region: "us-east-1",
                task_root: "/code",
                runtime_api: "127.0.0.1:1",
                cloud_port: 9100,
                trust: &Trust {
                    authority: "/ca/ca.pem".into(),
                    bundle: "/run/ca-bundle.pem".into(),
                },
                log_stream: "stream",
                keys: &keys,
            },
        );
        let is = |name: &str, value: &str| assert_eq!(variables[name], value, "{name}");
        is("PATH", "/mine");
        is("_HANDLER", "room.handle");
        is("AWS_REGION", "us-east-1");
        is("ROOM", "1");
        is("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256");
        is("AWS_LAMBDA_FUNCTION_VERSION", "3");
        is("AWS_CA_BUNDLE", "/mine.pem");
        is("SSL_CERT_FILE", "/run/ca-bundle.pem");
        is("REQUESTS_CA_BUNDLE", "/run/ca-bundle.pem");
        is("NODE_EXTRA_CA_CERTS", "/ca/ca.pem");
        is("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9100");
        is("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9100");
        is("AWS_LAMBDA_LOG_FORMAT", "JSON");
        is("AWS_LAMBDA_LOG_LEVEL", "WARN");
        is("TZ", ":UTC");
        assert!(variables["LD_LIBRARY_PATH"].ends_with(":/code:/code/lib:/opt/lib"));
        is("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
        for absent in ["HOME", "AWS_LAMBDA_MAX_CONCURRENCY"] {
            assert!(!variables.contains_key(absent), "{absent}");
        }
    }
}
