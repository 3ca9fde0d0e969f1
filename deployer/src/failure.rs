//! Why a verb failed, with its exit code and the next step.

use crate::exit;
use deployer_aws::ConnectError;
use deployer_core::plan::{Refusal, RollbackRefusal, UnsoundPlan};
use deployer_core::promotion::PromotionRefusal;
use deployer_core::stage_file::FileProblems;
use deployer_engine::down::DownError;
use deployer_engine::error::CloudError;
use deployer_engine::lease::LeaseError;
use deployer_engine::promote::PromoteError;
use deployer_engine::rollback::RollbackError;
use deployer_engine::up::UpError;
use deployer_package::{BuildError, BundleError, MakeError};

/// Why a verb failed. Nothing was printed yet.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Stage files are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    StageFiles(Vec<FileProblems>),
    /// A script is wrong.
    #[error("{0}")]
    Script(Box<FileProblems>),
    /// What was asked for isn't so: a stage isn't live, a connection was refused, a script
    /// doesn't hold, a function failed.
    #[error("{message}")]
    NotSo {
        /// What is wrong.
        message: String,
        /// What to do.
        next_step: String,
    },
    /// An argument is wrong, or a file can't be read.
    #[error("{message}")]
    Input {
        /// What is wrong.
        message: String,
        /// What to do.
        next_step: String,
    },
    /// The functions don't build, or couldn't start where they are to run.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// They didn't build for another stage of this run, and cargo has said why.
    #[error("the functions don't build, as said above")]
    BuiltInVain,
    /// A bundle can't be written, read or used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// One stage among several can't be begun.
    #[error("{stage}: {failure}")]
    OfStage {
        /// Which.
        stage: String,
        /// Why.
        failure: Box<Failure>,
    },
    /// A name without a file was to be looked for in the account, which can't be asked.
    #[error(
        "there is no stages/{name}.toml, so `{name}` was to be looked for in the account: {failure}"
    )]
    WithoutFile {
        /// The name.
        name: String,
        /// What may have been meant.
        near: Option<String>,
        /// Why the account can't be asked.
        failure: Box<Failure>,
    },
    /// No credentials or region.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Something in the way isn't ours.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The planner made a mistake.
    #[error(transparent)]
    Unsound(#[from] UnsoundPlan),
    /// There is nothing to roll back to.
    #[error(transparent)]
    Rollback(#[from] RollbackRefusal),
    /// There is nothing to promote, or it doesn't fit.
    #[error(transparent)]
    Promotion(#[from] PromotionRefusal),
    /// The cloud refused or didn't answer.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The local cloud can't be started, reached or stopped.
    #[error("{message}")]
    LocalCloud {
        /// What is wrong.
        message: String,
        /// What to do.
        next_step: String,
    },
    /// Steps failed; each was reported when it did.
    #[error("{message}")]
    Incomplete {
        /// What was done and what is left.
        message: String,
        /// What to do.
        next_step: String,
    },
    /// All is live, but doesn't answer.
    #[error("all steps are done and the release is live, but: {0}")]
    Silent(CloudError),
    /// An `up` failed before its first write.
    #[error("{0}\n  what was live before goes on serving")]
    Untouched(Box<Failure>),
    /// Another deploys the stage.
    #[error("{message}")]
    Busy {
        /// Who.
        message: String,
    },
    /// Ctrl-C.
    #[error("{message}")]
    Interrupted {
        /// What was done and what is left.
        message: String,
    },
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::Make(error.into())
    }
}

impl From<UpError> for Failure {
    fn from(error: UpError) -> Self {
        match error {
            UpError::Cloud(error) => Self::Cloud(error),
            UpError::Silent(error) => Self::Silent(error),
            UpError::Refused(refusal) => Self::Refused(refusal),
            UpError::Unsound(error) => Self::Unsound(error),
            UpError::Lease(error) => error.into(),
        }
    }
}

impl From<DownError> for Failure {
    fn from(error: DownError) -> Self {
        match error {
            DownError::Cloud(error) => Self::Cloud(error),
            DownError::Refused(refusal) => Self::Refused(refusal),
            DownError::Unsound(error) => Self::Unsound(error),
            DownError::Lease(error) => error.into(),
            DownError::Spared(spared) => Self::Input {
                message: spared.to_string(),
                next_step: "see `deployer list`".to_owned(),
            },
        }
    }
}

impl From<LeaseError> for Failure {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Cloud(error) => Self::Cloud(error),
            LeaseError::Held { .. } => Self::Busy {
                message: error.to_string(),
            },
            LeaseError::Interrupted { .. } => Self::Interrupted {
                message: error.to_string(),
            },
        }
    }
}

impl From<PromoteError> for Failure {
    fn from(error: PromoteError) -> Self {
        match error {
            PromoteError::Cloud(error) => Self::Cloud(error),
            PromoteError::Refused(refusal) => Self::Promotion(refusal),
        }
    }
}

