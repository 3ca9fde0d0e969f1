//! An account of its own on a local cloud of its own, and the engine with the
//! real AWS clients at work on it.

use crate::tables::TableServer;
use deployer_aws::{Cloud, Destination, Limiter};
use deployer_core::account::Account;
use deployer_core::desired::{Desired, FunctionCode};
use deployer_core::manifest::journal;
use deployer_core::names::FunctionKey;
use deployer_core::provenance::Provenance;
use deployer_core::stage_file::{self, FileText, StageDefinition};
use deployer_core::tags::{Ownership, Tags, ownership_of};
use deployer_engine::apply::Means;
use deployer_engine::cloud::{Artifacts, CloudReader, CloudWriter};
use deployer_engine::down::{Down, DownError, Removal, down};
use deployer_engine::error::CloudError;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::{LeaseRequest, Reads, Waiting};
use deployer_engine::observe::Known;
use deployer_engine::rollback::{Rollback, RollbackError, rollback};
use deployer_engine::up::{Up, UpError, make_plan, up};
use deployer_engine::verify::Verify;
use local_cloud::client::{self, Health};
use local_cloud::{Config, Realism, Running};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// For the local cloud to say how it is. Generous: it only passes when a test
/// fails.
const HEALTH_DEADLINE: Duration = Duration::from_secs(20);

/// What is deployed: a service file, and what stands for its functions' code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// The text of `stages/service.toml`.
    pub service: &'static str,
    /// Anything; another text is other code.
    pub code: &'static str,
}

/// A release, read and packaged.
struct Built {
    definition: StageDefinition,
    code: BTreeMap<FunctionKey, FunctionCode>,
    artifacts: Artifacts,
}

impl Built {
    /// Each release is read once: scenarios run thousands of commands, and an
    /// unoptimised build takes its time over it.
    fn of(stage: &'static str, release: Release) -> Arc<Self> {
        static BUILT: Mutex<BTreeMap<(&str, Release), Arc<Built>>> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = built.entry((stage, release));
        Arc::clone(entry.or_insert_with(|| Arc::new(Self::new(stage, release))))
    }

    fn new(stage: &str, release: Release) -> Self {
        let definition = stage_file::read(
            stage,
            FileText {
                path: "stages/service.toml",
                text: release.service,
            },
            FileText {
                path: "the stage's file",
                text: "target = \"aws\"",
            },
        )
        .expect("a legal stage");
        let mut artifacts = Artifacts::new();
        let code = definition
            .functions
            .keys()
            .map(|key| {
                let binary = format!("{key} of {}", release.code);
                let package = deployer_package::package(binary.as_bytes()).expect("a zip");
                artifacts.insert(key.clone(), package.zip);
                let code = FunctionCode {
                    sha256: package.sha256.as_str().into(),
                    architecture: "x86_64".into(),
                };
                (key.clone(), code)
            })
            .collect();
        Self {
            definition,
            code,
            artifacts,
        }
    }
}

/// A deployer at work on the stage `alpha`, with an endpoint and an account.
#[derive(Debug)]
pub struct Session {
    /// The clients.
    pub cloud: Cloud,
    /// Where.
    pub account: Account,
}

impl Session {
    /// Connects to a local cloud, or to what stands in front of one.
    ///
    /// # Errors
    /// When asking for the account fails.
    ///
    /// # Panics
    /// When the clients can't be made.
    pub async fn connect(endpoint: String) -> Result<Self, CloudError> {
        Self::connect_in(local_cloud::REGION, endpoint).await
    }

    /// As [`Self::connect`], in a region of choice.
    ///
    /// # Errors
    /// When asking for the account fails.
    ///
    /// # Panics
    /// When the clients can't be made.
    pub async fn connect_in(region: &str, endpoint: String) -> Result<Self, CloudError> {
        let destination = Destination::Local {
            endpoint,
            region: region.to_owned(),
        };
        let cloud = Cloud::connect(&destination, &Limiter::default())
            .await
            .expect("a local destination has region and credentials");
        let account = cloud.get_account().await?;
        Ok(Self { cloud, account })
    }

    /// What the stage should be, with its functions' zips.
    ///
    /// # Panics
    /// When the service file isn't legal.
    pub fn desired(&self, release: Release) -> (Desired, Artifacts) {
        self.desired_at("alpha", release)
    }

