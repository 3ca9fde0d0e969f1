//! Functions as somebody looks at them ([`crate::ShownFunction`]).

use super::Lambda;
use super::configuration::RUNTIME;
use super::function::{Function, Revision};
use super::reference::Reference;
use crate::{Settings, ShownFunction, ShownVersion};

impl Lambda {
    /// All functions, by name.
    pub(crate) fn shown(&self) -> Vec<ShownFunction> {
        self.functions.values().map(shown_function).collect()
    }

    /// The version that a reference names first, settled or not.
    pub(crate) fn shown_version(
        &self,
        reference: &str,
        settings: &Settings,
    ) -> Option<ShownVersion> {
        let read = Reference::read(reference, None, settings).ok()?;
        let function = self.functions.get(&read.name)?;
        let revision = function.find(read.qualifier.as_deref())?;
        Some(shown_version(function, revision))
    }
}

fn shown_function(function: &Function) -> ShownFunction {
    let alias =
        |(name, alias): (&String, &super::aliases::Alias)| (name.clone(), alias.version.clone());
    ShownFunction {
        function_name: function.name.clone(),
        latest: shown_version(function, &function.latest),
        versions: function.versions.keys().map(u64::to_string).collect(),
        aliases: function.aliases.iter().map(alias).collect(),
    }
}

fn shown_version(function: &Function, revision: &Revision) -> ShownVersion {
    let configuration = &revision.configuration;
    let variables = configuration.environment.iter().flatten();
    ShownVersion {
        function_name: function.name.clone(),
        version: revision.version.clone(),
        code_sha256: revision.code.sha256.clone(),
        runtime: RUNTIME,
        memory_mb: configuration.memory_mb,
        timeout_seconds: configuration.timeout_seconds,
        environment_names: variables.map(|(name, _)| name.clone()).collect(),
    }
}
