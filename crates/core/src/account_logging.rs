//! The one role by which API Gateway writes logs, of all APIs of an account and
//! region. It belongs to the account: stages share it and none removes it.

use crate::account::Account;
use crate::names::RoleName;
use crate::tags::{SCHEMA_TAG, SCHEMA_VERSION, Tags};

/// Says that a resource is the account's, made by the deployer for all stages.
pub const SCOPE_TAG: &str = "deployer:scope";
/// The value of [`SCOPE_TAG`].
pub const ACCOUNT_SCOPE: &str = "account";

const ROLE_PREFIX: &str = "deployer-account-";
const ROLE_SUFFIX: &str = "-gateway-logs";

/// The role's name in `region`; IAM's names are global.
pub fn role_name(region: &str) -> RoleName {
    RoleName::new(format!("{ROLE_PREFIX}{region}{ROLE_SUFFIX}"))
}

/// Whether a role is the account's in some region, by its name.
pub fn is_role_name(role: &RoleName) -> bool {
    role.as_str().starts_with(ROLE_PREFIX) && role.as_str().ends_with(ROLE_SUFFIX)
}

/// AWS's own policy for this purpose. API Gateway refuses a role that may less.
pub fn policy_arn(account: &Account) -> String {
    let partition = &account.partition;
    format!("arn:{partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
}

/// The tags of what is shared.
pub fn tags() -> Tags {
    Tags::from([
        (SCHEMA_TAG.to_owned(), SCHEMA_VERSION.to_owned()),
        (SCOPE_TAG.to_owned(), ACCOUNT_SCOPE.to_owned()),
    ])
}

/// Whether tags say that a resource is the account's.
pub fn is_shared(tags: &Tags) -> bool {
    let is = |key: &str, value: &str| tags.get(key).is_some_and(|found| found == value);
    is(SCOPE_TAG, ACCOUNT_SCOPE) && is(SCHEMA_TAG, SCHEMA_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{ROLE_NAME_LIMIT, StageIdentity};
    use crate::tags::ownership;

    #[test]
    fn the_role_is_the_accounts_and_no_stages() {
        assert!(is_shared(&tags()));
        let identity = StageIdentity {
            service: "chat".into(),
            stage: "alpha".into(),
        };
        assert!(!is_shared(&ownership(&identity)));
        assert!(role_name("ap-southeast-10").as_str().len() <= ROLE_NAME_LIMIT);
    }
}
