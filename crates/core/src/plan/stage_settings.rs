//! The API stage's settings and the log groups they need.
//!
//! Log groups and the account's role are there before the write that needs them,
//! settings ride on the cut-over, and what is no longer needed goes after it.
//! Without a cut-over, settings are written by themselves.

use super::changes::{FieldChange, change, or_none};
use super::log_group::LogGroup;
use super::{Action, Builder, StepId, account_logging};
use crate::desired::Desired;
use crate::names::{LogGroupName, Names};
use crate::observed::{ApiState, LogGroupState, Observed};
use crate::stage_settings::{RouteSettings, StageSettings, StageUpdate};
use crate::tags::{Ownership, ownership_of};
use std::collections::BTreeSet;

/// What leads from the settings that are to those that should be.
pub(super) struct Settings {
    /// For UpdateStage or CreateStage.
    pub update: StageUpdate,
    /// The same in words.
    pub changes: Vec<FieldChange>,
    /// What must be there before.
    pub prepared: Vec<StepId>,
    now: StageSettings,
}

/// Makes the log groups and the role that the settings need.
pub(super) fn prepare(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    api: Option<&ApiState>,
    api_created: Option<StepId>,
) -> Settings {
    let names = &desired.names;
    let stage = api.and_then(|api| api.stages.iter().find(|s| s.name == names.api_stage));
    let now = stage
        .map(|stage| stage.settings.clone())
        .unwrap_or_default();
    let wanted = &desired.gateway.stage;
    let mut prepared = account_logging::plan(builder, desired, observed);
    prepared.extend(access_log_group(builder, desired, observed));
    prepared.extend(execution_log_group(
        builder,
        desired,
        observed,
        api,
        api_created,
    ));
    let mut changes = changes(&now, wanted);
    if stage.is_none() {
        // It is new as a whole.
        changes.clear();
    }
    Settings {
        update: StageUpdate::between(&now, wanted),
        changes,
        prepared,
        now,
    }
}

impl Settings {
    /// Writes what is to change by itself: there is no cut-over to ride on.
    pub(super) fn configure(
        &self,
        builder: &mut Builder,
        desired: &Desired,
        ready: &[StepId],
    ) -> Vec<StepId> {
        if self.update.is_empty() {
            return Vec::new();
        }
        let action = Action::ConfigureStage {
            stage_name: desired.names.api_stage.clone(),
            settings: self.update.clone(),
        };
        let after = self.prepared.iter().chain(ready).copied();
        vec![builder.add_change(action, after, self.changes.clone())]
    }

    /// Takes away, `after` the settings are in force, what an update can't, and
    /// the log groups that nobody writes to any longer.
    pub(super) fn clear(
        &self,
        builder: &mut Builder,
        desired: &Desired,
        observed: &Observed,
        api: Option<&ApiState>,
        after: &[StepId],
    ) {
        let names = &desired.names;
        let wanted = &desired.gateway.stage;
        let mut cleared = after.to_vec();
        for route_key in self.now.surplus_routes(wanted) {
            let changes = change(
                &format!("route_settings.{route_key}"),
                or_none(self.now.routes.get(&route_key)),
                "none".to_owned(),
            );
            let action = Action::DeleteRouteSettings {
                stage_name: names.api_stage.clone(),
                route_key,
            };
            let step =
                builder.add_change(action, after.iter().copied(), changes.into_iter().collect());
            cleared.push(step);
        }
        if let (Some(log), None) = (&self.now.access_log, &wanted.access_log) {
            let changes = change("destination", log.destination_arn.as_str(), "none");
            let action = Action::DeleteAccessLogSettings {
                stage_name: names.api_stage.clone(),
            };
            let step =
                builder.add_change(action, after.iter().copied(), changes.into_iter().collect());
            cleared.push(step);
        }
        let is_ours =
            |state: &LogGroupState| ownership_of(&state.tags, &names.identity) == Ownership::Ours;
        let access = names.access_log_group();
        let mut surplus = Vec::new();
        if wanted.access_log.is_none() && observed.access_log_group.as_ref().is_some_and(is_ours) {
            surplus.push(access);
        }
        let kept = api
            .filter(|_| desired.gateway.execution_log_retention_days.is_some())
            .map(|api| names.execution_log_group(&api.api_id));
        surplus.extend(
            execution_log_groups(names, observed)
                .into_iter()
                .filter(|name| Some(name) != kept.as_ref()),
        );
        for log_group in surplus {
            builder.add(
                Action::DeleteLogGroup { log_group },
                cleared.iter().copied(),
            );
        }
    }
}

