//! `deployer list`: the stages that live in an account and region. Reads only, and needs
//! no file.

use super::choice::{Found, Somewhere, find};
use super::run::Run;
use crate::cli::List;
use crate::failure::Failure;
use crate::render::{ListResult, Listed, Screen, text};
use deployer_core::census::{Census, Resident};
use deployer_engine::directory::{Live, with_live};

/// Lists them.
pub async fn run(run: &Run, options: &List, screen: &Screen) -> Result<(), Failure> {
    let mut found = find(run, &options.site, options.service.as_deref()).await?;
    found.selected(&options.selection, run.now);
    let Found {
        cloud,
        somewhere,
        census: Census {
            residents,
            unreadable,
        },
        ..
    } = found;
    let residents = match cloud {
        Some(cloud) => with_live(&cloud, residents).await?,
        None => Vec::new(),
    };
    for log_group in &unreadable {
        text::progress(&format!(
            "not listed, because these credentials may not read its tags: {log_group}"
        ));
    }
    let listed = residents.into_iter().map(|(resident, live)| {
        let (account_id, region) = match &somewhere {
            Somewhere::Aws { account_id, region } => (account_id.clone(), region.clone()),
            Somewhere::Local { .. } => (
                local_cloud::ACCOUNT_ID.to_owned(),
                local_cloud::REGION.to_owned(),
            ),
        };
        listed(run, resident, live, account_id, region)
    });
    screen.list(&ListResult {
        stages: listed.collect(),
        somewhere: somewhere.to_string(),
        selected: options.selection.expired || options.selection.matching.is_some(),
        now: run.now,
    });
    Ok(())
}

fn listed(
    run: &Run,
    resident: Resident,
    live: Option<Live>,
    account_id: String,
    region: String,
) -> Listed {
    let record = resident.record;
    let (url, release) = live.map(|live| (live.url, live.release)).unzip();
    Listed {
        service: resident.identity.service,
        stage: resident.identity.stage,
        account_id,
        region,
        created: resident.created,
        owner: record.owner.clone(),
        release: release.flatten().map(|release| release.to_string()),
        url,
        expires: record.expires,
        expired: record.has_expired(run.now),
        protected: record.protected,
    }
}
