//! What is asked for as a fault, read and checked.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Kind;
use crate::limits::{FAULT_DELAY_MS, FAULT_TIMES};

/// A fault as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewFault {
    pub(crate) kind: Kind,
    /// `None`: all functions.
    #[serde(default)]
    pub(crate) function_name: Option<String>,
    /// `None`: all APIs.
    #[serde(default)]
    pub(crate) api_id: Option<String>,
    /// `None`: all connections.
    #[serde(default)]
    pub(crate) connection_id: Option<String>,
    #[serde(default)]
    pub(crate) delay_ms: Option<u64>,
    /// `None`: until it is removed.
    #[serde(default)]
    pub(crate) times: Option<u32>,
}

/// What is there to be struck.
pub(crate) trait Targets {
    fn has_function(&self, name: &str) -> bool;
    fn has_api(&self, id: &str) -> bool;
    fn has_connection(&self, id: &str) -> bool;
}

fn words(error: serde_json::Error) -> String {
    error.to_string()
}

impl NewFault {
    /// Reads and checks it; what is wrong names the member.
    pub(crate) fn read(body: &[u8], targets: &impl Targets) -> Result<Self, String> {
        // An object only: serde would take an array for a struct, too.
        let members: Map<String, Value> = serde_json::from_slice(body).map_err(words)?;
        let fault: Self = serde_json::from_value(members.into()).map_err(words)?;
        let hits_functions = fault.kind != Kind::Gone;
        let absurd = [
            (
                "functionName",
                fault.function_name.is_some() && !hits_functions,
            ),
            ("apiId", fault.api_id.is_some() && hits_functions),
            (
                "connectionId",
                fault.connection_id.is_some() && hits_functions,
            ),
            (
                "delayMs",
                fault.delay_ms.is_some() && fault.kind != Kind::Slow,
            ),
        ];
        if let Some((member, _)) = absurd.iter().find(|(_, is_absurd)| *is_absurd) {
            return Err(format!("{member} isn't for a fault of this kind"));
        }
        let range = 1..=FAULT_DELAY_MS;
        if fault.kind == Kind::Slow && !fault.delay_ms.is_some_and(|ms| range.contains(&ms)) {
            return Err(format!("delayMs must be 1 to {FAULT_DELAY_MS}"));
        }
        if fault
            .times
            .is_some_and(|times| !(1..=FAULT_TIMES).contains(&times))
        {
            return Err(format!("times must be 1 to {FAULT_TIMES}"));
        }
        let unknown = |member: &str, what: &str, name: &str| {
            Err(format!("{member}: there is no {what} {name:?}"))
        };
        match (&fault.function_name, &fault.api_id, &fault.connection_id) {
            (Some(name), ..) if !targets.has_function(name) => {
                unknown("functionName", "function", name)
            }
            (_, Some(id), _) if !targets.has_api(id) => unknown("apiId", "API", id),
            (.., Some(id)) if !targets.has_connection(id) => {
                unknown("connectionId", "connection", id)
            }
            _ => Ok(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Account;

    impl Targets for Account {
        fn has_function(&self, name: &str) -> bool {
            name == "room"
        }

        fn has_api(&self, id: &str) -> bool {
            id == "api"
        }

        fn has_connection(&self, id: &str) -> bool {
            id == "connection"
        }
    }

    fn refusal(body: &str) -> String {
        NewFault::read(body.as_bytes(), &Account).unwrap_err()
    }

    #[test]
    fn what_is_wrong_names_the_member() {
        for (body, member) in [
            (r#"[]"#, "a map"),
            (r#"{}"#, "kind"),
            (r#"{"kind":"fire"}"#, "fire"),
            (r#"{"kind":"crash","chance":1}"#, "chance"),
            (r#"{"kind":"crash","functionName":"other"}"#, "functionName"),
            (
                r#"{"kind":"crash","connectionId":"connection"}"#,
                "connectionId",
            ),
            (r#"{"kind":"crash","delayMs":1}"#, "delayMs"),
            (r#"{"kind":"gone","functionName":"room"}"#, "functionName"),
            (r#"{"kind":"gone","apiId":"other"}"#, "apiId"),
            (r#"{"kind":"gone","connectionId":"other"}"#, "connectionId"),
            (r#"{"kind":"slow"}"#, "delayMs"),
            (r#"{"kind":"slow","delayMs":0}"#, "delayMs"),
            (r#"{"kind":"slow","delayMs":60001}"#, "delayMs"),
            (r#"{"kind":"throttle","times":0}"#, "times"),
            (r#"{"kind":"throttle","times":1000001}"#, "times"),
        ] {
            let refusal = refusal(body);
            assert!(refusal.contains(member), "{body}: {refusal}");
        }
    }

    #[test]
    fn what_is_right_is_taken() {
        for body in [
            r#"{"kind":"slow","functionName":"room","delayMs":60000}"#,
            r#"{"kind":"crash","functionName":null,"times":1}"#,
            r#"{"kind":"throttle"}"#,
            r#"{"kind":"gone","apiId":"api","connectionId":"connection"}"#,
        ] {
            assert!(NewFault::read(body.as_bytes(), &Account).is_ok(), "{body}");
        }
    }
}
