//! `deployer promote`: releases on a stage what is live on another one, byte for byte,
//! with the settings of its own file. Needs neither source nor compiler.
//!
//! All of it is read and checked before anything is touched; then it is an `up`.

use super::plan;
use super::run::Run;
use super::up;
use crate::cli::Promote;
use crate::failure::Failure;
use crate::guards;
use crate::project::Project;
use crate::provenance;
use crate::render::Screen;
use crate::stage::OpenStage;
use deployer_core::account::Account;
use deployer_core::desired::Desired;
use deployer_core::promotion::{PromotionRefusal, promote};
use deployer_core::provenance::{PromotedFrom, Provenance};
use deployer_core::stage_file::{Architecture, Place, StageDefinition};
use deployer_engine::apply::Means;
use deployer_engine::cloud::CodeReader;
use deployer_engine::events::{Event, EventSink};
use deployer_engine::promote::{Found, fetch, find_live};

/// Promotes one stage's release to another stage.
pub async fn run(run: &Run, options: &Promote, screen: &Screen) -> Result<(), Failure> {
    let done = promoted(run, options, screen).await;
    match options.plan {
        true => done,
        false => done.map_err(Failure::of_up),
    }
}

async fn promoted(run: &Run, options: &Promote, screen: &Screen) -> Result<(), Failure> {
    let project = run.project()?;
    let (from, to) = (
        project.read_stage(&options.from)?,
        project.read_stage(&options.to)?,
    );
    guards::template(&from)?;
    guards::template(&to)?;
    check_places(&from, &to)?;
    screen.event(Event::Observing);
    let ((source, found), seen) = tokio::try_join!(
        find(project, &from),
        OpenStage::look_if_there(Some(project), &to)
    )?;
    check_release(options, &found)?;
    let host = Architecture::from_rust_arch(std::env::consts::ARCH);
    let definition = promote(&found.release, &found.code(), &to, host)?;
    let desired = |account: Account| {
        let provenance = provenance_of(&options.from, &found, &account);
        let desired = Desired::new(&definition, account, &found.code(), provenance);
        Desired {
            adopt: options.adoption.adopt,
            expiry: up::expiry(&definition, None, run.now).unwrap_or(desired.expiry),
            ..desired
        }
    };
    if options.plan {
        plan::show(seen, desired, &definition, screen).await?;
        return Ok(());
    }
    let revision = found.release.manifest.provenance.git_revision.as_deref();
    guards::promoted_source(&to, &options.from, revision)?;
    let artifacts = fetch(&source, &found).await?;
    if run.interrupt.requested() {
        let message = "interrupted before anything was touched".to_owned();
        return Err(Failure::Interrupted { message });
    }
    let (stage, seen) = up::there(project, &definition, seen).await?;
    let desired = desired(stage.account.clone());
    let means = Means {
        verify: options.verification.wanted(),
        ..stage.means(&artifacts, screen, &run.interrupt)
    };
    let (no_wait, at) = (options.no_wait, (&stage, seen));
    let live = up::release(&desired, &means, no_wait, at, &definition, screen).await;
    live.map(|_| ())
}

/// What can be said without asking anybody.
fn check_places(from: &StageDefinition, to: &StageDefinition) -> Result<(), Failure> {
    let (name, other) = (&from.identity.stage, &to.identity.stage);
    if name == other {
        return Err(Failure::Input {
            message: format!("`{name}` can't be promoted to itself"),
            next_step: "name another stage; `deployer rollback` makes a kept release live again"
                .to_owned(),
        });
    }
    match (&from.place, &to.place) {
        (Place::Local { .. }, Place::Aws { .. }) => Err(Failure::Input {
            message: format!(
                "`{name}` is on the local cloud, and what is built for that is never deployed to AWS"
            ),
            next_step: format!("run: deployer up {other}"),
        }),
        (Place::Aws { .. }, Place::Local { .. }) if !cfg!(target_os = "linux") => {
            Err(Failure::Input {
                message: format!(
                    "what `{name}` has released was built for Linux, which this machine doesn't run"
                ),
                next_step: format!("run: deployer up {other}"),
            })
        }
        _ => Ok(()),
    }
}

/// The live release, and whoever can fetch its code.
async fn find(
    project: &Project,
    from: &StageDefinition,
) -> Result<(impl CodeReader + use<>, Found), Failure> {
    let source = OpenStage::only_to_read(Some(project), from).await?;
    let Some((cloud, names)) = source else {
        return Err(PromotionRefusal::NotLive(from.identity.clone()).into());
    };
    let found = find_live(&cloud, &names).await?;
    Ok((cloud, found))
}

/// It is the release that was asked for, if one was.
fn check_release(options: &Promote, found: &Found) -> Result<(), Failure> {
    let live = found.release.manifest.release.to_string();
    match &options.release {
        Some(wanted) if wanted.is_empty() || !live.starts_with(wanted) => Err(Failure::Input {
            message: format!("`{}` has release {live} live, not {wanted}", options.from),
            next_step: format!(
                "see `deployer history {}`; nothing was touched",
                options.from
            ),
        }),
        _ => Ok(()),
    }
}

/// Made now, by the caller, from what the other stage's release was made from.
fn provenance_of(stage: &str, found: &Found, account: &Account) -> Provenance {
    let manifest = &found.release.manifest;
    Provenance {
        promoted_from: Some(PromotedFrom {
            stage: stage.to_owned(),
            release: manifest.release.clone(),
        }),
        ..provenance::now(account, manifest.provenance.git_revision.clone())
    }
}
