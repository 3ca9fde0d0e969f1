//! A stage opened for work: its definition, and the cloud it lives in.

use crate::failure::Failure;
use crate::guards;
use crate::holder;
use crate::local;
use crate::project::Project;
use deployer_aws::{Cloud, Destination, Limiter};
use deployer_core::account::Account;
use deployer_core::manifest::journal;
use deployer_core::names::Names;
use deployer_core::stage_file::{Place, StageDefinition};
use deployer_core::tags::with_own;
use deployer_engine::apply::Means;
use deployer_engine::cloud::{Artifacts, CloudReader, CodeReader};
use deployer_engine::events::EventSink;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::{LeaseRequest, Reads, Waiting};
use deployer_engine::observe::{Known, Look, look};
use deployer_engine::verify::Verify;
use std::sync::LazyLock;

/// The pace of everything this process sends, whatever stage it is for.
static LIMITER: LazyLock<Limiter> = LazyLock::new(Limiter::default);

/// A stage whose cloud can be reached.
pub struct OpenStage {
    /// What the files say.
    pub definition: StageDefinition,
    /// The cloud.
    pub cloud: Cloud,
    /// Account and region.
    pub account: Account,
    /// What everything is called there.
    pub names: Names,
    /// What reads of the cloud show.
    reads: Reads,
}

impl OpenStage {
    /// Connects to the stage's cloud, and looks at everything the stage has there in
    /// the time that this takes. For a local stage, the local cloud must be running.
    pub async fn open_and_look(definition: StageDefinition) -> Result<(Self, Look), Failure> {
        let (cloud, names) = connect(&definition).await?;
        let reads = reads(&definition.place).await?;
        let known = known(&definition, &names);
        let (account, look) = match definition.guards.account_id {
            None => tokio::try_join!(cloud.get_account(), look(&cloud, &names, &known))?,
            // Nobody looks around in an account that isn't meant.
            Some(_) => {
                let account = cloud.get_account().await?;
                guards::account(&definition, &account)?;
                (account, look(&cloud, &names, &known).await?)
            }
        };
        let stage = Self {
            definition,
            cloud,
            account,
            names,
            reads,
        };
        Ok((stage, look))
    }

    /// As [`OpenStage::open_and_look`]; `None` when the stage is local and there is no
    /// local cloud, so that nothing can be there. One that isn't running and has its
    /// account kept is started.
    pub async fn look_if_there(
        project: Option<&Project>,
        definition: &StageDefinition,
    ) -> Result<Option<(Self, Look)>, Failure> {
        if let Place::Local { port } = definition.place
            && !local::is_there(project, port).await?
        {
            return Ok(None);
        }
        Self::open_and_look(definition.clone()).await.map(Some)
    }

    /// The cloud of a stage that is only read from, and what is called how there; `None`
    /// when the stage is local and there is no local cloud.
    pub async fn only_to_read(
        project: Option<&Project>,
        definition: &StageDefinition,
    ) -> Result<Option<(impl CloudReader + CodeReader + use<>, Names)>, Failure> {
        if let Place::Local { port } = definition.place
            && !local::is_there(project, port).await?
        {
            return Ok(None);
        }
        let (cloud, names) = connect(definition).await?;
        if definition.guards.account_id.is_some() {
            guards::account(definition, &cloud.get_account().await?)?;
        }
        Ok(Some((cloud, names)))
    }

    /// Connects to the stage's cloud, and sees that it is the account that is meant; `None`
    /// when the stage is local and there is no local cloud. Looks at nothing else.
    pub async fn open_if_there(
        project: &Project,
        definition: &StageDefinition,
    ) -> Result<Option<Self>, Failure> {
        if let Place::Local { port } = definition.place
            && !local::is_there(Some(project), port).await?
        {
            return Ok(None);
        }
        let (cloud, names) = connect(definition).await?;
        let account = cloud.get_account().await?;
        guards::account(definition, &account)?;
        let reads = reads(&definition.place).await?;
        Ok(Some(Self {
            definition: definition.clone(),
            cloud,
            account,
            names,
            reads,
        }))
    }

    /// Where its cloud is.
    pub fn destination(&self) -> Destination {
        destination(&self.definition.place)
    }

    /// The stage's lease, to be asked for by this process.
    pub fn lease(&self, no_wait: bool) -> LeaseRequest<'_, Cloud> {
        LeaseRequest {
            store: &self.cloud,
            journal: journal(&self.names),
            tags: with_own(&self.names.identity, &self.definition.tags),
            holder: holder::this_process(),
            is_gone: &holder::is_gone,
            reads: self.reads,
            waiting: if no_wait {
                Waiting::DontWait
            } else {
                Waiting::Wait
            },
        }
    }

    /// What the engine works on this stage with.
    pub fn means<'a>(
        &'a self,
        artifacts: &'a Artifacts,
        events: &'a dyn EventSink,
        interrupt: &'a Interrupt,
    ) -> Means<'a, Cloud, Cloud> {
        Means {
            reader: &self.cloud,
            writer: &self.cloud,
            account: &self.account,
            names: &self.names,
            artifacts,
            events,
            interrupt,
            verify: Verify::default(),
        }
    }

    /// What the file names, by the names in the account.
    pub fn known(&self) -> Known {
        known(&self.definition, &self.names)
    }
}

async fn connect(definition: &StageDefinition) -> Result<(Cloud, Names), Failure> {
    let cloud = connect_to(&definition.place).await?;
    let names = Names::new(definition.identity.clone(), cloud.region());
    Ok((cloud, names))
}

/// What reads of a place show: on AWS perhaps not yet everything.
async fn reads(place: &Place) -> Result<Reads, Failure> {
    match place {
        Place::Local { port } if local::is_consistent(*port).await? => Ok(Reads::Current),
        Place::Local { .. } | Place::Aws { .. } => Ok(Reads::Later),
    }
}

/// The cloud at a place. For a local one, the local cloud must be running.
///
/// # Errors
/// When there is no region or there are no credentials.
pub async fn connect_to(place: &Place) -> Result<Cloud, Failure> {
    Ok(Cloud::connect(&destination(place), &LIMITER).await?)
}

fn destination(place: &Place) -> Destination {
    match place {
        Place::Local { port } => Destination::Local {
            endpoint: local::endpoint(*port),
            region: local_cloud::REGION.to_owned(),
        },
        Place::Aws { region, profile } => Destination::Aws {
            region: region.clone(),
            profile: profile.clone(),
        },
    }
}

fn known(definition: &StageDefinition, names: &Names) -> Known {
    let (functions, tables) = (definition.functions.keys(), definition.tables.keys());
    Known {
        functions: functions.map(|key| names.function(key)).collect(),
        tables: tables.map(|id| names.table(id)).collect(),
    }
}
