//! What `deployer import` is given.

use super::Site;
use super::stages::service;
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
    /// What the service is called. Default: as stages/service.toml says, or as the API is called
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    pub service: Option<String>,
    /// Region of the API. Default: the environment's or profile's
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Profile in `~/.aws/config`. Default: `AWS_PROFILE`, or the default chain
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// The API is in the local cloud
    #[arg(long, conflicts_with_all = ["region", "profile"])]
    pub local: bool,
    /// Its port. Default: DEPLOYER_LOCAL_PORT, or 9100
    #[arg(long, value_name = "PORT", requires = "local", value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: Option<u16>,
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

impl Import {
    /// Where the API is.
    pub fn site(&self) -> Site {
        Site {
            region: self.region.clone(),
            profile: self.profile.clone(),
            local: self.local,
            port: self.port,
        }
    }
}
