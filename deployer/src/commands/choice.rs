//! Which stages a command is for: those that files describe, and those that only the
//! account knows.
//!
//! A file wins: it says where its stage lives and what guards it. A name without one is
//! looked for in the account that the options or the environment lead to. Deliberately
//! absent: files that are looked at to find out where such a stage may live.

use super::run::{Origin, Run, Stage, read_all_on_aws, read_stages};
use crate::cli::{Elsewhere, Selection, Site};
use crate::failure::Failure;
use crate::local;
use crate::project::{Project, port_in_place};
use crate::stage::connect_to;
use deployer_aws::Cloud;
use deployer_core::account::Account;
use deployer_core::census::{Census, Resident, matches};
use deployer_core::names::StageIdentity;
use deployer_core::stage_file::{
    DEFAULT_LOCAL_PORT, Place, StageDefinition, nearest, stage_name_mistake,
};
use deployer_engine::cloud::CloudReader;
use deployer_engine::directory::find_residents;
use jiff::Timestamp;
use std::fmt;

/// Which stages are meant.
#[derive(Debug)]
pub enum Choice {
    /// All on AWS that have a file.
    All,
    /// These.
    Named {
        stages: Vec<String>,
        /// Names of stages that the one file is for, instead of its own.
        names: Vec<String>,
        /// Where those live that have no file; `None`: all must have one.
        elsewhere: Option<Elsewhere>,
    },
    /// Those of the account that are as it says.
    Found {
        selection: Selection,
        elsewhere: Elsewhere,
        all_services: bool,
    },
}

/// What a command is for.
#[derive(Default)]
pub struct Chosen {
    pub stages: Vec<Stage>,
    /// Names that neither a file nor the account knows, with where it was looked.
    pub absent: Vec<Absent>,
    /// Where it was looked, if it was.
    pub looked: Option<Somewhere>,
}

/// A name that nobody knows.
#[derive(Debug, Clone)]
pub struct Absent {
    pub name: String,
    pub looked: Somewhere,
    /// What may have been meant.
    pub near: Option<String>,
}

/// An account and region, or a local cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Somewhere {
    Aws { account_id: String, region: String },
    Local { port: u16, running: bool },
}

impl fmt::Display for Somewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws { account_id, region } => write!(f, "account {account_id}, region {region}"),
            Self::Local {
                port,
                running: true,
            } => write!(f, "the local cloud on port {port}"),
            Self::Local {
                port,
                running: false,
            } => write!(f, "the local cloud on port {port}, which isn't running"),
        }
    }
}

/// Who lives somewhere.
pub struct Found {
    pub place: Place,
    /// `None`: a local cloud that isn't running.
    pub cloud: Option<Cloud>,
    pub somewhere: Somewhere,
    pub census: Census,
}

impl Found {
    /// Those that are as the selection says.
    pub fn selected(&mut self, selection: &Selection, now: Timestamp) {
        self.census.residents.retain(|resident| {
            let pattern = selection.matching.as_ref();
            pattern.is_none_or(|pattern| matches(pattern, &resident.identity.stage))
                && (!selection.expired || resident.record.has_expired(now))
        });
    }
}

/// Finds the stages, reads their files, and asks the account where there are none.
///
/// # Errors
/// What is wrong with any of them, or why the account can't be asked.
pub async fn choose(run: &Run, choice: Choice) -> Result<Chosen, Vec<Failure>> {
    match choice {
        Choice::All => {
            let next_step = "name stages, or write one with target = \"aws\"";
            let project = one(run.project())?;
            Ok(Chosen::of(read_all_on_aws(project, false, next_step)?))
        }
        Choice::Named { stages, names, .. } if !names.is_empty() => {
            let stages = read_as(one(run.project())?, &stages, names)?;
            Ok(Chosen::of(stages))
        }
        Choice::Named {
            stages,
            elsewhere: None,
            ..
        } => Ok(Chosen::of(read_stages(one(run.project())?, stages)?)),
        Choice::Named {
            stages,
            elsewhere: Some(elsewhere),
            ..
        } => named(run, stages, &elsewhere).await,
        Choice::Found {
            selection,
            elsewhere,
            all_services,
        } => one(selected(run, &selection, &elsewhere, all_services).await),
    }
}

impl Chosen {
    fn of(stages: Vec<Stage>) -> Self {
        Self {
            stages,
            ..Self::default()
        }
    }
}

/// A failure as the only one.
fn one<T>(result: Result<T, Failure>) -> Result<T, Vec<Failure>> {
    result.map_err(|failure| vec![failure])
}

