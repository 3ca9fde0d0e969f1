//! The command line.

pub mod begin;
pub mod connect;
pub mod dev;
pub mod doctor;
mod examples;
pub mod export;
pub mod import;
pub mod invoke;
pub mod logs;
mod permissions;
pub mod shell;
mod stages;
pub mod status;

pub use permissions::Permissions;
pub use stages::{Elsewhere, Selection, Site, Stages};

use crate::completion;
use crate::exit;
use clap::{Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCandidates;
use deployer_core::ttl::{Ttl, TtlError};
use deployer_engine::verify::Verify;
use local_cloud::DynamoDbAddress;
use stages::service;
use std::path::PathBuf;

/// Inherited by the local cloud that `up` starts.
const LOCAL_CA: &str = "DEPLOYER_LOCAL_CA";
/// As well.
pub const LOCAL_DYNAMODB: &str = "DEPLOYER_LOCAL_DYNAMODB";

/// What stands below the verbs.
fn help() -> String {
    let codes: String = exit::TABLE
        .iter()
        .map(|(code, meaning)| format!("  {code:<3}  {meaning}\n"))
        .collect();
    format!("Exit codes:\n{codes}{}", examples::ALL)
}

/// WebSocket APIs on AWS, in pure Rust.
#[derive(Debug, Parser)]
#[command(name = "deployer", version, after_help = help(), disable_help_subcommand = true)]
pub struct Cli {
    /// The project's folder. Default: the nearest one upwards with a `stages` folder.
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a project that works as it is: functions, tests, stage files, CI
    #[command(after_help = begin::NEW_EXAMPLES)]
    New(begin::New),
    /// Write stage files for the Cargo workspace that is here
    #[command(after_help = begin::INIT_EXAMPLES)]
    Init(begin::Init),
    /// Build the functions and make the account as the stage file says
    #[command(after_help = examples::UP)]
    Up(Up),
    /// Build the functions that stages need, and write them as a bundle for `up --from`
    #[command(after_help = examples::PACKAGE)]
    Package(Package),
    /// Remove everything the stage owns
    #[command(after_help = examples::DOWN)]
    Down(Down),
    /// Show what `up` would change, and change nothing
    #[command(after_help = examples::PLAN)]
    Plan(Plan),
    /// Show what is live, and what it has done in the last hour
    #[command(after_help = status::EXAMPLES)]
    Status(status::Status),
    /// List the releases that are kept, newest first
    #[command(after_help = examples::HISTORY)]
    History(Look),
    /// List the stages that live in an account and region, whatever files there are
    #[command(after_help = examples::LIST)]
    List(List),
    /// Make a kept release live again: one write, without source or build
    #[command(after_help = examples::ROLLBACK)]
    Rollback(Rollback),
    /// Release on a stage what is live on another: the same bytes and routes, without source or build
    #[command(after_help = examples::PROMOTE)]
    Promote(Promote),
    /// Write what is deployed as a CloudFormation template or a Terraform configuration
    #[command(after_help = export::EXAMPLES)]
    Export(export::Export),
    /// Write stage files for an API that was made by hand or by another tool
    #[command(after_help = import::EXAMPLES)]
    Import(import::Import),
    /// Show what stage files come to
    #[command(subcommand)]
    Stages(StageFiles),
    /// Print the IAM policy that whoever deploys stages needs, without asking AWS
    #[command(after_help = examples::PERMISSIONS)]
    Permissions(Permissions),
    /// Talk to a stage over WebSocket, by hand or by script
    #[command(after_help = connect::EXAMPLES)]
    Connect(connect::Connect),
    /// Show what the stage's functions and its gateway have logged, in time order
    #[command(after_help = logs::EXAMPLES)]
    Logs(logs::Logs),
    /// Invoke a function of the live release with an event as API Gateway sends it
    #[command(after_help = invoke::EXAMPLES)]
    Invoke(invoke::Invoke),
    /// Look for what may be in the way of building, deploying and running, and say what to do
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Doctor),
    /// Deploy to the local cloud whenever something is saved, and show what happens there
    #[command(after_help = dev::EXAMPLES)]
    Dev(dev::Dev),
    /// Run the local cloud in the foreground (`up` starts it in the background)
    #[command(after_help = examples::LOCAL_CLOUD)]
    LocalCloud(LocalCloud),
    /// Write the JSON Schemas of the stage files to the `stages` folder
    #[command(after_help = examples::SCHEMA)]
    Schema(Schema),
    /// Print the script by which a shell completes commands, options, stages and functions
    #[command(after_help = shell::COMPLETIONS_EXAMPLES)]
    Completions(shell::Completions),
    /// Write manual pages
    #[command(after_help = shell::MAN_EXAMPLES)]
    Man(shell::Man),
}

