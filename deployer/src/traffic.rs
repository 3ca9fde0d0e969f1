//! What the local cloud tells of a stage, as `dev` shows it (docs/DEV.md).
//!
//! Deliberately absent: fields that aren't shown. `--json` hands the events on as they are.

use deployer_core::names::Names;
use deployer_core::stage_file::StageDefinition;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One event.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Told {
    /// Begins.
    #[serde(rename_all = "camelCase")]
    Listening {
        connections_open: usize,
    },
    Request(Request),
    Invocation(Invocation),
    Management(Management),
    Log(Log),
    /// We were too slow for so many.
    Missed {
        count: u64,
    },
    /// Of a newer version.
    #[serde(other)]
    Unknown,
}

/// A handshake, a message, or the end of a connection.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub at: i64,
    pub api_id: String,
    pub stage: String,
    pub route_key: String,
    pub connection_id: String,
    pub status: u16,
    pub error: Option<String>,
    pub duration_ms: Option<f64>,
    pub integration: Option<Integration>,
    pub close_code: Option<u16>,
}

/// A function that was called for it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    pub function_name: Option<String>,
    pub request_id: Option<String>,
    pub status: u16,
    pub error: Option<String>,
}

/// A function that ran.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    pub function_name: Option<String>,
    pub request_id: String,
    /// Whether a process was started for it.
    pub cold: bool,
    pub init_ms: Option<f64>,
}

/// A call to the `@connections` API.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Management {
    pub at: i64,
    pub api_id: Option<String>,
    pub stage: Option<String>,
    pub connection_id: String,
    pub method: String,
    pub status: u16,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    pub at: i64,
    pub log_group: String,
    /// Left out where it is very long.
    pub message: Option<String>,
}

/// What of a local cloud is a stage's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ours {
    /// Its API and API stage, once it is live.
    api: Option<(String, String)>,
    /// Functions' names in the cloud, and in the file.
    functions: BTreeMap<String, String>,
    log_group_prefix: String,
    function_prefix: String,
}

impl Ours {
    /// Of this stage; its API isn't known yet.
    pub fn new(definition: &StageDefinition) -> Self {
        let names = Names::new(definition.identity.clone(), local_cloud::REGION);
        let keys = definition.functions.keys();
        Self {
            api: None,
            functions: keys
                .map(|key| (names.function(key).to_string(), key.to_string()))
                .collect(),
            log_group_prefix: names.log_group_prefix(),
            function_prefix: names.function_prefix().to_owned(),
        }
    }

    /// The same, live at this URL: `ws://127.0.0.1:PORT/API/STAGE`.
    pub fn live_at(self, url: &str) -> Self {
        let path = url.splitn(4, '/').nth(3);
        let api = path.and_then(|path| path.split_once('/'));
        Self {
            api: api.map(|(api, stage)| (api.to_owned(), stage.to_owned())),
            ..self
        }
    }

    /// Whether an event is the stage's, or about the telling itself.
    pub fn has(&self, told: &Told) -> bool {
        let is_api = |api: &str, stage: &str| {
            let ours = self.api.as_ref();
            ours.is_some_and(|ours| ours.0 == api && ours.1 == stage)
        };
        match told {
            Told::Request(request) => is_api(&request.api_id, &request.stage),
            Told::Management(call) => match (&call.api_id, &call.stage) {
                (Some(api), Some(stage)) => is_api(api, stage),
                _ => false,
            },
            Told::Invocation(run) => {
                let name = run.function_name.as_ref();
                name.is_some_and(|name| self.functions.contains_key(name))
            }
            Told::Log(log) => self.source(log).is_some(),
            Told::Listening { .. } | Told::Missed { .. } => true,
            Told::Unknown => false,
        }
    }

    /// The function that has logged this, as the file calls it.
    pub fn source(&self, log: &Log) -> Option<&str> {
        let name = log.log_group.strip_prefix(&self.log_group_prefix)?;
        let name = format!("{}{name}", self.function_prefix);
        self.functions.get(&name).map(String::as_str)
    }

    /// A function, as the file calls it.
    pub fn function<'a>(&'a self, name: &'a str) -> &'a str {
        self.functions.get(name).map_or(name, String::as_str)
    }

    /// What functions are called.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.functions.values().map(String::as_str)
    }
}

/// An event as it came; `None`: it isn't one.
pub fn of_json(event: &Value) -> Option<Told> {
    Told::deserialize(event).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::stage_file::{self, FileText};
    use serde_json::json;

    impl Ours {
        /// Of the stage `local` of a service with this file.
        pub fn of_service(text: &str) -> Self {
            let service = FileText {
                path: "stages/service.toml",
                text,
            };
            let file = FileText {
                path: "stages/local.toml",
                text: "target = \"local\"\n",
            };
            Self::new(&stage_file::read("local", service, file).expect("a legal stage"))
        }
    }

    fn ours() -> Ours {
        let text = "service = \"chat\"\n[functions.room]\n[routes]\nsend = \"room\"\n";
        Ours::of_service(text).live_at("ws://127.0.0.1:9100/abc/local")
    }

    fn told(event: &Value) -> Told {
        of_json(event).unwrap_or_else(|| panic!("no event: {event}"))
    }

    #[test]
    fn only_what_is_the_stages_is_shown() {
        let request = |api: &str| {
            told(&json!({
                "seq": 1, "kind": "request", "at": 1, "apiId": api, "stage": "local",
                "eventType": "MESSAGE", "routeKey": "send", "connectionId": "c", "status": 200,
                "error": null, "durationMs": 1.5, "integration": null,
            }))
        };
        let log = |group: &str| {
            told(&json!({ "kind": "log", "at": 1, "logGroup": group, "logStream": "s" }))
        };
        let ours = ours();
        assert!(ours.has(&request("abc")) && !ours.has(&request("other")));
        assert!(ours.has(&log("/aws/lambda/chat-local-room")));
        assert!(!ours.has(&log("/aws/lambda/chat-local-b-room")));
        assert!(ours.has(&told(&json!({ "kind": "missed", "count": 3 }))));
        assert_eq!(ours.function("chat-local-room"), "room");
    }

    #[test]
    fn kinds_of_a_newer_version_are_left_out() {
        assert_eq!(told(&json!({ "kind": "weather", "at": 1 })), Told::Unknown);
        assert_eq!(of_json(&json!({ "at": 1 })), None);
    }
}