/// One file, as that of stages of other names.
fn read_as(
    project: &Project,
    files: &[String],
    names: Vec<String>,
) -> Result<Vec<Stage>, Vec<Failure>> {
    let [file] = files else {
        return Err(vec![Failure::Input {
            message: "`--as` takes the file of one stage, and several are named".to_owned(),
            next_step: "run one command for each file".to_owned(),
        }]);
    };
    let mut stages: Vec<Stage> = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        if stages.iter().any(|stage| stage.name == name) {
            continue;
        }
        match read_one_as(project, file, &name) {
            Ok(definition) => stages.push(Stage::of_file(name, definition)),
            Err(failure) => failures.push(failure),
        }
    }
    match failures.is_empty() {
        true => Ok(stages),
        false => Err(failures),
    }
}

fn read_one_as(project: &Project, file: &str, name: &str) -> Result<StageDefinition, Failure> {
    if let Some(message) = stage_name_mistake(name) {
        return Err(Failure::Input {
            message,
            next_step: "give another name with --as".to_owned(),
        });
    }
    let names = project.stage_names()?;
    if let Some(own) = names.iter().find(|own| own.eq_ignore_ascii_case(name)) {
        return Err(Failure::Input {
            message: format!("`{own}` has a file of its own, stages/{own}.toml"),
            next_step: format!("name it without `--as`, or give {file}'s stage another name"),
        });
    }
    let definition = project.read_stage_as(file, name)?;
    Ok(StageDefinition {
        // The stage that is meant has a name now.
        template: false,
        ..definition
    })
}

/// Stages that have files, and those that don't.
async fn named(
    run: &Run,
    names: Vec<String>,
    elsewhere: &Elsewhere,
) -> Result<Chosen, Vec<Failure>> {
    let mut chosen = Chosen::default();
    let mut others: Vec<String> = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        let taken = chosen.stages.iter().any(|stage| stage.name == name);
        if taken || others.contains(&name) {
            continue;
        }
        match of_file(run, &name, elsewhere) {
            Ok(Some(definition)) => chosen.stages.push(Stage::of_file(name, definition)),
            Ok(None) => others.push(name),
            Err(failure) => failures.push(failure),
        }
    }
    if !failures.is_empty() {
        return Err(failures);
    }
    if !others.is_empty() {
        one(of_account(run, &mut chosen, others, elsewhere).await)?;
    }
    Ok(chosen)
}

/// The definition of a stage that has a file.
fn of_file(
    run: &Run,
    name: &str,
    elsewhere: &Elsewhere,
) -> Result<Option<StageDefinition>, Failure> {
    let Some(project) = &run.project else {
        return legal(name).map(|()| None);
    };
    if !project.has_stage(name)? {
        return legal(name).map(|()| None);
    }
    if elsewhere.is_given() {
        return Err(Failure::Input {
            message: format!("stages/{name}.toml says where `{name}` lives"),
            next_step: "leave out --region, --profile, --local and --service, or run the command outside the project"
                .to_owned(),
        });
    }
    project.read_stage(name).map(Some)
}

fn legal(name: &str) -> Result<(), Failure> {
    match stage_name_mistake(name) {
        None => Ok(()),
        Some(message) => Err(Failure::Input {
            message,
            next_step: "name stages; `deployer list` shows those that live in the account"
                .to_owned(),
        }),
    }
}

/// Looks for names in the account.
async fn of_account(
    run: &Run,
    chosen: &mut Chosen,
    names: Vec<String>,
    elsewhere: &Elsewhere,
) -> Result<(), Failure> {
    let near = |name: &String| {
        let files = run.project.as_ref()?.stage_names().ok()?;
        nearest(name, files.iter().map(String::as_str)).map(str::to_owned)
    };
    let service = service(run, elsewhere)?;
    let found = find(run, &elsewhere.site, service.as_deref()).await;
    let found = found.map_err(|failure| match &run.project {
        Some(_) => failure.without_file(&names[0], near(&names[0])),
        None => failure,
    })?;
    for name in names {
        let its = |it: &&Resident| it.identity.stage == name;
        let residents: Vec<&Resident> = found.census.residents.iter().filter(its).collect();
        match (residents.as_slice(), &service) {
            ([resident], _) => chosen
                .stages
                .push(Stage::of_resident(resident, &found.place)),
            ([], service) => {
                // A `down` looks for what has neither journal nor API, too.
                if let Some(service) = service {
                    let identity = StageIdentity {
                        service: service.clone(),
                        stage: name.clone(),
                    };
                    let definition = StageDefinition::without_file(
                        identity,
                        found.place.clone(),
                        Default::default(),
                    );
                    chosen.stages.push(Stage {
                        name: name.clone(),
                        definition,
                        origin: Origin::Nowhere,
                    });
                }
                chosen.absent.push(Absent {
                    near: near(&name),
                    looked: found.somewhere.clone(),
                    name,
                });
            }
            (several, _) => {
                let services: Vec<&str> = several
                    .iter()
                    .map(|it| it.identity.service.as_str())
                    .collect();
                return Err(Failure::Input {
                    message: format!(
                        "several services have a stage `{name}` in {}: {}",
                        found.somewhere,
                        services.join(", ")
                    ),
                    next_step: "say which is meant with --service".to_owned(),
                });
            }
        }
    }
    chosen.looked = Some(found.somewhere);
    Ok(())
}

