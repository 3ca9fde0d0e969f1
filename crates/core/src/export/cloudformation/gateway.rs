//! The API with all that is below it, and the release that is live.

use super::{Thing, Writer, some, some_map};
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
        let properties = json!({
            "Name": api.name,
            "Description": api.description,
            "Version": api.version,
            "ProtocolType": api.protocol,
            "RouteSelectionExpression": api.route_selection_expression,
            "ApiKeySelectionExpression": api.api_key_selection_expression,
            "DisableExecuteApiEndpoint": api.settings.disable_execute_api_endpoint,
            "IpAddressType": api.settings.ip_address_type,
            "Tags": api.tags,
        });
        self.add(Thing::Api, "AWS::ApiGatewayV2::Api", properties);
        let id = &api.api_id;
        self.identify(self.label(Thing::Api), json!({ "ApiId": id }));
        let mut frozen = Vec::new();
        for integration in &api.integrations {
            let thing = Thing::Integration(integration.integration_id.as_str());
            let properties = self.integration(integration);
            self.add(thing, "AWS::ApiGatewayV2::Integration", properties);
            let integration_id = &integration.integration_id;
            let identifier = json!({ "ApiId": id, "IntegrationId": integration_id });
            self.identify(self.label(thing), identifier);
            for response in &integration.responses {
                frozen.push(self.integration_response(thing, integration, response));
            }
        }
        for authorizer in &api.authorizers {
            let thing = Thing::Authorizer(authorizer.authorizer_id.as_str());
            let properties = self.authorizer(authorizer);
            self.add(thing, "AWS::ApiGatewayV2::Authorizer", properties);
            let identifier = json!({ "ApiId": id, "AuthorizerId": authorizer.authorizer_id });
            self.identify(self.label(thing), identifier);
        }
        for route in &api.routes {
            let thing = Thing::Route(route.route_id.as_str());
            let properties = self.route(route);
            self.add(thing, "AWS::ApiGatewayV2::Route", properties);
            let identifier = json!({ "ApiId": id, "RouteId": route.route_id });
            self.identify(self.label(thing), identifier);
            frozen.push(self.label(thing));
            for response in &route.responses {
                frozen.push(self.route_response(thing, route, response));
            }
        }
        self.release(&frozen);
    }

    /// The deployment, and the API stage on which it is live.
    fn release(&mut self, frozen: &[String]) {
        let Deployed {
            api,
            stage,
            deployment,
            ..
        } = self.deployed;
        let properties = json!({
            "ApiId": self.reference(Thing::Api),
            "Description": api.description_of(deployment).and_then(said),
        });
        let label = self.label(Thing::Deployment);
        self.add_labelled(
            label.clone(),
            "AWS::ApiGatewayV2::Deployment",
            properties,
            frozen,
        );
        let identifier = json!({ "ApiId": api.api_id, "DeploymentId": deployment });
        self.identify(label, identifier);
        let settings = &stage.state.settings;
        let routes: Map<String, Value> = settings
            .routes
            .iter()
            .map(|(route, it)| (route.to_string(), route_settings(it)))
            .collect();
        let access_log = settings.access_log.as_ref().map(|log| {
            json!({ "DestinationArn": self.text(&log.destination_arn), "Format": log.format })
        });
        let properties = json!({
            "ApiId": self.reference(Thing::Api),
            "StageName": stage.state.name,
            "Description": stage.description,
            "DeploymentId": self.reference(Thing::Deployment),
            "AutoDeploy": stage.state.auto_deploy.then_some(true),
            "StageVariables": some_map(&settings.variables),
            "DefaultRouteSettings": route_settings(&settings.default_route),
            "RouteSettings": match routes.is_empty() {
                true => Value::Null,
                false => Value::Object(routes),
            },
            "AccessLogSettings": access_log,
            "Tags": some_map(&stage.state.tags),
        });
        self.add(Thing::Stage, "AWS::ApiGatewayV2::Stage", properties);
    }

    fn integration(&self, it: &IntegrationDetails) -> Value {
        json!({
            "ApiId": self.reference(Thing::Api),
            "IntegrationType": it.integration_type,
            "IntegrationMethod": it.method,
            "IntegrationUri": it.uri.as_deref().map(|uri| self.text(uri)),
            "CredentialsArn": it.credentials_arn.as_deref().map(|arn| self.text(arn)),
            "Description": it.description,
            "ConnectionType": it.connection_type,
            "ConnectionId": it.connection_id,
            "ContentHandlingStrategy": it.content_handling,
            "PassthroughBehavior": it.passthrough_behavior,
            "PayloadFormatVersion": it.payload_format_version,
            "RequestParameters": some_map(&it.request_parameters),
            "RequestTemplates": some_map(&it.request_templates),
            "TemplateSelectionExpression": it.template_selection_expression,
            "TimeoutInMillis": it.timeout_ms,
        })
    }

    fn authorizer(&self, it: &AuthorizerDetails) -> Value {
        let credentials = it.credentials_arn.as_deref();
        json!({
            "ApiId": self.reference(Thing::Api),
            "Name": it.name,
            "AuthorizerType": it.authorizer_type,
            "AuthorizerUri": it.uri.as_deref().map(|uri| self.text(uri)),
            "AuthorizerCredentialsArn": credentials.map(|arn| self.text(arn)),
            "IdentitySource": some(it.identity_sources.clone()),
        })
    }

    fn route(&self, it: &RouteDetails) -> Value {
        let integration = self.deployed.api.integration_of(it);
        let target = integration.map(|integration| {
            let label = self.label(Thing::Integration(integration.integration_id.as_str()));
            json!({ "Fn::Sub": format!("integrations/${{{label}}}") })
        });
        let authorizer = it.authorizer_id.as_ref();
        let parameters: Map<String, Value> = it
            .request_parameters
            .iter()
            .map(|(name, required)| (name.clone(), json!({ "Required": required })))
            .collect();
        json!({
            "ApiId": self.reference(Thing::Api),
            "RouteKey": it.route_key,
            "Target": target,
            "AuthorizationType": it.authorization,
            "AuthorizerId": authorizer.map(|id| self.reference(Thing::Authorizer(id.as_str()))),
            "ApiKeyRequired": it.api_key_required.then_some(true),
            "OperationName": it.operation_name,
            "ModelSelectionExpression": it.model_selection_expression,
            "RequestModels": some_map(&it.request_models),
            "RequestParameters": match parameters.is_empty() {
                true => Value::Null,
                false => Value::Object(parameters),
            },
            "RouteResponseSelectionExpression": it.route_response_selection_expression,
        })
    }

    fn route_response(
        &mut self,
        route: Thing<'_>,
        of: &RouteDetails,
        it: &RouteResponseDetails,
    ) -> String {
        let label = self.under(route, "Response");
        let properties = json!({
            "ApiId": self.reference(Thing::Api),
            "RouteId": self.reference(route),
            "RouteResponseKey": it.key,
            "ModelSelectionExpression": it.model_selection_expression,
            "ResponseModels": some_map(&it.response_models),
        });
        let kind = "AWS::ApiGatewayV2::RouteResponse";
        self.add_labelled(label.clone(), kind, properties, &[]);
        let api_id = &self.deployed.api.api_id;
        let identifier =
            json!({ "ApiId": api_id, "RouteId": of.route_id, "RouteResponseId": it.id });
        self.identify(label.clone(), identifier);
        label
    }

    fn integration_response(
        &mut self,
        integration: Thing<'_>,
        of: &IntegrationDetails,
        it: &IntegrationResponseDetails,
    ) -> String {
        let label = self.under(integration, "Response");
        let properties = json!({
            "ApiId": self.reference(Thing::Api),
            "IntegrationId": self.reference(integration),
            "IntegrationResponseKey": it.key,
            "ContentHandlingStrategy": it.content_handling,
            "TemplateSelectionExpression": it.template_selection_expression,
            "ResponseTemplates": some_map(&it.response_templates),
        });
        let kind = "AWS::ApiGatewayV2::IntegrationResponse";
        self.add_labelled(label.clone(), kind, properties, &[]);
        let api_id = &self.deployed.api.api_id;
        let id = &of.integration_id;
        let identifier =
            json!({ "ApiId": api_id, "IntegrationId": id, "IntegrationResponseId": it.id });
        self.identify(label.clone(), identifier);
        label
    }

    /// A label for something that only `parent` has, with a number from the second on.
    fn under(&self, parent: Thing<'_>, what: &str) -> String {
        let label = format!("{}{what}", self.label(parent));
        let mut others = (2..).map(|count| format!("{label}{count}"));
        match self.resources.contains_key(&label) {
            false => label,
            true => others
                .find(|other| !self.resources.contains_key(other))
                .unwrap_or(label),
        }
    }
}

fn route_settings(settings: &RouteSettings) -> Value {
    json!({
        "ThrottlingBurstLimit": settings.burst_limit,
        "ThrottlingRateLimit": settings.rate_limit,
        "DetailedMetricsEnabled": settings.metrics,
        "LoggingLevel": settings.level.as_str(),
        "DataTraceEnabled": settings.data_trace,
    })
}
