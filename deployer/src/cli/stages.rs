//! Which stages are meant, and where to look for those that have no file.

use crate::completion;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use deployer_core::stage_file::service_name_mistake;

/// Which stages, and how to print.
#[derive(Debug, Clone, Args)]
pub struct Stages {
    /// Stages: names of files in `stages`, without `.toml`
    #[arg(required_unless_present = "all", value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stages: Vec<String>,
    /// All stages that are on AWS, but for templates
    #[arg(long, conflicts_with = "stages")]
    pub all: bool,
    /// Take the file of STAGE as that of the stage NAME; once for each
    #[arg(long = "as", value_name = "NAME", requires = "stages")]
    pub names: Vec<String>,
    /// Print results as JSON, one line a stage; `up` and `down` also print events as they happen
    #[arg(long)]
    pub json: bool,
}

/// Where to look for stages that have no file.
#[derive(Debug, Clone, Default, Args)]
pub struct Site {
    /// Region to look in for stages without a file. Default: the environment's or profile's
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Profile in `~/.aws/config` to look with. Default: `AWS_PROFILE`, or the default chain
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Look in the local cloud instead
    #[arg(long, conflicts_with_all = ["region", "profile"])]
    pub local: bool,
    /// Its port. Default: DEPLOYER_LOCAL_PORT, or 9100
    #[arg(long, value_name = "PORT", requires = "local", value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: Option<u16>,
}

/// Which stages are meant that have no file.
#[derive(Debug, Clone, Default, Args)]
pub struct Elsewhere {
    #[command(flatten)]
    pub site: Site,
    /// Service of stages without a file. Default: the project's, or the only one that has such
    /// a stage
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    pub service: Option<String>,
}

/// Which of an account's stages are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Stages of the account that have expired
    #[arg(long)]
    pub expired: bool,
    /// Stages of the account whose names have this form: `*` stands for any text, `?` for one character
    #[arg(long = "match", value_name = "PATTERN", value_parser = pattern)]
    pub matching: Option<String>,
}

pub(super) fn service(text: &str) -> Result<String, String> {
    match service_name_mistake(text) {
        None => Ok(text.to_owned()),
        Some(mistake) => Err(mistake),
    }
}

fn pattern(text: &str) -> Result<String, String> {
    let mut characters = text.chars();
    match characters.all(|c| is_of_a_name(c) || c == '*' || c == '?') && !text.is_empty() {
        true => Ok(text.to_owned()),
        false => Err("it is made of a-z, A-Z, 0-9, -, _, * and ?".to_owned()),
    }
}

pub(super) fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}