/// Those of the account that are as the selection says.
async fn selected(
    run: &Run,
    selection: &Selection,
    elsewhere: &Elsewhere,
    all_services: bool,
) -> Result<Chosen, Failure> {
    let service = match all_services {
        true => None,
        false => service(run, elsewhere)?,
    };
    if service.is_none() && !all_services {
        return Err(Failure::Input {
            message: "nothing says of which service stages are to be removed".to_owned(),
            next_step: "run the command inside a project, or give --service or --all-services"
                .to_owned(),
        });
    }
    let mut found = find(run, &elsewhere.site, service.as_deref()).await?;
    found.selected(selection, run.now);
    let mut stages = Vec::new();
    for resident in &found.census.residents {
        let mut stage = Stage::of_resident(resident, &found.place);
        if service.is_none() {
            stage.name = resident.identity.to_string();
        }
        guard_by_file(run, &mut stage)?;
        stages.push(stage);
    }
    Ok(Chosen {
        stages,
        absent: Vec::new(),
        looked: Some(found.somewhere),
    })
}

/// What its file guards and retains counts beside what the journal says: the file may be
/// newer, or the journal of a version that didn't write it.
fn guard_by_file(run: &Run, stage: &mut Stage) -> Result<(), Failure> {
    let identity = stage.definition.identity.clone();
    let Some(project) = &run.project else {
        return Ok(());
    };
    if project.service_name()? != identity.service || !project.has_stage(&identity.stage)? {
        return Ok(());
    }
    let file = project.read_stage(&identity.stage)?;
    let definition = &mut stage.definition;
    definition.guards.protected |= file.guards.protected;
    definition.guards.account_id = file.guards.account_id;
    definition.retain.extend(file.retain);
    Ok(())
}

/// The service that is meant; `None`: whichever there is.
fn service(run: &Run, elsewhere: &Elsewhere) -> Result<Option<String>, Failure> {
    match (&elsewhere.service, &run.project) {
        (Some(service), _) => Ok(Some(service.clone())),
        (None, Some(project)) => project.service_name().map(Some),
        (None, None) => Ok(None),
    }
}

/// Who lives where the options lead to, of one service or of all.
///
/// # Errors
/// When the account can't be asked.
pub async fn find(run: &Run, site: &Site, service: Option<&str>) -> Result<Found, Failure> {
    let place = site.place()?;
    if let Place::Local { port } = place
        && !local::is_there(run.project.as_ref(), port).await?
    {
        return Ok(Found {
            place,
            cloud: None,
            somewhere: Somewhere::Local {
                port,
                running: false,
            },
            census: Census::default(),
        });
    }
    let cloud = connect_to(&place).await?;
    let (account, census) = tokio::try_join!(cloud.get_account(), find_residents(&cloud, service))?;
    Ok(Found {
        somewhere: somewhere(&place, account),
        place,
        cloud: Some(cloud),
        census,
    })
}

fn somewhere(place: &Place, account: Account) -> Somewhere {
    match place {
        Place::Local { port } => Somewhere::Local {
            port: *port,
            running: true,
        },
        Place::Aws { .. } => Somewhere::Aws {
            account_id: account.account_id,
            region: account.region,
        },
    }
}

impl Elsewhere {
    /// Whether any of it was said.
    fn is_given(&self) -> bool {
        let Site {
            region,
            profile,
            local,
            port: _,
        } = &self.site;
        *local
            || [region, profile, &self.service]
                .iter()
                .any(|it| it.is_some())
    }
}

impl Site {
    /// Where that is.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        if !self.local {
            return Ok(Place::Aws {
                region: self.region.clone(),
                profile: self.profile.clone(),
            });
        }
        let port = match self.port {
            Some(port) => port,
            None => port_in_place()?.unwrap_or(DEFAULT_LOCAL_PORT),
        };
        Ok(Place::Local { port })
    }
}

impl Absent {
    /// As the failure of a command that needs the stage.
    pub fn failure(&self, has_project: bool) -> Failure {
        let Self { name, looked, near } = self;
        let message = match has_project {
            true => {
                format!("there is no stages/{name}.toml, and no stage `{name}` lives in {looked}")
            }
            false => format!("no stage `{name}` lives in {looked}"),
        };
        let next_step = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "see `deployer list`, or say where it lives: --region, --profile, --local"
                .to_owned(),
        };
        Failure::Input { message, next_step }
    }
}