/// Which stages are looked at.
#[derive(Debug, Args)]
pub struct Look {
    #[command(flatten)]
    pub stages: Stages,
    #[command(flatten)]
    pub elsewhere: Elsewhere,
}

/// Which account is listed, and what of it.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub site: Site,
    /// This service's stages only
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    pub service: Option<String>,
    #[command(flatten)]
    pub selection: Selection,
    /// Print JSON, one line a stage
    #[arg(long)]
    pub json: bool,
}

/// How long a stage lives.
#[derive(Debug, Clone, Copy, Args)]
pub struct Lifetime {
    /// Let the stage expire so long after this `up`: e.g. `12h`, `3d`, `2w`; `never`: not at
    /// all. Default: what its file says, or as before
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    pub ttl: Option<Lives>,
}

/// How long a stage is to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lives {
    /// So long.
    For(Ttl),
    /// Until somebody removes it.
    ForEver,
}

fn lifetime(text: &str) -> Result<Lives, String> {
    match text {
        "never" => Ok(Lives::ForEver),
        text => text
            .parse()
            .map(Lives::For)
            .map_err(|error: TtlError| error.to_string()),
    }
}

/// Which stages, and whether to wait for another who deploys them.
#[derive(Debug, Args)]
pub struct Writes {
    #[command(flatten)]
    pub stages: Stages,
    /// Fail at once when another deploys the stage, instead of waiting
    #[arg(long)]
    pub no_wait: bool,
}

/// Which stages are removed.
#[derive(Debug, Args)]
pub struct Down {
    /// Stages: names of files in `stages`, without `.toml`, or of stages that live in the account
    #[arg(
        required_unless_present_any = ["all", "expired", "matching"],
        conflicts_with_all = ["all", "expired", "matching"],
        value_name = "STAGE",
        add = ArgValueCandidates::new(completion::stages)
    )]
    pub stages: Vec<String>,
    /// All stages that are on AWS by their files, but for templates
    #[arg(long, conflicts_with_all = ["expired", "matching"])]
    pub all: bool,
    #[command(flatten)]
    pub selection: Selection,
    /// With --expired or --match: of all services, not only of the project's
    #[arg(long, conflicts_with = "service")]
    pub all_services: bool,
    /// Take the file of STAGE as that of the stage NAME; once for each
    #[arg(long = "as", value_name = "NAME", requires = "stages")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub elsewhere: Elsewhere,
    /// Print results as JSON, one line a stage
    #[arg(long)]
    pub json: bool,
    /// Fail at once when another deploys the stage, instead of waiting
    #[arg(long)]
    pub no_wait: bool,
    /// Remove this stage although it is `protected`; once for each
    #[arg(long, value_name = "STAGE")]
    pub confirm: Vec<String>,
}

/// Which stages are deployed, what may be taken over, and whether to see them answer.
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub writes: Writes,
    #[command(flatten)]
    pub adoption: Adoption,
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub verification: Verification,
    #[command(flatten)]
    pub lifetime: Lifetime,
}

/// Where the functions' zips come from.
#[derive(Debug, Args)]
pub struct Source {
    /// Take the functions out of a bundle that `package` made, instead of building them
    #[arg(long, value_name = "BUNDLE")]
    pub from: Option<PathBuf>,
    /// Refuse every bundle but the one with this digest, as `package` printed it
    #[arg(long, value_name = "DIGEST", requires = "from")]
    pub digest: Option<String>,
}

/// What is packaged, and where it goes.
#[derive(Debug, Args)]
pub struct Package {
    /// Stages that the bundle is for. Default: all that are on AWS
    #[arg(value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stages: Vec<String>,
    /// Where to write it: a file if the name ends in `.zip`, otherwise a folder. Default:
    /// `.deployer/bundle.zip` in the project
    #[arg(long, value_name = "DIR|FILE")]
    pub out: Option<PathBuf>,
    /// Print the manifest, with the bundle's path and digest, as one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// What must be seen before it is said to be done.
#[derive(Debug, Args)]
pub struct Verification {
    /// Don't wait until the stage's endpoint answers, e.g. where it can't be reached from here
    #[arg(long)]
    pub no_verify: bool,
}

impl Verification {
    /// As the engine puts it.
    pub fn wanted(&self) -> Verify {
        match self.no_verify {
            true => Verify::Nothing,
            false => Verify::Endpoint,
        }
    }
}

/// Which stages are planned, and what may be taken over.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub stages: Stages,
    #[command(flatten)]
    pub source: Source,
    #[command(flatten)]
    pub adoption: Adoption,
    #[command(flatten)]
    pub lifetime: Lifetime,
    /// Print one Markdown document for all stages, e.g. for a comment on a pull request
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// End with exit code 7 if `up` would change something
    #[arg(long)]
    pub exit_code: bool,
}

