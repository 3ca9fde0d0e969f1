//! What `deployer export` is given.

use super::Elsewhere;
use crate::completion;
use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;
use std::path::PathBuf;

/// Shown below the options.
pub const EXAMPLES: &str = "\
Writes what is deployed, not what the files say: the live release with its functions' zips, roles,
log groups and tables. Nothing in the account is changed, and the deployer goes on owning the stage
until its tags are taken off. docs/EXPORT.md has the way from here to another tool.

Exit codes:
  0    written
  1    the cloud refused or didn't answer, or nothing is live
  2    arguments or stage files are wrong, nobody knows the stage, or a file is in the way
  4    no credentials or no region

Examples:
  deployer export alpha --format terraform
  deployer export alpha --format cloudformation --out template
  deployer export pr-123 --format terraform --no-code --json";

/// Which stage is written down, how, and where.
#[derive(Debug, Args)]
pub struct Export {
    /// The stage
    #[arg(value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stage: String,
    /// What it is written as
    #[arg(long, value_enum)]
    pub format: Format,
    /// Where to. Default: `export/STAGE`
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace files there that differ
    #[arg(long)]
    pub force: bool,
    /// Leave out the functions' zips
    #[arg(long)]
    pub no_code: bool,
    /// Take the file of STAGE as that of the stage NAME
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub elsewhere: Elsewhere,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a stage is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A template in JSON, and what it takes to import what is there into a stack
    #[value(name = "cloudformation")]
    CloudFormation,
    /// A configuration in JSON, with import blocks
    Terraform,
}

impl Format {
    /// As it is given.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloudFormation => "cloudformation",
            Self::Terraform => "terraform",
        }
    }
}
