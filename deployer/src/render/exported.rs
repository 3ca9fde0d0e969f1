//! What `export` says at its end.

use serde::Serialize;
use std::fmt::Write;

/// A stage that was written down.
#[derive(Debug, Serialize)]
pub struct ExportResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// `service/stage`.
    #[serde(skip)]
    pub identity: String,
    /// What it was written as.
    pub format: &'static str,
    /// The folder.
    pub out: String,
    /// What is in it.
    pub files: Vec<String>,
    /// What whoever goes on with it must know.
    pub notes: Vec<String>,
    /// Whether the functions' zips are among the files.
    #[serde(skip)]
    pub code: bool,
}

pub(super) fn text(result: &ExportResult<'_>) -> String {
    let out = &result.out;
    let mut text = format!(
        "{} is written to {out}: {}",
        result.identity,
        result.files.join(", ")
    );
    for note in &result.notes {
        // Writing to a String can't fail.
        let _ = write!(text, "\nnote: {note}");
    }
    if !result.code {
        text.push_str("\nnote: without the functions' zips, nothing new can be made of it");
    }
    let next = match result.format {
        "terraform" => format!(
            "terraform -chdir={out} init && terraform -chdir={out} plan, which shows imports and no change"
        ),
        _ => format!(
            "put the zips of {out} into a bucket, then `aws cloudformation create-change-set --change-set-type IMPORT` with import-template.json and import.json"
        ),
    };
    let _ = write!(
        text,
        "\n  next  {next}\n        docs/EXPORT.md has all of it"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_said_with_what_to_do_next() {
        let mut result = ExportResult {
            stage: "alpha",
            identity: "chat/alpha".into(),
            format: "terraform",
            out: "export/alpha".into(),
            files: vec!["main.tf.json".into(), "room.zip".into()],
            notes: vec!["chat-alpha-room: something".into()],
            code: true,
        };
        let terraform = text(&result);
        result.format = "cloudformation";
        result.code = false;
        insta::assert_snapshot!(format!("{terraform}\n\n{}", text(&result)));
    }
}
