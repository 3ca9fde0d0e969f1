//! The API, its draft (integrations, authorizer and routes), and the release that makes the
//! draft live.

use super::authorizer;
use super::changes::{FieldChange, change};
use super::functions::FunctionSteps;
use super::stage_settings::Settings;
use super::{Action, Bindings, Builder, StepId};
use crate::desired::Desired;
use crate::manifest::{self, ManifestDraft};
use crate::names::{FunctionKey, FunctionName, RouteKey};
use crate::observed::{ApiState, IntegrationState, Observed, RouteState};
use crate::release::ReleaseHash;
use std::collections::{BTreeMap, BTreeSet};

/// The steps that make the API as it should be.
#[derive(Default)]
pub(super) struct ApiSteps {
    /// It was created.
    pub created: Option<StepId>,
    /// It was changed; what a deployment freezes of it.
    pub updated: Option<StepId>,
}

/// The API itself.
pub(super) fn plan_api(
    builder: &mut Builder,
    desired: &Desired,
    state: Option<&ApiState>,
    bindings: &mut Bindings,
) -> ApiSteps {
    let settings = &desired.gateway.api;
    let mut steps = ApiSteps::default();
    let Some(api) = state else {
        steps.created = Some(builder.add(
            Action::CreateApi {
                name: desired.names.api.clone(),
                description: desired.description.clone(),
                route_selection_expression: desired.route_selection_expression.clone(),
                settings: settings.clone(),
                tags: desired.tags.clone(),
            },
            [],
        ));
        return steps;
    };
    bindings.api_id = Some(api.api_id.clone());
    bindings.api_endpoint = Some(api.endpoint.clone());
    let changes: Vec<FieldChange> = [
        change("description", &api.description, &desired.description),
        change(
            "route_selection_expression",
            &api.route_selection_expression,
            &desired.route_selection_expression,
        ),
        change(
            "disable_execute_api_endpoint",
            api.settings.disable_execute_api_endpoint,
            settings.disable_execute_api_endpoint,
        ),
        change(
            "ip_address_type",
            &api.settings.ip_address_type,
            &settings.ip_address_type,
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !changes.is_empty() {
        let action = Action::UpdateApi {
            description: desired.description.clone(),
            route_selection_expression: desired.route_selection_expression.clone(),
            settings: settings.clone(),
        };
        steps.updated = Some(builder.add_change(action, [], changes));
    }
    steps
}

/// Integrations, the authorizer and routes of the draft; the steps after which it is complete.
pub(super) fn plan_draft(
    builder: &mut Builder,
    desired: &Desired,
    state: Option<&ApiState>,
    bindings: &mut Bindings,
    api_created: Option<StepId>,
    functions: &BTreeMap<FunctionKey, FunctionSteps>,
) -> Vec<StepId> {
    let mut draft = Draft {
        builder,
        desired,
        bindings,
        api_created,
        steps: Vec::new(),
    };
    let integrations = state
        .map(|api| api.integrations.as_slice())
        .unwrap_or_default();
    let routes = state.map(|api| api.routes.as_slice()).unwrap_or_default();
    let Sorted {
        mine,
        alike,
        surplus,
    } = draft.sort_out(integrations, routes);
    let mut integration_ready = BTreeMap::new();
    for key in desired.routed_functions() {
        let after = functions.get(key).and_then(|steps| steps.version);
        if let Some(step) = draft.integration(key, mine.get(key).copied(), after) {
            integration_ready.insert(key.clone(), step);
        }
    }
    let guard = desired.gateway.authorizer.as_ref();
    let guard_ready = authorizer::plan(
        draft.builder,
        desired,
        state,
        draft.bindings,
        guard.and_then(|guard| functions.get(&guard.function)?.version),
        api_created,
    );
    draft.steps.extend(guard_ready);
    // Whom a route waits for: its integration and, where it asks one, the authorizer.
    let before = |key: &RouteKey, function: &FunctionKey| {
        let asks = guard.is_some_and(|guard| guard.guards(key));
        let integration = integration_ready.get(function).copied();
        integration.into_iter().chain(guard_ready.filter(|_| asks))
    };
    let mut gone = Vec::new();
    let mut seen = BTreeSet::new();
    for route in routes {
        let key = RouteKey::new(&route.route_key);
        match desired.routes.get(&key) {
            Some(function) => {
                seen.insert(key.clone());
                let wanted = draft
                    .bindings
                    .integrations
                    .get(function)
                    .map(|id| format!("integrations/{id}"));
                let authorizer::RouteChange {
                    changes,
                    forget_authorizer,
                } = authorizer::route(desired, draft.bindings, &key, route);
                let leads_there = wanted.is_some() && route.target == wanted
                    || alike.contains(&(function.clone(), route.target.clone()));
                if !leads_there || !changes.is_empty() {
                    let after: Vec<StepId> = before(&key, function).collect();
                    let action = Action::UpdateRoute {
                        authorization: desired.gateway.authorization(&key),
                        route_key: key,
                        route_id: route.route_id.clone(),
                        function: function.clone(),
                        forget_authorizer,
                    };
                    let step = draft.builder.add_change(action, after, changes);
                    draft.steps.push(step);
                    gone.push(step);
                }
            }
            None => {
                let action = Action::DeleteRoute {
                    route_key: route.route_key.clone(),
                    route_id: route.route_id.clone(),
                };
                gone.push(draft.add(action, None));
            }
        }
    }
    for (route_key, function) in desired
        .routes
        .iter()
        .filter(|(key, _)| !seen.contains(*key))
    {
        let action = Action::CreateRoute {
            route_key: route_key.clone(),
            function: function.clone(),
            authorization: desired.gateway.authorization(route_key),
        };
        let mut after: Vec<StepId> = before(route_key, function).collect();
        if after.is_empty() {
            after.extend(api_created);
        }
        let step = draft.builder.add(action, after);
        draft.steps.push(step);
    }
    // AWS refuses to delete an integration that a route still refers to.
    for integration in surplus {
        let action = Action::DeleteIntegration {
            integration_id: integration.integration_id.clone(),
        };
        let step = draft.builder.add(action, gone.iter().copied());
        draft.steps.push(step);
    }
    let deleted = authorizer::delete_others(draft.builder, desired, state, &gone);
    draft.steps.extend(deleted);
    draft.steps
}

/// After what a deployment can be made and invoked.
pub(super) struct Ready {
    /// These steps.
    pub steps: Vec<StepId>,
    /// Some of them alter what a deployment freezes.
    pub altered: bool,
    /// The step among them that makes the journal, if one does.
    pub journal_made: Option<StepId>,
}

/// Freezes the draft and makes it live: the last of the writes that a user of
/// the service can notice. Settings of the stage that changed ride on it.
///
/// Where the very release is live already, there is nothing to freeze, unless its draft
/// was altered by this plan: AWS doesn't show what a deployment froze, and what isn't
/// as the release made it may have been so when it was frozen.
pub(super) fn plan_release(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    state: Option<&ApiState>,
    functions: &BTreeMap<FunctionKey, FunctionSteps>,
    ready: Ready,
    settings: &Settings,
) -> Live {
    let release = ReleaseHash::of(desired);
    let stage_name = desired.names.api_stage.clone();
    let stage = state.and_then(|api| api.stages.iter().find(|stage| stage.name == stage_name));
    let live = state.and_then(|api| api.live_deployment(&stage_name));
    let live_release =
        live.and_then(|deployment| ReleaseHash::from_description(&deployment.description));
    let journal = ready
        .journal_made
        .or_else(|| plan_journal(builder, desired, observed));
    let manifest = Box::new(ManifestDraft::of(desired));
    let record = |key| Action::RecordRelease {
        journal: manifest::journal(&desired.names),
        manifest: manifest.clone(),
        key,
    };
    let versions = functions.values().filter_map(|steps| steps.version);
    let recordable = journal.into_iter().chain(versions);
    let same = live.filter(|_| live_release.as_ref() == Some(&release));
    if let (Some(live), false) = (same, ready.altered) {
        let configured = settings.configure(builder, desired, &ready.steps);
        if observed.manifest_of(live).is_none() {
            builder.add(record(Some(live.manifest_key())), recordable);
        }
        return Live {
            released: Vec::new(),
            configured,
        };
    }
    let now = live_release.map_or_else(|| "none of ours".to_owned(), |hash| hash.to_string());
    let again = same.map(|live| FieldChange {
        field: "deployment".to_owned(),
        old: live.deployment_id.to_string(),
        new: "a new one, since the draft was altered".to_owned(),
    });
    let changes: Vec<FieldChange> = change("release", now, release.to_string())
        .into_iter()
        .chain(again)
        .chain(settings.changes.iter().cloned())
        .collect();
    let recorded = builder.add(record(None), recordable);
    let deployed = builder.add(Action::CreateDeployment { manifest }, ready.steps);
    let before = settings
        .prepared
        .iter()
        .copied()
        .chain([recorded, deployed]);
    let update = settings.update.clone();
    let cut_over = match stage {
        None => {
            let action = Action::CreateStage {
                stage_name,
                settings: update,
                tags: desired.tags.clone(),
            };
            builder.add(action, before)
        }
        Some(_) => {
            let action = Action::UpdateStage {
                stage_name,
                settings: update,
            };
            builder.add_change(action, before, changes)
        }
    };
    Live {
        released: vec![cut_over],
        configured: vec![cut_over],
    }
}

/// After what everything is as it should be.
pub(super) struct Live {
    /// The new release serves; empty when there is none.
    pub released: Vec<StepId>,
    /// The stage's settings are in force; empty when they were already.
    pub configured: Vec<StepId>,
}

/// The journal that manifests are written to.
pub(super) fn plan_journal(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
) -> Option<StepId> {
    observed.journal.is_none().then(|| {
        let log_group = manifest::journal(&desired.names);
        let tags = desired.journal_tags();
        builder.add(Action::CreateLogGroup { log_group, tags }, [])
    })
}

struct Draft<'a> {
    builder: &'a mut Builder,
    desired: &'a Desired,
    bindings: &'a mut Bindings,
    api_created: Option<StepId>,
    steps: Vec<StepId>,
}

/// What is there of integrations.
#[derive(Default)]
struct Sorted<'a> {
    /// One for each function that a route leads to.
    mine: BTreeMap<FunctionKey, &'a IntegrationState>,
    /// Targets of routes that lead to a function that isn't the stage's by another one.
    alike: BTreeSet<(FunctionKey, Option<String>)>,
    /// Nobody needs them.
    surplus: Vec<&'a IntegrationState>,
}

