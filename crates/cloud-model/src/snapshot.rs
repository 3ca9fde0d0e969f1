//! An account as text and bytes, so that somebody can keep it: the state in one piece,
//! zips apart by their digests, each log group's events apart by its number.
//!
//! The state is JSON with the number of its format. A member that is added later has a
//! default; whatever else changes what the text means takes the next number, and the
//! code that still reads the former one stands here.
//!
//! Deliberately absent: files ([`Changes`] says what belongs into them), URLs with a
//! port (they follow from the settings), and what AWS's habits remember: quotas and
//! delays start afresh, with everybody knowing what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::apigateway::Gateway;
use crate::iam::Iam;
use crate::lambda::Lambda;
use crate::logs::Logs;
use crate::secrets_manager::SecretsManager;
use crate::ssm::Ssm;
use crate::sts::Sts;
use crate::{Cloud, Settings};

/// What this version writes, and the only one it reads.
const FORMAT: u32 = 1;

/// A whole account. The default is an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Everything that isn't below; empty: nothing is there.
    pub state: Vec<u8>,
    /// Zips by the sha256 of their bytes, in hexadecimal digits.
    pub code: BTreeMap<String, Arc<Bytes>>,
    /// Log groups' events by the groups' numbers, as [`LogBytes`] put together.
    pub logs: BTreeMap<u64, Vec<u8>>,
}

/// What has changed since it was taken last.
#[derive(Debug)]
pub struct Changes {
    /// [`Cloud::changes`] when this was taken.
    pub number: u64,
    /// `None`: as it was.
    pub state: Option<State>,
    /// By the groups' numbers.
    pub logs: Vec<(u64, LogBytes)>,
}

impl Changes {
    /// There is more to take, now: a part of a group's image isn't the last.
    pub fn go_on(&self) -> bool {
        let is_part = |bytes: &LogBytes| matches!(bytes, LogBytes::Image { last: false, .. });
        self.logs.iter().any(|(_, bytes)| is_part(bytes))
    }
}

/// All but log events and what zips contain.
#[derive(Debug)]
pub struct State {
    /// [`Snapshot::state`].
    pub text: Vec<u8>,
    /// The zips it refers to; others aren't needed any more.
    pub code: BTreeMap<String, Arc<Bytes>>,
    /// The log groups it has; the events of others aren't needed any more.
    pub log_groups: BTreeSet<u64>,
}

/// What to do with one group's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogBytes {
    /// Put these behind what there is.
    Append(Vec<u8>),
    /// Put these behind the parts of the image that were taken before; all together
    /// take the place of what there is.
    Image {
        /// This part.
        bytes: Vec<u8>,
        /// There is none before it: what was taken of an image before counts no more.
        first: bool,
        /// There is none after it. Otherwise [`Cloud::take_changes`] has the next one.
        last: bool,
    },
}

/// Why a snapshot is none that can be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The state isn't what this version would write.
    #[error("{0}")]
    State(String),
    /// Another version wrote it.
    #[error("its format is {found}, and this version reads {FORMAT}")]
    Format {
        /// The format it says it has.
        found: u32,
    },
    /// It is another account's, or of another region.
    #[error("it is of account {account} in {region}")]
    Elsewhere {
        /// Its account.
        account: String,
        /// Its region.
        region: String,
    },
    /// A zip is missing.
    #[error("the code with the digest {0} is missing")]
    Code(String),
    /// A line of a group's events is none.
    #[error("line {line} is no log event")]
    Log {
        /// The group's number.
        group: u64,
        /// Its line, from 1.
        line: usize,
    },
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Serialize)]
struct Writing<'a> {
    format: u32,
    account: &'a str,
    region: &'a str,
    gateway: &'a Gateway,
    lambda: &'a Lambda,
    iam: &'a Iam,
    logs: &'a Logs,
    ssm: &'a Ssm,
    secrets: &'a SecretsManager,
    sts: &'a Sts,
}

