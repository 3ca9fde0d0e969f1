//! The authorizer of the draft: made before the route that asks it, and deleted after
//! no route does. Like an integration it invokes a published version.

use super::changes::{FieldChange, change, or_none};
use super::{Action, Bindings, Builder, StepId};
use crate::authorizer::{Authorization, Authorizer};
use crate::desired::Desired;
use crate::names::RouteKey;
use crate::observed::{ApiState, AuthorizerState, RouteState};
use std::collections::BTreeSet;

/// The step that makes the authorizer as it should be, if one is needed. `version`
/// publishes what it invokes.
pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    state: Option<&ApiState>,
    bindings: &mut Bindings,
    version: Option<StepId>,
    api_created: Option<StepId>,
) -> Option<StepId> {
    let wanted = desired.gateway.authorizer.as_ref()?;
    let account = &desired.account;
    let function_arn = desired.arn_of(&wanted.function);
    let credentials_arn = account.role_arn(&desired.names.invoke_role);
    let after = version.into_iter().chain(api_created);
    let Some(mine) = find(desired, wanted, state) else {
        let action = Action::CreateAuthorizer {
            authorizer: wanted.clone(),
            function_arn,
            credentials_arn,
        };
        return Some(builder.add(action, after));
    };
    bindings.authorizer = Some(mine.authorizer_id.clone());
    let uri = bindings.invocation_uri(account, &wanted.function, &function_arn);
    let sources = change(
        "identity_sources",
        listed(&mine.identity_sources),
        listed(&wanted.identity_sources),
    );
    let as_it_should = uri.as_ref() == Some(&mine.uri)
        && (desired.existing.contains_key(&wanted.function)
            || mine.credentials_arn.as_ref() == Some(&credentials_arn))
        && sources.is_none();
    if as_it_should {
        return None;
    }
    let action = Action::UpdateAuthorizer {
        authorizer: wanted.clone(),
        authorizer_id: mine.authorizer_id.clone(),
        function_arn,
        credentials_arn,
    };
    Some(builder.add_change(action, after, sources.into_iter().collect()))
}

/// Deletes the authorizers nobody needs, after the routes that asked them: AWS refuses
/// it while one does.
pub(super) fn delete_others(
    builder: &mut Builder,
    desired: &Desired,
    state: Option<&ApiState>,
    routes: &[StepId],
) -> Vec<StepId> {
    let wanted = desired.gateway.authorizer.as_ref();
    let mine = wanted.and_then(|wanted| find(desired, wanted, state));
    let mine = mine.map(|mine| &mine.authorizer_id);
    let authorizers = state.map(|api| api.authorizers.as_slice());
    let others = authorizers
        .unwrap_or_default()
        .iter()
        .filter(|it| Some(&it.authorizer_id) != mine);
    others
        .map(|other| {
            let action = Action::DeleteAuthorizer {
                authorizer_id: other.authorizer_id.clone(),
                name: other.name.clone(),
            };
            builder.add(action, routes.iter().copied())
        })
        .collect()
}

/// Who may use a route, where that has to change.
pub(super) struct RouteChange {
    pub changes: Vec<FieldChange>,
    /// It names an authorizer that it must ask no longer.
    pub forget_authorizer: bool,
}

/// What of a route's authorization isn't as it should be. The authorizer is planned
/// before.
pub(super) fn route(
    desired: &Desired,
    bindings: &Bindings,
    key: &RouteKey,
    state: &RouteState,
) -> RouteChange {
    let wanted = desired.gateway.authorization(key);
    let kind = change(
        "authorization",
        state.authorization.as_str(),
        wanted.as_str(),
    );
    let asks = state.authorizer_id.as_ref();
    let (right, name) = match (wanted, &desired.gateway.authorizer) {
        (Authorization::Custom, Some(authorizer)) => {
            let is_there = asks.is_some() && asks == bindings.authorizer.as_ref();
            (is_there, Some(authorizer.name()))
        }
        _ => (asks.is_none(), None),
    };
    let which = (!right).then(|| FieldChange {
        field: "authorizer".to_owned(),
        old: or_none(asks),
        new: or_none(name),
    });
    RouteChange {
        changes: kind.into_iter().chain(which).collect(),
        forget_authorizer: wanted != Authorization::Custom && asks.is_some(),
    }
}

/// Names are unique in an API, so that one whose creation nobody answered is found. One
/// that invokes what isn't the stage's may have been made by somebody else, under a name of
/// theirs.
fn find<'a>(
    desired: &Desired,
    wanted: &Authorizer,
    state: Option<&'a ApiState>,
) -> Option<&'a AuthorizerState> {
    let all = state.map(|api| api.authorizers.as_slice());
    let all = all.unwrap_or_default();
    let existing = desired.existing.get(&wanted.function);
    let uri = existing.map(|it| desired.account.invocation_uri(&it.arn(&desired.account)));
    all.iter()
        .find(|it| it.name == wanted.name())
        .or_else(|| all.iter().find(|it| Some(&it.uri) == uri.as_ref()))
}

fn listed(sources: &BTreeSet<String>) -> String {
    match sources.is_empty() {
        true => "none".to_owned(),
        false => {
            let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
            sources.join(", ")
        }
    }
}
