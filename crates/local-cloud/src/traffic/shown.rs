//! What is shown of a text that somebody sent: no secret by its name, and not too much.
//! Pure.
//!
//! Deliberately absent: finding secrets by how they look. A message that is one is shown.

use serde_json::{Map, Value};

use crate::limits::{TRAFFIC_PARSED, TRAFFIC_TEXT};

/// A member whose name has one of these in it, in any case, keeps its value to itself.
const SECRET: [&str; 10] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "signature",
    "credential",
    "api-key",
    "apikey",
];
const MASK: &str = "***";
/// JSON within JSON within JSON is looked into no deeper.
const DEEPEST: usize = 4;

/// Adds a text to an event: `name`, and how many bytes it has as `{name}Bytes`. One that
/// is too long for a look into it has its size only.
pub(crate) fn add_text(event: &mut Value, name: &str, text: &[u8]) {
    add_size(event, name, text.len());
    if text.len() <= TRAFFIC_PARSED {
        let shown = cut(masked_text(&String::from_utf8_lossy(text)));
        event[name] = shown.into();
    }
}

/// As [`add_text`], of a text of which there is no more than its size.
pub(crate) fn add_size(event: &mut Value, name: &str, bytes: usize) {
    event[format!("{name}Bytes")] = bytes.into();
}

/// The text, without secrets if it is JSON.
pub(crate) fn masked_text(text: &str) -> String {
    masked_json(text, DEEPEST).unwrap_or_else(|| text.to_owned())
}

fn masked_json(text: &str, deepest: usize) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut value = serde_json::from_str(text).ok()?;
    // One without secrets stays as it was written.
    let masked = mask(&mut value, deepest.checked_sub(1)?);
    masked.then(|| value.to_string())
}

/// Whether there was anything to be masked.
fn mask(value: &mut Value, deepest: usize) -> bool {
    match value {
        Value::Object(members) => mask_members(members, deepest),
        Value::Array(values) => {
            let mut any = false;
            for value in values {
                any |= mask(value, deepest);
            }
            any
        }
        Value::String(text) => match masked_json(text, deepest) {
            Some(masked) => {
                *text = masked;
                true
            }
            None => false,
        },
        _ => false,
    }
}

fn mask_members(members: &mut Map<String, Value>, deepest: usize) -> bool {
    let mut any = false;
    for (name, value) in members {
        let name = name.to_ascii_lowercase();
        if SECRET.iter().any(|secret| name.contains(secret)) && !value.is_null() {
            *value = MASK.into();
            any = true;
        } else {
            any |= mask(value, deepest);
        }
    }
    any
}

fn cut(mut text: String) -> String {
    if text.len() > TRAFFIC_TEXT {
        text.truncate(text.floor_char_boundary(TRAFFIC_TEXT));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_by_their_names_at_any_depth() {
        let inner = r#"{"action":"sign-in","accessToken":"abc"}"#;
        let event = json!({
            "headers": { "Authorization": "Bearer abc", "Host": "here" },
            "multiValueHeaders": { "COOKIE": ["abc"] },
            "queryStringParameters": { "X-Amz-Signature": "abc", "room": "r" },
            "body": inner,
        });
        let shown = masked_text(&event.to_string());
        assert_eq!(
            masked_text(r#"[{"token":"abc"},{"token":"abc"}]"#),
            r#"[{"token":"***"},{"token":"***"}]"#
        );
        assert!(!shown.contains("abc"), "{shown}");
        for kept in ["here", "sign-in", "\"room\":\"r\""] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }

    #[test]
    fn what_has_no_secret_stays_as_it_was_written() {
        for text in ["hi", "{\"b\": 1.50,  \"a\": \"x\"}", "[1]", "{ no json"] {
            assert_eq!(masked_text(text), text);
        }
    }

    #[test]
    fn long_texts_are_cut_and_very_long_ones_have_their_size_only() {
        let mut event = json!({});
        add_text(&mut event, "body", "ä".repeat(TRAFFIC_TEXT).as_bytes());
        let shown = event["body"].as_str().unwrap();
        assert!(shown.len() <= TRAFFIC_TEXT + '…'.len_utf8());
        assert_eq!(event["bodyBytes"], 2 * TRAFFIC_TEXT);
        let mut event = json!({});
        add_text(&mut event, "event", &vec![b'x'; TRAFFIC_PARSED + 1]);
        assert_eq!(event, json!({ "eventBytes": TRAFFIC_PARSED + 1 }));
    }
}
