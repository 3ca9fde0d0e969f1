//! What of an API can be said in stage files, and what can't.

use crate::account::Account;
use crate::api_details::{ApiDetails, IntegrationDetails, RouteDetails, StageDetails};
use crate::authorizer::{CONNECT, IdentitySource};
use crate::existing::ExistingFunction;
use crate::names::{FunctionKey, RouteKey};
use crate::stage_file::is_function_name;
use std::collections::{BTreeMap, BTreeSet};

/// How long API Gateway waits for an integration that nobody said it of.
const DEFAULT_TIMEOUT_MS: u32 = 29_000;
/// Of a function's name in a stage file.
const KEY_LIMIT: usize = 40;

/// Routes and who decides, by the functions that are there.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub routes: BTreeMap<RouteKey, ExistingFunction>,
    pub signed: BTreeSet<RouteKey>,
    pub authorizer: Option<(ExistingFunction, BTreeSet<String>)>,
}

pub(super) fn read(api: &ApiDetails, account: &Account, losses: &mut Vec<String>) -> Read {
    let mut read = Read::default();
    for route in &api.routes {
        let key = &route.route_key;
        let function = match of_route(api, route, account) {
            Ok(function) => function,
            Err(why) => {
                losses.push(format!("route {key}: {why}"));
                continue;
            }
        };
        let route_key = RouteKey::new(key.as_str());
        match route.authorization.as_str() {
            "NONE" => {}
            "AWS_IAM" if key == CONNECT => {
                read.signed.insert(route_key.clone());
            }
            "CUSTOM" if key == CONNECT => match authorizer(api, route, account) {
                Ok(found) => read.authorizer = Some(found),
                Err(why) => {
                    losses.push(format!("route {key}: {why}"));
                    continue;
                }
            },
            other => {
                losses.push(format!("route {key}: its authorization is {other}"));
                continue;
            }
        }
        read.routes.insert(route_key, function);
    }
    // The two are asked and answer differently, which stage files don't take.
    if let Some((function, _)) = &read.authorizer
        && read.routes.values().any(|it| it == function)
    {
        losses.push(format!(
            "route {CONNECT}: its authorizer, {function}, serves a route, too"
        ));
        read.authorizer = None;
        read.routes.remove(&RouteKey::new(CONNECT));
    }
    read
}

fn of_route(
    api: &ApiDetails,
    route: &RouteDetails,
    account: &Account,
) -> Result<ExistingFunction, String> {
    let integration = api
        .integration_of(route)
        .ok_or("it has no integration, so that it answers nothing")?;
    let uri = integration.uri.as_deref().unwrap_or_default();
    match integration.integration_type.as_str() {
        "AWS_PROXY" => function_of(uri, account),
        other if uri.is_empty() => Err(format!("its integration is of the type {other}")),
        other => Err(format!("its integration is of the type {other}, to {uri}")),
    }
}

fn function_of(uri: &str, account: &Account) -> Result<ExistingFunction, String> {
    let function = ExistingFunction::of_uri(uri)
        .ok_or_else(|| format!("what it invokes isn't one Lambda function: {uri}"))?;
    match function.is_in(account) {
        // As short as it may be.
        true => Ok(ExistingFunction {
            place: None,
            ..function
        }),
        false => Err(format!(
            "its function is in another account or region: {uri}"
        )),
    }
}

fn authorizer(
    api: &ApiDetails,
    route: &RouteDetails,
    account: &Account,
) -> Result<(ExistingFunction, BTreeSet<String>), String> {
    let authorizer = api
        .authorizer_of(route)
        .ok_or("it asks an authorizer that isn't there")?;
    let name = &authorizer.name;
    let uri = authorizer.uri.as_deref().unwrap_or_default();
    let function =
        function_of(uri, account).map_err(|why| format!("its authorizer {name}: {why}"))?;
    let sources: BTreeSet<String> = authorizer.identity_sources.iter().cloned().collect();
    match sources
        .iter()
        .find(|source| IdentitySource::parse(source).is_none())
    {
        Some(source) => Err(format!(
            "its authorizer {name}: the identity source {source}"
        )),
        None => Ok((function, sources)),
    }
}

/// What each function is called in the files: as the service's routes and its authorizer
/// have it, else after its only route, else after itself.
pub(super) fn name(
    read: &Read,
    known: Option<&BTreeMap<RouteKey, FunctionKey>>,
    authorizer: Option<&FunctionKey>,
) -> BTreeMap<ExistingFunction, FunctionKey> {
    let mut named: BTreeMap<ExistingFunction, FunctionKey> = BTreeMap::new();
    let mut taken: BTreeSet<FunctionKey> = known
        .into_iter()
        .flat_map(|routes| routes.values().cloned())
        .collect();
    let routes_of = |function: &ExistingFunction| -> Vec<&RouteKey> {
        let routes = read.routes.iter();
        routes
            .filter(|(_, it)| *it == function)
            .map(|(route, _)| route)
            .collect()
    };
    let functions: BTreeSet<&ExistingFunction> = read.routes.values().collect();
    for function in functions {
        let routes = routes_of(function);
        let by_service = routes.iter().find_map(|route| {
            let key = known?.get(*route)?;
            (!named.values().any(|it| it == key)).then(|| key.clone())
        });
        let key = by_service.unwrap_or_else(|| {
            let wanted = match routes.as_slice() {
                [only] => legal(only.as_str()),
                _ => legal(&own_part(function.name.as_str())),
            };
            free(&wanted, &taken)
        });
        taken.insert(key.clone());
        named.insert(function.clone(), key);
    }
    if let Some((function, _)) = &read.authorizer
        && !named.contains_key(function)
    {
        let key = authorizer.cloned();
        let key = key.unwrap_or_else(|| free("authorize", &taken));
        named.insert(function.clone(), key);
    }
    named
}

