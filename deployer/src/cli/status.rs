//! What `deployer status` is given.

use super::Look;
use clap::Args;
use std::time::Duration;

/// Between two looks, unless it is said. CloudWatch has new figures each minute.
const PAUSE: &str = "10s";
/// Least that may be said: each look asks for some metrics, and CloudWatch's are paid for.
const LEAST: Duration = Duration::from_secs(1);

/// Shown below the options.
pub const EXAMPLES: &str = "\
Figures are of the last hour, as CloudWatch has them: on AWS they come some minutes late. What the
credentials may not read is left out, with a note that names the action. docs/STATUS.md has all of
it.

Exit codes:
  0    shown; --watch ends so by Ctrl-C
  1    the cloud refused or didn't answer
  2    arguments or stage files are wrong, or nobody knows the stage
  4    no credentials or no region

Examples:
  deployer status alpha
  deployer status alpha --watch
  deployer status alpha prod --json | jq '.functions[] | {name, figures}'";

/// Which stages are looked at, and how often.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub look: Look,
    /// Look again and again, until Ctrl-C
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = PAUSE,
        value_parser = pause
    )]
    pub watch: Option<Duration>,
}

fn pause(text: &str) -> Result<Duration, String> {
    let pause = match text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        true => crate::duration::parse(&format!("{text}s"))?,
        false => crate::duration::parse(text)?,
    };
    match pause < LEAST {
        true => Err("a second at least".to_owned()),
        false => Ok(pause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_duration_or_so_many_seconds() {
        assert_eq!(pause("5"), Ok(Duration::from_secs(5)));
        assert_eq!(pause("2m"), Ok(Duration::from_secs(120)));
        assert!(pause("500ms").is_err() && pause("soon").is_err() && pause("").is_err());
    }
}