impl Draft<'_> {
    fn add(&mut self, action: Action, after: Option<StepId>) -> StepId {
        let step = self.builder.add(action, after);
        self.steps.push(step);
        step
    }

    /// Which integration is whose.
    fn sort_out<'s>(
        &self,
        integrations: &'s [IntegrationState],
        routes: &[RouteState],
    ) -> Sorted<'s> {
        let mut sorted = Sorted::default();
        // Other tools make one for each route: what serves as it should comes first, and stays.
        let mut ordered: Vec<&IntegrationState> = integrations.iter().collect();
        ordered.sort_by_key(|integration| self.target_as_wanted(integration, routes).is_none());
        for integration in ordered {
            let owner = self.owner(integration);
            match (owner, self.target_as_wanted(integration, routes)) {
                (Some(key), _) if !sorted.mine.contains_key(key) => {
                    sorted.mine.insert(key.clone(), integration);
                }
                (Some(key), Some(target)) => {
                    sorted.alike.insert((key.clone(), Some(target)));
                }
                _ => sorted.surplus.push(integration),
            }
        }
        sorted
    }

    /// The function that an integration invokes and that a route is to lead to.
    fn owner(&self, integration: &IntegrationState) -> Option<&FunctionKey> {
        self.desired.routed_functions().into_iter().find(|key| {
            integration.integration_type == "AWS_PROXY" && self.invokes(integration, key)
        })
    }

    /// The target of a route that leads, by this integration, to a function that isn't the
    /// stage's, as it should.
    fn target_as_wanted(
        &self,
        integration: &IntegrationState,
        routes: &[RouteState],
    ) -> Option<String> {
        let desired = self.desired;
        let key = self
            .owner(integration)
            .filter(|key| desired.existing.contains_key(*key))?;
        let target = format!("integrations/{}", integration.integration_id);
        let leads_here = |route: &RouteState| {
            route.target.as_ref() == Some(&target)
                && desired.routes.get(&RouteKey::new(&route.route_key)) == Some(key)
        };
        routes.iter().any(leads_here).then_some(target)
    }

    /// Whether an integration invokes a function: any version of one of the stage's, or
    /// exactly what is named of one that isn't.
    fn invokes(&self, integration: &IntegrationState, key: &FunctionKey) -> bool {
        match (
            self.desired.existing.get(key),
            self.desired.functions.get(key),
        ) {
            (Some(existing), _) => {
                let account = &self.desired.account;
                integration.uri == account.invocation_uri(&existing.arn(account))
            }
            (None, Some(function)) => {
                function_of_uri(&integration.uri).as_ref() == Some(&function.name)
            }
            (None, None) => false,
        }
    }

    fn integration(
        &mut self,
        key: &FunctionKey,
        state: Option<&IntegrationState>,
        version: Option<StepId>,
    ) -> Option<StepId> {
        let account = &self.desired.account;
        let function_arn = self.desired.arn_of(key);
        let credentials_arn = account.role_arn(&self.desired.names.invoke_role);
        let after = version.into_iter().chain(self.api_created);
        let action = match state {
            None => Action::CreateIntegration {
                key: key.clone(),
                function_arn,
                credentials_arn,
            },
            Some(state) => {
                self.bindings
                    .integrations
                    .insert(key.clone(), state.integration_id.clone());
                let uri = self.bindings.invocation_uri(account, key, &function_arn);
                // What isn't the stage's may permit API Gateway itself.
                let permitted = self.desired.existing.contains_key(key)
                    || state.credentials_arn.as_ref() == Some(&credentials_arn);
                if uri.as_ref() == Some(&state.uri) && permitted {
                    return None;
                }
                Action::UpdateIntegration {
                    key: key.clone(),
                    integration_id: state.integration_id.clone(),
                    function_arn,
                    credentials_arn,
                }
            }
        };
        let step = self.builder.add(action, after);
        self.steps.push(step);
        Some(step)
    }
}

/// The function an invocation URI names, without its qualifier.
pub fn function_of_uri(uri: &str) -> Option<FunctionName> {
    let (_, arn) = uri.split_once(":lambda:path/2015-03-31/functions/")?;
    let arn = arn.strip_suffix("/invocations")?;
    let name = arn.split(':').nth(6)?;
    Some(FunctionName::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_of_an_integration_is_read_from_its_uri() {
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:chat-alpha-room:7/invocations";
        assert_eq!(function_of_uri(uri), Some("chat-alpha-room".into()));
        assert_eq!(function_of_uri("https://example.com"), None);
    }
}
