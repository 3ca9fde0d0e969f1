//! What must hold at every moment, looked at after each write: whatever is live
//! is exactly one of the contents that somebody released, able to run, under the
//! name of its own release; and once something serves, something serves until a
//! `down`.

use crate::call::{Call, Service};
use crate::contents::{self, Content, STAGE};
use crate::scenario::Command;
use bytes::Bytes;
use cloud_model::{Cloud, FunctionVersion, IdentitySource, LiveAuthorization, LiveStage};
use deployer_core::authorizer::CONNECT;
use deployer_core::desired::Desired;
use deployer_core::names::FunctionKey;
use deployer_core::release::ReleaseHash;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// By then everything written now is known everywhere.
const SETTLED: SignedDuration = SignedDuration::from_hours(1);
/// More say nothing new.
const MOST_VIOLATIONS: usize = 5;

/// What is known of a run so far.
#[derive(Debug, Default)]
pub struct Watch {
    /// What must not be, and was.
    pub violations: Vec<String>,
    /// One of the windows that decision 2 names was hit. What is live may be broken
    /// until the next `up`, which must mend it all the same.
    pub excused: bool,
    allowed: BTreeSet<usize>,
    /// What each deployment says it froze, by its id.
    releases: BTreeMap<String, String>,
    served: bool,
    /// A `down` has removed something since the last release.
    torn: bool,
}

/// What an API serves.
enum Served {
    /// A content, by index; what keeps it from running, if anything.
    Content(usize, Option<String>),
    /// None of them: routes with what they invoke.
    Mixture(String),
    /// It can't be known: what is invoked is gone.
    Gone(String),
}

impl Watch {
    /// Somebody releases this content.
    pub fn may_be_live(&mut self, content: usize) {
        self.allowed.insert(content);
    }

    /// Notes a write that was answered.
    pub fn written(
        &mut self,
        command: Command,
        call: &Call,
        request: &Request<Bytes>,
        answer: &Response<Bytes>,
        done: bool,
    ) {
        if !done {
            return;
        }
        let deletes = call.name.starts_with("DELETE") || call.name.starts_with("Delete");
        if command == Command::Down && deletes && call.name != "DeleteLogStream" {
            self.torn = true;
        }
        if call.name.ends_with("/deployments") {
            let text = |body: &Bytes, member: &str| {
                let value: serde_json::Value = serde_json::from_slice(body).ok()?;
                Some(value.get(member)?.as_str()?.to_owned())
            };
            let id = text(answer.body(), "deploymentId");
            let description = text(request.body(), "description");
            self.releases.extend(id.zip(description));
        }
        if command != Command::Down && call.name.contains("/stages") {
            self.torn = false;
        }
    }

    /// Looks at what is live after a write.
    pub fn look(&mut self, cloud: &Cloud, now: Timestamp, command: Command, call: &Call) {
        if call.service == Service::Logs {
            return;
        }
        let live = live_stages(cloud);
        if live.len() > 1 {
            self.violated(format!("{} APIs are live", live.len()));
        }
        if self.served && live.is_empty() && command != Command::Down && !self.torn {
            self.violated("nothing is live any more, and it was no `down`".to_owned());
        }
        self.served = !live.is_empty();
        for stage in &live {
            match served(cloud, stage, now) {
                Served::Content(content, unable) => {
                    if !self.allowed.contains(&content) {
                        self.violated(format!("content {content} is live, and nobody released it"));
                    }
                    let says = self.releases.get(&stage.deployment_id);
                    let release = &contents::all()[content].release;
                    let said = says.and_then(|says| ReleaseHash::from_description(says));
                    if said.as_ref() != Some(release) {
                        self.violated(format!("content {content} ({release}) is live as {says:?}"));
                    }
                    if let Some(why) = unable.filter(|_| !self.torn) {
                        self.violated(format!("content {content} is live and can't run: {why}"));
                    }
                }
                Served::Mixture(what) => self.violated(format!("a mixture is live: {what}")),
                Served::Gone(what) if !self.torn => {
                    self.violated(format!("what is live invokes what is gone: {what}"));
                }
                Served::Gone(_) => {}
            }
        }
    }

    /// The contents that are live.
    pub fn live(&self, cloud: &Cloud, now: Timestamp) -> Vec<usize> {
        let content = |stage: &LiveStage| match served(cloud, stage, now) {
            Served::Content(content, None) => Some(content),
            _ => None,
        };
        live_stages(cloud).iter().filter_map(content).collect()
    }

