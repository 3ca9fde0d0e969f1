//! A function: its latest revision, its published versions, and how AWS shows
//! them over time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::aliases::Alias;
use super::configuration::{Configuration, RUNTIME};
use super::managed_instances::ManagedInstances;
use super::reference::function_arn;
use super::zip_file::Code;
use crate::assumptions::{OLD_REVISION_SERVES_DURING_UPDATE, RUNTIME_VERSION};
use crate::call::{Call, iso_millis_offset};
use crate::ids::uuid;
use crate::tags::TagMap;
use crate::wire::members::present;
use crate::{FunctionVersion, Settings};

pub(super) const LATEST: &str = "$LATEST";
const CREATING: &str = "The function is being created.";

/// How a revision came to be; it decides which state shows while it settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    /// `State: Pending`, not invocable.
    Created,
    /// `LastUpdateStatus: InProgress`.
    Updated,
}

/// Code and configuration at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Revision {
    /// `$LATEST` or a number.
    pub(super) version: String,
    pub(super) code: Code,
    pub(super) configuration: Configuration,
    origin: Origin,
    modified: Timestamp,
    settled_at: Timestamp,
    /// Drawn with each change of code or configuration, and shown until the
    /// change has settled. What runs is known by it.
    change_id: String,
    /// Shown afterwards; tagging changes it too.
    revision_id: String,
}

impl Revision {
    /// A revision that begins to settle now, for `settling`.
    pub(super) fn new(
        version: String,
        code: Code,
        configuration: Configuration,
        origin: Origin,
        settling: SignedDuration,
        call: &mut Call<'_>,
    ) -> Self {
        Self {
            version,
            code,
            configuration,
            origin,
            modified: call.now,
            settled_at: call.now.saturating_add(settling).unwrap_or(Timestamp::MAX),
            change_id: uuid(call.ids),
            revision_id: uuid(call.ids),
        }
    }

    pub(super) fn is_settled(&self, now: Timestamp) -> bool {
        now >= self.settled_at
    }

    pub(super) fn is_pending(&self, now: Timestamp) -> bool {
        self.origin == Origin::Created && !self.is_settled(now)
    }

    /// The id that clients see.
    pub(super) fn revision_id(&self, now: Timestamp) -> &str {
        if self.is_settled(now) {
            &self.revision_id
        } else {
            &self.change_id
        }
    }

    /// Recorded: tags don't touch code or configuration, yet change the id.
    pub(super) fn renew_revision_id(&mut self, id: String) {
        self.revision_id = id;
    }

    /// For lists: without states.
    pub(super) fn show_listed(&self, name: &str, arn: &str, now: Timestamp) -> Value {
        let configuration = &self.configuration;
        let environment = configuration
            .environment
            .as_ref()
            .map(|it| json!({ "Variables": it }));
        let managed_instances = configuration.managed_instances.as_ref();
        let managed_instances = managed_instances.map(ManagedInstances::show);
        present(json!({
            "Architectures": [configuration.architecture],
            "CapacityProviderConfig": managed_instances,
            "CodeSha256": self.code.sha256,
            "CodeSize": self.code.zip.len(),
            "Description": configuration.description,
            "Environment": environment,
            "EphemeralStorage": { "Size": configuration.facilities.ephemeral_mb },
            "FunctionArn": arn,
            "FunctionName": name,
            "Handler": configuration.handler,
            "LastModified": iso_millis_offset(self.modified),
            "LoggingConfig": configuration.facilities.show_logging(&configuration.log_group),
            "MemorySize": configuration.memory_mb,
            "PackageType": "Zip",
            "RevisionId": self.revision_id(now),
            "Role": configuration.role_arn,
            "Runtime": RUNTIME,
            "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
            "Timeout": configuration.timeout_seconds,
            "TracingConfig": { "Mode": configuration.facilities.tracing },
            "Version": self.version,
        }))
    }

    /// With states, as they are at `now`.
    pub(super) fn show(&self, name: &str, arn: &str, settings: &Settings, now: Timestamp) -> Value {
        self.show_as(name, arn, settings, now, self.is_settled(now))
    }