/// The stage's execution log groups: those that it tagged, and those that API
/// Gateway made for its APIs.
pub(super) fn execution_log_groups(names: &Names, observed: &Observed) -> BTreeSet<LogGroupName> {
    let ours = |api: &&ApiState| ownership_of(&api.tags, &names.identity) == Ownership::Ours;
    let of_apis: BTreeSet<LogGroupName> = observed
        .apis
        .iter()
        .filter(ours)
        .map(|api| names.execution_log_group(&api.api_id))
        .collect();
    observed
        .execution_log_groups
        .iter()
        .filter(|(name, state)| {
            of_apis.contains(*name) || ownership_of(&state.tags, &names.identity) == Ownership::Ours
        })
        .map(|(name, _)| name.clone())
        .collect()
}

fn access_log_group(builder: &mut Builder, desired: &Desired, observed: &Observed) -> Vec<StepId> {
    let Some(days) = desired.gateway.access_log_retention_days else {
        return Vec::new();
    };
    let log_group = desired.names.access_log_group();
    let group = LogGroup {
        state: observed.access_log_group.as_ref(),
        retention_days: days,
        create: Action::CreateLogGroup {
            log_group: log_group.clone(),
            tags: desired.tags.clone(),
        },
        after: None,
        put_retention: Action::PutRetentionPolicy { log_group, days },
    };
    group.plan(builder).all
}

fn execution_log_group(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    api: Option<&ApiState>,
    api_created: Option<StepId>,
) -> Vec<StepId> {
    let Some(days) = desired.gateway.execution_log_retention_days else {
        return Vec::new();
    };
    let state = api.and_then(|api| {
        let name = desired.names.execution_log_group(&api.api_id);
        observed.execution_log_groups.get(&name)
    });
    let group = LogGroup {
        state,
        retention_days: days,
        create: Action::CreateExecutionLogGroup {
            tags: desired.tags.clone(),
        },
        after: api_created,
        put_retention: Action::PutExecutionLogRetention { days },
    };
    group.plan(builder).all
}

/// Field by field, but for what an update can't clear.
fn changes(now: &StageSettings, wanted: &StageSettings) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let variables: BTreeSet<&String> = now
        .variables
        .keys()
        .chain(wanted.variables.keys())
        .collect();
    for name in variables {
        changes.extend(change(
            &format!("variables.{name}"),
            or_none(now.variables.get(name)),
            or_none(wanted.variables.get(name)),
        ));
    }
    changes.extend(route_changes("", &now.default_route, &wanted.default_route));
    for (key, route) in &wanted.routes {
        let prefix = format!("route_settings.{key}.");
        match now.routes.get(key) {
            Some(before) => changes.extend(route_changes(&prefix, before, route)),
            None => changes.extend(change(
                prefix.trim_end_matches('.'),
                "none".to_owned(),
                route.to_string(),
            )),
        }
    }
    if let Some(log) = &wanted.access_log {
        let before = now.access_log.as_ref();
        changes.extend(change(
            "access_logs.destination",
            or_none(before.map(|log| log.destination_arn.as_str())),
            log.destination_arn.clone(),
        ));
        changes.extend(change(
            "access_logs.format",
            or_none(before.map(|log| log.format.as_str())),
            log.format.clone(),
        ));
    }
    changes
}

fn route_changes(prefix: &str, now: &RouteSettings, wanted: &RouteSettings) -> Vec<FieldChange> {
    let name = |field: &str| format!("{prefix}{field}");
    [
        change(
            &name("throttling.burst_limit"),
            now.burst_limit,
            wanted.burst_limit,
        ),
        change(
            &name("throttling.rate_limit"),
            now.rate_limit,
            wanted.rate_limit,
        ),
        change(&name("metrics"), now.metrics, wanted.metrics),
        change(
            &name("execution_logs.level"),
            now.level.as_str(),
            wanted.level.as_str(),
        ),
        change(
            &name("execution_logs.data_trace"),
            now.data_trace,
            wanted.data_trace,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
