//! The late reader: when nobody talks any more it joins each room, says a last word, by which
//! everybody finds out what they lack, and reads the room's whole history.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::ledger::{Fate, Log, Logs};
use super::socket::{Answer, Socket, is_error, request};
use super::world::{World, token_of};
use crate::failure::Failure;

/// Messages asked for at a time.
const PAGE: usize = 100;
const ATTEMPTS: usize = 20;
/// Where a request was refused because too many others were being served.
const PAUSE: Duration = Duration::from_millis(500);

/// Gives all rooms' logs.
pub(super) async fn read(world: &World) -> Result<Logs, Failure> {
    let mut logs = Logs::default();
    for number in 0..world.pace.rooms {
        let room = world.room(number);
        // A connection has 16 rooms at most.
        let mut socket = Socket::open(&world.url).await?;
        let log = read_room(world, &mut socket, &room).await?;
        socket.close().await;
        logs.insert(room, log);
    }
    Ok(logs)
}

async fn read_room(world: &World, socket: &mut Socket, room: &str) -> Result<Log, Failure> {
    until_answered(socket, &request("join", room), |heard| {
        let joined = heard["type"] == "joined" && heard["room"] == room;
        joined || is_error(heard, room, "ALREADY_JOINED")
    })
    .await?;
    let token = world.says(room);
    let id = format!("last-{token}");
    let mut last_word = request("send", room);
    last_word["msg"] = json!(token.to_string());
    last_word["id"] = json!(id);
    let sent = until_answered(socket, &last_word, |heard| {
        heard["type"] == "sent" && heard["id"] == id
    })
    .await?;
    let top = sent["seq"].as_u64().unwrap_or(0);
    world.became(token, Fate::Stored(top));
    let mut log = Log::new();
    loop {
        let mut question = request("history", room);
        question["after"] = json!(log.len());
        question["last"] = json!(PAGE);
        let answer = until_answered(socket, &question, |heard| heard["type"] == "history").await?;
        let messages = answer["messages"].as_array().cloned().unwrap_or_default();
        for message in &messages {
            let expected = log.len() as u64 + 1;
            if message["seq"].as_u64() != Some(expected) {
                return Err(Failure::Answer {
                    what: format!("the history of {room} after {}", log.len()),
                    answer: format!("{message}, where {expected} must come next"),
                });
            }
            log.push(token_of(message["text"].as_str().unwrap_or_default()));
        }
        if messages.is_empty() || answer["more"] != json!(true) {
            return Ok(log);
        }
    }
}

async fn until_answered(
    socket: &mut Socket,
    question: &serde_json::Value,
    is_answer: impl Fn(&serde_json::Value) -> bool,
) -> Result<serde_json::Value, Failure> {
    for _ in 0..ATTEMPTS {
        if let Answer::This(answer) = socket.ask(question, &is_answer, |_| {}).await? {
            return Ok(answer);
        }
        sleep(PAUSE).await;
    }
    Err(Failure::Silent(question.to_string()))
}
