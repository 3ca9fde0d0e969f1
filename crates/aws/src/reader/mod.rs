//! Reads: SDK answers as the core's plain data.

mod api_details;
mod apis;
mod checkup;
mod directory;
mod functions;
mod journal;
mod log_events;
mod log_groups;
mod roles;
mod stages;
pub(crate) mod tables;

pub(crate) use functions::readiness_of;
pub(crate) use journal::streams;

use crate::account;
use crate::connect::Cloud;
use crate::error::Call;
use deployer_core::account::Account;
use deployer_core::existing::ExistingFunction;
use deployer_core::manifest::{Manifest, ManifestKey};
use deployer_core::names::{
    ApiId, FunctionName, FunctionVersion, LogGroupName, Names, RoleName, TableName,
};
use deployer_core::observed::{ApiState, FunctionState, LogGroupState, RoleState};
use deployer_core::operations::Operation;
use deployer_core::table::TableState;
use deployer_core::tags::Tags;
use deployer_engine::cloud::{
    CloudReader, CodeLocation, CodeReader, JournalStreams, PublishedCode, Readiness,
};
use deployer_engine::error::CloudError;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl CodeReader for Cloud {
    async fn find_code(
        &self,
        function: &FunctionName,
        version: &FunctionVersion,
    ) -> Result<Option<PublishedCode>, CloudError> {
        functions::find_code(&self.lambda, function.as_str(), version.as_str()).await
    }

    async fn download(
        &self,
        resource: &str,
        location: &CodeLocation,
        limit: usize,
    ) -> Result<Arc<[u8]>, CloudError> {
        self.get_bytes(resource, location.url(), limit).await
    }
}

impl CloudReader for Cloud {
    async fn get_account(&self) -> Result<Account, CloudError> {
        let call = Call::new(Operation::GetCallerIdentity, "");
        let identity = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| call.error(error))?;
        checkup::account_of(&identity, &self.region)
    }

    async fn find_role(&self, role: &RoleName) -> Result<Option<RoleState>, CloudError> {
        roles::find(&self.iam, role.as_str()).await
    }

    async fn list_log_groups(
        &self,
        prefix: &str,
    ) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
        log_groups::list(&self.logs, prefix).await
    }

    async fn find_log_group(
        &self,
        log_group: &LogGroupName,
    ) -> Result<Option<LogGroupState>, CloudError> {
        log_groups::find(&self.logs, log_group).await
    }

    async fn list_execution_log_groups(
        &self,
        api_stage: &str,
    ) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
        log_groups::list_of_execution_logs(&self.logs, api_stage).await
    }

    async fn find_logging_role(&self) -> Result<Option<String>, CloudError> {
        account::logging_role(&self.apigateway).await
    }

    async fn list_journal(
        &self,
        journal: &LogGroupName,
    ) -> Result<Option<JournalStreams>, CloudError> {
        journal::list(&self.logs, journal.as_str()).await
    }

    async fn find_manifest(
        &self,
        journal: &LogGroupName,
        key: &ManifestKey,
    ) -> Result<Option<Manifest>, CloudError> {
        journal::manifest(&self.logs, journal.as_str(), &key.stream()).await
    }

    async fn list_functions(&self, prefix: &str) -> Result<Vec<FunctionName>, CloudError> {
        functions::list(&self.lambda, prefix).await
    }

    async fn find_function(
        &self,
        function: &FunctionName,
    ) -> Result<Option<FunctionState>, CloudError> {
        functions::find(&self.lambda, function.as_str()).await
    }

    async fn list_apis(&self, names: &Names) -> Result<Vec<ApiState>, CloudError> {
        apis::list(&self.apigateway, names).await
    }

    async fn find_existing(&self, function: &ExistingFunction) -> Result<Option<Tags>, CloudError> {
        functions::find_existing(&self.lambda, function).await
    }

    async fn find_api_state(&self, api_id: &ApiId) -> Result<Option<ApiState>, CloudError> {
        apis::find(&self.apigateway, api_id).await
    }

    async fn get_function_readiness(
        &self,
        function: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> Result<Readiness, CloudError> {
        functions::readiness(&self.lambda, function, version).await
    }

    async fn list_tables(&self, prefix: &str) -> Result<Vec<TableName>, CloudError> {
        tables::list(&self.dynamodb, prefix).await
    }

    async fn find_table(&self, table: &TableName) -> Result<Option<TableState>, CloudError> {
        tables::find(&self.dynamodb, table).await
    }

    async fn get_table_readiness(&self, table: &TableName) -> Result<Readiness, CloudError> {
        tables::readiness(&self.dynamodb, table).await
    }

    async fn probe(&self, url: &str) -> Result<u16, CloudError> {
        self.get_status(url).await
    }
}

/// One of the SDK's maps in order.
fn sorted(map: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
