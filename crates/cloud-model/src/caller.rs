//! Who makes a call, where that matters: functions call as their roles; everyone
//! else is the account's own user, who may do anything.

use serde::{Deserialize, Serialize};

use crate::access;
use crate::error::Failure;
use crate::iam::Iam;
use crate::iam::policy::Context;
use crate::wire::Protocol;

/// A function's session of its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The role's ARN.
    pub role_arn: String,
    /// The session's ARN, as refusals name it.
    pub session_arn: String,
}

/// What SSM and Secrets Manager ask about permissions.
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
        let protocol = Protocol::Json11;
        access::require(protocol, self.iam, caller, action, resource, &context)
    }
}
