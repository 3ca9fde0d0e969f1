//! What `deployer permissions` is given.

use super::stages::is_of_a_name;
use crate::completion;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use deployer_core::permissions;

/// Whose permissions are printed, and what they are for.
#[derive(Debug, Args)]
pub struct Permissions {
    /// Stages: names of files in `stages`, without `.toml`. The policy is for all of them
    #[arg(required = true, value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stages: Vec<String>,
    /// For the stage NAME of a template, or for all whose names match, e.g. `pr-*`
    #[arg(long = "as", value_name = "NAME", value_parser = stage_pattern)]
    pub name: Option<String>,
    /// Only what these commands need; `plan` stands for all that only read,
    /// but for `logs`, `invoke` and `doctor`, which must be asked for. Default: all others
    #[arg(long = "for", value_name = "COMMAND", value_delimiter = ',')]
    pub purposes: Vec<Purpose>,
    /// The account's id, 12 digits
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub account: Option<String>,
    /// The region, instead of the stage file's
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Also for tables that the stages had and their files no longer name
    #[arg(long)]
    pub former_tables: bool,
    /// Print a JSON array of as many policies as it takes, each within IAM's limit for one
    #[arg(long)]
    pub split: bool,
}

/// What a permission is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Purpose {
    Plan,
    Up,
    Rollback,
    Down,
    Logs,
    Invoke,
    Doctor,
}

impl From<Purpose> for permissions::Purpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Plan => Self::Plan,
            Purpose::Up => Self::Up,
            Purpose::Rollback => Self::Rollback,
            Purpose::Down => Self::Down,
            Purpose::Logs => Self::Logs,
            Purpose::Invoke => Self::Invoke,
            Purpose::Doctor => Self::Doctor,
        }
    }
}

fn stage_pattern(text: &str) -> Result<String, &'static str> {
    let name = text.strip_suffix('*').unwrap_or(text);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && name.chars().all(is_of_a_name) {
        true => Ok(text.to_owned()),
        false => Err("letters, digits, `-` and `_`, perhaps `*` at the end"),
    }
}

fn account_id(text: &str) -> Result<String, &'static str> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("an account's id has 12 digits"),
    }
}