/// A name without what a tool put behind it to make it unique.
fn own_part(name: &str) -> String {
    let unique = |part: &str| {
        part.len() >= 6
            && part.chars().all(|c| c.is_ascii_alphanumeric())
            && part
                .chars()
                .any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            && part
                .chars()
                .skip(1)
                .any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
    };
    match name.rsplit_once('-') {
        Some((own, last)) if unique(last) => own.to_owned(),
        _ => name.to_owned(),
    }
}

/// The nearest name that a function may have in a stage file.
fn legal(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => name.push(c),
            _ if !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let name: String = name.chars().take(KEY_LIMIT).collect();
    let name = name.trim_end_matches('-');
    match is_function_name(name) {
        true => name.to_owned(),
        false => "function".to_owned(),
    }
}

/// The name, or the first of those with a number behind it that nobody has.
fn free(wanted: &str, taken: &BTreeSet<FunctionKey>) -> FunctionKey {
    let numbered = (2..=taken.len() + 2).map(|number| {
        let beginning: String = wanted.chars().take(KEY_LIMIT - 4).collect();
        FunctionKey::new(format!("{beginning}-{number}"))
    });
    let mut all = std::iter::once(FunctionKey::new(wanted)).chain(numbered);
    all.find(|key| !taken.contains(key))
        .unwrap_or_else(|| FunctionKey::new(wanted))
}

/// A `down` deletes the API with all its stages.
pub(super) fn other_stages(api: &ApiDetails, name: &str, losses: &mut Vec<String>) {
    for other in api.stages.iter().filter(|it| it.state.name != name) {
        losses.push(format!(
            "stage {}: it goes on serving what it serves, but it goes with the API by `down`, and no file describes it",
            other.state.name
        ));
    }
}

/// What stays as it is though no file says it, and what changes and serves nobody.
pub(super) fn beside(api: &ApiDetails, stage: &StageDetails, notes: &mut Vec<String>) {
    for route in &api.routes {
        let said = [
            (route.api_key_required, "an API key"),
            (
                !route.responses.is_empty() || route.route_response_selection_expression.is_some(),
                "a route response",
            ),
            (
                !route.request_models.is_empty() || route.model_selection_expression.is_some(),
                "models",
            ),
            (!route.request_parameters.is_empty(), "request parameters"),
        ];
        let said: Vec<&str> = said.into_iter().filter(|it| it.0).map(|it| it.1).collect();
        if !said.is_empty() {
            notes.push(format!(
                "route {}: {} can't be said in stage files; stays while the route does",
                route.route_key,
                said.join(", ")
            ));
        }
        let integration = api.integration_of(route);
        if let Some(said) = integration.and_then(unsaid) {
            notes.push(format!(
                "route {}: of its integration, {said} can't be said in stage files; stays until the route leads to another function",
                route.route_key
            ));
        }
    }
    let asked: BTreeSet<_> = api
        .routes
        .iter()
        .filter_map(|it| it.authorizer_id.as_ref())
        .collect();
    for authorizer in &api.authorizers {
        if !asked.contains(&authorizer.authorizer_id) {
            notes.push(format!(
                "authorizer {}: no route asks it, so it goes",
                authorizer.name
            ));
        }
    }
    let targets: BTreeSet<_> = api
        .routes
        .iter()
        .filter_map(|route| api.integration_of(route))
        .map(|it| &it.integration_id)
        .collect();
    let unused = api
        .integrations
        .iter()
        .filter(|it| !targets.contains(&it.integration_id));
    match unused.count() {
        0 => {}
        1 => notes.push("1 integration: no route leads to it, so it goes".to_owned()),
        count => notes.push(format!(
            "{count} integrations: no route leads to them, so they go"
        )),
    }
    if stage.state.auto_deploy {
        notes.push(
            "the stage deploys each change of the API at once; `up --adopt` turns that off"
                .to_owned(),
        );
    } else {
        notes.push(
            "AWS shows the API as it would be deployed next: what was changed since its last deployment goes live by `up --adopt`".to_owned(),
        );
    }
}

/// What of an integration no file says.
fn unsaid(integration: &IntegrationDetails) -> Option<String> {
    let timeout = integration
        .timeout_ms
        .filter(|ms| *ms != DEFAULT_TIMEOUT_MS);
    let said = [
        timeout.map(|ms| format!("a timeout of {ms} ms")),
        integration
            .content_handling
            .as_ref()
            .map(|_| "content handling".to_owned()),
        (!integration.request_parameters.is_empty()).then(|| "request parameters".to_owned()),
        (!integration.request_templates.is_empty()).then(|| "request templates".to_owned()),
        (!integration.responses.is_empty()).then(|| "responses".to_owned()),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}
