//! A double of DynamoDB's control plane for tests of the deployer: tables with their
//! states, settings and tags, as the service model and the developer guide tell it.
//!
//! A table is seen once as being created or deleted before it is there or gone, so that
//! whoever doesn't wait is found out, on any clock. Deliberately absent: items; whatever
//! reads and writes them is tested against emulators of others (`make stores`).

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the operation's header begins with.
const TARGET: &str = "DynamoDB_20120810.";

/// Whether a request is for DynamoDB.
pub fn is_for_dynamodb(request: &Request<Bytes>) -> bool {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|it| it.to_str().ok());
    target.is_some_and(|target| target.starts_with(TARGET))
}

/// The tables of one account and region.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// By name.
    tables: BTreeMap<String, Table>,
    /// Which account and region, as ARNs have them.
    place: String,
}

#[derive(Debug, Clone)]
struct Table {
    /// As it was asked for.
    key_schema: Value,
    attribute_definitions: Value,
    on_demand: bool,
    tags: BTreeMap<String, String>,
    ttl: Option<String>,
    point_in_time_recovery: bool,
    phase: Phase,
}

/// Phases that pass when they have been seen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Creating,
    Updating,
    Active,
    Deleting,
}

impl Phase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// A code and a message.
type Refusal = (&'static str, String);

impl Tables {
    /// None yet. `place`: region and account id, e.g. `eu-central-1:123456789012`.
    pub fn new(place: &str) -> Self {
        Self {
            tables: BTreeMap::new(),
            place: place.to_owned(),
        }
    }

    /// Whether there is no table but such as are being deleted.
    pub fn is_empty(&self) -> bool {
        self.tables.values().all(|it| it.phase == Phase::Deleting)
    }

    /// The names of the tables that stay.
    pub fn names(&self) -> Vec<String> {
        let there = self.tables.iter();
        let there = there.filter(|(_, table)| table.phase != Phase::Deleting);
        there.map(|(name, _)| name.clone()).collect()
    }

    /// Answers a request.
    pub fn handle(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let target = request.headers().get("x-amz-target");
        let target = target.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let operation = target.strip_prefix(TARGET).unwrap_or_default();
        let input = serde_json::from_slice(request.body()).unwrap_or_default();
        let (status, body) = match self.perform(operation, &input) {
            Ok(output) => (StatusCode::OK, output),
            Err((code, message)) => {
                let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
                let body = json!({ "__type": kind, "message": message });
                (StatusCode::BAD_REQUEST, body)
            }
        };
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        let kind = http::HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert("content-type", kind);
        response
    }

    fn perform(&mut self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        match operation {
            "CreateTable" => self.create(input),
            "DescribeTable" => self.describe(input),
            "UpdateTable" => {
                let table = self.active(input)?;
                table.on_demand = input["BillingMode"] == "PAY_PER_REQUEST";
                table.phase = Phase::Updating;
                Ok(json!({}))
            }
            "DeleteTable" => {
                let table = self.active(input)?;
                table.phase = Phase::Deleting;
                Ok(json!({}))
            }
            "ListTables" => Ok(json!({ "TableNames": self.tables.keys().collect::<Vec<_>>() })),
            "ListTagsOfResource" => {
                let tags = self.of_arn(input)?.tags.iter();
                let tags = tags.map(|(key, value)| json!({ "Key": key, "Value": value }));
                Ok(json!({ "Tags": tags.collect::<Vec<_>>() }))
            }
            "TagResource" => {
                let table = self.of_arn(input)?;
                table.busy()?;
                table.tags.extend(tags_of(input));
                Ok(json!({}))
            }
            "UntagResource" => {
                let table = self.of_arn(input)?;
                table.busy()?;
                for key in input["TagKeys"].as_array().into_iter().flatten() {
                    table.tags.remove(key.as_str().unwrap_or_default());
                }
                Ok(json!({}))
            }
            "DescribeTimeToLive" => {
                let ttl = self.table(input)?.ttl.clone();
                let status = if ttl.is_some() { "ENABLED" } else { "DISABLED" };
                let about = json!({ "TimeToLiveStatus": status, "AttributeName": ttl });
                Ok(json!({ "TimeToLiveDescription": about }))
            }
            "UpdateTimeToLive" => self.update_time_to_live(input),
            "DescribeContinuousBackups" => {
                let status = match self.table(input)?.point_in_time_recovery {
                    true => "ENABLED",
                    false => "DISABLED",
                };
                let recovery = json!({ "PointInTimeRecoveryStatus": status });
                Ok(json!({ "ContinuousBackupsDescription": {
                    "ContinuousBackupsStatus": "ENABLED",
                    "PointInTimeRecoveryDescription": recovery,
                } }))
            }
            "UpdateContinuousBackups" => {
                let table = self.active(input)?;
                let wanted = &input["PointInTimeRecoverySpecification"];
                table.point_in_time_recovery = wanted["PointInTimeRecoveryEnabled"] == true;
                Ok(json!({}))
            }
            other => Err((
                "UnknownOperationException",
                format!("{other} isn't doubled"),
            )),
        }
    }

    fn create(&mut self, input: &Value) -> Result<Value, Refusal> {
        let name = input["TableName"].as_str().unwrap_or_default();
        if let Some(table) = self.tables.get(name) {
            let message = match table.phase {
                Phase::Deleting => format!("Table is being deleted: {name}"),
                _ => format!("Table already exists: {name}"),
            };
            return Err(("ResourceInUseException", message));
        }
        let table = Table {
            key_schema: input["KeySchema"].clone(),
            attribute_definitions: input["AttributeDefinitions"].clone(),
            on_demand: input["BillingMode"] == "PAY_PER_REQUEST",
            tags: tags_of(input).collect(),
            ttl: None,
            point_in_time_recovery: false,
            phase: Phase::Creating,
        };
        let answer = self.description(name, &table);
        self.tables.insert(name.to_owned(), table);
        Ok(json!({ "TableDescription": answer }))
    }

    fn describe(&mut self, input: &Value) -> Result<Value, Refusal> {
        let name = input["TableName"].as_str().unwrap_or_default();
        let table = self.table(input)?;
        let seen = table.phase;
        if seen != Phase::Deleting {
            table.phase = Phase::Active;
        }
        let table = &self.tables[name];
        let mut description = self.description(name, table);
        description["TableStatus"] = json!(seen.as_str());
        if seen == Phase::Deleting {
            self.tables.remove(name);
        }
        Ok(json!({ "Table": description }))
    }

    fn description(&self, name: &str, table: &Table) -> Value {
        let billing = match table.on_demand {
            true => "PAY_PER_REQUEST",
            false => "PROVISIONED",
        };
        json!({
            "TableName": name,
            "TableArn": format!("arn:aws:dynamodb:{}:table/{name}", self.place),
            "TableStatus": table.phase.as_str(),
            "KeySchema": table.key_schema,
            "AttributeDefinitions": table.attribute_definitions,
            "BillingModeSummary": { "BillingMode": billing },
        })
    }

    fn update_time_to_live(&mut self, input: &Value) -> Result<Value, Refusal> {
        let table = self.active(input)?;
        let wanted = &input["TimeToLiveSpecification"];
        let enabled = wanted["Enabled"] == true;
        if enabled == table.ttl.is_some() {
            let state = if enabled { "enabled" } else { "disabled" };
            let message = format!("TimeToLive is already {state}");
            return Err(("ValidationException", message));
        }
        let attribute = wanted["AttributeName"].as_str().map(str::to_owned);
        table.ttl = attribute.filter(|_| enabled);
        Ok(json!({}))
    }

    fn table(&mut self, input: &Value) -> Result<&mut Table, Refusal> {
        let name = input["TableName"].as_str().unwrap_or_default();
        let missing = || {
            let message = format!("Requested resource not found: Table: {name} not found");
            ("ResourceNotFoundException", message)
        };
        self.tables.get_mut(name).ok_or_else(missing)
    }

    /// One that may be changed.
    fn active(&mut self, input: &Value) -> Result<&mut Table, Refusal> {
        let table = self.table(input)?;
        table.busy()?;
        Ok(table)
    }

    fn of_arn(&mut self, input: &Value) -> Result<&mut Table, Refusal> {
        let arn = input["ResourceArn"].as_str().unwrap_or_default();
        let name = arn.split_once(":table/").map_or("", |(_, name)| name);
        self.table(&json!({ "TableName": name }))
    }
}

impl Table {
    /// Refuses while it isn't active, which counts as having been seen.
    fn busy(&mut self) -> Result<(), Refusal> {
        let phase = self.phase;
        if phase == Phase::Active {
            return Ok(());
        }
        if phase != Phase::Deleting {
            self.phase = Phase::Active;
        }
        let message = format!(
            "Attempt to change a resource which is still in use: {}",
            phase.as_str()
        );
        Err(("ResourceInUseException", message))
    }
}

fn tags_of(input: &Value) -> impl Iterator<Item = (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tags = input["Tags"].as_array().into_iter().flatten();
    tags.map(move |tag| (text(&tag["Key"]), text(&tag["Value"])))
}
