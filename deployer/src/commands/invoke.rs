//! `deployer invoke`: one event for one function of what is live, past the gateway.

use crate::cli::invoke::{EventOf, Invoke};
use crate::failure::Failure;
use crate::invoke::event::{self, Occasion};
use crate::invoke::route;
use crate::project::Project;
use crate::render::{InvokeResult, text};
use crate::stage::OpenStage;
use deployer_core::manifest::{Manifest, journal};
use deployer_core::names::{FunctionKey, RouteKey};
use deployer_core::observed::ApiState;
use deployer_core::promotion;
use deployer_core::stage_file::nearest;
use deployer_engine::cloud::CloudReader;
use deployer_engine::invoke::{Invocation, Invoker};
use jiff::Timestamp;
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

/// A connection that isn't there, in the form that API Gateway's ids have.
const NOBODY: &str = "AAAAAAAAAAAAAAA=";
/// Likewise of a request.
const REQUEST: &str = "BBBBBBBBBBBBBBB=";
/// What Lambda takes of an event, in bytes: 6 MB.
const EVENT_LIMIT: u64 = 6 * 1024 * 1024;

/// Invokes once, and shows what came of it.
pub async fn run(project: &Project, options: &Invoke) -> Result<(), Failure> {
    let given = given_event(options)?;
    let definition = project.read_stage(&options.stage)?;
    let key = function_key(options, definition.functions.keys())?;
    let not_live = || Failure::NotSo {
        message: format!("{} is not live", definition.identity),
        next_step: format!("deployer up {}", options.stage),
    };
    let stage = OpenStage::open_if_there(project, &definition).await?;
    let stage = stage.ok_or_else(not_live)?;
    let apis = stage.cloud.list_apis(&stage.names).await?;
    let (identity, api_stage) = (&stage.names.identity, &stage.names.api_stage);
    let (api, deployment, release) =
        promotion::live(identity, api_stage, &apis).map_err(|_| not_live())?;
    let manifest = stage
        .cloud
        .find_manifest(&journal(&stage.names), &deployment.manifest_key())
        .await?;
    let manifest = manifest.ok_or_else(|| Failure::NotSo {
        message: format!("what release {release} consists of can't be read"),
        next_step: format!("deployer up {}", options.stage),
    })?;
    let function = manifest.functions.get(&key).ok_or_else(|| Failure::NotSo {
        message: format!("the live release {release} has no function `{key}`"),
        next_step: format!("deployer up {}", options.stage),
    })?;
    let event = match given {
        Some(event) => event,
        None => made(options, &stage, api, &manifest, &key)?,
    };
    if options.show_event {
        let shown = serde_json::to_string_pretty(&event).unwrap_or_default();
        text::result(&shown);
        return Ok(());
    }
    let event = event.to_string();
    let begun = Instant::now();
    let invoked = stage
        .cloud
        .invoke(Invocation {
            function: &function.name,
            version: &function.version,
            event: event.as_bytes(),
            asynchronous: options.asynchronous,
        })
        .await?;
    let result = InvokeResult {
        stage: &options.stage,
        function: key.as_str(),
        version: function.version.as_str(),
        asynchronous: options.asynchronous,
        took: begun.elapsed(),
        invoked: &invoked,
    };
    result.show(options.json);
    match &invoked.function_error {
        None => Ok(()),
        Some(_) => Err(Failure::NotSo {
            message: format!("`{key}` failed"),
            next_step: format!("deployer logs {} {key}", options.stage),
        }),
    }
}

