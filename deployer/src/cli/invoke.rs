//! What `deployer invoke` is given.

use super::connect::{header, parameter};
use crate::completion;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use std::path::PathBuf;
use std::str::FromStr;

/// Shown below the options.
pub const EXAMPLES: &str = "\
Invokes the function's version of the live release with the event that API Gateway would send,
with the stage's own API id and domain name. There is no connection behind it unless
--connection-id names one: what the function posts to it is answered with 410. On stdout is what
the function answered; on stderr what it logged. docs/INVOKE.md has all of it.

Exit codes:
  0    the function answered, whatever status it gave
  1    the function failed, the stage isn't live, or the cloud refused or didn't answer
  2    arguments, stage files or the event are wrong; nothing was invoked
  4    no credentials or no region

Examples:
  deployer invoke local default --event message --body 'hi there'
  deployer invoke local room --event message --body '{\"action\": \"join\", \"room\": \"a\"}'
  deployer invoke alpha connect --event connect --query token=x --header 'Origin: https://me'
  deployer invoke alpha room --event message --body '{\"action\": \"who\"}' --show-event > event.json
  deployer invoke alpha room --event event.json --json | jq .response";

/// Which event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOf {
    /// A client connects.
    Connect,
    /// A client has gone.
    Disconnect,
    /// A client sends a message.
    Message,
    /// What stdin says.
    Stdin,
    /// What a file says.
    File(PathBuf),
}

impl FromStr for EventOf {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "connect" => Self::Connect,
            "disconnect" => Self::Disconnect,
            "message" => Self::Message,
            "-" => Self::Stdin,
            path => Self::File(path.into()),
        })
    }
}

/// Which function, and with what.
#[derive(Debug, Args)]
pub struct Invoke {
    /// The stage
    #[arg(value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stage: String,
    /// The function, as the stage file calls it
    #[arg(value_name = "FUNCTION", add = ArgValueCandidates::new(completion::functions))]
    pub function: String,
    /// `connect`, `message` or `disconnect`, or a file with the event as JSON (`-`: stdin)
    #[arg(long, value_name = "KIND|FILE", default_value = "message")]
    pub event: EventOf,
    /// What the client sends, of a message
    #[arg(long, value_name = "TEXT")]
    pub body: Option<String>,
    /// The route that leads to the function. Default: the one that the message chooses, or that
    /// the kind of event has
    #[arg(long, value_name = "ROUTE")]
    pub route: Option<String>,
    /// The connection that the event is of. Default: one that isn't there
    #[arg(long, value_name = "ID")]
    pub connection_id: Option<String>,
    /// A header of the handshake, of a connect; may be given several times
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
    /// A parameter of the query string, of a connect; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub query: Vec<(String, String)>,
    /// What an authorizer would have said of the client; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub authorizer: Vec<(String, String)>,
    /// Hand the event to Lambda and don't wait for the answer: Lambda tries twice again
    #[arg(long = "async", conflicts_with = "show_event")]
    pub asynchronous: bool,
    /// Print the event, and invoke nothing
    #[arg(long)]
    pub show_event: bool,
    /// Print what came of it as one line of JSON
    #[arg(long, conflicts_with = "show_event")]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_kind_of_event_is_a_file() {
        let of = |text: &str| text.parse::<EventOf>().expect("infallible");
        assert_eq!(of("connect"), EventOf::Connect);
        assert_eq!(of("-"), EventOf::Stdin);
        assert_eq!(of("conect"), EventOf::File("conect".into()));
    }
}
