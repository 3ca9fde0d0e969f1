//! Lambda's control plane, for functions of the runtime `provided.al2023` that
//! come as a zip in the request.
//!
//! Deliberately absent: invocation (the data plane does it and asks
//! `Cloud::function_version`), layers, images, VPCs, event sources, other runtimes.
//! Whoever asks for one of them is told so.

mod aliases;
mod concurrency;
mod configuration;
mod environment;
mod facilities;
mod function;
mod functions;
mod location;
mod managed_instances;
mod read;
mod reference;
mod resource_policy;
mod shown;
mod tags;
mod updates;
mod versions;
mod weights;
mod zip_file;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::error::{Failure, unsupported};
use crate::iam::Iam;
use crate::limits::FORMER_FUNCTIONS;
use crate::wire::rest_json::{Reply, RestRequest};
use crate::{FunctionVersion, IdSource, InvokeRefusal, Settings};

use function::{Function, LATEST};
pub use location::NoCode;
use reference::Reference;

/// All functions of the account and region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lambda {
    /// By name.
    functions: BTreeMap<String, Function>,
    policies: resource_policy::Policies,
    /// The next version's number of functions that are gone, by name.
    numbers: BTreeMap<String, u64>,
}

/// What an operation needs: the call and the roles that functions assume.
struct Surroundings<'a, 'c> {
    call: &'a mut Call<'c>,
    iam: &'a Iam,
}

impl Lambda {
    /// Serves one request.
    pub(crate) fn handle(
        &mut self,
        request: &RestRequest,
        iam: &Iam,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let path = request.path();
        let method = request.method.as_str();
        let around = &mut Surroundings { call, iam };
        match (method, path.as_slice()) {
            ("POST", ["2015-03-31", "functions"]) => self.create_function(request, around),
            ("GET", ["2015-03-31", "functions"]) => self.list_functions(request, around.call),
            ("GET", ["2015-03-31", "functions", name]) => {
                self.get_function(name, request, around.call)
            }
            ("DELETE", ["2015-03-31", "functions", name]) => {
                self.delete_function(name, request, around.call)
            }
            ("GET", ["2015-03-31", "functions", name, "configuration"]) => {
                self.get_function_configuration(name, request, around.call)
            }
            ("PUT", ["2015-03-31", "functions", name, "configuration"]) => {
                self.update_function_configuration(name, request, around)
            }
            ("PUT", ["2015-03-31", "functions", name, "code"]) => {
                self.update_function_code(name, request, around.call)
            }
            ("POST", ["2015-03-31", "functions", name, "versions"]) => {
                self.publish_version(name, request, around.call)
            }
            ("GET", ["2015-03-31", "functions", name, "versions"]) => {
                self.list_versions_by_function(name, request, around.call)
            }
            ("POST", ["2015-03-31", "functions", name, "aliases"]) => {
                self.create_alias(name, request, around.call)
            }
            ("GET", ["2015-03-31", "functions", name, "aliases"]) => {
                self.list_aliases(name, request, around.call)
            }
            ("GET", ["2015-03-31", "functions", name, "aliases", alias]) => {
                self.get_alias(name, alias, around.call)
            }
            ("PUT", ["2015-03-31", "functions", name, "aliases", alias]) => {
                self.update_alias(name, alias, request, around.call)
            }
            ("DELETE", ["2015-03-31", "functions", name, "aliases", alias]) => {
                self.delete_alias(name, alias, around.call)
            }
            ("POST", ["2015-03-31", "functions", name, "policy"]) => {
                self.add_permission(name, request, around.call)
            }
            ("GET", ["2015-03-31", "functions", name, "policy"]) => {
                self.get_policy(name, request, around.call)
            }
            ("DELETE", ["2015-03-31", "functions", name, "policy", sid]) => {
                self.remove_permission(name, sid, request, around.call)
            }
            ("PUT", ["2017-10-31", "functions", name, "concurrency"]) => {
                self.put_function_concurrency(name, request, around.call)
            }
            ("DELETE", ["2017-10-31", "functions", name, "concurrency"]) => {
                self.delete_function_concurrency(name, around.call)
            }
            ("GET", ["2019-09-30", "functions", name, "concurrency"]) => {
                self.get_function_concurrency(name, around.call)
            }
            ("GET", ["2020-06-30", "functions", name, "code-signing-config"]) => {
                self.get_function_code_signing_config(name, around.call)
            }
            (_, ["2017-03-31", "tags", first, rest @ ..]) => {
                let arn = rest
                    .iter()
                    .fold((*first).to_owned(), |arn, part| arn + "/" + part);
                self.tags(&arn, request, around.call)
            }
            ("GET", ["2016-08-19", "account-settings"]) => Ok(self.get_account_settings()),
            _ => Err(Failure::not_served(&request.title())),
        }
    }

    /// The first version's number of a new function: AWS doesn't reuse those of a former
    /// one of the same name.
    fn next_number(&self, name: &str) -> u64 {
        self.numbers.get(name).copied().unwrap_or(1)
    }

