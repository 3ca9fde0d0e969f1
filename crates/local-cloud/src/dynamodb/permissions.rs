//! What a role must be allowed for a request to DynamoDB: an action on each table or
//! index that the request names. Source of actions and resources: AWS's Service
//! Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB".
//!
//! Deliberately absent: conditions on items and attributes (`dynamodb:LeadingKeys`), and
//! PartiQL, whose tables stand in its statements; it is refused to roles.

use bytes::Bytes;
use cloud_model::Caller;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::callers;
use crate::http_io::{self, Answer, Refusal};
use crate::model::Model;

/// As DynamoDB writes it.
const DENIED: &str = "com.amazon.coral.service#AccessDeniedException";
/// Of an operation that isn't about one table.
const ANY: &str = "*";

/// An action and what it is done to.
#[derive(Debug, PartialEq, Eq)]
struct Needed {
    action: String,
    resource: String,
}

/// The answer of a refusal, unless the caller may do all that the request says.
pub(super) fn check(
    model: &Model,
    caller: &Caller,
    request: &Request<Bytes>,
) -> Result<(), Refusal> {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let operation = target.split_once('.').map_or("", |(_, name)| name);
    let input = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
    let tables = Tables {
        prefix: model.dynamodb_table_arn(""),
    };
    for Needed { action, resource } in tables.needed(operation, &input) {
        if !model.role_allows(&caller.role_arn, &action, &resource) {
            return Err(Box::new(denial(caller, &action, &resource)));
        }
    }
    Ok(())
}

fn denial(caller: &Caller, action: &str, resource: &str) -> Answer {
    let denial = callers::denial(caller, action, resource);
    let text = format!("{denial} because no identity-based policy allows the {action} action");
    let body = json!({ "__type": DENIED, "Message": text }).to_string();
    http_io::error(StatusCode::BAD_REQUEST, DENIED, body)
}

/// The account's and region's tables.
struct Tables {
    /// Of their ARNs; a name follows.
    prefix: String,
}

impl Tables {
    fn needed(&self, operation: &str, input: &Value) -> Vec<Needed> {
        let needed = |action: &str, resource: String| Needed {
            action: format!("dynamodb:{action}"),
            resource,
        };
        match operation {
            "BatchGetItem" | "BatchWriteItem" => {
                let tables = input["RequestItems"].as_object();
                let tables = tables.into_iter().flat_map(|it| it.keys());
                tables.map(|it| needed(operation, self.arn(it))).collect()
            }
            "TransactGetItems" | "TransactWriteItems" => {
                let items = input["TransactItems"].as_array();
                let parts = items.into_iter().flatten().filter_map(Value::as_object);
                let parts = parts.flat_map(|item| item.iter());
                parts
                    .map(|(kind, part)| needed(item_action(kind), self.named(part)))
                    .collect()
            }
            _ => {
                let resource = match input["ResourceArn"].as_str() {
                    Some(arn) => self.arn(arn),
                    None => self.named(input),
                };
                vec![needed(operation, resource)]
            }
        }
    }

    /// What a request or a part of one is about.
    fn named(&self, input: &Value) -> String {
        let Some(table) = input["TableName"].as_str() else {
            return ANY.to_owned();
        };
        match input["IndexName"].as_str() {
            Some(index) => format!("{}/index/{index}", self.arn(table)),
            None => self.arn(table),
        }
    }

    /// Of a table's name or ARN. An ARN may be one that an emulator has given, with an
    /// account of its own.
    fn arn(&self, table: &str) -> String {
        let name = table.split_once(":table/").map_or(table, |(_, name)| name);
        format!("{}{name}", self.prefix)
    }
}

/// The action of a part of a transaction.
fn item_action(kind: &str) -> &str {
    match kind {
        "Get" => "GetItem",
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(operation: &str, input: &Value) -> Vec<(String, String)> {
        let prefix = "arn:aws:dynamodb:us-east-1:000000000000:table/".to_owned();
        let needed = Tables { prefix }.needed(operation, input);
        needed
            .into_iter()
            .map(|it| {
                let (_, rest) = it.resource.split_once(":table/").unwrap_or(("", "*"));
                (it.action, rest.to_owned())
            })
            .collect()
    }

    fn pair(action: &str, table: &str) -> (String, String) {
        (format!("dynamodb:{action}"), table.to_owned())
    }

    #[test]
    fn an_action_on_the_table_or_index_that_a_request_names() {
        let table = json!({ "TableName": "rooms" });
        assert_eq!(needed("GetItem", &table), [pair("GetItem", "rooms")]);
        let arn = json!({ "TableName": "arn:aws:dynamodb:eu-west-1:123456789012:table/rooms" });
        assert_eq!(needed("Query", &arn), [pair("Query", "rooms")]);
        let index = json!({ "TableName": "rooms", "IndexName": "by-name" });
        assert_eq!(
            needed("Query", &index),
            [pair("Query", "rooms/index/by-name")]
        );
        assert_eq!(needed("ListTables", &json!({})), [pair("ListTables", "*")]);
    }

    #[test]
    fn each_table_of_a_batch_and_each_part_of_a_transaction() {
        let batch = json!({ "RequestItems": { "a": {}, "b": {} } });
        assert_eq!(
            needed("BatchWriteItem", &batch),
            [pair("BatchWriteItem", "a"), pair("BatchWriteItem", "b")]
        );
        let parts = json!({ "TransactItems": [
            { "Put": { "TableName": "a" } },
            { "ConditionCheck": { "TableName": "b" } }
        ] });
        assert_eq!(
            needed("TransactWriteItems", &parts),
            [pair("PutItem", "a"), pair("ConditionCheckItem", "b")]
        );
    }

    #[test]
    fn statements_of_partiql_name_no_table() {
        let input = json!({ "Statement": "SELECT * FROM rooms" });
        assert_eq!(
            needed("ExecuteStatement", &input),
            [pair("ExecuteStatement", "*")]
        );
    }
}