    /// What the changing call itself answers: never settled, however short the
    /// settling is.
    pub(super) fn show_changing(
        &self,
        name: &str,
        arn: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Value {
        let mut shown = self.show_as(name, arn, settings, now, false);
        shown["RevisionId"] = json!(self.change_id);
        shown
    }

    fn show_as(
        &self,
        name: &str,
        arn: &str,
        settings: &Settings,
        now: Timestamp,
        settled: bool,
    ) -> Value {
        let states = match (settled, self.origin) {
            (true, _) => json!({ "State": "Active", "LastUpdateStatus": "Successful" }),
            (false, Origin::Created) => json!({
                "State": "Pending",
                "StateReason": CREATING,
                "StateReasonCode": "Creating",
            }),
            (false, Origin::Updated) => json!({
                "State": "Active",
                "LastUpdateStatus": "InProgress",
                "LastUpdateStatusReason": CREATING,
                "LastUpdateStatusReasonCode": "Creating",
            }),
        };
        let mut shown = self.show_listed(name, arn, now);
        if let (Some(shown), Value::Object(states)) = (shown.as_object_mut(), states) {
            shown.extend(states);
            let runtime = runtime_version_arn(settings);
            shown.insert(
                "RuntimeVersionConfig".to_owned(),
                json!({ "RuntimeVersionArn": runtime }),
            );
        }
        shown
    }

    /// What the data plane needs to run it.
    pub(super) fn as_invoked(
        &self,
        function: &Function,
        invoked_arn: String,
        settings: &Settings,
    ) -> FunctionVersion {
        let configuration = &self.configuration;
        FunctionVersion {
            function_name: function.name.clone(),
            version: self.version.clone(),
            invoked_arn,
            code_sha256: self.code.sha256.clone(),
            revision_id: self.change_id.clone(),
            zip: self.code.zip.clone(),
            role_arn: configuration.role_arn.clone(),
            handler: configuration.handler.clone(),
            environment: configuration.environment.clone().unwrap_or_default(),
            memory_mb: configuration.memory_mb,
            timeout_seconds: configuration.timeout_seconds,
            reserved_concurrency: function.reserved_concurrency,
            log_group: configuration.log_group.clone(),
            log_format: configuration.facilities.log_format.clone(),
            log_level: configuration.facilities.application_level.clone(),
            system_log_level: configuration.facilities.system_level.clone(),
            runtime_version_arn: runtime_version_arn(settings),
            max_concurrency: configuration
                .managed_instances
                .as_ref()
                .map(ManagedInstances::max_concurrency),
        }
    }
}

fn runtime_version_arn(settings: &Settings) -> String {
    format!(
        "arn:aws:lambda:{}::runtime:{RUNTIME_VERSION}",
        settings.region
    )
}

/// What the last publication was made from, and its number.
#[derive(Debug, Serialize, Deserialize)]
struct Published {
    number: u64,
    code_sha256: String,
    configuration: Configuration,
}

/// One function.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) tags: TagMap,
    pub(super) reserved_concurrency: Option<u32>,
    pub(super) latest: Revision,
    /// What runs until `latest` has settled.
    before: Option<Revision>,
    pub(super) versions: BTreeMap<u64, Revision>,
    /// By name.
    pub(super) aliases: BTreeMap<String, Alias>,
    published: Option<Published>,
    /// Numbers are never used twice, not even by another function of the same name.
    pub(super) next_number: u64,
}

impl Function {
    pub(super) fn new(name: String, latest: Revision, tags: TagMap, next_number: u64) -> Self {
        Self {
            name,
            tags,
            reserved_concurrency: None,
            latest,
            before: None,
            versions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            published: None,
            next_number,
        }
    }

    pub(super) fn arn(&self, settings: &Settings) -> String {
        function_arn(&self.name, settings)
    }

    /// The unpublished one, then the versions.
    pub(super) fn revisions(&self) -> impl Iterator<Item = &Revision> {
        std::iter::once(&self.latest).chain(self.versions.values())
    }

    /// Everything that has code, also what runs until `latest` has settled.
    pub(super) fn with_code(&self) -> impl Iterator<Item = &Code> {
        let revisions = self.revisions().chain(&self.before);
        revisions.map(|revision| &revision.code)
    }

    /// As [`Function::with_code`], to be changed.
    pub(super) fn with_code_mut(&mut self) -> impl Iterator<Item = &mut Code> {
        let versions = self.versions.values_mut();
        let revisions = versions.chain(&mut self.before).chain([&mut self.latest]);
        revisions.map(|revision| &mut revision.code)
    }

    /// The revision under a qualifier: a version, or the alias of one.
    pub(super) fn find(&self, qualifier: Option<&str>) -> Option<&Revision> {
        let version = match qualifier {
            None => LATEST,
            Some(name) => self.aliases.get(name).map_or(name, |it| &it.version),
        };
        if version == LATEST {
            return Some(&self.latest);
        }
        self.versions.get(&version.parse().ok()?)
    }

    /// The revision that an invocation runs at `now`.
    pub(super) fn serving(&self, qualifier: Option<&str>, now: Timestamp) -> Option<&Revision> {
        let revision = self.find(qualifier)?;
        match &self.before {
            Some(before)
                if OLD_REVISION_SERVES_DURING_UPDATE
                    && revision.version == LATEST
                    && !revision.is_settled(now) =>
            {
                Some(before)
            }
            _ => Some(revision),
        }
    }

    /// Replaces the latest code and configuration.
    pub(super) fn update(&mut self, code: Code, configuration: Configuration, call: &mut Call<'_>) {
        let settling = call.activation;
        let next = Revision::new(
            LATEST.to_owned(),
            code,
            configuration,
            Origin::Updated,
            settling,
            call,
        );
        self.before = Some(std::mem::replace(&mut self.latest, next));
    }

    /// The last version, if publishing now would make the same again.
    pub(super) fn unchanged_since_publication(&self) -> Option<&Revision> {
        let published = self.published.as_ref()?;
        let same = published.code_sha256 == self.latest.code.sha256
            && published.configuration == self.latest.configuration;
        if same {
            self.versions.get(&published.number)
        } else {
            None
        }
    }

    /// Makes a version of what is latest; it settles after `settling`.
    pub(super) fn publish(
        &mut self,
        description: Option<String>,
        settling: SignedDuration,
        call: &mut Call<'_>,
    ) -> &Revision {
        let number = self.next_number;
        self.next_number += 1;
        self.published = Some(Published {
            number,
            code_sha256: self.latest.code.sha256.clone(),
            configuration: self.latest.configuration.clone(),
        });
        let mut configuration = self.latest.configuration.clone();
        if let Some(description) = description {
            configuration.description = description;
        }
        let code = self.latest.code.clone();
        let version = Revision::new(
            number.to_string(),
            code,
            configuration,
            Origin::Created,
            settling,
            call,
        );
        self.versions.entry(number).or_insert(version)
    }
}