#[derive(Deserialize)]
struct Reading {
    account: String,
    region: String,
    gateway: Gateway,
    lambda: Lambda,
    iam: Iam,
    logs: Logs,
    ssm: Ssm,
    secrets: SecretsManager,
    sts: Sts,
}

/// How far changes have come.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Calls that may have changed something.
    pub(crate) all: u64,
    /// Those that may have changed more than log events.
    pub(crate) of_state: u64,
    /// `of_state` when changes were taken last.
    taken: u64,
}

impl Cloud {
    /// The account of a snapshot. What changes from now on is given by
    /// [`Cloud::take_changes`].
    ///
    /// # Errors
    /// What keeps the snapshot from being restored.
    pub fn restore(settings: Settings, snapshot: &Snapshot) -> Result<Self, RestoreError> {
        let mut cloud = Self::new(settings);
        cloud.logs.begin_journals();
        if snapshot.state.is_empty() {
            return Ok(cloud);
        }
        let state = read(&snapshot.state, &cloud.settings)?;
        cloud.gateway = state.gateway;
        cloud.lambda = state.lambda;
        cloud.iam = state.iam;
        cloud.logs = state.logs;
        cloud.ssm = state.ssm;
        cloud.secrets = state.secrets;
        cloud.sts = state.sts;
        let missing = cloud.lambda.fill_code(&snapshot.code);
        missing.map_err(RestoreError::Code)?;
        let read = cloud.logs.restore(&snapshot.logs);
        read.map_err(|bad| RestoreError::Log {
            group: bad.group,
            line: bad.line,
        })?;
        if let Some(habits) = &mut cloud.habits {
            habits.everybody_knows(&cloud.gateway, &cloud.iam, &cloud.logs);
        }
        Ok(cloud)
    }

    /// The account as it is.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.state_text(),
            code: self.lambda.all_code(),
            logs: self.logs.images(),
        }
    }

    /// Counts the calls that may have changed something. Functions' log lines aren't
    /// counted.
    pub fn changes(&self) -> u64 {
        self.counts.all
    }

    /// What has changed since this was called last, or since the account was restored.
    pub fn take_changes(&mut self) -> Changes {
        let of_state = self.counts.of_state;
        let state = (self.counts.taken != of_state).then(|| State {
            text: self.state_text(),
            code: self.lambda.all_code(),
            log_groups: self.logs.numbers(),
        });
        self.counts.taken = of_state;
        Changes {
            number: self.counts.all,
            state,
            logs: self.logs.take_journals(),
        }
    }

    /// The changes that were taken are lost: the next ones contain them.
    pub fn lose_changes(&mut self) {
        self.counts.of_state += 1;
        self.logs.lose_journals();
    }

    fn state_text(&self) -> Vec<u8> {
        let writing = Writing {
            format: FORMAT,
            account: &self.settings.account_id,
            region: &self.settings.region,
            gateway: &self.gateway,
            lambda: &self.lambda,
            iam: &self.iam,
            logs: &self.logs,
            ssm: &self.ssm,
            secrets: &self.secrets,
            sts: &self.sts,
        };
        // Maps with text for keys, written into memory: this can't fail.
        serde_json::to_vec(&writing).unwrap_or_default()
    }
}

fn read(text: &[u8], settings: &Settings) -> Result<Reading, RestoreError> {
    let unreadable = |error: serde_json::Error| RestoreError::State(error.to_string());
    let Head { format } = serde_json::from_slice(text).map_err(unreadable)?;
    if format != FORMAT {
        return Err(RestoreError::Format { found: format });
    }
    let state: Reading = serde_json::from_slice(text).map_err(unreadable)?;
    if (&state.account, &state.region) != (&settings.account_id, &settings.region) {
        return Err(RestoreError::Elsewhere {
            account: state.account,
            region: state.region,
        });
    }
    Ok(state)
}
