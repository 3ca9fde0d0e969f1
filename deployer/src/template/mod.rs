//! What `deployer new` writes: whole projects, in this binary.
//!
//! Their functions, stage files and workflows are the files of this repository, so that
//! they are compiled, linted and tested here and can't drift; what a project has instead
//! of this repository's own (its workspace, lock file, README) is in `templates/`.
//!
//! Deliberately absent: placeholders in code. A name stands in texts only, and what is
//! changed in a file is in [`adapted`].

mod chat;
mod echo;
#[cfg(test)]
mod tests;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use deployer_core::stage_file::{service_schema, stage_schema};
use std::borrow::Cow;

/// A project that can be begun with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// Rooms.
    Chat,
    /// One function.
    Echo,
}

impl ValueEnum for Template {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Chat, Self::Echo]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Chat => ("chat", "rooms, kept in a DynamoDB table: five packages"),
            Self::Echo => ("echo", "one function of a hundred lines"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

/// A file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Below the project's folder.
    pub path: &'static str,
    /// What stands in it.
    pub text: String,
}

/// A file as this binary has it.
#[derive(Debug, Clone, Copy)]
struct Source {
    path: &'static str,
    text: &'static str,
}

/// Files of this repository, at the same place in a project.
macro_rules! shipped {
    ($($path:literal),+ $(,)?) => {
        &[$(Source {
            path: $path,
            text: include_str!(concat!("../../../", $path)),
        }),+]
    };
}

/// A file of `templates/`.
macro_rules! own {
    ($path:literal, $from:literal) => {
        Source {
            path: $path,
            text: include_str!(concat!("../../templates/", $from)),
        }
    };
}

use {own, shipped};

/// Where this version of the deployer can be had, for CI of new projects; empty: nowhere
/// that its manifest says (`repository` in Cargo.toml).
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

impl Template {
    /// All files of a project called so.
    pub fn files(self, name: &str) -> Vec<File> {
        let (shipped, own) = match self {
            Self::Chat => (chat::SHIPPED, chat::OWN),
            Self::Echo => (echo::SHIPPED, echo::OWN),
        };
        let sources = shipped.iter().chain(own).map(|source| File {
            path: source.path,
            text: adapted(source, name).into_owned(),
        });
        sources.chain(schemas()).collect()
    }

    /// What a client may say to see that it works.
    pub fn greeting(self) -> &'static str {
        match self {
            Self::Chat => r#"{"action":"join","room":"tea"}"#,
            Self::Echo => "hi there",
        }
    }
}

/// The schemas that stage files name in their first line.
pub fn schemas() -> [File; 2] {
    [
        ("stages/service.schema.json", service_schema()),
        ("stages/stage.schema.json", stage_schema()),
    ]
    .map(|(path, schema)| File {
        path,
        text: format!("{schema:#}\n"),
    })
}

/// What the test of the chat's schema needs.
const SCHEMA_TEST: &str = "jsonschema.workspace = true\n";

/// The file's text in a project called so.
fn adapted(source: &Source, name: &str) -> Cow<'static, str> {
    let Source { path, text } = *source;
    if path.ends_with("/Cargo.toml") {
        // A project's license is its owner's to choose, and that the chat's schema is true is
        // held here: what that needs would be half of what a project compiles for its tests.
        return text
            .replace("license.workspace = true\n", "")
            .replace(SCHEMA_TEST, "")
            .into();
    }
    match path {
        "stages/service.toml" => text
            .replace("service = \"chat\"", &format!("service = \"{name}\""))
            .replace("{name}", name)
            .into(),
        "README.md" => text.replace("{name}", name).into(),
        ".github/actions/deployer/action.yml" => text.replace("{repository}", REPOSITORY).into(),
        "docs/CHAT.md" => of_a_project(text).into(),
        "tests/chat.script" => text.replace("tests/smoke/", "tests/").into(),
        _ => text.into(),
    }
}

/// The chat's document without what only this repository has: how it is tested, and
/// documents that it leads to.
fn of_a_project(text: &str) -> String {
    let text = text.split("\n## How it is tested").next().unwrap_or(text);
    let mut parts = text.split("](");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let target = part.split(')').next().unwrap_or_default();
        let rest = part.get(target.len() + 1..).unwrap_or_default();
        if target == "chat.schema.json" {
            whole.push_str(&format!("]({target})"));
        } else if let Some(label) = whole.rfind('[') {
            whole.replace_range(label..=label, "the deployer's docs/");
        }
        whole.push_str(rest);
    }
    whole
}
