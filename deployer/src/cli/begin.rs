//! What `deployer new` and `deployer init` are given.

use crate::template::Template;
use clap::Args;
use std::path::PathBuf;

/// Shown below the options of `new`.
pub const NEW_EXAMPLES: &str = "\
The project goes through `up local`, `connect`, `cargo test` and `down` as it is; docs/TUTORIAL.md
takes it to AWS. All is looked at before anything is written, and the folder appears with all its
files or not at all. Asks neither account nor network.

Exit codes:
  0    the folder is there
  2    the name isn't legal, something is there already, or it can't be written

Examples:
  deployer new my-chat                       a chat room, in the folder my-chat
  deployer new my-echo --template echo       one function, small enough to be read at once
  deployer new ~/projects/my-chat            elsewhere; the service is called `my-chat`";

/// Shown below the options of `init`.
pub const INIT_EXAMPLES: &str = "\
A function is a package that depends on `lambda_runtime` and has a program of its own name.
`connect`, `disconnect` and `default`, or names that end so (`ws-connect`), get the routes
`$connect`, `$disconnect` and `$default`, `authorizer` becomes the authorizer, and any other
function gets a route of its own name; a single one gets `$default`. What was guessed is said.
Written are service.toml, local.toml, alpha.toml and their schemas, in the folder `stages` of the
workspace, which appears with all of them or not at all; what is there already is never touched.

Exit codes:
  0    the stage files are there
  2    there is no workspace, it has no function, or stage files are there already

Examples:
  deployer init
  deployer init --service my-chat            instead of the folder's name
  deployer init && deployer plan local";

/// Where a project is made, and from what.
#[derive(Debug, Args)]
pub struct New {
    /// The project's folder, to be made; its last part is the service's name, too
    #[arg(value_name = "NAME")]
    pub folder: PathBuf,
    /// What to begin with
    #[arg(long, value_enum, value_name = "TEMPLATE", default_value = "chat")]
    pub template: Template,
}

/// What a workspace's service is called.
#[derive(Debug, Args)]
pub struct Init {
    /// The service's name. Default: that of the workspace's folder
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
}
