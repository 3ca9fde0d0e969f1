//! Who makes a call, where that matters: functions call as their roles; everyone
//! else is the account's own user, who may do anything.

use serde::{Deserialize, Serialize};

use crate::access;
use crate::error::Failure;
use crate::iam::Iam;
use crate::iam::policy::{Context, Verdict};

/// A function's session of its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        let context = Context::default();
        let verdict = self
            .iam
            .verdict(&caller.role_arn, action, resource, &context);
        if verdict == Verdict::Allowed {
            return Ok(());
        }
        let (who, why) = (&caller.session_arn, access::reason(action, verdict));
        Err(Failure::new(
            400,
            "AccessDeniedException",
            format!(
                "User: {who} is not authorized to perform: {action} on resource: {resource} {why}"
            ),
        ))
    }
}
