//! Names and ids as types, and the rule by which a deploy stage's resources get
//! their names.
//!
//! Names carry service and stage; IAM's carry the region too, because IAM is
//! global. What would exceed AWS's limit keeps a readable prefix and ends in a
//! hash of the whole, so that two long names never meet.

use crate::table::TABLE_NAME_LIMIT;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Longest service name in a stage file.
pub const SERVICE_NAME_LIMIT: usize = 28;
/// Longest deploy stage name (the stage file's name without `.toml`).
pub const STAGE_NAME_LIMIT: usize = 24;
/// Lambda's limit for a function name; the recorded 400 says so.
pub const FUNCTION_NAME_LIMIT: usize = 64;
/// What the execution log groups of all APIs begin with; API Gateway names them.
pub const EXECUTION_LOG_PREFIX: &str = "/aws/apigateway/";
/// IAM's limit for a role name (service model).
pub const ROLE_NAME_LIMIT: usize = 64;

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is: from AWS, or already checked.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_type!(
    /// A function as the stage file calls it, e.g. `room`.
    FunctionKey
);
text_type!(
    /// A table as the stage file calls it, e.g. `rooms`.
    TableId
);
text_type!(
    /// A DynamoDB table's name, e.g. `chat-alpha-rooms`.
    TableName
);
text_type!(
    /// A Lambda function's name, e.g. `chat-alpha-room`.
    FunctionName
);
text_type!(
    /// A published version's number, e.g. `3`; never `$LATEST`.
    FunctionVersion
);
text_type!(
    /// An IAM role's name.
    RoleName
);
text_type!(
    /// A CloudWatch log group's name.
    LogGroupName
);
text_type!(
    /// API Gateway's id of an API.
    ApiId
);
text_type!(
    /// A route's key, e.g. `$connect` or `join`.
    RouteKey
);
text_type!(
    /// API Gateway's id of a route.
    RouteId
);
text_type!(
    /// API Gateway's id of an integration.
    IntegrationId
);
text_type!(
    /// API Gateway's id of an authorizer.
    AuthorizerId
);
text_type!(
    /// API Gateway's id of a deployment.
    DeploymentId
);
text_type!(
    /// base64 of the SHA-256 of a function's zip, as Lambda reports it.
    CodeSha256
);

impl CodeSha256 {
    /// Of a zip.
    pub fn of(zip: &[u8]) -> Self {
        Self(STANDARD.encode(Sha256::digest(zip)))
    }
}

/// The deploy stage of a service: what one `stages/<stage>.toml` describes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StageIdentity {
    /// The service's name.
    pub service: String,
    /// The deploy stage's name.
    pub stage: String,
}

impl fmt::Display for StageIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.stage)
    }
}

/// Every name a deploy stage uses in one account and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Names {
    /// Whose names these are.
    pub identity: StageIdentity,
    /// The API's name.
    pub api: String,
    /// The API stage's name: the deploy stage's.
    pub api_stage: String,
    /// The role the functions run as.
    pub execution_role: RoleName,
    /// The role API Gateway assumes to invoke the functions.
    pub invoke_role: RoleName,
    /// What every function's name begins with.
    pub function_prefix: String,
    role_prefix: String,
}

impl Names {
    /// The names of `identity` in `region`.
    pub fn new(identity: StageIdentity, region: &str) -> Self {
        let base = format!("{}-{}", identity.service, identity.stage);
        let role_prefix = format!("{base}-{region}-");
        let role =
            |purpose: &str| RoleName(fit(&format!("{role_prefix}{purpose}"), ROLE_NAME_LIMIT));
        Self {
            api: base.clone(),
            api_stage: identity.stage.clone(),
            execution_role: role("functions"),
            invoke_role: role("gateway"),
            function_prefix: format!("{base}-"),
            role_prefix,
            identity,
        }
    }

    /// The deployed name of a function.
    pub fn function(&self, key: &FunctionKey) -> FunctionName {
        FunctionName(fit(
            &format!("{}{key}", self.function_prefix),
            FUNCTION_NAME_LIMIT,
        ))
    }

    /// The role a function has when it doesn't run as [`Self::execution_role`].
    pub fn own_role(&self, function: &FunctionName) -> RoleName {
        let name = function.as_str();
        let own = name.strip_prefix(&self.function_prefix).unwrap_or(name);
        RoleName(fit(
            &format!("{}function-{own}", self.role_prefix),
            ROLE_NAME_LIMIT,
        ))
    }

