//! What the API invokes and writes to: log groups, roles, tables, functions.

use super::{BUCKET, PREFIX, Thing, Writer, some};
use crate::desired::HANDLER;
use crate::export::LiveFunction;
use crate::export::values::said;
use crate::facilities::Logging;
use crate::table::{KeyAttribute, TableState};
use crate::tags::Tags;
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn log_groups(&mut self) {
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

    pub(super) fn roles(&mut self) {
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

    pub(super) fn tables(&mut self) {
        for (name, table) in &self.deployed.tables {
            let Some(properties) = table_properties(name.as_str(), table) else {
                continue;
            };
            let thing = Thing::Table(name.as_str());
            self.add(thing, "AWS::DynamoDB::Table", properties);
            self.identify(self.label(thing), json!({ "TableName": name }));
        }
    }

    pub(super) fn functions(&mut self) {
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
