//! What is deployed: a few contents of one stage that differ in what a change
//! can be, with tiny zips.

use deployer_core::account::Account;
use deployer_core::desired::{Desired, FunctionCode};
use deployer_core::names::FunctionKey;
use deployer_core::provenance::Provenance;
use deployer_core::release::ReleaseHash;
use deployer_core::stage_file::{self, FileText};
use deployer_engine::cloud::Artifacts;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The account's id.
pub const ACCOUNT: &str = "123456789012";
/// Its region.
pub const REGION: &str = "eu-central-1";
/// The deploy stage, and API Gateway's.
pub const STAGE: &str = "alpha";

const FIRST: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.room]
reserved_concurrency = 1
[routes]
"$connect" = "connect"
join = "room"
"#;

const CONFIGURED: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.room]
memory_mb = 256
environment = { LEVEL = "info" }
[routes]
"$connect" = "connect"
join = "room"
"#;

const RENAMED: &str = r#"
service = "chat"
description = "Another"
keep_releases = 2
[functions.hall]
reserved_concurrency = 1
[routes]
join = "hall"
"$default" = "hall"
"#;

const SWAPPED: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.room]
[routes]
"$connect" = "room"
join = "connect"
"#;

const GUARDED: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.room]
[functions.gate]
[routes]
"$connect" = "connect"
join = "room"
[authorizer]
function = "gate"
identity_sources = ["route.request.querystring.token"]
"#;

/// Open, but for its function ready to be guarded.
const UNGUARDED: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.room]
memory_mb = 192
[functions.gate]
[routes]
"$connect" = "connect"
join = "room"
[authorizer]
function = "gate"
enabled = false
"#;

/// With a table, and a role of the function's own.
const TABLED: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.room]
tables.ROOMS = { table = "rooms", actions = ["GetItem", "PutItem"] }
[routes]
"$connect" = "connect"
join = "room"
[tables.rooms]
partition_key = "pk"
ttl = "expires"
point_in_time_recovery = true
on_down = "remove"
"#;

/// A route leads to somebody else's function.
const MIXED: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.old]
existing = "somebodys:1"
[routes]
"$connect" = "connect"
join = "old"
"#;

/// Somebody else's function decides who connects.
const ADMITTED: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
[functions.room]
[functions.gate]
existing = "somebodys:1"
[routes]
"$connect" = "connect"
join = "room"
[authorizer]
function = "gate"
"#;

/// The stage files, each with what stands for its functions' code.
const ALL: [(&str, &str); 14] = [
    (FIRST, "one"),
    (FIRST, "two"),
    (FIRST, "three"),
    (CONFIGURED, "one"),
    (RENAMED, "one"),
    (SWAPPED, "two"),
    (GUARDED, "one"),
    (GUARDED, "two"),
    (UNGUARDED, "one"),
    (TABLED, "one"),
    (TABLED, "two"),
    (MIXED, "one"),
    (MIXED, "two"),
    (ADMITTED, "one"),
];

/// How many contents there are.
pub const COUNT: usize = ALL.len();

/// One content.
#[derive(Debug)]
pub struct Content {
    /// What the stage should be.
    pub desired: Desired,
    /// The functions' zips.
    pub artifacts: Artifacts,
    /// What its deployments are called.
    pub release: ReleaseHash,
}

/// The account that everything is deployed to.
pub fn account() -> Account {
    Account {
        caller_arn: format!("arn:aws:iam::{ACCOUNT}:user/me"),
        partition: "aws".to_owned(),
        account_id: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
    }
}

/// All contents, read and packaged once.
pub fn all() -> &'static [Content] {
    static CONTENTS: OnceLock<Vec<Content>> = OnceLock::new();
    CONTENTS.get_or_init(|| ALL.iter().map(|(file, code)| content(file, code)).collect())
}

fn content(service: &'static str, code: &str) -> Content {
    let service = FileText {
        path: "stages/service.toml",
        text: service,
    };
    let stage = FileText {
        path: "stages/alpha.toml",
        text: "target = \"aws\"",
    };
    let definition = stage_file::read(STAGE, service, stage).expect("a legal stage");
    let mut artifacts = Artifacts::new();
    let mut codes: BTreeMap<FunctionKey, FunctionCode> = BTreeMap::new();
    for key in definition.functions.keys() {
        let binary = format!("{key} of {code}");
        let package = deployer_package::package(binary.as_bytes()).expect("a zip");
        artifacts.insert(key.clone(), package.zip);
        let code = FunctionCode {
            sha256: package.sha256.as_str().into(),
            architecture: "x86_64".into(),
        };
        codes.insert(key.clone(), code);
    }
    let desired = Desired::new(&definition, account(), &codes, Provenance::default());
    Content {
        release: ReleaseHash::of(&desired),
        desired,
        artifacts,
    }
}