    /// The deployed name of a table.
    pub fn table(&self, id: &TableId) -> TableName {
        TableName(fit(
            &format!("{}{id}", self.function_prefix),
            TABLE_NAME_LIMIT,
        ))
    }

    /// What the names of all the stage's tables begin with, and perhaps another stage's.
    pub fn table_prefix(&self) -> &str {
        &self.function_prefix
    }

    /// The log group Lambda uses for a function of that name.
    pub fn log_group(&self, function: &FunctionName) -> LogGroupName {
        LogGroupName(format!("/aws/lambda/{function}"))
    }

    /// The log group that access logs go to.
    pub fn access_log_group(&self) -> LogGroupName {
        LogGroupName(format!("/aws/vendedlogs/apigateway/{}", self.api))
    }

    /// The log group that API Gateway itself uses for the execution logs of this
    /// stage of an API.
    pub fn execution_log_group(&self, api_id: &ApiId) -> LogGroupName {
        LogGroupName(format!("{EXECUTION_LOG_PREFIX}{api_id}/{}", self.api_stage))
    }

    /// What the names of all the stage's functions begin with. Another stage's may
    /// begin so too (`a` and `a-b`): tags tell them apart.
    pub fn function_prefix(&self) -> &str {
        &self.function_prefix
    }

    /// What the log groups of all the stage's functions begin with, and perhaps
    /// another stage's.
    pub fn log_group_prefix(&self) -> String {
        format!("/aws/lambda/{}", self.function_prefix)
    }
}

/// `name` if it fits, else its beginning, `-`, and 8 hex digits of its hash.
fn fit(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let hash = Sha256::digest(name.as_bytes());
    let digits: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let readable = name[..limit - digits.len() - 1].trim_end_matches('-');
    format!("{readable}-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(service: &str, stage: &str) -> Names {
        Names::new(
            StageIdentity {
                service: service.into(),
                stage: stage.into(),
            },
            "us-gov-west-1",
        )
    }

    #[test]
    fn short_names_are_kept_as_they_are() {
        let names = names("chat", "alpha");
        assert_eq!(names.function(&"room".into()).as_str(), "chat-alpha-room");
        assert_eq!(
            names.execution_role.as_str(),
            "chat-alpha-us-gov-west-1-functions"
        );
        assert_eq!(names.api, "chat-alpha");
    }

    #[test]
    fn long_names_keep_a_readable_prefix_and_differ_by_their_hash() {
        let service = "s".repeat(SERVICE_NAME_LIMIT);
        let stage = "t".repeat(STAGE_NAME_LIMIT);
        let names = names(&service, &stage);
        let one = names.function(&"a-rather-long-function-name".into());
        let other = names.function(&"a-rather-long-function-nome".into());
        assert_eq!(one.as_str().len(), FUNCTION_NAME_LIMIT);
        assert_ne!(one, other);
        assert!(one.as_str().starts_with(&names.function_prefix));
        assert!(names.execution_role.as_str().len() <= ROLE_NAME_LIMIT);
        assert_ne!(names.execution_role, names.invoke_role);
    }

    #[test]
    fn a_functions_own_role_is_found_by_its_name_alone() {
        let short = names("chat", "alpha");
        let room = short.own_role(&short.function(&"room".into()));
        assert_eq!(room.as_str(), "chat-alpha-us-gov-west-1-function-room");
        let service = "s".repeat(SERVICE_NAME_LIMIT);
        let long = names(&service, &"t".repeat(STAGE_NAME_LIMIT));
        let one = long.own_role(&long.function(&"a-rather-long-function-name".into()));
        let other = long.own_role(&long.function(&"a-rather-long-function-nome".into()));
        assert_ne!(one, other);
        assert!(one.as_str().len() <= ROLE_NAME_LIMIT);
    }

    #[test]
    fn even_the_longest_service_and_stage_leave_the_prefix_whole() {
        let prefix = SERVICE_NAME_LIMIT + 1 + STAGE_NAME_LIMIT + 1;
        assert!(prefix + "-01234567".len() <= FUNCTION_NAME_LIMIT);
    }
}
