//! What `deployer import` is given.

use super::Elsewhere;
use clap::Args;
use std::path::PathBuf;

/// Shown below the options.
pub const EXAMPLES: &str = "\
Writes stages/STAGE.toml, and stages/service.toml where there is none, for a WebSocket API that was
made by hand or by another tool. Only reads the account. The routes lead to the functions that are
there; `deployer up STAGE --adopt` then takes the API over, with its id, its URL and its open
connections. What stage files can't say is listed. docs/IMPORT.md has the whole way.

Exit codes:
  0    the files are there
  1    the cloud refused or didn't answer
  2    there is no such API, it can't be imported, something would be lost, or a file is in the way
  4    no credentials or no region

Examples:
  deployer import a1b2c3d4e5
  deployer import a1b2c3d4e5 --stage prod --service chat --region eu-central-1
  deployer import a1b2c3d4e5 --partial       and leave out what can't be said";

/// Which API becomes stage files.
#[derive(Debug, Args)]
pub struct Import {
    /// The API's id
    #[arg(value_name = "API_ID")]
    pub api_id: String,
    /// The API stage. Default: the only one
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    #[command(flatten)]
    pub elsewhere: Elsewhere,
    /// The folder of the stage files. Default: the project's, or `stages`
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the files although something that serves now wouldn't any more
    #[arg(long)]
    pub partial: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
