//! A Terraform configuration of a stage, in Terraform's JSON syntax, with an `import` block
//! for each resource: the first `terraform apply` takes over what is there and changes
//! nothing.
//!
//! The tags by which the deployer owns the stage are `default_tags` of the provider, so that
//! whoever goes on with Terraform takes them off in one place.

use super::label::Labels;
use super::references::{Piece, References};
use super::{Deployed, LiveFunction};
use crate::api_details::{
    AuthorizerDetails, IntegrationDetails, IntegrationResponseDetails, RouteDetails,
    RouteResponseDetails,
};
use crate::desired::HANDLER;
use crate::facilities::Logging;
use crate::stage_settings::RouteSettings;
use crate::table::TableState;
use crate::tags::{Tags, ownership};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The provider has been asked for these resources since.
const PROVIDER_VERSION: &str = ">= 5.97";
/// `import` blocks in configurations, for each of many.
const TERRAFORM_VERSION: &str = ">= 1.5";

const API: &str = "aws_apigatewayv2_api";
const INTEGRATION: &str = "aws_apigatewayv2_integration";
const INTEGRATION_RESPONSE: &str = "aws_apigatewayv2_integration_response";
const AUTHORIZER: &str = "aws_apigatewayv2_authorizer";
const ROUTE: &str = "aws_apigatewayv2_route";
const ROUTE_RESPONSE: &str = "aws_apigatewayv2_route_response";
const DEPLOYMENT: &str = "aws_apigatewayv2_deployment";
const STAGE: &str = "aws_apigatewayv2_stage";
const FUNCTION: &str = "aws_lambda_function";
const ROLE: &str = "aws_iam_role";
const ROLE_POLICY: &str = "aws_iam_role_policy";
const ATTACHMENT: &str = "aws_iam_role_policy_attachment";
const LOG_GROUP: &str = "aws_cloudwatch_log_group";
const TABLE: &str = "aws_dynamodb_table";

/// The stage as Terraform has it: the text of `main.tf.json`, parsed.
pub fn terraform(deployed: &Deployed<'_>) -> Value {
    let mut writer = Writer::new(deployed);
    writer.log_groups();
    writer.roles();
    writer.tables();
    writer.functions();
    writer.api();
    writer.finish()
}

struct Writer<'a> {
    deployed: &'a Deployed<'a>,
    ownership: Tags,
    references: References,
    /// By kind and what AWS knows it by.
    labels: BTreeMap<(&'static str, String), String>,
    resources: BTreeMap<&'static str, Map<String, Value>>,
    imports: Vec<Value>,
}

impl<'a> Writer<'a> {
    /// First all labels, since resources refer to each other.
    fn new(deployed: &'a Deployed<'a>) -> Self {
        let mut writer = Self {
            deployed,
            ownership: ownership(&deployed.names.identity),
            references: References::default(),
            labels: BTreeMap::new(),
            resources: BTreeMap::new(),
            imports: Vec::new(),
        };
        let account = deployed.account;
        let api = deployed.api;
        let mut labels = Labels::default();
        writer.name(API, &api.api_id, labels.snake(&["api"]));
        writer.refer(api.api_id.clone(), API, &api.api_id, "id");
        let mut labels = Labels::default();
        for name in deployed.log_groups.keys() {
            let label = labels.snake(&[deployed.of_log_group(name)]);
            writer.name(LOG_GROUP, name.as_str(), label);
            writer.refer(account.log_group_arn(name), LOG_GROUP, name.as_str(), "arn");
        }
        let mut labels = Labels::default();
        for name in deployed.roles.keys() {
            let label = labels.snake(&[deployed.purpose(name)]);
            writer.name(ROLE, name.as_str(), label);
            writer.refer(account.role_arn(name), ROLE, name.as_str(), "arn");
        }
        let mut labels = Labels::default();
        for (name, table) in &deployed.tables {
            let label = labels.snake(&[deployed.of_table(name)]);
            writer.name(TABLE, name.as_str(), label);
            writer.refer(table.arn.clone(), TABLE, name.as_str(), "arn");
        }
        let mut labels = Labels::default();
        for (key, function) in &deployed.functions {
            let name = function.name.as_str();
            writer.name(FUNCTION, name, labels.snake(&[key.as_str()]));
            // Terraform knows the newest version of a function only.
            if function.is_newest() {
                let arn = deployed.version_arn(function);
                writer.refer(arn, FUNCTION, name, "qualified_arn");
            }
        }
        let mut labels = Labels::default();
        for integration in &api.integrations {
            let uri = integration.uri.as_deref().unwrap_or_default();
            let mut functions = deployed.functions.iter();
            let function = functions.find(|(_, it)| uri.contains(&deployed.version_arn(it)));
            let of = function.map_or("other", |(key, _)| key.as_str());
            let id = integration.integration_id.as_str();
            writer.name(INTEGRATION, id, labels.snake(&[of]));
        }
        let mut labels = Labels::default();
        for authorizer in &api.authorizers {
            let id = authorizer.authorizer_id.as_str();
            writer.name(AUTHORIZER, id, labels.snake(&[&authorizer.name]));
        }
        let mut labels = Labels::default();
        for route in &api.routes {
            let id = route.route_id.as_str();
            writer.name(ROUTE, id, labels.snake(&[&route.route_key]));
        }
        writer.name(DEPLOYMENT, deployed.deployment.as_str(), "live".to_owned());
        writer.name(STAGE, &deployed.stage.state.name, "live".to_owned());
        writer
    }

