//! What functions and gateway have done in the last hour. What can't be read is left out,
//! and a note says why: a status is worth something without.

use crate::local;
use crate::stage::OpenStage;
use deployer_core::names::{FunctionName, LogGroupName};
use deployer_core::observed::Observed;
use deployer_core::stage_file::Place;
use deployer_engine::causes;
use deployer_engine::error::CloudError;
use deployer_engine::figures::{Figures, figures, last_error};
use deployer_engine::logs::LogEvent;
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Groups that are searched at once. FilterLogEvents allows 5 to 10 calls a second.
const AT_ONCE: usize = 4;

/// What was read, and of what wasn't, why.
#[derive(Default)]
pub struct Hour {
    /// `None`: CloudWatch can't be asked.
    pub figures: Option<Figures>,
    pub errors: BTreeMap<FunctionName, LogEvent>,
    /// Connections of the local cloud, whatever stage they are of.
    pub connections: Option<usize>,
    pub notes: Vec<String>,
}

/// Reads all of it, as far as it can be.
pub async fn hour(stage: &OpenStage, observed: &Observed) -> Hour {
    let now = Timestamp::now();
    let functions: Vec<FunctionName> = observed.functions.keys().cloned().collect();
    let api_stage = stage.names.api_stage.as_str();
    let mut apis = observed.apis.iter();
    let api = apis.find(|api| api.live_deployment(api_stage).is_some());
    let api = api.map(|api| (&api.api_id, api_stage));
    let connections = async {
        match stage.definition.place {
            Place::Local { port } => local::connections(port).await,
            Place::Aws { .. } => None,
        }
    };
    let (read, searched, connections) = tokio::join!(
        figures(&stage.cloud, &functions, api, now.as_second()),
        errors(stage, observed, functions.clone(), now),
        connections
    );
    let mut hour = Hour {
        connections,
        ..Hour::default()
    };
    match read {
        Ok(figures) => hour.figures = Some(figures),
        Err(error) => hour.notes.push(note("no figures", &error)),
    }
    match searched {
        Ok(errors) => hour.errors = errors,
        Err(error) => hour.notes.push(note("no last errors", &error)),
    }
    hour
}

/// The last error of each function that has a log group.
async fn errors(
    stage: &OpenStage,
    observed: &Observed,
    functions: Vec<FunctionName>,
    now: Timestamp,
) -> Result<BTreeMap<FunctionName, LogEvent>, CloudError> {
    let group = |name: &FunctionName| LogGroupName::new(format!("/aws/lambda/{name}"));
    let with_log = functions
        .into_iter()
        .filter(|name| observed.log_groups.contains_key(&group(name)));
    let searches = with_log.map(|name| async move {
        let found = last_error(&stage.cloud, &group(&name), now.as_millisecond()).await;
        found.map(|event| event.map(|event| (name, event)))
    });
    let found: Vec<_> = stream::iter(searches).buffered(AT_ONCE).collect().await;
    let found: Result<Vec<_>, CloudError> = found.into_iter().collect();
    Ok(found?.into_iter().flatten().collect())
}

fn note(what: &str, error: &CloudError) -> String {
    format!("{what}: {error}; {}", causes::next_step(error))
}
