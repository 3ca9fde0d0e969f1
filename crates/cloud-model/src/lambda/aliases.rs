//! Aliases: names for versions, which can be pointed elsewhere, and may send a part
//! of their invocations to a second version (`weights.rs`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::function::{Function, LATEST};
use super::reference::Reference;
use super::weights::{self, Weighted};
use super::{Lambda, conflict, not_supported, read, unknown, validation};
use crate::Settings;
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::ids::uuid;
use crate::limits::ALIASES_PER_FUNCTION;
use crate::wire::members::Members;
use crate::wire::rest_json::{Reply, RestRequest};

const NAME_PATTERN: &str = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)";
const NAME_CHARS: usize = 128;
const VERSION_PATTERN: &str = r"(\$LATEST|[0-9]+)";

/// Where an alias points.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Alias {
    description: String,
    /// `$LATEST` or a number.
    pub(super) version: String,
    /// The other version that it runs for a part of its invocations.
    pub(super) additional: Option<Weighted>,
    /// New with each update, even with one that changes nothing.
    revision_id: String,
}

impl Alias {
    fn show(&self, name: &str, function: &Function, settings: &Settings) -> Value {
        let mut shown = json!({
            "AliasArn": format!("{}:{name}", function.arn(settings)),
            "Description": self.description,
            "FunctionVersion": self.version,
            "Name": name,
            "RevisionId": self.revision_id,
        });
        if let Some(additional) = &self.additional {
            shown["RoutingConfig"] = additional.show();
        }
        shown
    }

    fn runs(&self, version: &str) -> bool {
        let additional = self.additional.as_ref();
        self.version == version || additional.is_some_and(|other| other.version == version)
    }
}

impl Lambda {
    pub(super) fn create_alias(
        &mut self,
        function: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let settings = call.settings;
        let members = request.members()?;
        let name = members
            .text("Name")?
            .ok_or_else(|| validation(constraints::missing("name")))?;
        check_name(&name)?;
        let version = read_version(&members)?
            .ok_or_else(|| validation(constraints::missing("functionVersion")))?;
        let description = read_description(&members)?.unwrap_or_default();
        let weights = weights::read(&members)?.unwrap_or_default();
        let reference = Reference::read(function, None, settings)?;
        self.check_version(&reference, &version, settings)?;
        let function = self.find_mut(&reference, settings)?;
        if function.aliases.contains_key(&name) {
            let arn = function.arn(settings);
            return Err(conflict(format!("Alias already exists: {arn}:{name}")));
        }
        let additional = weights::check(function, &version, weights, settings)?;
        if function.aliases.len() >= ALIASES_PER_FUNCTION {
            return Err(not_supported(&format!(
                "more than {ALIASES_PER_FUNCTION} aliases of a function"
            )));
        }
        let alias = Alias {
            description,
            version,
            additional,
            revision_id: uuid(call.ids),
        };
        let shown = alias.show(&name, function, settings);
        function.aliases.insert(name, alias);
        Ok(Reply::created(shown))
    }

    pub(super) fn get_alias(
        &self,
        function: &str,
        name: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let settings = call.settings;
        let function = self.find(&Reference::read(function, None, settings)?, settings)?;
        match function.aliases.get(name) {
            Some(alias) => Ok(Reply::ok(alias.show(name, function, settings))),
            None => Err(unknown(format!(
                "Cannot find alias arn: {}:{name}",
                function.arn(settings)
            ))),
        }
    }

