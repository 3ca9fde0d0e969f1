//! What `list` says: a line a stage, in columns or as JSON.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// The stages that live somewhere.
#[derive(Debug)]
pub struct ListResult {
    /// In the order of their names.
    pub stages: Vec<Listed>,
    /// Where.
    pub somewhere: String,
    /// Whether there may be others.
    pub selected: bool,
    /// What time it is.
    pub now: Timestamp,
}

/// A stage that lives in an account.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Of what it is a stage.
    pub service: String,
    /// Its name.
    pub stage: String,
    /// Where it lives.
    pub account_id: String,
    /// Where there.
    pub region: String,
    /// When it was first deployed.
    pub created: Option<Timestamp>,
    /// Who did that: an ARN; `None`: that wasn't noted.
    pub owner: Option<String>,
    /// `None`: nothing is live, or not by us.
    pub release: Option<String>,
    /// `None`: nothing is live.
    pub url: Option<String>,
    /// `None`: never.
    pub expires: Option<Timestamp>,
    /// Whether that is over.
    pub expired: bool,
    /// Whether a `down` wants to be confirmed.
    pub protected: bool,
}

const HEADINGS: [&str; 6] = ["STAGE", "AGE", "ENDS", "RELEASE", "OWNER", "URL"];

pub(super) fn list(result: &ListResult) -> String {
    if result.stages.is_empty() {
        let such = if result.selected { "such " } else { "" };
        return format!("no {such}stage lives in {}", result.somewhere);
    }
    let rows: Vec<[String; 6]> = std::iter::once(HEADINGS.map(str::to_owned))
        .chain(result.stages.iter().map(|stage| row(stage, result.now)))
        .collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("{}\nin {}", lines.join("\n"), result.somewhere)
}

fn row(stage: &Listed, now: Timestamp) -> [String; 6] {
    let none = || "-".to_owned();
    let ends = match (stage.expires, stage.protected) {
        (Some(expires), _) if stage.expired => {
            format!("{} ago", short(now.duration_since(expires)))
        }
        (Some(expires), _) => format!("in {}", short(expires.duration_since(now))),
        (None, true) => "protected".to_owned(),
        (None, false) => none(),
    };
    [
        format!("{}/{}", stage.service, stage.stage),
        stage
            .created
            .map_or_else(none, |at| short(now.duration_since(at))),
        ends,
        stage.release.clone().unwrap_or_else(none),
        stage.owner.as_deref().map_or_else(none, name),
        stage
            .url
            .clone()
            .unwrap_or_else(|| "nothing is live".to_owned()),
    ]
}

/// What an ARN says beside the account: `user/me`, `assumed-role/ci/run`.
fn name(arn: &str) -> String {
    arn.splitn(6, ':').nth(5).unwrap_or(arn).to_owned()
}

/// The largest unit, rounded down; nothing is younger than now.
fn short(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let units = [("d", 86_400), ("h", 3_600), ("m", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds >= *length);
    let (name, length) = unit.unwrap_or(("s", 1));
    format!("{}{name}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn stage(name: &str) -> Listed {
        Listed {
            service: "chat".into(),
            stage: name.into(),
            account_id: "123456789012".into(),
            region: "eu-central-1".into(),
            created: Some(at("2026-11-20T09:00:00Z")),
            owner: Some("arn:aws:sts::123456789012:assumed-role/ci/run".into()),
            release: Some("1cddda73a0f55ac0".into()),
            url: Some("wss://a1.execute-api.eu-central-1.amazonaws.com/pr-1".into()),
            expires: None,
            expired: false,
            protected: false,
        }
    }

    fn result(stages: Vec<Listed>) -> ListResult {
        ListResult {
            stages,
            somewhere: "account 123456789012, region eu-central-1".into(),
            selected: false,
            now: at("2026-11-23T10:00:00Z"),
        }
    }

    #[test]
    fn stages_are_listed_in_columns() {
        let stages = vec![
            Listed {
                owner: None,
                protected: true,
                ..stage("alpha")
            },
            Listed {
                release: None,
                url: None,
                created: None,
                ..stage("half")
            },
            Listed {
                expires: Some(at("2026-11-23T09:58:59Z")),
                expired: true,
                ..stage("pr-1")
            },
            Listed {
                expires: Some(at("2026-11-26T09:00:00Z")),
                created: Some(at("2026-11-23T10:00:03Z")),
                ..stage("pr-123")
            },
        ];
        insta::assert_snapshot!(list(&result(stages)));
    }

    #[test]
    fn where_nobody_lives_it_says_where_that_is() {
        let mut result = result(Vec::new());
        let place = "account 123456789012, region eu-central-1";
        assert_eq!(list(&result), format!("no stage lives in {place}"));
        result.selected = true;
        assert_eq!(list(&result), format!("no such stage lives in {place}"));
    }

    #[test]
    fn json_has_all_of_a_stage() {
        insta::assert_snapshot!(serde_json::to_string(&stage("alpha")).unwrap());
    }
}
