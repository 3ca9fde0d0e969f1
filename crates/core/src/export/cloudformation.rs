//! A CloudFormation template of a stage, and what it takes to import the resources that
//! are there into a stack.
//!
//! Every resource is to be retained: a stack that is deleted, or an import that is given up,
//! leaves what serves. An API stage can't be imported (CloudFormation doesn't know API
//! stages by anything that API Gateway tells), so the template for the import lacks it.

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
use crate::table::{KeyAttribute, TableState};
use crate::tags::Tags;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The parameter that names the bucket with the zips.
const BUCKET: &str = "CodeBucket";
/// The parameter with what the zips' keys begin with.
const PREFIX: &str = "CodePrefix";

/// Documents for CloudFormation.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudFormation {
    /// All of the stage.
    pub template: Value,
    /// What of it can be imported.
    pub import_template: Value,
    /// How each resource of that template is known: `ResourcesToImport`.
    pub import: Value,
}

/// The stage as CloudFormation has it.
pub fn cloudformation(deployed: &Deployed<'_>) -> CloudFormation {
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
    references: References,
    labels: BTreeMap<Thing<'a>, String>,
    resources: Map<String, Value>,
    import: Vec<Value>,
}

/// What has a label that others refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'a> {
    Api,
    Deployment,
    Stage,
    LogGroup(&'a str),
    Role(&'a str),
    Table(&'a str),
    Function(&'a str),
    Version(&'a str),
    Integration(&'a str),
    Authorizer(&'a str),
    Route(&'a str),
}

impl<'a> Writer<'a> {
    /// First all labels, since resources refer to each other.
    fn new(deployed: &'a Deployed<'a>) -> Self {
        let mut labels = Labels::default();
        let mut by_thing = BTreeMap::new();
        let mut references = References::default();
        let account = deployed.account;
        let (partition, region, id) = (&account.partition, &account.region, &account.account_id);
        references.add(format!("arn:{partition}:"), "arn:${AWS::Partition}:");
        references.add(
            format!(":{region}:{id}:"),
            ":${AWS::Region}:${AWS::AccountId}:",
        );
        references.add(format!("::{id}:"), "::${AWS::AccountId}:");
        references.add(
            format!("arn:{partition}:apigateway:{region}:lambda:"),
            "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:",
        );
        let api = labels.pascal(&["Api"]);
        references.add(deployed.api.api_id.as_str(), format!("${{{api}}}"));
        by_thing.insert(Thing::Api, api);
        by_thing.insert(Thing::Deployment, labels.pascal(&["Deployment"]));
        by_thing.insert(Thing::Stage, labels.pascal(&["Stage"]));
        for name in deployed.log_groups.keys() {
            let label = labels.pascal(&[deployed.of_log_group(name), "Logs"]);
            let arn = account.log_group_arn(name);
            references.add(format!("{arn}:*"), format!("${{{label}.Arn}}"));
            by_thing.insert(Thing::LogGroup(name.as_str()), label);
        }
        for name in deployed.roles.keys() {
            let label = labels.pascal(&[deployed.purpose(name), "Role"]);
            references.add(account.role_arn(name), format!("${{{label}.Arn}}"));
            by_thing.insert(Thing::Role(name.as_str()), label);
        }
        for (name, table) in &deployed.tables {
            let label = labels.pascal(&[deployed.of_table(name), "Table"]);
            references.add(table.arn.as_str(), format!("${{{label}.Arn}}"));
            by_thing.insert(Thing::Table(name.as_str()), label);
        }
        for (key, function) in &deployed.functions {
            let label = labels.pascal(&[key.as_str(), "Function"]);
            by_thing.insert(Thing::Function(key.as_str()), label);
            let label = labels.pascal(&[key.as_str(), "Version"]);
            references.add(deployed.version_arn(function), format!("${{{label}}}"));
            by_thing.insert(Thing::Version(key.as_str()), label);
        }
        for integration in &deployed.api.integrations {
            let uri = integration.uri.as_deref().unwrap_or_default();
            let mut functions = deployed.functions.iter();
            let function = functions.find(|(_, it)| uri.contains(&deployed.version_arn(it)));
            let of = function.map_or("Other", |(key, _)| key.as_str());
            let label = labels.pascal(&[of, "Integration"]);
            by_thing.insert(
                Thing::Integration(integration.integration_id.as_str()),
                label,
            );
        }
        for authorizer in &deployed.api.authorizers {
            let label = labels.pascal(&[&authorizer.name, "Authorizer"]);
            by_thing.insert(Thing::Authorizer(authorizer.authorizer_id.as_str()), label);
        }
        for route in &deployed.api.routes {
            let label = labels.pascal(&[&route.route_key, "Route"]);
            by_thing.insert(Thing::Route(route.route_id.as_str()), label);
        }
        Self {
            deployed,
            references,
            labels: by_thing,
            resources: Map::new(),
            import: Vec::new(),
        }
    }

    fn label(&self, thing: Thing<'_>) -> String {
        // All labels were given out before anything is written.
        self.labels.get(&thing).cloned().unwrap_or_default()
    }

    fn reference(&self, thing: Thing<'_>) -> Value {
        json!({ "Ref": self.label(thing) })
    }

    /// A text in which other resources are named.
    fn text(&self, text: &str) -> Value {
        let pieces = self.references.pieces(text);
        if let [Piece::Reference(only)] = pieces.as_slice()
            && let Some(inner) = only.strip_prefix("${").and_then(|it| it.strip_suffix('}'))
            && !inner.contains("${")
        {
            return match inner.split_once('.') {
                Some((label, attribute)) => json!({ "Fn::GetAtt": [label, attribute] }),
                None => json!({ "Ref": inner }),
            };
        }
        if !pieces.iter().any(|it| matches!(it, Piece::Reference(_))) {
            return json!(text);
        }
        let text: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.replace("${", "${!"),
                Piece::Reference(expression) => (*expression).to_owned(),
            })
            .collect();
        json!({ "Fn::Sub": text })
    }

    /// The same of all texts in a document.
    fn document(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter().map(|item| self.document(item)).collect(),
            Value::Object(members) => {
                let members = members.iter();
                let members = members.map(|(name, it)| (name.clone(), self.document(it)));
                Value::Object(members.collect())
            }
            other => other.clone(),
        }
    }

    fn add(&mut self, thing: Thing<'_>, kind: &str, properties: Value) {
        let label = self.label(thing);
        self.add_labelled(label, kind, properties, &[]);
    }

    fn add_labelled(&mut self, label: String, kind: &str, properties: Value, after: &[String]) {
        let mut resource = json!({
            "Type": kind,
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": without_nulls(properties),
        });
        if !after.is_empty() {
            resource["DependsOn"] = json!(after);
        }
        self.resources.insert(label, resource);
    }

    /// Says how the resource is known that is there.
    fn identify(&mut self, label: String, identifier: Value) {
        let kind = self.resources[&label]["Type"].clone();
        self.import.push(json!({
            "ResourceType": kind,
            "LogicalResourceId": label,
            "ResourceIdentifier": identifier,
        }));
    }

    fn log_groups(&mut self) {
        for (name, state) in &self.deployed.log_groups {
            let thing = Thing::LogGroup(name.as_str());
            let properties = json!({
                "LogGroupName": self.text(name.as_str()),
                "RetentionInDays": state.retention_days,
                "Tags": list(&state.tags),
            });
            self.add(thing, "AWS::Logs::LogGroup", properties);
            self.identify(self.label(thing), json!({ "LogGroupName": name }));
        }
    }

    fn roles(&mut self) {
        for (name, role) in &self.deployed.roles {
            let thing = Thing::Role(name.as_str());
            let policies: Vec<Value> = role
                .inline_policies
                .iter()
                .filter(|(_, document)| !document.is_null())
                .map(|(name, document)| {
                    json!({ "PolicyName": name, "PolicyDocument": self.document(document) })
                })
                .collect();
            let properties = json!({
                "RoleName": name,
                "Description": said(&role.description),
                "AssumeRolePolicyDocument": role.trust,
                "Policies": some(policies),
                "ManagedPolicyArns": some(role.attached_policies.clone()),
                "PermissionsBoundary": role.permissions_boundary,
                "Tags": list(&role.tags),
            });
            self.add(thing, "AWS::IAM::Role", properties);
            self.identify(self.label(thing), json!({ "RoleName": name }));
        }
    }

    fn tables(&mut self) {
        for (name, table) in &self.deployed.tables {
            let Some(properties) = table_properties(name.as_str(), table) else {
                continue;
            };
            let thing = Thing::Table(name.as_str());
            self.add(thing, "AWS::DynamoDB::Table", properties);
            self.identify(self.label(thing), json!({ "TableName": name }));
        }
    }

    fn functions(&mut self) {
        let functions = &self.deployed.functions;
        for (key, function) in functions {
            let thing = Thing::Function(key.as_str());
            let properties = self.function(key.as_str(), function);
            // Logs that come before it don't make their group by themselves.
            let log_group = format!("/aws/lambda/{}", function.name);
            let log_group = self.labels.get(&Thing::LogGroup(&log_group)).cloned();
            let after: Vec<String> = log_group.into_iter().collect();
            let label = self.label(thing);
            self.add_labelled(label.clone(), "AWS::Lambda::Function", properties, &after);
            self.identify(label, json!({ "FunctionName": function.name }));
            let version = Thing::Version(key.as_str());
            let properties = json!({
                "FunctionName": self.reference(thing),
                "CodeSha256": function.version.code.sha256,
            });
            self.add(version, "AWS::Lambda::Version", properties);
            let arn = self.deployed.version_arn(function);
            self.identify(self.label(version), json!({ "FunctionArn": arn }));
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
                "LogFormat": "JSON",
                "ApplicationLogLevel": application.as_aws(),
                "SystemLogLevel": system.as_aws(),
            }),
        };
        // A variable is the user's: only the name of a table as a whole is a reference.
        let variables = configuration.environment.iter().map(|(name, value)| {
            let table = self.labels.get(&Thing::Table(value));
            let value = table.map_or_else(|| json!(value), |label| json!({ "Ref": label }));
            (name.clone(), value)
        });
        let variables: Map<String, Value> = variables.collect();
        json!({
            "FunctionName": function.name,
            "Description": said(&configuration.description),
            "Runtime": configuration.runtime,
            "Handler": HANDLER,
            "Architectures": [function.version.code.architecture],
            "Role": self.text(&configuration.role_arn),
            "Code": {
                "S3Bucket": { "Ref": BUCKET },
                "S3Key": { "Fn::Sub": format!("${{{PREFIX}}}{key}.zip") },
            },
            "MemorySize": configuration.memory_mb,
            "Timeout": configuration.timeout_seconds,
            "EphemeralStorage": { "Size": facilities.ephemeral_storage_mb },
            "TracingConfig": { "Mode": facilities.tracing.as_aws() },
            "LoggingConfig": logging,
            "Environment": match variables.is_empty() {
                true => Value::Null,
                false => json!({ "Variables": variables }),
            },
            "ReservedConcurrentExecutions": function.state.reserved_concurrency,
            "Tags": list(&function.state.tags),
        })
    }

    fn api(&mut self) {
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

    fn finish(self) -> CloudFormation {
        let Self {
            deployed,
            labels,
            resources,
            import,
            ..
        } = self;
        let stage = labels[&Thing::Stage].clone();
        let url = format!(
            "wss://${{{}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{}",
            labels[&Thing::Api],
            deployed.stage.state.name
        );
        let mut template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": format!("{} as it was deployed", deployed.names.identity),
            "Parameters": {
                BUCKET: {
                    "Type": "String",
                    "Description": "S3 bucket with the functions' zips",
                },
                PREFIX: {
                    "Type": "String",
                    "Default": "",
                    "Description": "What the keys of the zips begin with, e.g. chat/",
                },
            },
            "Resources": resources,
            "Outputs": { "Url": { "Value": { "Fn::Sub": url } } },
        });
        let mut import_template = template.clone();
        for document in [&mut template, &mut import_template] {
            if deployed.functions.is_empty() {
                without(document, "Parameters");
            }
        }
        if let Some(resources) = import_template["Resources"].as_object_mut() {
            resources.remove(&stage);
        }
        // An import takes no outputs that are new.
        without(&mut import_template, "Outputs");
        CloudFormation {
            template,
            import_template,
            import: Value::Array(import),
        }
    }
}

fn without(document: &mut Value, member: &str) {
    if let Some(members) = document.as_object_mut() {
        members.remove(member);
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

/// `None`: its key has another form than those that the deployer knows.
fn table_properties(name: &str, table: &TableState) -> Option<Value> {
    let key = table.key.as_ref()?;
    let of_key =
        |kind: &str, it: &KeyAttribute| json!({ "AttributeName": it.name, "KeyType": kind });
    let mut schema = vec![of_key("HASH", &key.partition)];
    schema.extend(key.sort.iter().map(|it| of_key("RANGE", it)));
    let attributes = key.attributes();
    let attributes =
        attributes.map(|it| json!({ "AttributeName": it.name, "AttributeType": it.kind.as_str() }));
    let settings = table.settings.as_ref();
    let ttl = settings.and_then(|it| it.ttl.as_ref());
    let recovery = settings.is_some_and(|it| it.point_in_time_recovery);
    Some(json!({
        "TableName": name,
        "KeySchema": schema,
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification":
            ttl.map(|attribute| json!({ "AttributeName": attribute, "Enabled": true })),
        "PointInTimeRecoverySpecification":
            recovery.then(|| json!({ "PointInTimeRecoveryEnabled": true })),
        "Tags": list(&table.tags),
    }))
}

fn list(tags: &Tags) -> Value {
    let tags = tags.iter();
    let tags = tags.map(|(key, value)| json!({ "Key": key, "Value": value }));
    some(tags.collect::<Vec<_>>())
}

fn said(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn some<T: serde::Serialize>(items: Vec<T>) -> Value {
    match items.is_empty() {
        true => Value::Null,
        false => json!(items),
    }
}

fn some_map(map: &BTreeMap<String, String>) -> Value {
    match map.is_empty() {
        true => Value::Null,
        false => json!(map),
    }
}

/// What isn't set isn't written.
fn without_nulls(properties: Value) -> Value {
    match properties {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.collect())
        }
        other => other,
    }
}
