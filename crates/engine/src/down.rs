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
use deployer_core::record::Record;
use deployer_core::stage_file::Retained;
use jiff::Timestamp;
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

/// What a `down` leaves, and on which conditions it removes the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// Left in the account, whatever the journal says.
    pub retain: BTreeSet<Retained>,
    /// That the journal has a say; `None`: whoever removes has the stage's file, which has it.
    pub by_record: Option<ByRecord>,
}

/// What the journal has a say in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByRecord {
    /// A protected stage is removed, too.
    pub confirmed: bool,
    /// Only a stage that has expired by then is.
    pub expired_by: Option<Timestamp>,
}

/// Why the journal has the stage spared. Nothing was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Spared {
    /// Nobody has said its name.
    #[error("it is protected")]
    Protected,
    /// An `up` has renewed it since it was listed.
    #[error("it was renewed")]
    Renewed {
        /// When it expires now; `None`: never.
        until: Option<Timestamp>,
    },
}

impl Removal {
    /// By the stage's file, which says what to retain.
    pub fn retaining(retain: BTreeSet<Retained>) -> Self {
        Self {
            retain,
            by_record: None,
        }
    }

    /// What is retained of a stage whose journal may say more.
    fn retained(&self, observed: &Observed) -> BTreeSet<Retained> {
        let record = self.by_record.map(|_| record_of(observed));
        let more = record.map(|record| record.retain).unwrap_or_default();
        self.retain.union(&more).copied().collect()
    }

    fn check(&self, observed: &Observed) -> Result<(), Spared> {
        let Some(by_record) = self.by_record else {
            return Ok(());
        };
        let record = record_of(observed);
        if record.protected && !by_record.confirmed {
            return Err(Spared::Protected);
        }
        match by_record.expired_by {
            Some(now) if !record.has_expired(now) => Err(Spared::Renewed {
                until: record.expires,
            }),
            _ => Ok(()),
        }
    }
}

fn record_of(observed: &Observed) -> Record {
    let journal = observed.journal.as_ref();
    journal.map(|it| Record::of(&it.tags)).unwrap_or_default()
}

/// What there is to remove, and what that leaves.
#[derive(Debug)]
pub(crate) struct Planned {
    pub plan: Plan,
    /// As the files, the journal or both say.
    pub retain: BTreeSet<Retained>,
    pub kept: Kept,
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
    /// Its journal has the stage spared.
    #[error(transparent)]
    Spared(#[from] Spared),
}

/// What there is to remove, from what is there. Reads only. Whoever removes needs
/// the journal for its lease, so a journal of somebody else's is refused.
pub(crate) async fn make_plan<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &Known,
    removal: &Removal,
) -> Result<Planned, DownError> {
    let observed = observe(reader, names, known).await?;
    plan_of(names, &observed, removal)
}

/// As [`make_plan`], from what was observed.
pub(crate) fn plan_of(
    names: &Names,
    observed: &Observed,
    removal: &Removal,
) -> Result<Planned, DownError> {
    let retain = removal.retained(observed);
    let (plan, kept) = plan_retaining(names, observed, &retain)?;
    if !plan.is_empty() {
        removal.check(observed)?;
    }
    Ok(Planned { plan, retain, kept })
}

fn plan_retaining(
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

/// Removes everything the stage owns, as `removal` says. `known` is what the stage
/// file names; all else is found by what it left in the account.
///
/// # Errors
/// When reading fails, or the journal has the stage spared. A write that fails is in
/// the outcome.
pub async fn down<R: CloudReader, W: CloudWriter>(
    known: &Known,
    removal: &Removal,
    means: &Means<'_, R, W>,
) -> Result<Down, DownError> {
    means.events.event(Event::Observing);
    let planned = make_plan(means.reader, means.names, known, removal).await?;
    carry_out(known, means, planned).await
}

/// Applies a plan and looks again.
pub(crate) async fn carry_out<R: CloudReader, W: CloudWriter>(
    known: &Known,
    means: &Means<'_, R, W>,
    planned: Planned,
) -> Result<Down, DownError> {
    let Planned { plan, retain, kept } = planned;
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
            retained: kept,
        });
    }
    let (left, mut now) = what_is_left(known, &retain, means, &outcome).await?;
    // With the journal went what says that there are any.
    now.tables = kept.tables;
    Ok(Down {
        plan,
        outcome,
        left,
        retained: now,
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
        let observed = observe(means.reader, means.names, known).await?;
        let (mut left, retained) = plan_retaining(means.names, &observed, retain)?;
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