    fn remember_number(&mut self, gone: &Function) {
        self.numbers.insert(gone.name.clone(), gone.next_number);
        if self.numbers.len() > FORMER_FUNCTIONS {
            self.numbers.pop_first();
        }
    }

    fn find(&self, reference: &Reference, settings: &Settings) -> Result<&Function, Failure> {
        self.functions
            .get(&reference.name)
            .ok_or_else(|| unknown_function(&reference.arn(settings)))
    }

    fn find_mut(
        &mut self,
        reference: &Reference,
        settings: &Settings,
    ) -> Result<&mut Function, Failure> {
        self.functions
            .get_mut(&reference.name)
            .ok_or_else(|| unknown_function(&reference.arn(settings)))
    }

    /// The code and configuration that an invocation runs.
    pub(crate) fn function_version(
        &self,
        reference: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<FunctionVersion, InvokeRefusal> {
        let unknown = || InvokeRefusal::NotFound(reference.to_owned());
        let read = Reference::read(reference, None, settings).map_err(|_| unknown())?;
        let arn = read.arn(settings);
        let missing = || InvokeRefusal::NotFound(arn.clone());
        let function = self.functions.get(&read.name).ok_or_else(missing)?;
        let revision = function
            .find(read.qualifier.as_deref())
            .ok_or_else(missing)?;
        if revision.is_pending(now) {
            return Err(InvokeRefusal::NotActive("Pending".to_owned()));
        }
        let managed = revision.configuration.managed_instances.is_some();
        if managed && revision.version == LATEST {
            return Err(InvokeRefusal::NotPublished(arn));
        }
        let serving = function
            .serving(read.qualifier.as_deref(), now)
            .ok_or_else(missing)?;
        Ok(serving.as_invoked(function, arn, settings))
    }

    /// As [`Self::function_version`], with a version drawn if the reference names an
    /// alias with weights.
    pub(crate) fn drawn_version(
        &self,
        reference: &str,
        settings: &Settings,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<FunctionVersion, InvokeRefusal> {
        let first = self.function_version(reference, settings, now)?;
        let additional = || {
            let read = Reference::read(reference, None, settings).ok()?;
            let function = self.functions.get(&read.name)?;
            let alias = function.aliases.get(&read.qualifier?)?;
            Some((function, alias.additional.as_ref()?))
        };
        let Some((function, other)) = additional() else {
            return Ok(first);
        };
        if !other.is_drawn(ids) {
            return Ok(first);
        }
        match function.find(Some(&other.version)) {
            Some(revision) if revision.is_pending(now) => {
                Err(InvokeRefusal::NotActive("Pending".to_owned()))
            }
            Some(revision) => Ok(revision.as_invoked(function, first.invoked_arn, settings)),
            None => Err(InvokeRefusal::NotFound(first.invoked_arn)),
        }
    }

    /// The zip with this digest, as locations have it.
    pub(crate) fn code(
        &self,
        digest: &str,
        query: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Arc<Bytes>, NoCode> {
        location::check(&settings.code_key, digest, query, now)?;
        let mut revisions = self.functions.values().flat_map(Function::revisions);
        let found = revisions.find(|revision| revision.code.digest_in_url() == digest);
        let found = found.ok_or(NoCode::Gone)?;
        Ok(Arc::clone(&found.code.zip))
    }

    /// All zips by their digests in hexadecimal digits.
    pub(crate) fn all_code(&self) -> BTreeMap<String, Arc<Bytes>> {
        let all = self.functions.values().flat_map(Function::with_code);
        all.map(|code| (code.digest_in_hex(), Arc::clone(&code.zip)))
            .collect()
    }

    /// Gives all code its zip. `Err` is the digest of one that is missing.
    pub(crate) fn fill_code(&mut self, zips: &BTreeMap<String, Arc<Bytes>>) -> Result<(), String> {
        for code in self
            .functions
            .values_mut()
            .flat_map(Function::with_code_mut)
        {
            let digest = code.digest_in_hex();
            code.zip = Arc::clone(zips.get(&digest).ok_or(digest)?);
        }
        Ok(())
    }

    /// Names of all functions.
    pub(crate) fn names(&self) -> Vec<String> {
        self.functions.keys().cloned().collect()
    }
}

fn invalid_parameter(message: impl Into<String>) -> Failure {
    Failure::new(400, "InvalidParameterValueException", message)
}

/// Options that AWS has and this model does not.
fn not_supported(what: &str) -> Failure {
    invalid_parameter(unsupported(what))
}

fn validation(message: String) -> Failure {
    Failure::new(400, "ValidationException", message)
}

fn unknown_function(arn: &str) -> Failure {
    unknown(format!("Function not found: {arn}"))
}

fn unknown(message: String) -> Failure {
    Failure::new(404, "ResourceNotFoundException", message)
}

fn conflict(message: String) -> Failure {
    Failure::new(409, "ResourceConflictException", message)
}
