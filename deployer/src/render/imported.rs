//! What `import` says at its end.

use serde::Serialize;
use std::fmt::Write;

/// An API that became stage files.
#[derive(Debug, Serialize)]
pub struct ImportResult<'a> {
    /// The API's id.
    pub api: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The service.
    pub service: &'a str,
    /// The stage.
    pub stage: &'a str,
    /// The folder.
    pub out: String,
    /// What is in it.
    pub files: Vec<String>,
    /// What serves now and won't after `up --adopt`.
    pub lost: &'a [String],
    /// What else whoever goes on with it must know.
    pub notes: &'a [String],
}

pub(super) fn text(result: &ImportResult<'_>) -> String {
    let ImportResult {
        api,
        name,
        service,
        stage,
        out,
        files,
        lost,
        notes,
    } = result;
    let mut text = format!(
        "{name} ({api}) is {service}/{stage} in {out}: {}",
        files.join(", ")
    );
    // Writing to a String can't fail.
    for loss in *lost {
        let _ = write!(text, "\nlost: {loss}");
    }
    for note in *notes {
        let _ = write!(text, "\nnote: {note}");
    }
    let _ = write!(
        text,
        "\n  next  deployer plan {stage} --adopt    what would change; changes nothing\n        \
         deployer up {stage} --adopt      takes the API over\n        \
         docs/IMPORT.md has all of it"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_imported_is_said_with_what_to_do_next() {
        insta::assert_snapshot!(text(&ImportResult {
            api: "abc123",
            name: "Chat",
            service: "chat",
            stage: "alpha",
            out: "stages".into(),
            files: vec!["service.toml".into(), "alpha.toml".into()],
            lost: &["route old: its integration is of the type HTTP".into()],
            notes: &["something".into()],
        }));
    }
}
