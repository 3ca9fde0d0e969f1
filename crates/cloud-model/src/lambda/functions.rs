//! Creating, showing, listing and deleting functions.

use serde_json::{Value, json};

use super::configuration::{
    Change, Configuration, check_role, check_tracing, default_log_group, read_architecture,
};
use super::facilities::Facilities;
use super::function::{Function, LATEST, Origin, Revision};
use super::reference::Reference;
use super::tags::add_tags;
use super::zip_file::Code;
use super::{
    Lambda, Surroundings, conflict, invalid_parameter, location, not_supported, read,
    unknown_function, validation,
};
use crate::Effect;
use crate::assumptions::{DELETE_FUNCTION_IN_ANY_STATE, UNSIGNED_CODE_HAS_NO_CONFIG};
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::limits::{FUNCTIONS, TOTAL_CODE_BYTES};
use crate::tags::TagMap;
use crate::wire::members::present;
use crate::wire::rest_json::{Reply, RestRequest};

const DEFAULT_MEMORY_MB: u32 = 128;
const DEFAULT_TIMEOUT_SECONDS: u32 = 3;

impl Lambda {
    pub(super) fn create_function(
        &mut self,
        request: &RestRequest,
        around: &mut Surroundings<'_, '_>,
    ) -> Result<Reply, Failure> {
        read::check_size(request, "CreateFunction")?;
        let members = request.members()?;
        let settings = around.call.settings;
        let required = |name: &str, member: &str| {
            members
                .text(name)?
                .ok_or_else(|| validation(constraints::missing(member)))
        };
        let reference =
            Reference::read(&required("FunctionName", "functionName")?, None, settings)?;
        if reference.qualifier.is_some() {
            return Err(invalid_parameter(
                "A new function has no version: give its name only.",
            ));
        }
        let name = reference.name;
        required("Role", "role")?;
        if members
            .text("PackageType")?
            .is_some_and(|kind| kind != "Zip")
        {
            return Err(not_supported("PackageType Image"));
        }
        let change = Change::read(&members)?;
        let (Some(role_arn), Some(handler), Some(_)) =
            (change.role_arn, change.handler, change.runtime)
        else {
            return Err(invalid_parameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        };
        let architecture = read_architecture(&members)?.unwrap_or_else(|| "x86_64".to_owned());
        let publish = members.boolean("Publish")?.unwrap_or(false);
        let mut tags = TagMap::new();
        add_tags(&mut tags, members.text_map("Tags")?.unwrap_or_default())?;
        let code = members
            .object("Code")?
            .ok_or_else(|| validation(constraints::missing("code")))?;
        let code = Code::read(&code)?;
        if self.functions.contains_key(&name) {
            return Err(conflict(format!("Function already exist: {name}")));
        }
        if self.functions.len() >= FUNCTIONS {
            return Err(not_supported(&format!("more than {FUNCTIONS} functions")));
        }
        self.check_storage(&code)?;
        check_role(&role_arn, &name, around)?;
        let facilities = change.facilities.apply(&Facilities::default())?;
        check_tracing(&facilities, &role_arn, around)?;
        let log_group = change.log_group.filter(|group| !group.is_empty());
        let configuration = Configuration {
            architecture,
            description: change.description.unwrap_or_default(),
            environment: change.environment,
            facilities,
            handler,
            log_group: log_group.unwrap_or_else(|| default_log_group(&name)),
            managed_instances: change.managed_instances,
            memory_mb: change.memory_mb.unwrap_or(DEFAULT_MEMORY_MB),
            role_arn,
            timeout_seconds: change.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_SECONDS),
        };
        let call = &mut *around.call;
        let settling = call.activation;
        let latest = Revision::new(
            LATEST.to_owned(),
            code,
            configuration,
            Origin::Created,
            settling,
            call,
        );
        let next_number = self.next_number(&name);
        let mut function = Function::new(name.clone(), latest, tags, next_number);
        let arn = function.arn(settings);
        let mut shown = function
            .latest
            .show_changing(&name, &arn, settings, call.now);
        if publish {
            // Recorded: the version's number under the unqualified ARN.
            shown["Version"] = json!(function.publish(None, settling, call).version);
        }
        self.functions.insert(name, function);
        Ok(Reply::created(shown))
    }

