//! AWS's awkward habits, by switch: quotas of requests, refused concurrent
//! changes, roles that nobody knows yet, functions that take their time, lists
//! that are not up to date.
//!
//! All of it is repeatable: delays are drawn from the seed in the order of the
//! calls, and pass in the time that the calls are given, so that a simulation
//! on virtual time and a server on the machine's see the same. Each habit draws
//! from a sequence of its own: turning one off does not change the others.
//!
//! Deliberately absent: failures at random, lost answers, slow reads, stale
//! answers of single resources outside IAM, data planes that lag behind a
//! deployment, quotas of CloudWatch Logs and STS.

mod bucket;
mod conflicts;
mod delayed;
mod draws;
mod quotas;
mod services;

use jiff::Timestamp;

use crate::apigateway::Gateway;
use crate::assumptions::{FUNCTION_ACTIVATION_MS, IAM_PROPAGATION_MS, STALE_READ_MS};
use crate::iam::{Iam, Role};
use crate::logs::{About, Logs};

use conflicts::Conflicts;
use delayed::Delayed;
use draws::{Delay, Purpose};
use quotas::Quotas;

/// Which of AWS's habits an account has, and the seed of their delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Realism {
    /// Equal seeds and equal calls give equal answers.
    pub seed: u64,
    /// API Gateway, Lambda and IAM refuse requests beyond their quotas. Every
    /// attempt counts, whatever becomes of it.
    pub request_quotas: bool,
    /// A write to an API that arrives while another one to the same API is
    /// being carried out is refused with 409. [`crate::Handled::held_back`]
    /// says how long that takes: who waits for it never meets the 409.
    pub conflicts: bool,
    /// What is written to a role takes effect outside IAM after some seconds.
    pub iam_propagation: bool,
    /// Functions are `Pending` or `InProgress` for a while, instead of
    /// [`crate::Settings::function_activation`].
    pub function_activation: bool,
    /// Lists of APIs and of what belongs to them, all reads of roles, and lists
    /// of log groups may show for a moment what was there before a write.
    pub stale_reads: bool,
}

impl Realism {
    /// All habits.
    pub fn all(seed: u64) -> Self {
        Self {
            seed,
            request_quotas: true,
            conflicts: true,
            iam_propagation: true,
            function_activation: true,
            stale_reads: true,
        }
    }

    /// No habit, to turn on single ones.
    pub fn none(seed: u64) -> Self {
        Self {
            seed,
            request_quotas: false,
            conflicts: false,
            iam_propagation: false,
            function_activation: false,
            stale_reads: false,
        }
    }
}

/// What the habits remember.
#[derive(Debug)]
pub(crate) struct Habits {
    quotas: Option<Quotas>,
    conflicts: Option<Conflicts>,
    /// Roles as other services know them.
    known_roles: Option<Delayed<Role>>,
    activation: Option<Delay>,
    reads: Option<Reads>,
}

/// What readers see.
#[derive(Debug)]
struct Reads {
    apis: Delayed<crate::apigateway::Api>,
    roles: Delayed<Role>,
    log_groups: Delayed<About>,
}

impl Habits {
    pub(crate) fn new(realism: Realism) -> Self {
        let delay = |purpose, range| Delay::new(realism.seed, purpose, range);
        let reads = || Reads {
            apis: Delayed::new(delay(Purpose::ApiReads, STALE_READ_MS)),
            roles: Delayed::new(delay(Purpose::RoleReads, STALE_READ_MS)),
            log_groups: Delayed::new(delay(Purpose::LogGroupReads, STALE_READ_MS)),
        };
        let known = || Delayed::new(delay(Purpose::IamPropagation, IAM_PROPAGATION_MS));
        Self {
            quotas: realism.request_quotas.then(Quotas::new),
            conflicts: realism.conflicts.then(|| Conflicts::new(realism.seed)),
            known_roles: realism.iam_propagation.then(known),
            activation: realism
                .function_activation
                .then(|| delay(Purpose::Activation, FUNCTION_ACTIVATION_MS)),
            reads: realism.stale_reads.then(reads),
        }
    }

    /// Starts with an account whose resources everybody has long known.
    pub(crate) fn everybody_knows(&mut self, gateway: &Gateway, iam: &Iam, logs: &Logs) {
        if let Some(known) = &mut self.known_roles {
            known.everybody_knows(iam.all());
        }
        if let Some(reads) = &mut self.reads {
            reads.apis.everybody_knows(gateway.all());
            reads.roles.everybody_knows(iam.all());
            reads.log_groups.everybody_knows(logs.all());
        }
    }

    /// IAM as other services know it. `None`: as it is.
    pub(crate) fn known_iam(&self, now: Timestamp) -> Option<Iam> {
        Some(Iam::of(self.known_roles.as_ref()?.view(now)))
    }
}
