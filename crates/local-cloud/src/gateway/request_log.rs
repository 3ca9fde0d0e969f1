//! What API Gateway writes of each request: a line of the access log in the
//! stage's own format, and execution logs in API Gateway's words.
//!
//! Deliberately absent: the headers of integrations, and logs while the account has no role for them.

use std::time::Duration;

use cloud_model::{LiveStage, LogEvent, LoggingLevel};

use super::Gateway;
use super::events::{ConnectionFacts, Occasion};
use super::integration::{IntegrationFailure, Ran};
use super::registry::Closing;
use crate::assumptions::ABSENT_CONTEXT_VARIABLE;
use crate::limits::EXECUTION_LOG_LINE;

/// One request: a handshake, a message, or the end of a connection.
pub(crate) struct Report<'a> {
    pub(crate) stage: &'a LiveStage,
    pub(crate) facts: &'a ConnectionFacts,
    pub(crate) occasion: &'a Occasion,
    /// `CONNECT`, `MESSAGE` or `DISCONNECT`.
    pub(crate) event_type: &'static str,
    pub(crate) route_key: &'a str,
    pub(crate) message_id: Option<&'a str>,
    /// What the client sent, or is told to have sent.
    pub(crate) payload: &'a str,
    /// How the connection ended, if it did.
    pub(crate) closing: Option<&'a Closing>,
    pub(crate) status: u16,
    /// What the client is told, if anything went wrong.
    pub(crate) error: Option<&'a str>,
    /// `None`: no function was called.
    pub(crate) integration: Option<Integration<'a>>,
}

/// How calling the function went.
pub(crate) struct Integration<'a> {
    pub(crate) took: Duration,
    /// What was run; `None`: it didn't come to that.
    pub(crate) ran: Option<&'a Ran>,
    /// The function's own status, or what its failure comes to.
    pub(crate) status: u16,
    pub(crate) failure: Option<&'a IntegrationFailure>,
}

impl Gateway {
    /// Counts a request and tells of it, and writes whatever the stage wants to be written.
    pub(crate) fn log_request(&self, report: &Report<'_>) {
        self.count(report);
        self.model.traffic.tell(|| report.told());
        let stage = report.stage;
        if !stage.may_log {
            return;
        }
        if let Some(log) = &stage.access_log {
            let line = fill_in(&log.format, |name| report.variable(name));
            self.write_log(&log.log_group, vec![line]);
        }
        let lines = report.execution_lines();
        if !lines.is_empty() {
            self.write_log(&stage.execution_log_group(), lines);
        }
    }

    fn write_log(&self, log_group: &str, lines: Vec<String>) {
        let timestamp = self.model.now();
        let event = |message| LogEvent { timestamp, message };
        let events = lines.into_iter().map(event).collect();
        self.model
            .put_log_events(log_group, &self.log_stream, events);
    }
}

