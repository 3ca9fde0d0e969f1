//! A stage's settings as TOML, each with its place as a comment.

use deployer_core::stage_file::Setting;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// Comments begin at the same column, but for what is longer than this.
const WIDEST: usize = 60;
/// Tables whose entries are tables of their own.
const OF_TABLES: [&str; 3] = ["functions", "route_settings", "tables"];

/// What a stage's files come to.
#[derive(Debug, Serialize)]
pub struct EffectiveResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// Its settings.
    pub settings: Vec<Setting>,
}

/// The settings of one table, or of one entry of a list.
struct Block<'a> {
    /// Empty: no table's.
    header: String,
    lines: Vec<(String, &'a Setting)>,
}

pub(super) fn text(result: &EffectiveResult<'_>) -> String {
    let blocks = blocks(&result.settings);
    let width = blocks
        .iter()
        .flat_map(|block| &block.lines)
        .map(|(line, _)| line.chars().count())
        .filter(|width| *width <= WIDEST)
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for Block { header, lines } in &blocks {
        if !header.is_empty() {
            // Writing to a String can't fail.
            let _ = write!(text, "\n{header}\n");
        }
        for (line, setting) in lines {
            let _ = writeln!(text, "{line:<width$}  # {}", setting.origin);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn blocks(settings: &[Setting]) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for setting in settings {
        for (header, line) in lines(setting) {
            match blocks.last_mut() {
                Some(block) if block.header == header => block.lines.push((line, setting)),
                _ => blocks.push(Block {
                    header,
                    lines: vec![(line, setting)],
                }),
            }
        }
    }
    blocks
}

/// The setting's lines, each with the header that it stands under.
fn lines(setting: &Setting) -> Vec<(String, String)> {
    let key = &setting.key;
    // A statement of `iam`, by its place in the list.
    if let ([.., list, place], Value::Object(members)) = (key.as_slice(), &setting.value)
        && place.bytes().all(|byte| byte.is_ascii_digit())
        && list == "iam"
    {
        let header = format!("[[{}]] # {}", dotted(&key[..key.len() - 1]), ordinal(place));
        let line = |(name, value): (&String, &Value)| {
            (header.clone(), format!("{} = {}", bare(name), toml(value)))
        };
        return members.iter().map(line).collect();
    }
    let depth = match key.first() {
        _ if key.len() == 1 => 0,
        Some(first) if OF_TABLES.contains(&first.as_str()) => 2,
        _ => 1,
    };
    let header = match depth {
        0 => String::new(),
        _ => format!("[{}]", dotted(&key[..depth])),
    };
    let line = format!("{} = {}", dotted(&key[depth..]), toml(&setting.value));
    vec![(header, line)]
}

/// Tells two statements apart that follow each other.
fn ordinal(place: &str) -> String {
    let number = place.parse::<usize>().map_or(1, |place| place + 1);
    format!("statement {number}")
}

fn dotted(key: &[String]) -> String {
    let segments: Vec<String> = key.iter().map(|segment| bare(segment)).collect();
    segments.join(".")
}

/// A key, quoted where TOML wants that.
fn bare(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match is_bare {
        true => key.to_owned(),
        false => quoted(key),
    }
}

/// JSON's escapes are TOML's, too, but for the one character that JSON leaves alone.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn toml(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{} = {}", bare(name), toml(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        // Numbers and truth values are spelled alike; nothing is null.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::stage_file::{FileText, effective};

    fn shown() -> EffectiveResult<'static> {
        let service = FileText {
            path: "stages/service.toml",
            text: r#"service = "chat"
[functions.room]
memory_mb = 256
environment = { GREETING = "a \"word\"\nand more" }
tables.ROOMS = { table = "rooms", actions = ["GetItem", "Query"] }
[[functions.room.iam]]
actions = ["s3:GetObject"]
resources = ["*"]
[routes]
"$connect" = "room"
join = "room"
[tables.rooms]
partition_key = "pk"
on_down = "remove"
[route_settings."$connect"]
authorization = "iam"
"#,
        };
        let stage = FileText {
            path: "stages/alpha.toml",
            text: r#"target = "aws"
notice = "Be kind"
[functions.room]
secrets = { KEY = "ssm:/chat/key" }
[[functions.room.iam]]
actions = ["sqs:SendMessage"]
resources = ["*"]
conditions = { StringEquals = { "aws:ResourceAccount" = ["123456789012"] } }
[api_stage]
throttling = { rate_limit = 12.5 }
access_logs = {}
"#,
        };
        EffectiveResult {
            stage: "alpha",
            settings: effective("alpha", service, stage).unwrap(),
        }
    }

    #[test]
    fn each_setting_has_its_place_beside_it() {
        insta::assert_snapshot!(text(&shown()));
    }

    #[test]
    fn scripts_get_the_same_as_keys_values_and_places() {
        let shown = serde_json::to_value(shown()).unwrap();
        assert_eq!(shown["stage"], "alpha");
        let settings = shown["settings"].as_array().unwrap();
        let memory = serde_json::json!({
            "key": ["functions", "room", "memory_mb"],
            "value": 256,
            "origin": "stages/service.toml:3",
        });
        assert!(settings.contains(&memory), "{shown:#}");
    }
}
