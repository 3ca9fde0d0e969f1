//! What API Gateway publishes of WebSocket APIs in CloudWatch: of each API, of each API
//! stage, and with detailed metrics of each route (guide).
//!
//! Deliberately absent: what an authorizer takes.

use cloud_model::{GATEWAY_METRICS, Measure};

use super::Gateway;
use super::events::ConnectionFacts;
use super::integration::IntegrationFailure;
use super::request_log::Report;

impl Gateway {
    /// Counts a handshake, a message, or the end of a connection.
    pub(super) fn count(&self, report: &Report<'_>) {
        let mut values: Vec<(&str, f64)> = Vec::new();
        let call = report.integration.as_ref();
        match report.event_type {
            // "Sent to the $connect route's integration."
            "CONNECT" if call.is_some() => values.push(("ConnectCount", 1.0)),
            "MESSAGE" => values.push(("MessageCount", 1.0)),
            _ => {}
        }
        match call {
            None if (400..500).contains(&report.status) => values.push(("ClientError", 1.0)),
            None => {}
            Some(call) => {
                values.push(("IntegrationLatency", call.took.as_secs_f64() * 1_000.0));
                match call.failure {
                    // A function that fails has answered, Lambda says.
                    Some(IntegrationFailure::FunctionError(_)) => {
                        values.push(("IntegrationError", 1.0));
                    }
                    Some(_) => values.push(("ExecutionError", 1.0)),
                    None if call.status >= 400 => values.push(("IntegrationError", 1.0)),
                    None => {}
                }
            }
        }
        let (stage, key) = (report.stage, report.route_key);
        let detailed = stage.settings(key).detailed_metrics;
        self.publish(report.facts, detailed.then_some(key), &values);
    }

    /// Counts a message to a client: of no route.
    pub(super) fn count_sent(&self, facts: &ConnectionFacts) {
        self.publish(facts, None, &[("MessageCount", 1.0)]);
    }

    /// `route`: whose metrics there are, too.
    fn publish(&self, facts: &ConnectionFacts, route: Option<&str>, values: &[(&str, f64)]) {
        let api = [("ApiId", facts.api_id.as_str())];
        let of_stage = [api[0], ("Stage", facts.stage.as_str())];
        let of_route = [api[0], of_stage[1], ("Route", route.unwrap_or_default())];
        let mut dimensions = vec![api.as_slice(), of_stage.as_slice()];
        if route.is_some() {
            dimensions.push(of_route.as_slice());
        }
        let measures: Vec<Measure<'_>> = values
            .iter()
            .flat_map(|(name, value)| {
                dimensions.iter().map(|dimensions| Measure {
                    namespace: GATEWAY_METRICS,
                    name,
                    dimensions,
                    value: *value,
                })
            })
            .collect();
        self.model.record(&measures);
    }
}