    /// As [`Self::desired`], of another stage than `alpha`.
    ///
    /// # Panics
    /// When the service file isn't legal.
    pub fn desired_at(&self, stage: &'static str, release: Release) -> (Desired, Artifacts) {
        let built = Built::of(stage, release);
        (
            Desired::new(
                &built.definition,
                self.account.clone(),
                &built.code,
                self.provenance(),
            ),
            built.artifacts.clone(),
        )
    }

    /// Later than every one before: AWS tells two deployments of one second apart
    /// by nothing else.
    fn provenance(&self) -> Provenance {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        Provenance {
            by: self.account.caller_arn.clone(),
            at: format!(
                "2026-01-01T{:02}:{:02}:{:02}Z",
                made / 3600,
                made / 60 % 60,
                made % 60
            ),
            git_revision: None,
            promoted_from: None,
        }
    }

    /// `up`, writing with `writer`.
    ///
    /// # Errors
    /// As [`up`].
    pub async fn up_with<W: CloudWriter>(
        &self,
        release: Release,
        writer: &W,
    ) -> Result<Up, UpError> {
        let (desired, artifacts) = self.desired(release);
        let interrupt = Interrupt::default();
        let means = self.means(&desired, &artifacts, writer, &interrupt);
        up(&desired, &means).await
    }

    /// `up`.
    ///
    /// # Errors
    /// As [`up`].
    pub async fn up(&self, release: Release) -> Result<Up, UpError> {
        self.up_with(release, &self.cloud).await
    }

    /// `down`, writing with `writer`.
    ///
    /// # Errors
    /// As [`down`].
    pub async fn down_with<W: CloudWriter>(
        &self,
        release: Release,
        writer: &W,
    ) -> Result<Down, DownError> {
        let (desired, artifacts) = self.desired(release);
        let interrupt = Interrupt::default();
        let means = self.means(&desired, &artifacts, writer, &interrupt);
        let removal = Removal::retaining(desired.retain.clone());
        down(&Known::of(&desired), &removal, &means).await
    }

    /// `down`.
    ///
    /// # Errors
    /// As [`down`].
    pub async fn down(&self, release: Release) -> Result<Down, DownError> {
        self.down_with(release, &self.cloud).await
    }

    /// Makes the release before the live one live again.
    ///
    /// # Errors
    /// As [`rollback`].
    pub async fn rollback(&self, release: Release) -> Result<Rollback, RollbackError> {
        let (desired, artifacts) = self.desired(release);
        let interrupt = Interrupt::default();
        let means = self.means(&desired, &artifacts, &self.cloud, &interrupt);
        rollback(&Known::of(&desired), None, &means).await
    }

    /// The stage's lease, asked for by `holder`.
    pub fn lease(
        &self,
        desired: &Desired,
        holder: &str,
        waiting: Waiting,
    ) -> LeaseRequest<'_, Cloud> {
        LeaseRequest {
            store: &self.cloud,
            journal: journal(&desired.names),
            tags: desired.journal_tags(),
            holder: holder.to_owned(),
            is_gone: &|_| false,
            waiting,
            reads: Reads::Later,
        }
    }

    /// What the engine applies with.
    pub fn means<'a, W>(
        &'a self,
        desired: &'a Desired,
        artifacts: &'a Artifacts,
        writer: &'a W,
        interrupt: &'a Interrupt,
    ) -> Means<'a, Cloud, W> {
        Means {
            reader: &self.cloud,
            writer,
            account: &self.account,
            names: &desired.names,
            artifacts,
            events: &|_| {},
            interrupt,
            verify: Verify::default(),
        }
    }
}

/// A local cloud, and a deployer that nothing disturbs.
pub struct World {
    /// The undisturbed deployer.
    pub session: Session,
    running: Running,
    /// Its DynamoDB.
    tables: TableServer,
    _dir: tempfile::TempDir,
}

impl World {
    /// An empty account.
    ///
    /// # Panics
    /// When the local cloud doesn't start.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// An empty account that throttles, refuses, delays and lags behind as AWS
    /// does, repeatably by the seed.
    ///
    /// # Panics
    /// When the local cloud doesn't start.
    pub async fn realistic(seed: u64) -> Self {
        Self::with(|config| config.realism = Some(Realism::all(seed))).await
    }