    fn violated(&mut self, what: String) {
        if !self.excused
            && self.violations.len() < MOST_VIOLATIONS
            && !self.violations.contains(&what)
        {
            self.violations.push(what);
        }
    }
}

fn live_stages(cloud: &Cloud) -> Vec<LiveStage> {
    let apis = cloud.inventory().apis.names;
    apis.iter()
        .filter_map(|api| cloud.live_stage(api.split(' ').next()?, STAGE))
        .collect()
}

/// Whether what is invoked is what a function should be: somebody else's that is named, or
/// a published version of the stage's own.
fn runs(found: &FunctionVersion, desired: &Desired, key: &FunctionKey) -> bool {
    if let Some(existing) = desired.existing.get(key) {
        return found.invoked_arn == existing.arn(&desired.account);
    }
    let function = &desired.functions[key];
    let wanted = &function.configuration;
    found.function_name == function.name.as_str()
        && found.code_sha256 == function.code.sha256.as_str()
        && found.memory_mb == wanted.memory_mb
        && found.timeout_seconds == wanted.timeout_seconds
        && found.environment == wanted.environment
}

fn served(cloud: &Cloud, stage: &LiveStage, now: Timestamp) -> Served {
    let later = now + SETTLED;
    let mut unable = None;
    let mut guard = None;
    let mut routes = BTreeMap::new();
    for (key, route) in &stage.routes {
        let integration = route.integration.as_ref();
        let arn = integration.and_then(|integration| integration.function_arn.as_deref());
        let Some((integration, arn)) = integration.zip(arn) else {
            return Served::Mixture(format!("{key} invokes nothing"));
        };
        let version = match cloud.function_version(arn, later) {
            Ok(version) => version,
            Err(refusal) => return Served::Gone(format!("{key}: {refusal}")),
        };
        let credentials = integration.credentials_arn.as_deref();
        if let Err(refusal) = cloud.may_invoke(credentials, arn, later) {
            unable = Some(refusal.to_string());
        }
        if version.version == "$LATEST" {
            return Served::Mixture(format!("{key} invokes $LATEST"));
        }
        routes.insert(key.as_str(), version);
        let authorizer = match &route.authorization {
            LiveAuthorization::None => continue,
            LiveAuthorization::Custom(authorizer) if key == CONNECT => authorizer,
            other => return Served::Mixture(format!("{key} asks {other:?}")),
        };
        let Some(arn) = authorizer.function_arn.as_deref() else {
            return Served::Mixture("the authorizer invokes nothing".to_owned());
        };
        let version = match cloud.function_version(arn, later) {
            Ok(version) => version,
            Err(refusal) => return Served::Gone(format!("the authorizer: {refusal}")),
        };
        let credentials = authorizer.credentials_arn.as_deref();
        if let Err(refusal) = cloud.may_invoke(credentials, arn, later) {
            unable = Some(refusal.to_string());
        }
        guard = Some((version, &authorizer.identity_sources));
    }
    let is_this = |content: &Content| {
        let desired = &content.desired;
        desired.routes.len() == routes.len()
            && desired.routes.iter().all(|(key, function)| {
                let found = routes.get(key.as_str());
                found.is_some_and(|found| runs(found, desired, function))
            })
            && match (&desired.gateway.authorizer, &guard) {
                (None, None) => true,
                (Some(wanted), Some((found, sources))) => {
                    let named = wanted.identity_sources.iter();
                    let named = named.filter_map(|source| IdentitySource::read(source));
                    runs(found, desired, &wanted.function) && named.eq(sources.iter().cloned())
                }
                _ => false,
            }
    };
    match contents::all().iter().position(is_this) {
        Some(content) => Served::Content(content, unable),
        None => {
            let guard = guard.iter().map(|(found, _)| ("the authorizer", found));
            let found = routes.iter().map(|(key, found)| (*key, found));
            let each = found.chain(guard).map(|(key, found)| {
                let (arn, memory) = (&found.invoked_arn, found.memory_mb);
                format!("{key} -> {arn} ({} {memory} MB)", found.code_sha256)
            });
            Served::Mixture(each.collect::<Vec<_>>().join(", "))
        }
    }
}
