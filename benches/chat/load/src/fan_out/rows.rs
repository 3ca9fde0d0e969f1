//! Fills a room: memberships as `functions/chat/src/dynamo.rs` lays them down, written past
//! the chat. By joining, ten thousand members would first be told of each other fifty million
//! times.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::sink::id_of;
use crate::ask;
use crate::failure::Failure;

/// The shipped service's, in its stage `local`.
const TABLE: &str = "chat-local-rooms";
/// BatchWriteItem takes so many.
const AT_ONCE: usize = 25;
/// Of memberships, in seconds since 1970: the year 2100.
const EXPIRES: &str = "4102444800";

/// Makes these members of a room.
pub(super) async fn fill(dynamodb: &str, room: &str, members: usize) -> Result<(), Failure> {
    let put = |member: usize| {
        json!({ "PutRequest": { "Item": {
            "pk": { "S": format!("room#{room}") },
            "sk": { "S": id_of(member) },
            "joined": { "S": "bench" },
            "expires": { "N": EXPIRES },
        } } })
    };
    let all: Vec<usize> = (0..members).collect();
    for some in all.chunks(AT_ONCE) {
        let puts: Vec<Value> = some.iter().map(|member| put(*member)).collect();
        let batch = json!({ "RequestItems": { TABLE: puts } });
        let target = "DynamoDB_20120810.BatchWriteItem";
        let answer = ask::call(dynamodb, "dynamodb", target, &batch).await?;
        if answer["UnprocessedItems"]
            .as_object()
            .is_some_and(|it| !it.is_empty())
        {
            return Err(Failure::Answer {
                what: "BatchWriteItem".to_owned(),
                answer: answer.to_string(),
            });
        }
    }
    Ok(())
}

/// How long the table alone takes to say who the members are, asked as the chat asks it.
pub(super) async fn query(dynamodb: &str, room: &str, members: usize) -> Result<Duration, Failure> {
    let began = Instant::now();
    let (mut found, mut start) = (0, Value::Null);
    loop {
        let mut query = json!({
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": format!("room#{room}") } },
            "ConsistentRead": true,
        });
        if start.is_object() {
            query["ExclusiveStartKey"] = start;
        }
        let target = "DynamoDB_20120810.Query";
        let mut page = ask::call(dynamodb, "dynamodb", target, &query).await?;
        found += page["Items"].as_array().map_or(0, Vec::len);
        start = page["LastEvaluatedKey"].take();
        if !start.is_object() {
            break;
        }
    }
    match found == members {
        true => Ok(began.elapsed()),
        false => Err(Failure::Answer {
            what: format!("a query for {members} members of {room}"),
            answer: format!("{found} items"),
        }),
    }
}
