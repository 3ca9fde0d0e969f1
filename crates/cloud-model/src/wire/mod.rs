//! The wire: which service and protocol a request speaks, its decoded input,
//! and answers in that protocol's shape.
//!
//! Deliberately absent: checking signatures. A signature must be there (an
//! unsigned request is refused as AWS refuses it), and its scope names the
//! service; whether it is right is not asked.

pub(crate) mod json11;
pub(crate) mod members;
pub(crate) mod query_xml;
pub(crate) mod rest_json;
pub(crate) mod signature_scope;
pub(crate) mod url;

use bytes::Bytes;
use http::Request;

/// A service of the account, by the name in the signature's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    ApiGateway,
    Lambda,
    Iam,
    Sts,
    Logs,
    CloudWatch,
    Ssm,
    SecretsManager,
}

impl Service {
    /// The service with that signing name.
    pub(crate) fn find(signing_name: &str) -> Option<Self> {
        match signing_name {
            "apigateway" => Some(Self::ApiGateway),
            "lambda" => Some(Self::Lambda),
            "iam" => Some(Self::Iam),
            "sts" => Some(Self::Sts),
            "logs" => Some(Self::Logs),
            "monitoring" => Some(Self::CloudWatch),
            "ssm" => Some(Self::Ssm),
            "secretsmanager" => Some(Self::SecretsManager),
            _ => None,
        }
    }

    /// Whether the SDKs' model of that name is of this service. API Gateway's two
    /// versions share it.
    pub(crate) fn has(self, model: &str) -> bool {
        match self {
            Self::ApiGateway => matches!(model, "apigateway" | "apigatewayv2"),
            Self::Lambda => model == "lambda",
            Self::Iam => model == "iam",
            Self::Sts => model == "sts",
            Self::Logs => model == "logs",
            Self::CloudWatch => model == "cloudwatch",
            Self::Ssm => model == "ssm",
            Self::SecretsManager => model == "secretsmanager",
        }
    }

    /// Its name before one of its operations.
    pub(crate) fn possessive(self) -> &'static str {
        match self {
            Self::ApiGateway => "API Gateway's",
            Self::Lambda => "Lambda's",
            Self::Iam => "IAM's",
            Self::Sts => "STS's",
            Self::Logs => "CloudWatch Logs'",
            Self::CloudWatch => "CloudWatch's",
            Self::Ssm => "SSM's",
            Self::SecretsManager => "Secrets Manager's",
        }
    }

    /// The protocol that the service speaks.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::ApiGateway | Self::Lambda => Protocol::RestJson,
            Self::Iam | Self::Sts => Protocol::Query,
            Self::Logs | Self::CloudWatch | Self::Ssm | Self::SecretsManager => Protocol::Json11,
        }
    }
}

/// The shape of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    RestJson,
    Query,
    Json11,
}

impl Protocol {
    /// The protocol of a request whose service is not known, by its looks.
    pub(crate) fn guess(request: &Request<Bytes>) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
        if header("x-amz-target").is_some() {
            Self::Json11
        } else if header("content-type")
            .is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"))
            || request.uri().query().is_some_and(|q| q.contains("Action="))
        {
            Self::Query
        } else {
            Self::RestJson
        }
    }
}
