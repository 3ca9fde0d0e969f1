//! What a plan's steps learn while it is carried out: ids, versions, and what can only be
//! written once they are known.

use crate::account::Account;
use crate::grants::Grants;
use crate::names::{
    ApiId, AuthorizerId, DeploymentId, FunctionKey, FunctionName, FunctionVersion, IntegrationId,
    LogGroupName, Names,
};
use crate::policy;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What steps refer to and earlier steps (or the account) provide.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bindings {
    /// The stage's API.
    pub api_id: Option<ApiId>,
    /// Where it answers, without the stage.
    pub api_endpoint: Option<String>,
    /// The version of each function that the release invokes.
    pub versions: BTreeMap<FunctionKey, FunctionVersion>,
    /// ARNs of the functions that aren't the stage's: invoked as they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub existing: BTreeMap<FunctionKey, String>,
    /// The integration of each function.
    pub integrations: BTreeMap<FunctionKey, IntegrationId>,
    /// The authorizer that `$connect` asks.
    pub authorizer: Option<AuthorizerId>,
    /// The deployment that is to go live.
    pub deployment_id: Option<DeploymentId>,
}

impl Bindings {
    /// The URI that invokes a function of that ARN: the version that the release has, or,
    /// where it isn't the stage's, what the ARN names. `None` while the version isn't known.
    pub fn invocation_uri(
        &self,
        account: &Account,
        key: &FunctionKey,
        function_arn: &str,
    ) -> Option<String> {
        if self.existing.contains_key(key) {
            return Some(account.invocation_uri(function_arn));
        }
        let version = self.versions.get(key)?;
        Some(account.invocation_uri(&format!("{function_arn}:{version}")))
    }
}

/// An inline policy, perhaps of an API that doesn't exist yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum PolicyTemplate {
    /// What the functions may do.
    Execution {
        /// The log groups they may write to.
        log_groups: Vec<LogGroupName>,
        /// What they may do beside.
        grants: Grants,
    },
    /// What API Gateway may invoke.
    Invocation {
        /// The functions.
        functions: Vec<FunctionName>,
        /// ARNs of what isn't the stage's.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        existing: Vec<String>,
    },
}

impl PolicyTemplate {
    /// The document, or `None` while the API's id isn't known.
    pub fn document(&self, account: &Account, names: &Names, bindings: &Bindings) -> Option<Value> {
        match self {
            Self::Execution { log_groups, grants } => {
                let api_id = bindings.api_id.as_ref()?;
                Some(policy::execution(
                    account, names, log_groups, grants, api_id,
                ))
            }
            Self::Invocation {
                functions,
                existing,
            } => Some(policy::invocation(account, functions, existing)),
        }
    }
}
