//! Mistakes put into the engine on purpose, to see that the simulation finds
//! them: what it can't find it can't promise either.

use deployer_aws::Cloud;
use deployer_core::account::Account;
use deployer_core::existing::ExistingFunction;
use deployer_core::manifest::{Manifest, ManifestKey};
use deployer_core::names::{
    ApiId, FunctionName, FunctionVersion, LogGroupName, Names, RoleName, TableName,
};
use deployer_core::observed::{ApiState, FunctionState, LogGroupState, RoleState};
use deployer_core::plan::Action;
use deployer_core::table::TableState;
use deployer_core::tags::Tags;
use deployer_engine::cloud::{
    CloudReader, CloudWriter, JournalStreams, Produced, Readiness, WriteContext,
};
use deployer_engine::error::CloudError;
use deployer_engine::lease::Journal;
use std::collections::BTreeMap;
use std::time::Duration;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The engine as it is.
    None,
    /// Everybody is told to hold the lease.
    LeaseOfEverybody,
    /// An API that doesn't serve yet isn't looked for: one left by a lost answer
    /// to CreateApi stays for ever.
    LostApiForgotten,
    /// The manifest of a release isn't written.
    ReleaseUnrecorded,
}

/// The real clients with a mistake.
#[derive(Debug, Clone, Copy)]
pub struct Sabotaged<'a> {
    /// The real ones.
    pub inner: &'a Cloud,
    /// The mistake.
    pub mistake: Sabotage,
}

impl CloudWriter for Sabotaged<'_> {
    async fn perform(
        &self,
        action: &Action,
        context: &WriteContext<'_>,
    ) -> Result<Produced, CloudError> {
        if self.mistake == Sabotage::ReleaseUnrecorded
            && matches!(action, Action::RecordRelease { .. })
        {
            return Ok(Produced::Nothing);
        }
        self.inner.perform(action, context).await
    }
}

impl Journal for Sabotaged<'_> {
    async fn list_lease_streams(
        &self,
        journal: &LogGroupName,
    ) -> Result<Option<Vec<String>>, CloudError> {
        self.inner.list_lease_streams(journal).await
    }

    async fn ensure_journal(
        &self,
        journal: &LogGroupName,
        tags: &Tags,
    ) -> Result<bool, CloudError> {
        self.inner.ensure_journal(journal, tags).await
    }

    async fn create_stream(
        &self,
        journal: &LogGroupName,
        stream: &str,
    ) -> Result<bool, CloudError> {
        let created = self.inner.create_stream(journal, stream).await?;
        Ok(created || self.mistake == Sabotage::LeaseOfEverybody)
    }

    fn has_unanswered_writes(&self, within: Duration) -> bool {
        self.inner.has_unanswered_writes(within)
    }

    async fn delete_stream(&self, journal: &LogGroupName, stream: &str) -> Result<(), CloudError> {
        self.inner.delete_stream(journal, stream).await
    }
}

impl CloudReader for Sabotaged<'_> {
    async fn get_account(&self) -> Result<Account, CloudError> {
        self.inner.get_account().await
    }

    async fn find_role(&self, role: &RoleName) -> Result<Option<RoleState>, CloudError> {
        self.inner.find_role(role).await
    }

    async fn list_log_groups(
        &self,
        prefix: &str,
    ) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
        self.inner.list_log_groups(prefix).await
    }

    async fn list_functions(&self, prefix: &str) -> Result<Vec<FunctionName>, CloudError> {
        self.inner.list_functions(prefix).await
    }

    async fn find_log_group(
        &self,
        log_group: &LogGroupName,
    ) -> Result<Option<LogGroupState>, CloudError> {
        self.inner.find_log_group(log_group).await
    }

    async fn list_execution_log_groups(
        &self,
        api_stage: &str,
    ) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
        self.inner.list_execution_log_groups(api_stage).await
    }

    async fn find_logging_role(&self) -> Result<Option<String>, CloudError> {
        self.inner.find_logging_role().await
    }

    async fn list_journal(
        &self,
        journal: &LogGroupName,
    ) -> Result<Option<JournalStreams>, CloudError> {
        self.inner.list_journal(journal).await
    }

    async fn find_manifest(
        &self,
        journal: &LogGroupName,
        key: &ManifestKey,
    ) -> Result<Option<Manifest>, CloudError> {
        self.inner.find_manifest(journal, key).await
    }

    async fn find_function(
        &self,
        function: &FunctionName,
    ) -> Result<Option<FunctionState>, CloudError> {
        self.inner.find_function(function).await
    }

    async fn find_existing(&self, function: &ExistingFunction) -> Result<Option<Tags>, CloudError> {
        self.inner.find_existing(function).await
    }

    async fn find_api_state(&self, api_id: &ApiId) -> Result<Option<ApiState>, CloudError> {
        self.inner.find_api_state(api_id).await
    }

    async fn list_apis(&self, names: &Names) -> Result<Vec<ApiState>, CloudError> {
        let mut apis = self.inner.list_apis(names).await?;
        if self.mistake == Sabotage::LostApiForgotten {
            apis.retain(|api| api.live_deployment(&names.api_stage).is_some());
        }
        Ok(apis)
    }

    async fn get_function_readiness(
        &self,
        function: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> Result<Readiness, CloudError> {
        self.inner.get_function_readiness(function, version).await
    }

    async fn list_tables(&self, prefix: &str) -> Result<Vec<TableName>, CloudError> {
        self.inner.list_tables(prefix).await
    }

    async fn find_table(&self, table: &TableName) -> Result<Option<TableState>, CloudError> {
        self.inner.find_table(table).await
    }

    async fn get_table_readiness(&self, table: &TableName) -> Result<Readiness, CloudError> {
        self.inner.get_table_readiness(table).await
    }

    async fn probe(&self, url: &str) -> Result<u16, CloudError> {
        self.inner.probe(url).await
    }
}
