//! What an account holds, for whoever wants to see that nothing is left.

use serde::Serialize;

/// Resources of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ResourceList {
    /// How many.
    pub count: usize,
    /// Their names, sorted; an API's is `{id} {name}`.
    pub names: Vec<String>,
}

impl ResourceList {
    pub(crate) fn new(mut names: Vec<String>) -> Self {
        names.sort();
        Self {
            count: names.len(),
            names,
        }
    }
}

/// All resources of the account that stand on their own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Inventory {
    /// WebSocket APIs.
    pub apis: ResourceList,
    /// Lambda functions.
    pub functions: ResourceList,
    /// IAM roles, without the one that API Gateway's account settings name.
    pub roles: ResourceList,
    /// Log groups.
    pub log_groups: ResourceList,
    /// Customer-managed policies.
    pub policies: ResourceList,
    /// Parameters of SSM.
    pub parameters: ResourceList,
    /// Secrets of Secrets Manager.
    pub secrets: ResourceList,
}

impl Inventory {
    /// Whether the account holds nothing but what only its user puts there:
    /// policies, parameters and secrets.
    pub fn is_empty(&self) -> bool {
        [&self.apis, &self.functions, &self.roles, &self.log_groups]
            .iter()
            .all(|list| list.names.is_empty())
    }
}
