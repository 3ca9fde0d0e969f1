//! `down`: observe, plan, apply, and look again.

use crate::apply::{Means, Outcome, apply};
use crate::cloud::{CloudReader, CloudWriter};
use crate::error::CloudError;
use crate::events::Event;
use crate::lease::LeaseError;
use crate::observe::{Known, observe};
use crate::retry;
use deployer_core::manifest::journal;
use deployer_core::names::{LogGroupName, Names, TableName};
use deployer_core::observed::Observed;
use deployer_core::plan::{self, Action, Plan, Refusal, UnsoundPlan};
use deployer_core::stage_file::Retained;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long reads may still show what has been deleted.
const OLD_ANSWERS: Duration = Duration::from_secs(10);

/// What a `down` leaves in the account on purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// As the stage file says.
    pub log_groups: BTreeSet<LogGroupName>,
    /// As their tags say.
    pub tables: Vec<TableName>,
}

/// How a `down` ended.
#[derive(Debug)]
pub struct Down {
    /// What was to be done.
    pub plan: Plan,
    /// What was done.
    pub outcome: Outcome,
    /// What is still there afterwards, by looking again.
    pub left: Plan,
    /// What is left there on purpose.
    pub retained: Kept,
}

impl Down {
    /// There was nothing to remove.
    pub(crate) fn nothing(plan: Plan, retained: Kept) -> Self {
        Self {
            retained,
            left: plan.clone(),
            plan,
            outcome: Outcome::default(),
        }
    }
}

/// Why nothing was removed, or it isn't known what is left.
#[derive(Debug, thiserror::Error)]
pub enum DownError {
    /// Reading failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The journal isn't ours.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plan breaks the planner's own rules.
    #[error(transparent)]
    Unsound(#[from] UnsoundPlan),
    /// Another deploys the stage.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// What there is to remove, from what is there. Reads only. Whoever removes needs
/// the journal for its lease, so a journal of somebody else's is refused.
pub(crate) async fn make_plan<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &Known,
    retain: &BTreeSet<Retained>,
) -> Result<(Plan, Kept), DownError> {
    let observed = observe(reader, names, known).await?;
    plan_of(names, &observed, retain)
}

/// As [`make_plan`], from what was observed.
pub(crate) fn plan_of(
    names: &Names,
    observed: &Observed,
    retain: &BTreeSet<Retained>,
) -> Result<(Plan, Kept), DownError> {
    let plan = plan::down(names, observed, retain);
    if !plan.is_empty() {
        plan::check_journal(names, observed)?;
    }
    let retained = Kept {
        log_groups: plan::retained(names, observed, retain),
        tables: plan::retained_tables(names, observed),
    };
    Ok((plan::sound(plan, observed, names)?, retained))
}

/// Removes everything the stage owns but what it is to `retain`. `known` is
/// what the stage file names; all else is found by what it left in the account.
///
/// # Errors
/// When reading fails. A write that fails is in the outcome.
pub async fn down<R: CloudReader, W: CloudWriter>(
    known: &Known,
    retain: &BTreeSet<Retained>,
    means: &Means<'_, R, W>,
) -> Result<Down, DownError> {
    means.events.event(Event::Observing);
    let (plan, retained) = make_plan(means.reader, means.names, known, retain).await?;
    carry_out(known, retain, means, plan, retained).await
}

/// Applies a plan and looks again.
pub(crate) async fn carry_out<R: CloudReader, W: CloudWriter>(
    known: &Known,
    retain: &BTreeSet<Retained>,
    means: &Means<'_, R, W>,
    plan: Plan,
    retained: Kept,
) -> Result<Down, DownError> {
    means.events.event(Event::Planned {
        steps: plan.steps.len(),
    });
    let outcome = Box::pin(apply(&plan, means)).await;
    if plan.is_empty() || (outcome.interrupted && !outcome.complete()) {
        let left = Plan {
            steps: Vec::new(),
            ..plan.clone()
        };
        return Ok(Down {
            plan,
            outcome,
            left,
            retained,
        });
    }
    let (left, mut now) = what_is_left(known, retain, means, &outcome).await?;
    // With the journal went what says that there are any.
    now.tables = retained.tables;
    let retained = now;
    Ok(Down {
        plan,
        outcome,
        left,
        retained,
    })
}

/// Looks again. Where every deletion succeeded, what is still seen may only be
/// an old answer, so it looks for a while.
async fn what_is_left<R: CloudReader, W>(
    known: &Known,
    retain: &BTreeSet<Retained>,
    means: &Means<'_, R, W>,
    outcome: &Outcome,
) -> Result<(Plan, Kept), DownError> {
    let started = Instant::now();
    let mut pauses = retry::pauses();
    loop {
        let (mut left, retained) = make_plan(means.reader, means.names, known, retain).await?;
        if !outcome.complete() {
            return Ok((left, retained));
        }
        // With the journal went the lease; whoever waited for it may have made a
        // journal of its own by now.
        let journal = journal(means.names);
        left.steps.retain(|step| {
            !matches!(&step.action, Action::DeleteLogGroup { log_group } if *log_group == journal)
        });
        let pause = pauses.next().expect("pauses never end");
        if left.is_empty() || started.elapsed() + pause > OLD_ANSWERS {
            return Ok((left, retained));
        }
        sleep(pause).await;
    }
}
