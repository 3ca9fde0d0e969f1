//! A Terraform configuration of a stage, in Terraform's JSON syntax, with an `import` block
//! for each resource: the first `terraform apply` takes over what is there and changes
//! nothing.
//!
//! The tags by which the deployer owns the stage are `default_tags` of the provider, so that
//! whoever goes on with Terraform takes them off in one place.

mod gateway;
mod kinds;
mod resources;

use super::Deployed;
use super::label::Labels;
use super::references::{Piece, References};
use super::values::without_nulls;
use crate::tags::{Tags, ownership};
use kinds::{
    API, AUTHORIZER, DEPLOYMENT, FUNCTION, INTEGRATION, LOG_GROUP, ROLE, ROUTE, STAGE, TABLE,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The provider has been asked for these resources since.
const PROVIDER_VERSION: &str = ">= 5.97";
/// `import` blocks in configurations, for each of many.
const TERRAFORM_VERSION: &str = ">= 1.5";

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

/// Text as Terraform takes it for itself, not for a template.
fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
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