impl From<RollbackError> for Failure {
    fn from(error: RollbackError) -> Self {
        match error {
            RollbackError::Cloud(error) => Self::Cloud(error),
            RollbackError::Refused(refusal) => Self::Rollback(refusal),
            RollbackError::NotOurs(refusal) => Self::Refused(refusal),
            RollbackError::Unsound(error) => Self::Unsound(error),
            RollbackError::Lease(error) => error.into(),
        }
    }
}

impl Failure {
    /// The same, of a stage that can't be begun.
    pub fn of_stage(self, stage: &str) -> Self {
        Self::OfStage {
            stage: stage.to_owned(),
            failure: Box::new(self),
        }
    }

    /// The same where a name that has no file led to an account.
    pub fn without_file(self, name: &str, near: Option<String>) -> Self {
        Self::WithoutFile {
            name: name.to_owned(),
            near,
            failure: Box::new(self),
        }
    }

    /// The same as the end of an `up`: says what users of the service reach now. What
    /// stopped midway says so itself.
    pub fn of_up(self) -> Self {
        match self {
            Self::StageFiles(_)
            | Self::Input { .. }
            | Self::Promotion(_)
            | Self::Incomplete { .. }
            | Self::Interrupted { .. }
            | Self::Silent(_) => self,
            _ => Self::Untouched(Box::new(self)),
        }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::StageFiles(_)
            | Self::Script(_)
            | Self::Input { .. }
            | Self::Bundle(_)
            | Self::Rollback(_)
            | Self::Promotion(_) => exit::BAD_INPUT,
            Self::Make(_) | Self::BuiltInVain => exit::BUILD_FAILED,
            Self::Connect(_) => exit::NOT_SIGNED_IN,
            Self::Refused(_) => exit::NOT_OURS,
            Self::Untouched(failure)
            | Self::OfStage { failure, .. }
            | Self::WithoutFile { failure, .. } => failure.exit_code(),
            Self::Cloud(_)
            | Self::Silent(_)
            | Self::LocalCloud { .. }
            | Self::NotSo { .. }
            | Self::Incomplete { .. } => exit::FAILURE,
            Self::Unsound(_) => exit::BUG,
            Self::Busy { .. } => exit::BUSY,
            Self::Interrupted { .. } => exit::INTERRUPTED,
        }
    }

    /// What to do.
    pub fn next_step(&self) -> String {
        match self {
            Self::StageFiles(_) => "mend the stage files; nothing was touched".to_owned(),
            Self::Script(_) => "mend the script; nothing was sent".to_owned(),
            Self::Make(error) => error.next_step(),
            Self::Bundle(error) => error.next_step().to_owned(),
            Self::BuiltInVain => "mend the errors that the compiler shows".to_owned(),
            Self::Connect(error) => error.next_step(),
            Self::Refused(_) => "nothing was touched".to_owned(),
            Self::Unsound(_) => {
                "report this text with the output of `deployer status STAGE --json`; nothing was touched".to_owned()
            }
            Self::Promotion(refusal) => {
                format!("{}; nothing was touched", refusal.next_step())
            }
            Self::Rollback(_) => "see `deployer history STAGE`; nothing was touched".to_owned(),
            Self::Untouched(failure) | Self::OfStage { failure, .. } => failure.next_step(),
            Self::WithoutFile {
                near: Some(near), ..
            } => format!("did you mean `{near}`?"),
            Self::WithoutFile { failure, .. } => failure.next_step(),
            Self::Silent(_) => "run the command again: it looks again and writes nothing".to_owned(),
            Self::Cloud(error) => deployer_engine::causes::next_step(error),
            Self::Input { next_step, .. }
            | Self::LocalCloud { next_step, .. }
            | Self::NotSo { next_step, .. }
            | Self::Incomplete { next_step, .. } => next_step.clone(),
            Self::Busy { .. } => {
                "run the command again when that one is done; nothing was touched".to_owned()
            }
            Self::Interrupted { .. } => "the next `up` (or `down`) goes on from here".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::names::StageIdentity;
    use deployer_core::plan::Violation;

    #[test]
    fn an_unsound_plan_is_the_deployers_own_mistake() {
        let violation = Violation {
            step: 3,
            what: "delete function chat-alpha-room".into(),
            rule: "deletes before the release".into(),
        };
        let identity = StageIdentity {
            service: "chat".into(),
            stage: "alpha".into(),
        };
        let violations = vec![violation];
        let failure = Failure::from(UpError::Unsound(UnsoundPlan {
            identity,
            violations,
        }));
        assert_eq!(failure.exit_code(), exit::BUG);
        let text = failure.to_string();
        assert!(text.contains("a mistake in the deployer"), "{text}");
        assert!(
            text.contains("step 3, delete function chat-alpha-room: it deletes"),
            "{text}"
        );
        assert!(failure.next_step().starts_with("report this text"));
    }
}