    /// An empty account whose roles and their sessions may do only what they are
    /// allowed.
    ///
    /// # Panics
    /// When the local cloud doesn't start.
    pub async fn enforcing_iam() -> Self {
        Self::with(|config| config.enforce_iam = true).await
    }

    /// An empty account in a region of choice.
    ///
    /// # Panics
    /// When the local cloud doesn't start.
    pub async fn in_region(region: &str) -> Self {
        Self::with(|config| config.region = region.to_owned()).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = Config::new(0, dir.path());
        change(&mut config);
        let region = config.region.clone();
        let place = format!("{region}:{}", local_cloud::ACCOUNT_ID);
        let tables = TableServer::start(&place).await;
        config.dynamodb = Some(tables.url().parse().expect("an address"));
        let running = local_cloud::start(config).await.expect("it starts");
        let session = Session::connect_in(&region, running.base_url())
            .await
            .expect("it connects");
        Self {
            session,
            running,
            tables,
            _dir: dir,
        }
    }

    /// The local cloud's port.
    pub fn port(&self) -> u16 {
        self.running.port()
    }

    /// Runs `up`, unless there is nothing to do, and checks that the account is as
    /// the release says and holds nothing beside it: a further plan is empty, one
    /// API, no orphan.
    ///
    /// # Panics
    /// When it isn't so, saying after what.
    pub async fn converge(&self, release: Release, after: &str) {
        let (desired, _) = self.session.desired(release);
        let look = async || {
            let looked = make_plan(&self.session.cloud, &desired).await;
            looked.unwrap_or_else(|error| panic!("{after}: {error}"))
        };
        let (mut plan, mut observed) = look().await;
        if !plan.is_empty() {
            let up = self.session.up(release).await;
            let up = up.unwrap_or_else(|error| panic!("{after}: {error}"));
            assert!(up.outcome.complete(), "{after}: {:?}", up.outcome.failed);
            (plan, observed) = look().await;
        }
        assert!(plan.is_empty(), "{after}: {plan}");
        let [api] = observed.apis.as_slice() else {
            panic!("{after}: {} APIs", observed.apis.len());
        };
        assert_eq!(api.routes.len(), desired.routes.len(), "{after}");
        let routed = desired.routed_functions().len();
        assert_eq!(api.integrations.len(), routed, "{after}");
        let authorizers = usize::from(desired.gateway.authorizer.is_some());
        assert_eq!(api.authorizers.len(), authorizers, "{after}");
        assert_eq!(api.stages.len(), 1, "{after}");
        let ours = |tags: &Tags| ownership_of(tags, &desired.names.identity) == Ownership::Ours;
        let functions = observed
            .functions
            .values()
            .filter(|state| ours(&state.tags))
            .count();
        let log_groups = observed
            .log_groups
            .values()
            .filter(|state| ours(&state.tags))
            .count();
        assert_eq!(functions, desired.functions.len(), "{after}");
        assert_eq!(log_groups, desired.functions.len(), "{after}");
        let tables: Vec<String> = desired.tables.keys().map(ToString::to_string).collect();
        assert_eq!(self.tables.names(), tables, "{after}");
    }

    /// Removes everything, and asks the cloud itself whether anything is left.
    /// `release` need not be what was deployed.
    ///
    /// # Panics
    /// When something is left, saying after what.
    pub async fn empty(&self, release: Release, after: &str) {
        let down = self.session.down(release).await;
        let down = down.unwrap_or_else(|error| panic!("{after}: {error}"));
        assert!(
            down.outcome.complete() && down.left.is_empty(),
            "{after}: {}",
            down.left
        );
        let health = self.health().await;
        assert!(health.empty, "{after}: something is left");
        assert_eq!(self.tables.names(), Vec::<String>::new(), "{after}");
    }

    /// Whether nothing is in the account, by the cloud's own word.
    ///
    /// # Panics
    /// When it says nothing.
    pub async fn is_empty(&self) -> bool {
        self.health().await.empty && self.tables.names().is_empty()
    }

    /// The names of its tables.
    pub fn tables(&self) -> Vec<String> {
        self.tables.names()
    }

    /// What the local cloud says of itself, however busy the machine is.
    async fn health(&self) -> Health {
        let started = Instant::now();
        loop {
            match client::health(self.port()).await {
                Ok(health) => return health,
                Err(error) => assert!(started.elapsed() < HEALTH_DEADLINE, "{error}"),
            }
        }
    }
}
