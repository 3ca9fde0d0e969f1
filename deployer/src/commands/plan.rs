//! `deployer plan`: what `up` would change. Builds, reads, writes nothing.

use super::run::{Run, Stage};
use super::up;
use crate::cli::Lives;
use crate::failure::Failure;
use crate::local;
use crate::provenance;
use crate::render::Screen;
use crate::stage::OpenStage;
use deployer_core::account::Account;
use deployer_core::desired::Desired;
use deployer_core::observed::Observed;
use deployer_core::plan;
use deployer_core::stage_file::StageDefinition;
use deployer_engine::observe::{Look, complete_for};
use deployer_engine::up::plan_of;

/// What an `up` is planned with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What `up --adopt` would take over.
    pub adopt: bool,
    /// How long the stage is to live.
    pub lives: Option<Lives>,
}

/// Plans one stage.
pub async fn run(
    run: &Run,
    Stage { definition, .. }: &Stage,
    screen: &Screen,
    options: Options,
) -> Result<(), Failure> {
    let project = run.project()?;
    let (built, seen) = tokio::try_join!(
        run.workshop.functions(project, definition, screen),
        OpenStage::look_if_there(Some(project), definition),
    )?;
    let desired = |account: Account| {
        let provenance = provenance::now(&account, run.workshop.git_revision(project));
        let desired = Desired::new(definition, account, &built.code, provenance);
        Desired {
            adopt: options.adopt,
            expiry: up::expiry(definition, options.lives, run.now).unwrap_or(desired.expiry),
            ..desired
        }
    };
    show(seen, desired, definition, screen).await
}

/// Plans from what was seen, and shows the plan. `desired`: as it should be in an account.
pub async fn show(
    seen: Option<(OpenStage, Look)>,
    desired: impl Fn(Account) -> Desired,
    definition: &StageDefinition,
    screen: &Screen,
) -> Result<(), Failure> {
    let plan = match seen {
        Some((stage, seen)) => {
            let desired = desired(stage.account.clone());
            let observed = complete_for(&stage.cloud, &desired, seen.observed).await?;
            plan_of(&desired, &observed)?
        }
        // Nothing can be in a local cloud that there isn't.
        None => {
            let desired = desired(local::account());
            let nothing = Observed::default();
            plan::sound(plan::up(&desired, &nothing)?, &nothing, &desired.names)?
        }
    };
    screen.plan(&plan, definition.notice.as_deref());
    Ok(())
}
