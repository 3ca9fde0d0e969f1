//! `deployer permissions`: the IAM policy that deploying stages needs. Asks nobody.

use super::run::{Stage, read_stages};
use crate::cli::Permissions;
use crate::exit;
use crate::project::Project;
use crate::render::{report, text};
use deployer_core::permissions::{
    Document, MANAGED_POLICY_LIMIT, Permission, Purpose, Scope, of_stage,
};
use deployer_core::stage_file::{Place, StageDefinition};
use std::collections::BTreeSet;

/// What tells SDKs the account.
const ACCOUNT: &str = "AWS_ACCOUNT_ID";

/// Prints the policy of all the stages together.
pub async fn run(project: &Project, options: &Permissions) -> u8 {
    let stages = match read_stages(project, options.stages.clone()) {
        Ok(stages) => stages,
        Err(failures) => {
            failures.iter().for_each(report::failure);
            return exit::BAD_INPUT;
        }
    };
    let mut purposes: Vec<Purpose> = match options.purposes.as_slice() {
        [] => Purpose::ALL.to_vec(),
        some => some.iter().map(|purpose| (*purpose).into()).collect(),
    };
    // Whoever reads logs finds their groups first, whoever invokes what is live.
    if purposes.contains(&Purpose::Logs) || purposes.contains(&Purpose::Invoke) {
        purposes.push(Purpose::Plan);
    }
    let mut all: BTreeSet<Permission> = BTreeSet::new();
    for Stage {
        name, definition, ..
    } in &stages
    {
        let (account, region) = place(definition, options).await;
        for (what, known, option) in [
            ("account", account.is_some(), "--account ID"),
            ("region", region.is_some(), "--region REGION"),
        ] {
            if !known {
                let line = format!(
                    "{name}: the {what} isn't known, so that the policy allows any; {option} narrows it"
                );
                text::progress(&line);
            }
        }
        let mut definition = definition.clone();
        if let Some(name) = &options.name {
            definition.identity.stage.clone_from(name);
        }
        let mut scope = Scope::new(&definition, account.as_deref(), region.as_deref());
        if options.former_tables {
            scope = scope.with_tables();
        }
        all.extend(of_stage(&scope, &purposes));
    }
    print(Document::new(&all), options.split);
    exit::SUCCESS
}

/// Account and region, as far as they are known without asking.
async fn place(
    definition: &StageDefinition,
    options: &Permissions,
) -> (Option<String>, Option<String>) {
    let (account, region) = match &definition.place {
        Place::Local { .. } => (
            Some(local_cloud::ACCOUNT_ID.to_owned()),
            Some(local_cloud::REGION.to_owned()),
        ),
        Place::Aws { region, profile } => {
            let region = match (&options.region, region) {
                (None, None) => deployer_aws::configured_region(profile.as_deref()).await,
                (Some(region), _) | (None, Some(region)) => Some(region.clone()),
            };
            let account = definition.guards.account_id.clone();
            (account.or_else(|| std::env::var(ACCOUNT).ok()), region)
        }
    };
    (options.account.clone().or(account), region)
}

fn print(document: Document, split: bool) {
    let size = document.size();
    if split {
        let parts = document.split(MANAGED_POLICY_LIMIT);
        let lines = serde_json::to_string_pretty(&parts);
        return text::result(&lines.expect("policies are maps of texts"));
    }
    let lines = serde_json::to_string_pretty(&document);
    text::result(&lines.expect("policies are maps of texts"));
    let of =
        format!("{size} of the {MANAGED_POLICY_LIMIT} characters that a managed policy may have");
    text::progress(&match size > MANAGED_POLICY_LIMIT {
        true => format!("{of}: with --split it becomes several policies"),
        false => of,
    });
}
