//! `deployer plan`: what `up` would change. Builds, reads, writes nothing.

use super::run::{Run, Stage};
use crate::failure::Failure;
use crate::local;
use crate::provenance;
use crate::render::Screen;
use crate::stage::OpenStage;
use deployer_core::account::Account;
use deployer_core::desired::Desired;
use deployer_core::observed::Observed;
use deployer_core::plan;
use deployer_engine::observe::complete_for;
use deployer_engine::up;

/// Plans one stage. `adopt`: with what `up --adopt` would take over.
pub async fn run(
    run: &Run,
    Stage { definition, .. }: &Stage,
    screen: &Screen,
    adopt: bool,
) -> Result<(), Failure> {
    let project = &run.project;
    let (built, seen) = tokio::try_join!(
        run.workshop.functions(project, definition, screen),
        OpenStage::look_if_there(project, definition),
    )?;
    let desired = |account: Account| {
        let provenance = provenance::now(&account, run.workshop.git_revision(project));
        Desired {
            adopt,
            ..Desired::new(definition, account, &built.code, provenance)
        }
    };
    let plan = match seen {
        Some((stage, seen)) => {
            let desired = desired(stage.account.clone());
            let observed = complete_for(&stage.cloud, &desired, seen.observed).await?;
            up::plan_of(&desired, &observed)?
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
