//! One step: the write, tried again while its error is one that passes, and the
//! wait until it has taken effect.

use super::Means;
use crate::cloud::{CloudReader, CloudWriter, Produced, Readiness, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
use crate::events::Event;
use crate::retry;
use deployer_core::names::{FunctionName, FunctionVersion};
use deployer_core::plan::{Action, Bindings, Step, StepId};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

/// How long a function may take to become ready; Lambda's own waiter stops at
/// 300 s too.
const FUNCTION_READY_DEADLINE: Duration = Duration::from_secs(300);

pub(super) async fn run<R: CloudReader, W: CloudWriter>(
    id: StepId,
    step: &Step,
    means: &Means<'_, R, W>,
    bindings: &Mutex<Bindings>,
    api_changes: &Semaphore,
) -> Result<(), CloudError> {
    let _permit = match step.action.is_api_mutation() {
        true => Some(
            api_changes
                .acquire()
                .await
                .expect("the semaphore is never closed"),
        ),
        false => None,
    };
    let started = Instant::now();
    let what = step.action.to_string();
    means.events.event(Event::StepStarted {
        step: id,
        what: what.clone(),
    });
    let say_waiting = |reason: String| {
        means.events.event(Event::StepWaiting {
            step: id,
            what: what.clone(),
            reason,
        });
    };
    let produced = perform(&step.action, means, bindings, &say_waiting).await?;
    let version = match &produced {
        Produced::Version(_, version) => Some(version.clone()),
        _ => None,
    };
    produced.bind(&mut *bindings.lock().await);
    if let Some(function) = changed_function(&step.action) {
        wait_until_ready(means, function, None, &say_waiting).await?;
        // A published version becomes active apart from `$LATEST`.
        if version.is_some() {
            wait_until_ready(means, function, version.as_ref(), &say_waiting).await?;
        }
    }
    means.events.event(Event::StepDone {
        step: id,
        what,
        elapsed: started.elapsed(),
    });
    Ok(())
}

async fn perform<R: CloudReader, W: CloudWriter>(
    action: &Action,
    means: &Means<'_, R, W>,
    bindings: &Mutex<Bindings>,
    say_waiting: &impl Fn(String),
) -> Result<Produced, CloudError> {
    let first_try = Instant::now();
    // A copy: parallel steps go on binding while this one is on the wire. What
    // this step refers to was bound before it began.
    let snapshot = bindings.lock().await.clone();
    let context = WriteContext {
        account: means.account,
        names: means.names,
        bindings: &snapshot,
        artifacts: means.artifacts,
    };
    let mut pauses = retry::pauses();
    loop {
        let error = match means.writer.perform(action, &context).await {
            Ok(produced) => return Ok(produced),
            Err(error) => error,
        };
        let Some(row) = retry::passing(&error) else {
            return Err(error);
        };
        let pause = pauses.next().expect("pauses never end");
        if first_try.elapsed() + pause > row.deadline || means.interrupt.requested() {
            return Err(error);
        }
        say_waiting(row.reason.to_owned());
        tokio::time::sleep(pause).await;
    }
}

/// The function whose update must be through before the next write to it.
fn changed_function(action: &Action) -> Option<&FunctionName> {
    match action {
        Action::CreateFunction { function, .. } => Some(&function.name),
        Action::UpdateFunctionConfiguration { name, .. }
        | Action::UpdateFunctionCode { name, .. }
        | Action::PublishVersion { name, .. } => Some(name),
        _ => None,
    }
}

async fn wait_until_ready<R: CloudReader, W>(
    means: &Means<'_, R, W>,
    function: &FunctionName,
    version: Option<&FunctionVersion>,
    say_waiting: &impl Fn(String),
) -> Result<(), CloudError> {
    let started = Instant::now();
    let mut pauses = retry::pauses();
    loop {
        let give_up = |kind, message: String| CloudError {
            service: "lambda",
            operation: "GetFunction".to_owned(),
            resource: function.to_string(),
            kind,
            code: None,
            message,
            request_id: None,
        };
        match means
            .reader
            .get_function_readiness(function, version)
            .await?
        {
            Readiness::Ready => return Ok(()),
            Readiness::Failed(reason) => return Err(give_up(CloudErrorKind::Refused, reason)),
            Readiness::Pending(state) => {
                let pause = pauses.next().expect("pauses never end");
                if means.interrupt.requested() {
                    let message = format!("not waited for, because interrupted: still {state}");
                    return Err(give_up(CloudErrorKind::TimedOut, message));
                }
                if started.elapsed() + pause > FUNCTION_READY_DEADLINE {
                    let message = format!("still {state} after {FUNCTION_READY_DEADLINE:?}");
                    return Err(give_up(CloudErrorKind::TimedOut, message));
                }
                say_waiting(format!("the function, which is {state}"));
                tokio::time::sleep(pause).await;
            }
        }
    }
}
