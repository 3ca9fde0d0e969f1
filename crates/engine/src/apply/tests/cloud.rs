//! A cloud that does what a test tells it: fails by script, counts, takes time.

use crate::cloud::{CloudReader, CloudWriter, JournalStreams, Produced, Readiness, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
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
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// How long each write takes, on the paused clock.
const WRITE: Duration = Duration::from_millis(100);

#[derive(Default)]
pub struct ScriptedCloud {
    /// Errors still to be given, by operation, first come first served.
    pub errors: Mutex<BTreeMap<&'static str, VecDeque<CloudError>>>,
    /// What functions say of themselves, in order; afterwards they are ready.
    pub readiness: Mutex<VecDeque<Readiness>>,
    /// What was asked, in order.
    pub performed: Mutex<Vec<String>>,
    /// Changes of the API beside another are refused, as API Gateway does.
    pub one_change_at_a_time: bool,
    /// Until when Lambda doesn't know the role.
    pub role_known_after: Option<Instant>,
    pub api_changes: Mutex<usize>,
}

impl ScriptedCloud {
    pub fn fail(&self, operation: &'static str, error: CloudError, times: usize) {
        let mut errors = self.errors.lock().unwrap();
        errors
            .entry(operation)
            .or_default()
            .extend(std::iter::repeat_n(error, times));
    }

    pub fn count(&self, what: &str) -> usize {
        self.performed
            .lock()
            .unwrap()
            .iter()
            .filter(|done| done.contains(what))
            .count()
    }
}

pub fn refused(service: &'static str, code: &str, message: &str) -> CloudError {
    CloudError {
        service,
        operation: "X".into(),
        resource: String::new(),
        kind: CloudErrorKind::Refused,
        code: Some(code.into()),
        message: message.into(),
        request_id: None,
    }
}

impl CloudWriter for ScriptedCloud {
    async fn perform(&self, action: &Action, _: &WriteContext<'_>) -> Result<Produced, CloudError> {
        self.performed.lock().unwrap().push(action.to_string());
        let api_change = action.is_api_mutation();
        if api_change {
            let beside = {
                let mut changes = self.api_changes.lock().unwrap();
                *changes += 1;
                *changes > 1
            };
            if beside && self.one_change_at_a_time {
                *self.api_changes.lock().unwrap() -= 1;
                let message = "Unable to complete operation due to concurrent modification.";
                return Err(refused("apigateway", "ConflictException", message));
            }
        }
        tokio::time::sleep(WRITE).await;
        if api_change {
            *self.api_changes.lock().unwrap() -= 1;
        }
        if let (Action::CreateFunction { .. }, Some(known)) = (action, self.role_known_after)
            && Instant::now() < known
        {
            let message = "The role defined for the function cannot be assumed by Lambda.";
            return Err(refused("lambda", "InvalidParameterValueException", message));
        }
        let mut errors = self.errors.lock().unwrap();
        match errors
            .get_mut(action.operation())
            .and_then(VecDeque::pop_front)
        {
            Some(error) => Err(error),
            None => Ok(match action {
                Action::CreateApi { .. } => Produced::Api {
                    api_id: "api1".into(),
                    endpoint: "wss://api1".into(),
                },
                _ => Produced::Nothing,
            }),
        }
    }
}

impl CloudReader for ScriptedCloud {
    async fn get_account(&self) -> Result<Account, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_role(&self, _: &RoleName) -> Result<Option<RoleState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn list_log_groups(
        &self,
        _: &str,
    ) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_log_group(&self, _: &LogGroupName) -> Result<Option<LogGroupState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn list_execution_log_groups(
        &self,
        _: &str,
    ) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_logging_role(&self) -> Result<Option<String>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn list_journal(&self, _: &LogGroupName) -> Result<Option<JournalStreams>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_manifest(
        &self,
        _: &LogGroupName,
        _: &ManifestKey,
    ) -> Result<Option<Manifest>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn list_functions(&self, _: &str) -> Result<Vec<FunctionName>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_function(&self, _: &FunctionName) -> Result<Option<FunctionState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_existing(&self, _: &ExistingFunction) -> Result<Option<Tags>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_api_state(&self, _: &ApiId) -> Result<Option<ApiState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn list_apis(&self, _: &Names) -> Result<Vec<ApiState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn get_function_readiness(
        &self,
        _: &FunctionName,
        _: Option<&FunctionVersion>,
    ) -> Result<Readiness, CloudError> {
        Ok(self
            .readiness
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Readiness::Ready))
    }

    async fn list_tables(&self, _: &str) -> Result<Vec<TableName>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn find_table(&self, _: &TableName) -> Result<Option<TableState>, CloudError> {
        unreachable!("applying doesn't ask")
    }

    async fn get_table_readiness(&self, _: &TableName) -> Result<Readiness, CloudError> {
        let answered = self.readiness.lock().unwrap().pop_front();
        Ok(answered.unwrap_or(Readiness::Ready))
    }

    async fn probe(&self, _: &str) -> Result<u16, CloudError> {
        unreachable!("applying doesn't ask")
    }
}
