//! What `deployer dev` is given.

use clap::Args;

/// Shown below the options.
pub const EXAMPLES: &str = "\
Starts the local cloud if need be and does what `up` does; then again whenever a source file of the
functions, Cargo.toml, Cargo.lock or the stage's files are saved. Connections stay open. What doesn't
compile is shown, and what was live before goes on serving. Each message is shown with its route,
function, status and duration, between what functions log. docs/DEV.md has all of it.

Exit codes:
  0    ended by Ctrl-C; the stage stays live
  1    the local cloud can't be started
  2    arguments or the stage's files are wrong, or it isn't on a local cloud
  130  Ctrl-C came amid writes; those in flight were finished
  Beyond the first deploy no failure ends it.

Examples:
  deployer dev
  deployer connect local                         in another terminal
  deployer dev local --json | jq -c 'select(.event == \"traffic\") | .traffic'";

/// Which stage, and how to print.
#[derive(Debug, Args)]
pub struct Dev {
    /// The stage, which must be on a local cloud
    #[arg(value_name = "STAGE", default_value = "local")]
    pub stage: String,
    /// Print lines of JSON: what `up` says, and all that happens
    #[arg(long)]
    pub json: bool,
}