impl Report<'_> {
    /// The value of `$context.{name}`; `None`: this request has none.
    fn variable(&self, name: &str) -> Option<String> {
        let facts = self.facts;
        let iam = facts.iam.as_ref();
        let integration = self.integration.as_ref();
        let latency = || integration.map(|call| call.took.as_millis().to_string());
        let text = |text: &str| Some(text.to_owned());
        match name {
            "apiId" => text(&facts.api_id),
            "authorize.status" => iam.map(|_| "200".to_owned()),
            "authorizer.integrationLatency" | "authorizer.latency" => {
                let asked = facts.authorizer.as_ref()?;
                Some(asked.latency.as_millis().to_string())
            }
            "authorizer.status" | "authorizer.integrationStatus" => {
                facts.authorizer.as_ref().map(|_| "200".to_owned())
            }
            "connectedAt" => Some(facts.connected_at.as_millisecond().to_string()),
            "connectionId" => text(&facts.connection_id),
            "domainName" => text(&facts.domain_name),
            "error.message" => self.error.map(str::to_owned),
            "error.messageString" => self.error.map(|error| format!("\"{error}\"")),
            "eventType" => text(self.event_type),
            "identity.accountId" => iam.map(|iam| iam.account_id.clone()),
            "identity.caller" | "identity.user" => iam.map(|iam| iam.user.clone()),
            "identity.sourceIp" => text(&facts.source_ip),
            "identity.userAgent" => facts.user_agent.clone(),
            "identity.userArn" => iam.map(|iam| iam.user_arn.clone()),
            "integration.error" | "integrationErrorMessage" => {
                Some(integration?.failure?.to_string())
            }
            "integration.integrationStatus" | "integrationStatus" | "integration.status" => {
                integration.map(|call| call.status.to_string())
            }
            "integration.latency" | "integrationLatency" => latency(),
            "messageId" => self.message_id.map(str::to_owned),
            "requestId" | "extendedRequestId" => text(&self.occasion.request_id),
            "requestTime" => Some(self.occasion.clf_time()),
            "requestTimeEpoch" => Some(self.occasion.at.as_millisecond().to_string()),
            "routeKey" => text(self.route_key),
            "stage" => text(&facts.stage),
            "status" => Some(self.status.to_string()),
            _ => {
                let property = name.strip_prefix("authorizer.")?;
                let said = facts.authorizer.as_ref()?.context.get(property)?;
                said.as_str().map(str::to_owned)
            }
        }
    }

    fn execution_lines(&self) -> Vec<String> {
        let settings = self.stage.settings(self.route_key);
        let failure = self.integration.as_ref().and_then(|call| call.failure);
        let failed = failure.is_some() || self.error.is_some();
        let mut lines: Vec<String> = Vec::new();
        let info = settings.level == LoggingLevel::Info;
        if info {
            let id = &self.occasion.request_id;
            lines.push(format!("Extended Request Id: {id}"));
            lines.push(format!("Starting execution for request: {id}"));
            lines.push(format!("WebSocket Request Route: [{}]", self.route_key));
            if settings.data_trace {
                lines.push(format!(
                    "Endpoint request body after transformations: {}",
                    self.payload
                ));
            }
            if let (Some(call), None) = (&self.integration, failure) {
                lines.push(format!(
                    "Received response. Status: {}, Integration latency: {} ms",
                    call.status,
                    call.took.as_millis()
                ));
            }
        }
        if info || (failed && settings.level == LoggingLevel::Error) {
            if let Some(failure) = failure {
                lines.push(execution_failure(failure));
            } else if let Some(error) = self.error {
                lines.push(format!("Execution failed: {error}"));
            } else if info {
                lines.push("Successfully completed execution".to_owned());
            }
            lines.push(format!("Method completed with status: {}", self.status));
        }
        let prefix = format!("({}) ", self.occasion.request_id);
        let line = |text: String| cut(format!("{prefix}{text}"));
        lines.into_iter().map(line).collect()
    }
}

/// In API Gateway's words where they are known.
fn execution_failure(failure: &IntegrationFailure) -> String {
    match failure {
        IntegrationFailure::Malformed(_) => {
            "Execution failed due to configuration error: Malformed Lambda proxy response"
                .to_owned()
        }
        IntegrationFailure::TimedOut(_) => "Execution failed due to a timeout error".to_owned(),
        IntegrationFailure::FunctionError(document) => {
            format!(
                "Lambda execution failed with status 200 due to customer function error: {document}"
            )
        }
        other => format!("Execution failed due to configuration error: {other}"),
    }
}

/// Replaces every `$context.name`; what a request doesn't have is a hyphen.
fn fill_in(format: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = format.trim_end_matches('\n').split("$context.");
    let mut line = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
        let name = part[..end].trim_end_matches('.');
        line += &value_of(name).unwrap_or_else(|| ABSENT_CONTEXT_VARIABLE.to_owned());
        line += &part[name.len()..];
    }
    line
}

fn cut(mut line: String) -> String {
    if line.len() > EXECUTION_LOG_LINE {
        line.truncate(line.floor_char_boundary(EXECUTION_LOG_LINE));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_absent_ones_are_hyphens() {
        let value_of = |name: &str| (name == "requestId").then(|| "id=".to_owned());
        let line = fill_in(
            "{\"a\":\"$context.requestId\",\"b\":$context.nothing.here} $context.requestId.\n",
            value_of,
        );
        assert_eq!(line, "{\"a\":\"id=\",\"b\":-} id=.");
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let line = cut("ä".repeat(EXECUTION_LOG_LINE));
        assert_eq!(line.len(), EXECUTION_LOG_LINE);
    }
}
