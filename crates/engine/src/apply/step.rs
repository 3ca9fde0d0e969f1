//! One step: the write, tried again while its error is one that passes; then the
//! wait until it has taken effect.

use super::Means;
use super::api_lane::ApiLane;
use super::role_gate::RoleGate;
use crate::cloud::{CloudReader, CloudWriter, Produced, Readiness, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
use crate::events::Event;
use crate::retry::{self, Manner};
use deployer_core::names::{FunctionName, FunctionVersion, TableName};
use deployer_core::plan::{Action, Bindings, Step, StepId};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The longest pause of the one function that asks whether a new role is known yet:
/// all others wait for it.
const ROLE_PAUSE: Duration = Duration::from_secs(1);
/// How long a function or a table may take to become ready; Lambda's own waiter stops at
/// 300 s, too.
const READY_DEADLINE: Duration = Duration::from_secs(300);

/// What the steps of one plan share.
pub(super) struct Shared {
    pub(super) bindings: Mutex<Bindings>,
    api: ApiLane,
    roles: RoleGate,
}

impl Shared {
    pub(super) fn new(bindings: Bindings) -> Self {
        Self {
            bindings: Mutex::new(bindings),
            api: ApiLane::default(),
            roles: RoleGate::default(),
        }
    }
}

/// How far a step has come.
pub(super) enum Progress<'a, R, W> {
    /// What it made is bound, but can't be used yet.
    Written(RunningStep<'a, R, W>, Unready),
    Done(RunningStep<'a, R, W>),
    Failed(RunningStep<'a, R, W>, CloudError),
}

/// What has to be waited for.
pub(super) enum Unready {
    /// A function, or a version of it.
    Function(FunctionName, Option<FunctionVersion>),
    Table(TableName),
}

impl Unready {
    /// The kind of thing, whom to ask, by which call, about what.
    fn asked(&self) -> (&'static str, &'static str, &'static str, String) {
        match self {
            Self::Function(name, _) => ("function", "lambda", "GetFunction", name.to_string()),
            Self::Table(name) => ("table", "dynamodb", "DescribeTable", name.to_string()),
        }
    }
}

/// A step that has begun.
pub(super) struct RunningStep<'a, R, W> {
    pub(super) id: StepId,
    step: &'a Step,
    means: &'a Means<'a, R, W>,
    shared: &'a Shared,
    what: String,
    started: Instant,
}

impl<'a, R: CloudReader, W: CloudWriter> RunningStep<'a, R, W> {
    pub(super) fn begin(
        id: StepId,
        step: &'a Step,
        means: &'a Means<'a, R, W>,
        shared: &'a Shared,
    ) -> Self {
        let what = step.action.to_string();
        Self {
            id,
            step,
            means,
            shared,
            what,
            started: Instant::now(),
        }
    }

    pub(super) fn done(&self) {
        self.means.events.event(Event::StepDone {
            step: self.id,
            what: self.what.clone(),
            elapsed: self.started.elapsed(),
        });
    }

    pub(super) fn failed(&self, error: &CloudError) {
        self.means.events.event(Event::StepFailed {
            step: self.id,
            what: self.what.clone(),
            error: error.clone(),
        });
    }

    fn waits_for(&self, reason: String) {
        self.means.events.event(Event::StepWaiting {
            step: self.id,
            what: self.what.clone(),
            reason,
        });
    }

    /// The write.
    pub(super) async fn write(self) -> Progress<'a, R, W> {
        self.means.events.event(Event::StepStarted {
            step: self.id,
            what: self.what.clone(),
        });
        let produced = match self.perform().await {
            Ok(produced) => produced,
            Err(error) => return Progress::Failed(self, error),
        };
        let unready = unready(&self.step.action, &produced);
        produced.bind(&mut *self.shared.bindings.lock().await);
        match unready {
            Some(unready) => Progress::Written(self, unready),
            None => Progress::Done(self),
        }
    }

    async fn perform(&self) -> Result<Produced, CloudError> {
        let action = &self.step.action;
        let first_try = Instant::now();
        let mut pauses = retry::pauses();
        let mut asking = None;
        if matches!(action, Action::CreateFunction { .. }) && self.shared.roles.is_shut() {
            // It would be refused, having uploaded its code in vain.
            self.waits_for("another function, which asks whether the role is known".to_owned());
            self.shared.roles.opens().await;
        }
        loop {
            let turn = match action.is_api_mutation() {
                true => Some(self.shared.api.turn().await),
                false => None,
            };
            // A copy: parallel steps go on binding while this one is on the wire.
            // What this step refers to was bound before it began.
            let snapshot = self.shared.bindings.lock().await.clone();
            let context = WriteContext {
                account: self.means.account,
                names: self.means.names,
                bindings: &snapshot,
                artifacts: self.means.artifacts,
            };
            let error = match self.means.writer.perform(action, &context).await {
                Ok(produced) => return Ok(produced),
                Err(error) => error,
            };
            let Some(row) = retry::passing(&error) else {
                return Err(error);
            };
            let pause = pauses.next().expect("pauses never end");
            let late = first_try.elapsed() + pause > row.deadline;
            if late || self.means.interrupt.requested() {
                return Err(error);
            }
            self.waits_for(row.reason.to_owned());
            match (row.manner, turn) {
                // Refused because of another one beside it: now alone, at once.
                (Manner::OneAtATime, Some(super::api_lane::Turn::Shared { .. })) => {
                    self.shared.api.refused();
                }
                (Manner::OneAsks, _) if asking.is_none() => {
                    asking = self.shared.roles.pass().await;
                    if asking.is_some() {
                        tokio::time::sleep(pause.min(ROLE_PAUSE)).await;
                    }
                }
                (Manner::OneAsks, _) => tokio::time::sleep(pause.min(ROLE_PAUSE)).await,
                // The turn, where there is one, is kept: nobody else would fare
                // better meanwhile.
                (_, _turn) => tokio::time::sleep(pause).await,
            }
        }
    }

    /// The wait until what was written can be used.
    pub(super) async fn settle(self, unready: Unready) -> Progress<'a, R, W> {
        match self.wait_until_ready(&unready).await {
            Ok(()) => Progress::Done(self),
            Err(error) => Progress::Failed(self, error),
        }
    }

    async fn wait_until_ready(&self, unready: &Unready) -> Result<(), CloudError> {
        let (kind_of_thing, service, operation, resource) = unready.asked();
        let started = Instant::now();
        let mut pauses = retry::readiness_pauses();
        loop {
            let give_up = |kind, message: String| CloudError {
                service,
                operation: operation.to_owned(),
                resource: resource.clone(),
                kind,
                code: None,
                message,
                request_id: None,
            };
            let reader = self.means.reader;
            let readiness = match unready {
                Unready::Function(name, version) => {
                    reader
                        .get_function_readiness(name, version.as_ref())
                        .await?
                }
                Unready::Table(name) => reader.get_table_readiness(name).await?,
            };
            match readiness {
                Readiness::Ready => return Ok(()),
                Readiness::Failed(reason) => return Err(give_up(CloudErrorKind::Refused, reason)),
                Readiness::Pending(state) => {
                    let pause = pauses.next().expect("pauses never end");
                    if self.means.interrupt.requested() {
                        let message = format!("not waited for, because interrupted: still {state}");
                        return Err(give_up(CloudErrorKind::TimedOut, message));
                    }
                    if started.elapsed() + pause > READY_DEADLINE {
                        let message = format!("still {state} after {READY_DEADLINE:?}");
                        return Err(give_up(CloudErrorKind::TimedOut, message));
                    }
                    self.waits_for(format!("the {kind_of_thing}, which is {state}"));
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// What must be waited for after a write, going by its own answer.
fn unready(action: &Action, produced: &Produced) -> Option<Unready> {
    let function = match action {
        Action::CreateTable { name, .. } | Action::UpdateTable { name } => {
            return Some(Unready::Table(name.clone()));
        }
        Action::CreateFunction { function, .. } => &function.name,
        Action::UpdateFunctionConfiguration { name, .. }
        | Action::UpdateFunctionCode { name, .. }
        | Action::PublishVersion { name, .. } => name,
        _ => return None,
    };
    // A published version becomes active apart from `$LATEST`.
    let version = match produced {
        Produced::Latest(Readiness::Ready) | Produced::Version(_, _, Readiness::Ready) => {
            return None;
        }
        Produced::Version(_, version, _) => Some(version.clone()),
        _ => None,
    };
    Some(Unready::Function(function.clone(), version))
}
