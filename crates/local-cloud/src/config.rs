//! What a local cloud is started with.

use std::path::PathBuf;
use std::sync::Arc;

use cloud_model::{IdSource, Realism};
use jiff::SignedDuration;

use crate::clock::{Clock, SystemClock};
use crate::dynamodb::DynamoDbAddress;
use crate::ids::RandomIds;
use crate::limits::Limits;
use crate::store::Keeping;

/// The account a local cloud plays unless told otherwise.
pub const ACCOUNT_ID: &str = "000000000000";
/// The region a local cloud plays unless told otherwise.
pub const REGION: &str = "us-east-1";

/// Access key id of the account's own user, who may do anything.
pub const USER_ACCESS_KEY_ID: &str = "AKIALOCALCLOUDUSER00";
/// Its secret. No secret: who reaches the port is the machine's own user.
pub const USER_SECRET_ACCESS_KEY: &str = "local";

/// Everything [`crate::start`] needs to know. [`Config::new`] fills in what
/// production uses; tests replace single fields.
pub struct Config {
    /// The port on 127.0.0.1; 0 lets the operating system choose.
    pub port: u16,
    /// Unpacked functions live here, under `functions/`, while the cloud runs; the account
    /// under `state/`, if it is kept.
    pub data_dir: PathBuf,
    /// The certificate authority that clients trust is kept here; clouds may share
    /// one.
    pub authority_dir: PathBuf,
    /// What outlives this process.
    pub keeping: Keeping,
    /// The account of every ARN.
    pub account_id: String,
    /// The region of every ARN.
    pub region: String,
    /// How long a new or changed function stays `Pending` or `InProgress`.
    pub function_activation: SignedDuration,
    /// AWS's quotas, 409s and delays. `None`: every request is served, and all
    /// writes take effect at once.
    pub realism: Option<Realism>,
    /// Whether signatures of control-plane requests are verified, and callers that are
    /// roles may only do what their policies allow. `@connections` and AWS_IAM ask for
    /// both always.
    pub enforce_iam: bool,
    /// Where requests for DynamoDB are passed on to. `None`: they are refused.
    pub dynamodb: Option<DynamoDbAddress>,
    /// Whether processes stand still between events, as Lambda's do. Without it work in
    /// the background goes on, which it doesn't on AWS.
    pub freeze: bool,
    /// All bounds.
    pub limits: Limits,
    /// Stamps events, logs and resources.
    pub clock: Arc<dyn Clock>,
    /// Every id and every other random thing comes from here.
    pub ids: Box<dyn IdSource + Send>,
}

impl Config {
    /// Account 000000000000 in us-east-1, empty and not kept; AWS's limits, the machine's
    /// clock and randomness; the authority lies under `ca/` of the data directory.
    pub fn new(port: u16, data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            port,
            authority_dir: data_dir.join("ca"),
            data_dir,
            keeping: Keeping::Nothing,
            account_id: ACCOUNT_ID.to_owned(),
            region: REGION.to_owned(),
            function_activation: SignedDuration::ZERO,
            realism: None,
            enforce_iam: false,
            dynamodb: None,
            freeze: true,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            ids: Box::new(RandomIds),
        }
    }
}
