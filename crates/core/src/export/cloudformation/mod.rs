//! A CloudFormation template of a stage, and what it takes to import the resources that
//! are there into a stack.
//!
//! Every resource is to be retained: a stack that is deleted, or an import that is given up,
//! leaves what serves. An API stage can't be imported (CloudFormation doesn't know API
//! stages by anything that API Gateway tells), so the template for the import lacks it.

mod gateway;
mod resources;

use super::Deployed;
use super::label::Labels;
use super::references::{Piece, References};
use super::values::without_nulls;
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