/// The function that is meant.
fn function_key<'a>(
    options: &Invoke,
    known: impl Iterator<Item = &'a FunctionKey>,
) -> Result<FunctionKey, Failure> {
    let known: Vec<&FunctionKey> = known.collect();
    let wanted = options.function.as_str();
    if let Some(key) = known.iter().find(|key| key.as_str() == wanted) {
        return Ok((*key).clone());
    }
    let names: Vec<&str> = known.iter().map(|key| key.as_str()).collect();
    let next_step = match nearest(wanted, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => {
            "all that its routes lead to exists without the deployer: invoke it by AWS's own tools"
                .to_owned()
        }
        None => format!("the functions are {}", names.join(", ")),
    };
    Err(Failure::Input {
        message: format!("the stage has no function `{wanted}`"),
        next_step,
    })
}

/// The event of a file or of stdin; `None`: it is to be made.
fn given_event(options: &Invoke) -> Result<Option<Value>, Failure> {
    let (shown, text) = match &options.event {
        EventOf::Connect | EventOf::Disconnect | EventOf::Message => return Ok(None),
        EventOf::Stdin => ("stdin".to_owned(), limited(std::io::stdin())),
        EventOf::File(path) => (path.display().to_string(), read(path)),
    };
    let wrong = |message: String, next_step: &str| Failure::Input {
        message,
        next_step: next_step.to_owned(),
    };
    let text = text.map_err(|error| {
        wrong(
            format!("can't read {shown}: {error}"),
            "give --event connect, message, disconnect, or a file that is there",
        )
    })?;
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(
            format!("{shown}:{line}:{column}: no JSON: {error}"),
            "mend the event; --show-event prints one to begin with",
        )
    })
}

fn read(path: &Path) -> std::io::Result<String> {
    limited(std::fs::File::open(path)?)
}

fn limited(source: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    source.take(EVENT_LIMIT + 1).read_to_string(&mut text)?;
    match text.len() as u64 > EVENT_LIMIT {
        true => Err(std::io::Error::other(
            "it has more than the 6 MB that Lambda takes",
        )),
        false => Ok(text),
    }
}

/// The event that API Gateway would send.
fn made(
    options: &Invoke,
    stage: &OpenStage,
    api: &ApiState,
    manifest: &Manifest,
    key: &FunctionKey,
) -> Result<Value, Failure> {
    let body = options.body.as_deref().unwrap_or_default();
    let route_key = match &options.route {
        Some(route) => route.clone(),
        None => route_of(options, manifest, api, key, body)?,
    };
    let (_, domain_name) = api.endpoint.split_once("://").unwrap_or_default();
    let occasion = Occasion {
        api_id: api.api_id.to_string(),
        domain_name: domain_name.to_owned(),
        stage: stage.names.api_stage.clone(),
        connection_id: options
            .connection_id
            .clone()
            .unwrap_or_else(|| NOBODY.to_owned()),
        request_id: REQUEST.to_owned(),
        at: Timestamp::now(),
        route_key,
        authorizer: options.authorizer.clone(),
    };
    Ok(match options.event {
        EventOf::Connect => event::connect(&occasion, &options.header, &options.query),
        EventOf::Disconnect => event::disconnect(&occasion),
        _ => event::message(&occasion, body),
    })
}

/// The route that leads to the function by such an event.
fn route_of(
    options: &Invoke,
    manifest: &Manifest,
    api: &ApiState,
    key: &FunctionKey,
    body: &str,
) -> Result<String, Failure> {
    let own = match options.event {
        EventOf::Connect => "$connect",
        EventOf::Disconnect => "$disconnect",
        _ => {
            let expression = manifest.route_selection_expression.as_deref();
            let expression = expression.unwrap_or(&api.route_selection_expression);
            return route::of_message(&manifest.routes, key, expression, body)
                .map_err(|(message, next_step)| Failure::Input { message, next_step });
        }
    };
    let leads = |(route, to): (&RouteKey, &FunctionKey)| route.as_str() == own && to == key;
    match manifest.routes.iter().any(leads) {
        true => Ok(own.to_owned()),
        false => Err(Failure::Input {
            message: format!("`{own}` doesn't lead to `{key}`"),
            next_step: "name another --event, or the route by --route".to_owned(),
        }),
    }
}
