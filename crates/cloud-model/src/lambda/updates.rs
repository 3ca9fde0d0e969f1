//! Updating code and configuration. Each update shows a new revision id and a
//! new time, even if it changes nothing.

use super::configuration::{Change, check_role, check_tracing, read_architecture};
use super::reference::Reference;
use super::zip_file::Code;
use super::{Lambda, Surroundings, not_supported, read};
use crate::call::Call;
use crate::error::Failure;
use crate::wire::rest_json::{Reply, RestRequest};

impl Lambda {
    pub(super) fn update_function_code(
        &mut self,
        name: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        read::check_size(request, "UpdateFunctionCode")?;
        let settings = call.settings;
        let reference = Reference::read(name, None, settings)?;
        let members = request.members()?;
        if members.says_something("PublishTo") {
            return Err(not_supported("PublishTo"));
        }
        let function = self.find(&reference, settings)?;
        read::check_settled(function, call)?;
        read::check_revision(&members, function, call)?;
        let architecture = read_architecture(&members)?;
        let code = Code::read(&members)?;
        self.check_storage(&code)?;
        let publish = members.boolean("Publish")?.unwrap_or(false);
        let dry_run = members.boolean("DryRun")?.unwrap_or(false);
        let function = self.find_mut(&reference, settings)?;
        let arn = function.arn(settings);
        let mut configuration = function.latest.configuration.clone();
        if let Some(architecture) = architecture {
            configuration.architecture = architecture;
        }
        if dry_run {
            let mut trial = function.latest.clone();
            trial.code = code;
            trial.configuration = configuration;
            return Ok(Reply::ok(trial.show(
                &function.name,
                &arn,
                settings,
                call.now,
            )));
        }
        function.update(code, configuration, call);
        let name = function.name.clone();
        if !publish || function.unchanged_since_publication().is_some() {
            return Ok(Reply::ok(
                function
                    .latest
                    .show_changing(&name, &arn, settings, call.now),
            ));
        }
        super::versions::check_room(function)?;
        let version = function.publish(None, call.activation, call);
        let arn = format!("{arn}:{}", version.version);
        Ok(Reply::ok(
            version.show_changing(&name, &arn, settings, call.now),
        ))
    }

    pub(super) fn update_function_configuration(
        &mut self,
        name: &str,
        request: &RestRequest,
        around: &mut Surroundings<'_, '_>,
    ) -> Result<Reply, Failure> {
        let settings = around.call.settings;
        let reference = Reference::read(name, None, settings)?;
        let members = request.members()?;
        let function = self.find(&reference, settings)?;
        read::check_settled(function, around.call)?;
        read::check_revision(&members, function, around.call)?;
        let change = Change::read(&members)?;
        if let Some(arn) = &change.role_arn {
            check_role(arn, &reference.name, around)?;
        }
        let configuration = change.apply(&function.latest.configuration)?;
        check_tracing(&configuration.facilities, &configuration.role_arn, around)?;
        let function = self.find_mut(&reference, settings)?;
        function.update(function.latest.code.clone(), configuration, around.call);
        let arn = function.arn(settings);
        let shown = function
            .latest
            .show_changing(&function.name, &arn, settings, around.call.now);
        Ok(Reply::ok(shown))
    }
}
