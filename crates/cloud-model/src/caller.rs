//! Who makes a call, where that matters: functions call as their roles; everyone
//! else is the account's own user, who may do anything.

use crate::error::Failure;
use crate::iam::Iam;

/// A function's session of its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The role's ARN.
    pub role_arn: String,
    /// The session's ARN, as refusals name it.
    pub session_arn: String,
}

/// What a service asks about permissions.
pub(crate) struct Permissions<'a> {
    /// `None`: the account's own user.
    pub(crate) caller: Option<&'a Caller>,
    /// Roles as the service knows them.
    pub(crate) iam: &'a Iam,
}

impl Permissions<'_> {
    /// Refuses, in AWS's words, what the caller's role doesn't allow.
    pub(crate) fn check(&self, action: &str, resource: &str) -> Result<(), Failure> {
        let Some(caller) = self.caller else {
            return Ok(());
        };
        if self.iam.role_allows(&caller.role_arn, action, resource) {
            return Ok(());
        }
        Err(Failure::new(
            400,
            "AccessDeniedException",
            format!(
                "User: {} is not authorized to perform: {action} on resource: {resource} because \
                 no identity-based policy allows the {action} action",
                caller.session_arn
            ),
        ))
    }
}
