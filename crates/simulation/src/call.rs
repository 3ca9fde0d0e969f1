//! What a request is: which service, which operation, and whether it writes.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

/// The service that a request is for, as its errors are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// API Gateway's and Lambda's control planes.
    Rest,
    /// IAM and STS.
    Query,
    /// CloudWatch Logs and DynamoDB.
    Logs,
    /// The endpoint that WebSocket clients use.
    Probe,
}

/// A request in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose.
    pub service: Service,
    /// `POST /v2/apis`, `CreateRole`, `CreateLogStream`.
    pub name: String,
    /// What tells it from others of its name.
    pub about: String,
    /// Whether it changes something.
    pub writes: bool,
}

impl Call {
    /// Reads a request.
    pub fn of(request: &Request<Bytes>) -> Self {
        let text = std::str::from_utf8(request.body()).unwrap_or_default();
        if let Some(target) = request.headers().get("x-amz-target") {
            let name = target.to_str().unwrap_or_default();
            let name = name.rsplit('.').next().unwrap_or_default().to_owned();
            let reads = ["Describe", "Get", "List", "Filter"];
            return Self {
                service: Service::Logs,
                writes: !reads.iter().any(|verb| name.starts_with(verb)),
                about: [
                    "logGroupName",
                    "logGroupNamePrefix",
                    "logStreamName",
                    "resourceArn",
                    "TableName",
                    "ResourceArn",
                ]
                .iter()
                .filter_map(|member| member_of(text, member))
                .collect::<Vec<_>>()
                .join(" "),
                name,
            };
        }
        if let Some(rest) = text.strip_prefix("Action=") {
            let name = rest.split('&').next().unwrap_or_default().to_owned();
            let about = rest
                .split('&')
                .find_map(|pair| pair.strip_prefix("RoleName="));
            return Self {
                service: Service::Query,
                writes: !name.starts_with("Get") && !name.starts_with("List"),
                about: about.unwrap_or_default().to_owned(),
                name,
            };
        }
        let signed = request.headers().contains_key("authorization");
        Self {
            service: if signed {
                Service::Rest
            } else {
                Service::Probe
            },
            name: format!("{} {}", request.method(), request.uri().path()),
            about: String::new(),
            writes: request.method() != Method::GET,
        }
    }

    /// A request too many, in the service's words.
    pub fn throttled(&self) -> Response<Bytes> {
        match self.service {
            Service::Query => xml(StatusCode::BAD_REQUEST, "Throttling"),
            Service::Logs => json(StatusCode::BAD_REQUEST, "ThrottlingException"),
            _ => json(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
        }
    }

    /// An error of the service's own.
    pub fn failed(&self) -> Response<Bytes> {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        match self.service {
            Service::Query => xml(status, "ServiceFailure"),
            _ => json(status, "ServiceException"),
        }
    }
}

/// A text member of a flat JSON object, as the SDK writes it.
fn member_of<'a>(json: &'a str, member: &str) -> Option<&'a str> {
    let rest = json.split_once(&format!("\"{member}\":\""))?.1;
    rest.split('"').next()
}

fn json(status: StatusCode, code: &'static str) -> Response<Bytes> {
    let body = format!(r#"{{"__type":"{code}","message":"by the simulation"}}"#);
    answer(status, "application/json", body, Some(code))
}

fn xml(status: StatusCode, code: &'static str) -> Response<Bytes> {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>by the simulation</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    );
    answer(status, "text/xml", body, None)
}

/// An answer with a status only, as the endpoint gives.
pub fn status_only(status: u16) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    answer(status, "text/plain", String::new(), None)
}

fn answer(
    status: StatusCode,
    kind: &'static str,
    body: String,
    code: Option<&'static str>,
) -> Response<Bytes> {
    let mut builder = Response::builder()
        .status(status)
        .header("content-type", kind);
    if let Some(code) = code {
        builder = builder.header("x-amzn-errortype", code);
    }
    builder
        .body(Bytes::from(body))
        .expect("constants are legal")
}
