//! Who lives in an account and region: what [`census`] goes by, read.

use crate::error::CloudError;
use deployer_core::census::{ApiFound, Census, JournalFound, Resident, census, journal_prefix};
use deployer_core::names::ApiId;
use deployer_core::release::ReleaseHash;
use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt, TryStreamExt};

/// Stages that are looked at at once: API Gateway takes some ten calls a second.
const STAGES_IN_FLIGHT: usize = 4;

/// Reads of an account and region, whatever the stage. Every call may be repeated.
pub trait Directory: Send + Sync {
    /// Log groups whose names begin with `prefix`, with their tags.
    fn list_journals(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<JournalFound>, CloudError>> + Send;

    /// The APIs that some stage has tagged.
    fn list_tagged_apis(&self) -> impl Future<Output = Result<Vec<ApiFound>, CloudError>> + Send;

    /// The description of the deployment that is live on an API stage, if one is.
    fn find_live_description(
        &self,
        api_id: &ApiId,
        api_stage: &str,
    ) -> impl Future<Output = Result<Option<String>, CloudError>> + Send;
}

/// What serves a stage's users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Where.
    pub url: String,
    /// `None`: not by us.
    pub release: Option<ReleaseHash>,
}

/// Whoever lives there, of one service or of all.
///
/// # Errors
/// The first read that fails.
pub async fn find_residents<D: Directory>(
    directory: &D,
    service: Option<&str>,
) -> Result<Census, CloudError> {
    let prefix = journal_prefix(service);
    let (journals, apis) = try_join(
        directory.list_journals(&prefix),
        directory.list_tagged_apis(),
    )
    .await?;
    Ok(census(journals, apis, service))
}

/// The same stages in their order, each with what is live of it.
///
/// # Errors
/// The first read that fails.
pub async fn with_live<D: Directory>(
    directory: &D,
    residents: Vec<Resident>,
) -> Result<Vec<(Resident, Option<Live>)>, CloudError> {
    let looks = residents.into_iter().map(|resident| async move {
        let live = find_live(directory, &resident).await?;
        Ok((resident, live))
    });
    stream::iter(looks)
        .buffered(STAGES_IN_FLIGHT)
        .try_collect()
        .await
}

async fn find_live<D: Directory>(
    directory: &D,
    resident: &Resident,
) -> Result<Option<Live>, CloudError> {
    let api_stage = &resident.identity.stage;
    for api in &resident.apis {
        let found = directory.find_live_description(&api.api_id, api_stage);
        if let Some(description) = found.await? {
            return Ok(Some(Live {
                url: format!("{}/{api_stage}", api.endpoint),
                release: ReleaseHash::from_description(&description),
            }));
        }
    }
    Ok(None)
}