    pub(super) fn update_alias(
        &mut self,
        function: &str,
        name: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let settings = call.settings;
        let members = request.members()?;
        let version = read_version(&members)?;
        let description = read_description(&members)?;
        let weights = weights::read(&members)?;
        let reference = Reference::read(function, None, settings)?;
        let function = self.find(&reference, settings)?;
        let Some(alias) = function.aliases.get(name) else {
            // Recorded: worded otherwise than in GetAlias.
            let arn = function.arn(settings);
            return Err(unknown(format!("Alias not found: {arn}:{name}")));
        };
        read::check_revision_id(&members, &alias.revision_id)?;
        if let Some(version) = &version {
            self.check_version(&reference, version, settings)?;
        }
        let target = version.as_ref().unwrap_or(&alias.version);
        // Without the member, what was there stays, and must fit the new version.
        let kept = || weights::as_given(alias.additional.as_ref());
        let weights = weights.unwrap_or_else(kept);
        let additional = weights::check(function, target, weights, settings)?;
        let function = self.find_mut(&reference, settings)?;
        if let Some(alias) = function.aliases.get_mut(name) {
            alias.version = version.unwrap_or_else(|| alias.version.clone());
            alias.additional = additional;
            alias.description = description.unwrap_or_else(|| alias.description.clone());
            alias.revision_id = uuid(call.ids);
        }
        self.get_alias(&reference.name, name, call)
    }

    /// Recorded: an alias that is not there is deleted just as well.
    pub(super) fn delete_alias(
        &mut self,
        function: &str,
        name: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        check_name(name)?;
        let reference = Reference::read(function, None, call.settings)?;
        let function = self.find_mut(&reference, call.settings)?;
        function.aliases.remove(name);
        self.forget_policy(&reference.name, name);
        Ok(Reply::empty(204))
    }

    pub(super) fn list_aliases(
        &self,
        function: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let settings = call.settings;
        let function = self.find(&Reference::read(function, None, settings)?, settings)?;
        let version = request.query("FunctionVersion");
        if let Some(version) = version {
            check_version_name(version)?;
        }
        let of_version = function
            .aliases
            .iter()
            .filter(|(_, alias)| version.is_none_or(|version| alias.version == version));
        let shown =
            of_version.map(|(name, alias)| (name.clone(), alias.show(name, function, settings)));
        read::list(request, "Aliases", shown)
    }

    fn check_version(
        &self,
        reference: &Reference,
        version: &str,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let target = Reference {
            qualifier: Some(version.to_owned()),
            ..reference.clone()
        };
        // Recorded: for a function that is not there, too, the version is named.
        let function = self.find(&target, settings)?;
        match function.find(Some(version)) {
            Some(_) => Ok(()),
            None => Err(super::unknown_function(&target.arn(settings))),
        }
    }
}

impl Function {
    /// Refuses to delete a version to which an alias points.
    pub(super) fn check_unaliased(&self, version: &str) -> Result<(), Failure> {
        let pointing = self.aliases.iter().filter(|(_, alias)| alias.runs(version));
        let names: Vec<&str> = pointing.map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(conflict(format!(
            "Unable to delete version because the following aliases reference it: [{}]",
            names.join(", ")
        )))
    }
}

fn check_name(name: &str) -> Result<(), Failure> {
    constraints::length(name, "name", 1, NAME_CHARS).map_err(validation)?;
    let word = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let number = name.bytes().all(|b| b.is_ascii_digit());
    constraints::pattern(name, "name", NAME_PATTERN, word && !number).map_err(validation)
}

fn read_version(members: &Members) -> Result<Option<String>, Failure> {
    let Some(version) = members.text("FunctionVersion")? else {
        return Ok(None);
    };
    check_version_name(&version)?;
    Ok(Some(version))
}

fn check_version_name(version: &str) -> Result<(), Failure> {
    // Without zeros in front: a version has one name.
    let holds = version == LATEST
        || (version.bytes().all(|b| b.is_ascii_digit()) && !version.starts_with('0'));
    let holds = holds && !version.is_empty();
    constraints::pattern(version, "functionVersion", VERSION_PATTERN, holds).map_err(validation)
}

fn read_description(members: &Members) -> Result<Option<String>, Failure> {
    let description = members.text("Description")?;
    if let Some(text) = &description {
        constraints::length(text, "description", 0, 256).map_err(validation)?;
    }
    Ok(description)
}
