//! What `deployer logs` is given.

use crate::completion;
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use jiff::Timestamp;
use regex::Regex;

/// Shown below the options.
pub const EXAMPLES: &str = "\
On a terminal there are colours, times (UTC) of day, and what functions log as JSON is laid out;
elsewhere each line begins with the time and the source. --grep looks at the message as it was
logged. docs/LOGS.md has all of it.

Exit codes:
  0    shown, also when there was nothing; following ends so by Ctrl-C
  1    the cloud refused or didn't answer, or the stage has no logs
  2    arguments or stage files are wrong, or there is no such source
  4    no credentials or no region

Examples:
  deployer logs local
  deployer logs alpha -f
  deployer logs alpha room gateway --since 1h --grep 'error|refused'
  deployer logs alpha --since 2026-11-23T10:00:00Z --json | jq -r .message";

/// Whose events, from when on, and how.
#[derive(Debug, Args)]
pub struct Logs {
    /// The stage
    #[arg(value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stage: String,
    /// Functions as the stage file calls them; `gateway` for the API's access and execution logs.
    /// Default: all there are
    #[arg(value_name = "FUNCTION", add = ArgValueCandidates::new(completion::sources))]
    pub sources: Vec<String>,
    /// Go on with what is logged from now on
    #[arg(short, long)]
    pub follow: bool,
    /// How far back: `10m`, `1h`, `2d`, or a time such as 2026-11-23T10:00:00Z
    #[arg(long, value_name = "DURATION|TIME", default_value = "10m", value_parser = since)]
    pub since: Timestamp,
    /// Only messages in which this regular expression is found
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<Regex>,
    /// Print events as JSON, one line each, with their fields as CloudWatch has them
    #[arg(long)]
    pub json: bool,
}

fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago = crate::duration::parse(text)
        .map_err(|error| format!("{error}, or a time such as 2026-11-23T10:00:00Z"))?;
    Timestamp::now()
        .checked_sub(ago)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_time_or_so_long_ago() {
        let at = since("2026-11-23T10:00:00Z").expect("a time");
        assert_eq!(at.as_millisecond(), 1_795_428_000_000);
        let ago = Timestamp::now().as_second() - since("10m").expect("a time").as_second();
        assert!((599..=601).contains(&ago), "{ago}");
        let error = since("yesterday").expect_err("no time");
        assert!(error.contains("or a time such as"), "{error}");
    }
}
