//! What `deployer connect` is given.

use crate::completion;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use std::path::PathBuf;
use std::time::Duration;

/// Shown below the options.
pub const EXAMPLES: &str = "\
On a terminal there are line editing, history and completion (Tab: routes, with what was last sent
to them), and `/help`. Elsewhere each line of stdin is sent as it is, and each message that comes is
a line of stdout. A connection that is cut is opened again. docs/CONNECT.md has all of it, and what
may stand in a script.

Exit codes:
  0    closed from here, or the script went as it says
  1    the handshake was refused, nobody answered, or what came isn't what the script says
  2    arguments, stage files or the script are wrong; nothing was sent
  4    no credentials or no region

Examples:
  deployer connect local
  deployer connect alpha --token \"$TOKEN\"
  deployer connect alpha --subprotocol chat.json --sign
  deployer connect wss://a1b2c3.execute-api.eu-central-1.amazonaws.com/alpha
  echo '{\"action\":\"who\",\"room\":\"r\"}' | deployer connect alpha --json
  deployer connect alpha --script tests/smoke/chat.script";

/// Where to connect, and as whom.
#[derive(Debug, Args)]
pub struct Connect {
    /// The stage, or an address that begins with `ws://` or `wss://`
    #[arg(value_name = "STAGE|URL", add = ArgValueCandidates::new(completion::stages))]
    pub to: String,
    /// Send and expect what is in the file, and end with 0 if all went so
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// How long a script waits for what it expects, unless it says so itself
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = crate::duration::parse)]
    pub timeout: Duration,
    /// A header of the handshake; may be given several times
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
    /// A parameter of the query string; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub query: Vec<(String, String)>,
    /// A subprotocol to offer; may be given several times
    #[arg(long, value_name = "NAME")]
    pub subprotocol: Vec<String>,
    /// A token for the stage's authorizer: the parameter `token`, or beside subprotocols one
    /// more of them, as docs/AUTHORIZER.md says
    #[arg(
        long,
        value_name = "TOKEN",
        env = "DEPLOYER_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// Sign the handshake with the AWS credentials at hand, for a `$connect` that IAM authorizes
    #[arg(long)]
    pub sign: bool,
    /// Trust the certificates in this file, too
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Send this message every 8 minutes: API Gateway ends a connection that is idle for 10
    #[arg(long, value_name = "MESSAGE", conflicts_with = "script")]
    pub keep_alive: Option<String>,
    /// End with 1 when the connection is cut, instead of connecting again
    #[arg(long, conflicts_with = "script")]
    pub no_reconnect: bool,
    /// What stdin's end is followed by: so much silence, then the connection is closed
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = crate::duration::parse)]
    pub linger: Duration,
    /// Complete with the messages that this script sends, too
    #[arg(long, value_name = "FILE", conflicts_with = "script")]
    pub templates: Option<PathBuf>,
    /// Print what happens as JSON, one line each; of a script its result
    #[arg(long)]
    pub json: bool,
}

/// `Name: value`
pub fn header(text: &str) -> Result<(String, String), String> {
    pair(text, ':').ok_or_else(|| "write `Name: value`".to_owned())
}

/// `name=value`
pub fn parameter(text: &str) -> Result<(String, String), String> {
    pair(text, '=').ok_or_else(|| "write `name=value`".to_owned())
}

/// What stands before and after the first `separator`.
pub fn pair(text: &str, separator: char) -> Option<(String, String)> {
    let (name, value) = text.split_once(separator)?;
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), value.trim().to_owned()))
}