/// What may be taken over.
#[derive(Debug, Args)]
pub struct Adoption {
    /// Take over what has the stage's names and nobody's ownership tags, instead of refusing; never
    /// what another stage has tagged
    #[arg(long)]
    pub adopt: bool,
}

/// Which release goes live again.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The stage
    #[arg(value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stage: String,
    /// The release, or the beginning of its hash. Default: the one before the live one
    #[arg(value_name = "RELEASE")]
    pub release: Option<String>,
    /// Take the file of STAGE as that of the stage NAME
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub elsewhere: Elsewhere,
    /// Print events as lines of JSON as they happen, the result last
    #[arg(long)]
    pub json: bool,
    /// Fail at once when another deploys the stage, instead of waiting
    #[arg(long)]
    pub no_wait: bool,
    #[command(flatten)]
    pub verification: Verification,
}

/// Whose release goes where.
#[derive(Debug, Args)]
pub struct Promote {
    /// The stage whose live release is promoted; it is only read from
    #[arg(value_name = "FROM", add = ArgValueCandidates::new(completion::stages))]
    pub from: String,
    /// The stage that gets it, with the settings of its own file
    #[arg(value_name = "TO", add = ArgValueCandidates::new(completion::stages))]
    pub to: String,
    /// Refuse unless this release is live on FROM: its hash, or the beginning of it
    #[arg(long, value_name = "RELEASE")]
    pub release: Option<String>,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["no_wait", "no_verify"])]
    pub plan: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Fail at once when another deploys TO, instead of waiting
    #[arg(long)]
    pub no_wait: bool,
    #[command(flatten)]
    pub adoption: Adoption,
    #[command(flatten)]
    pub verification: Verification,
}

/// What to do with stage files.
#[derive(Debug, Subcommand)]
pub enum StageFiles {
    /// Show every setting that a stage has, and the file and line, or default, that it comes from
    #[command(after_help = examples::SHOW)]
    Show(Show),
}

/// Which stage is shown.
#[derive(Debug, Args)]
pub struct Show {
    /// The stage: the name of a file in `stages`, without `.toml`
    #[arg(value_name = "STAGE", add = ArgValueCandidates::new(completion::stages))]
    pub stage: String,
    /// Print it as one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Where the local cloud listens, and what it starts with.
#[derive(Debug, Args)]
pub struct LocalCloud {
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = deployer_core::stage_file::DEFAULT_LOCAL_PORT)]
    pub port: u16,
    /// Where it keeps its account and unpacked functions. Default: `.deployer/local-cloud-PORT` in
    /// the project
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where it keeps its certificate authority, by which clients trust its `https://` and
    /// `wss://`. Default: `ca` in the `--data` folder, which `down` removes
    #[arg(long, value_name = "DIR", env = LOCAL_CA)]
    pub ca: Option<PathBuf>,
    /// Start with an empty account; one that is there is set aside, in the same folder
    #[arg(long)]
    pub fresh: bool,
    /// Behave as AWS does under load: request quotas, 409s, delays and stale reads, repeatable by
    /// this number
    #[arg(long, value_name = "SEED")]
    pub realism: Option<u64>,
    /// Verify signatures, and let roles and their sessions do only what their policies allow
    #[arg(long)]
    pub enforce_iam: bool,
    /// Pass requests for DynamoDB on to this address: an emulated one (dynalite, moto) or DynamoDB
    /// Local. Default: they are refused
    #[arg(long, value_name = "URL", env = LOCAL_DYNAMODB)]
    pub dynamodb: Option<DynamoDbAddress>,
}

/// What to do with the schemas.
#[derive(Debug, Args)]
pub struct Schema {
    /// Write nothing; fail if the files differ from what would be written
    #[arg(long)]
    pub check: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_says_what_there_is() {
        insta::assert_snapshot!(Cli::command().render_long_help());
    }
}