    /// The account's quota of code.
    pub(super) fn check_storage(&self, code: &Code) -> Result<(), Failure> {
        if self.code_bytes() + code.zip.len() as u64 > TOTAL_CODE_BYTES {
            return Err(Failure::new(
                400,
                "CodeStorageExceededException",
                "Code storage limit exceeded.",
            ));
        }
        Ok(())
    }

    /// Bytes of all code: each version's counts.
    pub(super) fn code_bytes(&self) -> u64 {
        let revisions = self.functions.values().flat_map(Function::revisions);
        revisions.map(|it| it.code.zip.len() as u64).sum()
    }

    pub(super) fn get_function(
        &self,
        name: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let (function, configuration) = self.show_configuration(name, request, call)?;
        let shown = configuration["CodeSha256"].as_str().unwrap_or_default();
        let mut revisions = function.revisions();
        let code = revisions.find(|revision| revision.code.sha256 == shown);
        let location = code.map(|revision| {
            let digest = revision.code.digest_in_url();
            location::of(call.settings, &digest, call.now)
        });
        let concurrency = function
            .reserved_concurrency
            .map(|n| json!({ "ReservedConcurrentExecutions": n }));
        let tags = (!function.tags.is_empty()).then_some(&function.tags);
        Ok(Reply::ok(present(json!({
            "Code": { "Location": location, "RepositoryType": "S3" },
            "Concurrency": concurrency,
            "Configuration": configuration,
            "Tags": tags,
        }))))
    }

    pub(super) fn get_function_configuration(
        &self,
        name: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        Ok(Reply::ok(self.show_configuration(name, request, call)?.1))
    }

    fn show_configuration(
        &self,
        name: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<(&Function, Value), Failure> {
        let settings = call.settings;
        let reference = Reference::read(name, request.query("Qualifier"), settings)?;
        let function = self.find(&reference, settings)?;
        let arn = reference.arn(settings);
        let revision = function
            .find(reference.qualifier.as_deref())
            .ok_or_else(|| unknown_function(&arn))?;
        Ok((
            function,
            revision.show(&function.name, &arn, settings, call.now),
        ))
    }

    pub(super) fn list_functions(
        &self,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let all = match request.query("FunctionVersion") {
            None => false,
            Some("ALL") => true,
            Some(other) => {
                let rule = "Member must satisfy enum value set: [ALL]";
                return Err(validation(constraints::violation(
                    other,
                    "functionVersion",
                    rule,
                )));
            }
        };
        if request.query("MasterRegion").is_some() {
            return Err(not_supported("MasterRegion"));
        }
        if !all {
            let show = |(name, function): (&String, &Function)| {
                let arn = function.arn(call.settings);
                (
                    name.clone(),
                    function.latest.show_listed(name, &arn, call.now),
                )
            };
            return read::list(request, "Functions", self.functions.iter().map(show));
        }
        let versions = self
            .functions
            .values()
            .flat_map(|function| function.show_versions(call));
        read::list(
            request,
            "Functions",
            versions.map(|(key, name, shown)| (format!("{name}:{key}"), shown)),
        )
    }

    /// Code signing isn't there: every function is without.
    pub(super) fn get_function_code_signing_config(
        &self,
        name: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = Reference::read(name, None, call.settings)?;
        let name = &self.find(&reference, call.settings)?.name;
        Ok(Reply::ok(match UNSIGNED_CODE_HAS_NO_CONFIG {
            true => json!({}),
            false => json!({ "CodeSigningConfigArn": "", "FunctionName": name }),
        }))
    }

    pub(super) fn delete_function(
        &mut self,
        name: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = Reference::read(name, request.query("Qualifier"), call.settings)?;
        if reference.qualifier.as_deref() == Some(LATEST) {
            return Err(invalid_parameter(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        let unqualified = Reference {
            qualifier: None,
            ..reference.clone()
        };
        let function = self.find_mut(&unqualified, call.settings)?;
        if !DELETE_FUNCTION_IN_ANY_STATE {
            read::check_settled(function, call)?;
        }
        match reference.qualifier {
            // Recorded: a version that is not there is deleted just as well.
            Some(number) => {
                function.check_unaliased(&number)?;
                if let Ok(number) = number.parse() {
                    function.versions.remove(&number);
                }
            }
            None => {
                if let Some(gone) = self.functions.remove(&unqualified.name) {
                    self.remember_number(&gone);
                }
                self.forget_policies(&unqualified.name);
                call.effects.push(Effect::FunctionDeleted {
                    function_name: unqualified.name,
                });
            }
        }
        Ok(Reply::empty(204))
    }
}
