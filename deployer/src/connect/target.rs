//! Where `deployer connect` goes: a stage's address as its account has it, or one that is
//! given.

use crate::failure::Failure;
use crate::local;
use crate::project::Project;
use crate::stage::OpenStage;
use deployer_aws::Destination;
use deployer_core::stage_file::Place;
use deployer_engine::cloud::CloudReader;
use std::path::PathBuf;

/// What every stage's routes are that no message chooses by name.
const UNNAMED: char = '$';

/// Where to.
#[derive(Debug, Clone)]
pub struct Target {
    /// `ws://` or `wss://`.
    pub url: String,
    /// The draft's routes that a message can name.
    pub routes: Vec<String>,
    /// By what a message names its route, e.g. `$request.body.action`.
    pub selection: Option<String>,
    /// Whose credentials sign.
    pub destination: Destination,
    /// The local cloud's authority.
    pub authority: Option<PathBuf>,
}

/// Whether the text is an address, and no stage.
pub fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// An address that is given.
///
/// # Errors
/// When it isn't one of a WebSocket.
pub fn of_url(url: &str) -> Result<Target, Failure> {
    let wrong = |message: String| Failure::Input {
        message,
        next_step: "name a stage, or an address such as wss://host/path".to_owned(),
    };
    let rest = url
        .strip_prefix("wss://")
        .or_else(|| url.strip_prefix("ws://"))
        .ok_or_else(|| wrong(format!("{url} doesn't begin with ws:// or wss://")))?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(wrong(format!("{url} has no host")));
    }
    Ok(Target {
        url: url.to_owned(),
        routes: Vec::new(),
        selection: None,
        destination: destination_of(authority),
        authority: None,
    })
}

/// On this machine it can only be a local cloud; elsewhere the host names its region, or the
/// environment does.
fn destination_of(authority: &str) -> Destination {
    let host = authority.split(':').next().unwrap_or_default();
    if matches!(host, "127.0.0.1" | "localhost") {
        return Destination::Local {
            endpoint: format!("http://{authority}"),
            region: local_cloud::REGION.to_owned(),
        };
    }
    let region = host
        .split_once(".execute-api.")
        .and_then(|(_, rest)| rest.split('.').next());
    Destination::Aws {
        region: region.map(str::to_owned),
        profile: None,
    }
}

/// A stage's address.
///
/// # Errors
/// When there is no such stage, or it isn't live.
pub async fn of_stage(project: &Project, name: &str) -> Result<Target, Failure> {
    let definition = project.read_stage(name)?;
    let not_live = || Failure::NotSo {
        message: format!("{} is not live", definition.identity),
        next_step: format!("deployer up {name}"),
    };
    let stage = OpenStage::open_if_there(project, &definition).await?;
    let stage = stage.ok_or_else(not_live)?;
    let apis = stage.cloud.list_apis(&stage.names).await?;
    let live = apis
        .into_iter()
        .find(|api| api.live_deployment(&stage.names.api_stage).is_some());
    let api = live.ok_or_else(not_live)?;
    let mut routes: Vec<String> = api
        .routes
        .iter()
        .map(|route| route.route_key.clone())
        .filter(|route| !route.starts_with(UNNAMED))
        .collect();
    routes.sort();
    let (destination, authority) = match &definition.place {
        Place::Local { port } => (
            stage.destination(),
            Some(local::data_dir(project, *port).join("ca/ca.pem")),
        ),
        Place::Aws { .. } => (stage.destination(), None),
    };
    Ok(Target {
        url: format!("{}/{}", api.endpoint, stage.names.api_stage),
        routes,
        selection: Some(api.route_selection_expression),
        destination,
        authority: authority.filter(|path| path.is_file()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_stage_and_must_be_one_of_a_websocket() {
        assert!(is_url("wss://x/y") && is_url("http://x") && !is_url("alpha"));
        let wrong = of_url("http://x").expect_err("no WebSocket");
        assert_eq!(wrong.exit_code(), crate::exit::BAD_INPUT);
        assert!(of_url("wss:///x").is_err());
    }

    #[test]
    fn the_region_that_signs_is_the_hosts() {
        let region = |url: &str| match of_url(url).expect("an address").destination {
            Destination::Aws { region, .. } => region,
            Destination::Local { endpoint, .. } => Some(endpoint),
        };
        let host = "wss://a1b2.execute-api.eu-west-3.amazonaws.com/alpha";
        assert_eq!(region(host).as_deref(), Some("eu-west-3"));
        assert_eq!(region("wss://chat.example.com/x"), None);
        let local = "ws://127.0.0.1:9100/a/local";
        assert_eq!(region(local).as_deref(), Some("http://127.0.0.1:9100"));
    }
}
