//! What `deployer doctor` is given.

use clap::Args;

/// Shown below the options.
pub const EXAMPLES: &str = "\
Looks, and changes nothing: compiler, targets, zig; stage files; credentials, account, region, clock
and quotas of stages on AWS; port, account and DynamoDB of those of a local cloud. Each line begins
with `ok`, `warning`, `problem` or `not checked`; the line below it says what to do. What the
credentials may not ask is not checked, and the permission named: `deployer permissions STAGE
--for doctor` prints them all. docs/DOCTOR.md has each check.

Exit codes:
  0    no problem was found; there may be warnings, and what wasn't checked
  1    there is a problem
  2    there is no such stage, or stages were named where there is no project

Examples:
  deployer doctor                  all stages of the project; outside of one, this machine
  deployer doctor alpha prod
  deployer doctor --json | jq -r '.findings[] | select(.status == \"problem\") | .remedy'";

/// Which stages are looked after.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Stages: names of files in `stages`, without `.toml`. Default: all
    #[arg(value_name = "STAGE")]
    pub stages: Vec<String>,
    /// Print all findings as one line of JSON
    #[arg(long)]
    pub json: bool,
}
