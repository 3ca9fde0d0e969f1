//! What the two services answer, as a value or a cause.

use crate::error::Cause;
use crate::reference::Store;
use serde_json::Value;

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Value(String),
    /// It will not get better.
    Wrong(Cause),
    /// It may pass by itself.
    Passing(Cause),
}

/// Codes that pass, whatever the status.
const THROTTLING: [&str; 3] = [
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
];

pub(crate) fn read(store: Store, status: u16, body: &[u8]) -> Answer {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    if status == 200 {
        let (member, value) = match store {
            Store::Parameters => ("Parameter.Value", &body["Parameter"]["Value"]),
            Store::Secrets => ("SecretString", &body["SecretString"]),
        };
        return match value.as_str() {
            Some(text) => Answer::Value(text.to_owned()),
            None => Answer::Wrong(Cause::NoText(member)),
        };
    }
    let text = |names: [&str; 2]| names.iter().find_map(|name| body[*name].as_str());
    let code = text(["__type", "code"]).unwrap_or("without an error code");
    // A namespace may stand before it.
    let code = code.rsplit('#').next().unwrap_or(code).to_owned();
    let message = text(["message", "Message"]).map_or_else(
        || format!("HTTP status {status}, without a message"),
        str::to_owned,
    );
    let passing = status >= 500 || status == 429 || THROTTLING.contains(&code.as_str());
    let cause = Cause::Refused { code, message };
    match passing {
        true => Answer::Passing(cause),
        false => Answer::Wrong(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, read};
    use crate::error::Cause;
    use crate::reference::Store;

    #[test]
    fn both_services_values_are_found() {
        let parameter = br#"{"Parameter":{"Value":"v","Version":1}}"#;
        let value = Answer::Value("v".to_owned());
        assert_eq!(read(Store::Parameters, 200, parameter), value);
        let secret = br#"{"SecretString":"v"}"#;
        assert_eq!(read(Store::Secrets, 200, secret), value);
        let binary = br#"{"SecretBinary":"dg=="}"#;
        let cause = Cause::NoText("SecretString");
        assert_eq!(read(Store::Secrets, 200, binary), Answer::Wrong(cause));
    }

    #[test]
    fn refusals_keep_awss_code_and_words() {
        let body = br#"{"__type":"x#AccessDeniedException","Message":"User: is not"}"#;
        let cause = Cause::Refused {
            code: "AccessDeniedException".to_owned(),
            message: "User: is not".to_owned(),
        };
        assert_eq!(read(Store::Secrets, 400, body), Answer::Wrong(cause));
    }

    #[test]
    fn throttling_and_failing_services_are_asked_again() {
        let throttled = br#"{"__type":"ThrottlingException"}"#;
        for (status, body) in [(400, &throttled[..]), (503, b"<html>"), (429, b"")] {
            let answer = read(Store::Parameters, status, body);
            assert!(matches!(answer, Answer::Passing(_)), "{status}: {answer:?}");
        }
    }
}