    fn name(&mut self, kind: &'static str, id: &str, label: String) {
        self.labels.insert((kind, id.to_owned()), label);
    }

    fn refer(&mut self, text: String, kind: &'static str, id: &str, attribute: &str) {
        let expression = self.attribute(kind, id, attribute);
        self.references.add(text, expression);
    }

    fn label(&self, kind: &'static str, id: &str) -> String {
        // All labels were given out before anything is written.
        let found = self.labels.get(&(kind, id.to_owned()));
        found.cloned().unwrap_or_default()
    }

    /// An attribute of another resource, as it stands in a text.
    fn attribute(&self, kind: &'static str, id: &str, attribute: &str) -> String {
        format!("${{{kind}.{}.{attribute}}}", self.label(kind, id))
    }

    /// A text in which other resources are named.
    fn text(&self, text: &str) -> String {
        let pieces = self.references.pieces(text).into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Text(text) => escaped(text),
                Piece::Reference(expression) => expression.to_owned(),
            })
            .collect()
    }

    fn add(&mut self, kind: &'static str, label: String, import_id: &str, arguments: Value) {
        self.imports.push(json!({
            "to": format!("{kind}.{label}"),
            "id": import_id,
        }));
        let resources = self.resources.entry(kind).or_default();
        resources.insert(label, without_nulls(arguments));
    }

    /// What goes beyond the provider's default tags.
    fn tags(&self, tags: &Tags) -> Value {
        let own = tags.iter();
        let own = own.filter(|(key, value)| self.ownership.get(*key) != Some(*value));
        let own: Map<String, Value> = own
            .map(|(key, value)| (escaped(key), json!(escaped(value))))
            .collect();
        match own.is_empty() {
            true => Value::Null,
            false => Value::Object(own),
        }
    }

    fn log_groups(&mut self) {
        for (name, state) in &self.deployed.log_groups {
            let label = self.label(LOG_GROUP, name.as_str());
            let arguments = json!({
                "name": self.text(name.as_str()),
                "retention_in_days": state.retention_days,
                "tags": self.tags(&state.tags),
            });
            self.add(LOG_GROUP, label, name.as_str(), arguments);
        }
    }

    fn roles(&mut self) {
        for (name, role) in &self.deployed.roles {
            let label = self.label(ROLE, name.as_str());
            let arguments = json!({
                "name": name,
                "description": said(&role.description),
                "assume_role_policy": escaped(&role.trust.to_string()),
                "permissions_boundary": role.permissions_boundary,
                "tags": self.tags(&role.tags),
            });
            self.add(ROLE, label.clone(), name.as_str(), arguments);
            let role_name = self.attribute(ROLE, name.as_str(), "name");
            let mut labels = Labels::default();
            for (policy, document) in &role.inline_policies {
                if document.is_null() {
                    continue;
                }
                let arguments = json!({
                    "name": policy,
                    "role": role_name,
                    "policy": self.text(&document.to_string()),
                });
                let label = labels.snake(&[&label, policy]);
                self.add(ROLE_POLICY, label, &format!("{name}:{policy}"), arguments);
            }
            for arn in &role.attached_policies {
                let arguments = json!({ "role": role_name, "policy_arn": arn });
                let policy = arn.rsplit('/').next().unwrap_or_default();
                let label = labels.snake(&[&label, policy]);
                self.add(ATTACHMENT, label, &format!("{name}/{arn}"), arguments);
            }
        }
    }

    fn tables(&mut self) {
        for (name, table) in &self.deployed.tables {
            if let Some(arguments) = self.table(name.as_str(), table) {
                let label = self.label(TABLE, name.as_str());
                self.add(TABLE, label, name.as_str(), arguments);
            }
        }
    }

    /// `None`: its key has another form than those that the deployer knows.
    fn table(&self, name: &str, table: &TableState) -> Option<Value> {
        let key = table.key.as_ref()?;
        let attributes = key
            .attributes()
            .map(|it| json!({ "name": it.name, "type": it.kind.as_str() }));
        let settings = table.settings.as_ref();
        let ttl = settings.and_then(|it| it.ttl.as_ref());
        let recovery = settings.is_some_and(|it| it.point_in_time_recovery);
        Some(json!({
            "name": name,
            "billing_mode": "PAY_PER_REQUEST",
            "hash_key": key.partition.name,
            "range_key": key.sort.as_ref().map(|it| it.name.clone()),
            "attribute": attributes.collect::<Vec<_>>(),
            "ttl": ttl.map(|attribute| json!({ "attribute_name": attribute, "enabled": true })),
            "point_in_time_recovery": recovery.then(|| json!({ "enabled": true })),
            "tags": self.tags(&table.tags),
            "lifecycle": { "prevent_destroy": true },
        }))
    }

    fn functions(&mut self) {
        for (key, function) in &self.deployed.functions {
            let name = function.name.as_str();
            let label = self.label(FUNCTION, name);
            let arguments = self.function(key.as_str(), function);
            self.add(FUNCTION, label, name, arguments);
        }
    }

    fn function(&self, key: &str, function: &LiveFunction<'_>) -> Value {
        let configuration = &function.version.configuration;
        let facilities = &configuration.facilities;
        let logging = match facilities.logging {
            Logging::Text => Value::Null,
            Logging::Json {
                application,
                system,
            } => json!({
                "log_format": "JSON",
                "application_log_level": application.as_aws(),
                "system_log_level": system.as_aws(),
            }),
        };
        // A variable is the user's: only the name of a table as a whole is a reference.
        let variables = configuration.environment.iter().map(|(name, value)| {
            let value = match self.labels.contains_key(&(TABLE, value.clone())) {
                true => self.attribute(TABLE, value, "name"),
                false => escaped(value),
            };
            (name.clone(), json!(value))
        });
        let variables: Map<String, Value> = variables.collect();
        let log_group = format!("/aws/lambda/{}", function.name);
        let log_group = self.labels.get(&(LOG_GROUP, log_group));
        // The provider reads none of them, so that each would be a change.
        let mut ignored = vec!["filename", "source_code_hash", "publish"];
        if variables.is_empty() {
            // Set, but empty: the provider can't say that.
            ignored.push("environment");
        }
        json!({
            "function_name": function.name,
            "description": said(&configuration.description).map(escaped),
            "runtime": configuration.runtime,
            "handler": HANDLER,
            "architectures": [function.version.code.architecture],
            "role": self.text(&configuration.role_arn),
            "filename": format!("${{path.module}}/{key}.zip"),
            "source_code_hash": function.version.code.sha256,
            "publish": true,
            "memory_size": configuration.memory_mb,
            "timeout": configuration.timeout_seconds,
            "ephemeral_storage": { "size": facilities.ephemeral_storage_mb },
            "tracing_config": { "mode": facilities.tracing.as_aws() },
            "logging_config": logging,
            "environment": match variables.is_empty() {
                true => Value::Null,
                false => json!({ "variables": variables }),
            },
            "reserved_concurrent_executions": function.state.reserved_concurrency,
            "tags": self.tags(&function.state.tags),
            "depends_on": log_group.map(|label| vec![format!("{LOG_GROUP}.{label}")]),
            "lifecycle": { "ignore_changes": ignored },
        })
    }

    fn api(&mut self) {
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
    fn unused(&self, kind: &'static str, label: &str) -> String {
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

    fn finish(self) -> Value {
        let tags = self.ownership.iter();
        let tags: Map<String, Value> = tags.map(|(key, it)| (key.clone(), json!(it))).collect();
        json!({
            "terraform": {
                "required_version": TERRAFORM_VERSION,
                "required_providers": {
                    "aws": { "source": "hashicorp/aws", "version": PROVIDER_VERSION },
                },
            },
            "provider": {
                "aws": {
                    "region": self.deployed.account.region,
                    "default_tags": { "tags": tags },
                },
            },
            "resource": self.resources,
            "import": self.imports,
            "output": {
                "url": { "value": self.attribute(STAGE, &self.deployed.stage.state.name, "invoke_url") },
            },
        })
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

/// Text as Terraform takes it for itself, not for a template.
fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn said(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn texts(texts: &BTreeMap<String, String>) -> Value {
    let members = texts.iter();
    let members: Map<String, Value> = members
        .map(|(name, text)| (escaped(name), json!(escaped(text))))
        .collect();
    match members.is_empty() {
        true => Value::Null,
        false => Value::Object(members),
    }
}

/// What isn't set isn't written.
fn without_nulls(arguments: Value) -> Value {
    match arguments {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.collect())
        }
        other => other,
    }
}
