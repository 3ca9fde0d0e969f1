//! The API with all that is below it, and the release that is live.

use super::kinds::{
    API, AUTHORIZER, DEPLOYMENT, INTEGRATION, INTEGRATION_RESPONSE, ROUTE, ROUTE_RESPONSE, STAGE,
};
use super::{Writer, escaped, texts};
use crate::api_details::{
    AuthorizerDetails, IntegrationDetails, IntegrationResponseDetails, RouteDetails,
    RouteResponseDetails,
};
use crate::export::Deployed;
use crate::export::values::said;
use crate::stage_settings::RouteSettings;
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn api(&mut self) {
        let api = self.deployed.api;
        let label = self.label(API, &api.api_id);
        let disabled = api.settings.disable_execute_api_endpoint;
        let arguments = json!({
            "name": api.name,
            "description": api.description.as_deref().map(escaped),
            "version": api.version.as_deref().map(escaped),
            "protocol_type": api.protocol,
            "route_selection_expression": escaped(&api.route_selection_expression),
            "api_key_selection_expression":
                api.api_key_selection_expression.as_deref().map(escaped),
            "disable_execute_api_endpoint": disabled,
            "ip_address_type": api.settings.ip_address_type,
            "tags": self.tags(&api.tags),
        });
        self.add(API, label, &api.api_id, arguments);
        let mut frozen = Vec::new();
        for integration in &api.integrations {
            let id = integration.integration_id.as_str();
            let label = self.label(INTEGRATION, id);
            frozen.push(format!("{INTEGRATION}.{label}"));
            let arguments = self.integration(integration);
            self.add(INTEGRATION, label.clone(), &self.below(id), arguments);
            for response in &integration.responses {
                frozen.push(self.integration_response(&label, integration, response));
            }
        }
        for authorizer in &api.authorizers {
            let id = authorizer.authorizer_id.as_str();
            let label = self.label(AUTHORIZER, id);
            frozen.push(format!("{AUTHORIZER}.{label}"));
            let arguments = self.authorizer(authorizer);
            self.add(AUTHORIZER, label, &self.below(id), arguments);
        }
        for route in &api.routes {
            let id = route.route_id.as_str();
            let label = self.label(ROUTE, id);
            frozen.push(format!("{ROUTE}.{label}"));
            let arguments = self.route(route);
            self.add(ROUTE, label.clone(), &self.below(id), arguments);
            for response in &route.responses {
                frozen.push(self.route_response(&label, route, response));
            }
        }
        self.release(&frozen);
    }

    /// How something of the API is imported.
    fn below(&self, id: &str) -> String {
        format!("{}/{id}", self.deployed.api.api_id)
    }

    fn api_id(&self) -> String {
        self.attribute(API, &self.deployed.api.api_id, "id")
    }

    /// The deployment, and the API stage on which it is live.
    fn release(&mut self, frozen: &[String]) {
        let Deployed {
            api,
            stage,
            deployment,
            ..
        } = self.deployed;
        let id = deployment.as_str();
        let label = self.label(DEPLOYMENT, id);
        let description = api.description_of(deployment).and_then(said);
        let arguments = json!({
            "api_id": self.api_id(),
            "description": description.map(escaped),
            "depends_on": frozen,
            "lifecycle": { "create_before_destroy": true },
        });
        self.add(DEPLOYMENT, label, &self.below(id), arguments);
        let settings = &stage.state.settings;
        let routes = settings.routes.iter().map(|(route, it)| {
            let mut block = route_settings(it);
            block["route_key"] = json!(escaped(route.as_str()));
            block
        });
        let routes: Vec<Value> = routes.collect();
        let access_log = settings.access_log.as_ref().map(|log| {
            json!({
                "destination_arn": self.text(&log.destination_arn),
                "format": escaped(&log.format),
            })
        });
        let variables = settings.variables.iter();
        let variables: Map<String, Value> = variables
            .map(|(name, value)| (name.clone(), json!(escaped(value))))
            .collect();
        let arguments = json!({
            "api_id": self.api_id(),
            "name": stage.state.name,
            "description": stage.description.as_deref().map(escaped),
            "deployment_id": self.attribute(DEPLOYMENT, id, "id"),
            "auto_deploy": stage.state.auto_deploy.then_some(true),
            "stage_variables": match variables.is_empty() {
                true => Value::Null,
                false => Value::Object(variables),
            },
            // All of it, also what is as in a new stage: API Gateway shows that as set.
            "default_route_settings": route_settings(&settings.default_route),
            "route_settings": match routes.is_empty() {
                true => Value::Null,
                false => Value::Array(routes),
            },
            "access_log_settings": access_log,
            "tags": self.tags(&stage.state.tags),
        });
        let label = self.label(STAGE, &stage.state.name);
        self.add(STAGE, label, &self.below(&stage.state.name), arguments);
    }

    fn integration(&self, it: &IntegrationDetails) -> Value {
        json!({
            "api_id": self.api_id(),
            "integration_type": it.integration_type,
            "integration_method": it.method,
            "integration_uri": it.uri.as_deref().map(|uri| self.text(uri)),
            "credentials_arn": it.credentials_arn.as_deref().map(|arn| self.text(arn)),
            "description": it.description.as_deref().map(escaped),
            "connection_type": it.connection_type,
            "connection_id": it.connection_id,
            "content_handling_strategy": it.content_handling,
            "passthrough_behavior": it.passthrough_behavior,
            "payload_format_version": it.payload_format_version,
            "request_parameters": texts(&it.request_parameters),
            "request_templates": texts(&it.request_templates),
            "template_selection_expression":
                it.template_selection_expression.as_deref().map(escaped),
            "timeout_milliseconds": it.timeout_ms,
        })
    }

    fn authorizer(&self, it: &AuthorizerDetails) -> Value {
        let credentials = it.credentials_arn.as_deref();
        let sources: Vec<String> = it.identity_sources.iter().map(|it| escaped(it)).collect();
        json!({
            "api_id": self.api_id(),
            "name": it.name,
            "authorizer_type": it.authorizer_type,
            "authorizer_uri": it.uri.as_deref().map(|uri| self.text(uri)),
            "authorizer_credentials_arn": credentials.map(|arn| self.text(arn)),
            "identity_sources": match sources.is_empty() {
                true => Value::Null,
                false => json!(sources),
            },
        })
    }

    fn route(&self, it: &RouteDetails) -> Value {
        let integration = self.deployed.api.integration_of(it);
        let target = integration.map(|integration| {
            let id = integration.integration_id.as_str();
            format!("integrations/{}", self.attribute(INTEGRATION, id, "id"))
        });
        let authorizer = it.authorizer_id.as_ref();
        let authorizer = authorizer.map(|id| self.attribute(AUTHORIZER, id.as_str(), "id"));
        let parameters: Vec<Value> = it
            .request_parameters
            .iter()
            .map(|(name, required)| json!({ "request_parameter_key": name, "required": required }))
            .collect();
        json!({
            "api_id": self.api_id(),
            "route_key": escaped(&it.route_key),
            "target": target,
            "authorization_type": it.authorization,
            "authorizer_id": authorizer,
            "api_key_required": it.api_key_required.then_some(true),
            "operation_name": it.operation_name,
            "model_selection_expression": it.model_selection_expression.as_deref().map(escaped),
            "request_models": texts(&it.request_models),
            "request_parameter": match parameters.is_empty() {
                true => Value::Null,
                false => Value::Array(parameters),
            },
            "route_response_selection_expression":
                it.route_response_selection_expression.as_deref().map(escaped),
        })
    }

    fn route_response(
        &mut self,
        route: &str,
        of: &RouteDetails,
        it: &RouteResponseDetails,
    ) -> String {
        let arguments = json!({
            "api_id": self.api_id(),
            "route_id": self.attribute(ROUTE, of.route_id.as_str(), "id"),
            "route_response_key": escaped(&it.key),
            "model_selection_expression": it.model_selection_expression.as_deref().map(escaped),
            "response_models": texts(&it.response_models),
        });
        let label = self.unused(ROUTE_RESPONSE, route);
        let import_id = self.below(&format!("{}/{}", of.route_id, it.id));
        self.add(ROUTE_RESPONSE, label.clone(), &import_id, arguments);
        format!("{ROUTE_RESPONSE}.{label}")
    }

    fn integration_response(
        &mut self,
        integration: &str,
        of: &IntegrationDetails,
        it: &IntegrationResponseDetails,
    ) -> String {
        let id = of.integration_id.as_str();
        let arguments = json!({
            "api_id": self.api_id(),
            "integration_id": self.attribute(INTEGRATION, id, "id"),
            "integration_response_key": escaped(&it.key),
            "content_handling_strategy": it.content_handling,
            "template_selection_expression":
                it.template_selection_expression.as_deref().map(escaped),
            "response_templates": texts(&it.response_templates),
        });
        let label = self.unused(INTEGRATION_RESPONSE, integration);
        let import_id = self.below(&format!("{id}/{}", it.id));
        self.add(INTEGRATION_RESPONSE, label.clone(), &import_id, arguments);
        format!("{INTEGRATION_RESPONSE}.{label}")
    }

    /// A label that no resource of the kind has yet.
    pub(super) fn unused(&self, kind: &'static str, label: &str) -> String {
        let taken = |label: &String| {
            let resources = self.resources.get(kind);
            resources.is_some_and(|resources| resources.contains_key(label))
        };
        let label = label.to_owned();
        match taken(&label) {
            false => label,
            true => (2..)
                .map(|count| format!("{label}{count}"))
                .find(|label| !taken(label))
                .unwrap_or(label),
        }
    }
}

fn route_settings(settings: &RouteSettings) -> Value {
    json!({
        "throttling_burst_limit": settings.burst_limit,
        "throttling_rate_limit": settings.rate_limit,
        "detailed_metrics_enabled": settings.metrics,
        "logging_level": settings.level.as_str(),
        "data_trace_enabled": settings.data_trace,
    })
}
