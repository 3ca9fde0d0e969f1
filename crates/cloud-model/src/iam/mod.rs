//! IAM's roles: trust policies, inline policies, attachments, boundaries, tags; and
//! customer-managed policies, as boundaries.
//!
//! Deliberately absent: users, groups, instance profiles. AWS's managed policies
//! can be attached and are listed, but their content is not known here: they grant
//! nothing.

mod attached;
mod document;
mod inline;
mod instance_profiles;
mod managed;
pub(crate) mod policy;
mod read;
mod role_tags;
mod roles;
mod summary;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::error::Failure;
use crate::wire::query_xml::{Form, Xml};

use policy::{Context, Verdict};
pub(crate) use roles::Role;

/// All roles of the account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Iam {
    /// By lower-cased name: names differ in more than case. Shared with whoever
    /// keeps what others knew of a role earlier.
    roles: BTreeMap<String, Arc<Role>>,
    /// Customer-managed policies by ARN.
    policies: BTreeMap<String, managed::ManagedPolicy>,
}

impl Iam {
    /// IAM with these roles.
    pub(crate) fn of(roles: BTreeMap<String, Arc<Role>>) -> Self {
        Self {
            roles,
            policies: BTreeMap::new(),
        }
    }

    /// All roles with their keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Arc<Role>)> {
        self.roles.iter()
    }

    /// Serves one call. `None`: the operation has no output.
    pub(crate) fn handle(
        &mut self,
        operation: &str,
        form: &Form,
        call: &mut Call<'_>,
    ) -> Result<Option<Xml>, Failure> {
        match operation {
            "CreateRole" => self.create_role(form, call).map(Some),
            "GetRole" => Ok(Some(self.get_role(form)?)),
            "ListRoles" => self.list_roles(form).map(Some),
            "DeleteRole" => self.delete_role(form),
            "UpdateAssumeRolePolicy" => self.update_assume_role_policy(form),
            "UpdateRole" => self.update_role(form).map(Some),
            "PutRolePolicy" => self.put_role_policy(form),
            "GetRolePolicy" => self.get_role_policy(form).map(Some),
            "ListRolePolicies" => self.list_role_policies(form).map(Some),
            "DeleteRolePolicy" => self.delete_role_policy(form),
            "AttachRolePolicy" => self.attach_role_policy(form),
            "DetachRolePolicy" => self.detach_role_policy(form),
            "ListAttachedRolePolicies" => self.list_attached_role_policies(form).map(Some),
            "PutRolePermissionsBoundary" => self.put_role_permissions_boundary(form),
            "DeleteRolePermissionsBoundary" => self.delete_role_permissions_boundary(form),
            "CreatePolicy" => self.create_policy(form, call).map(Some),
            "GetPolicy" => self.get_policy(form).map(Some),
            "DeletePolicy" => self.delete_policy(form),
            "GetAccountSummary" => Ok(Some(self.get_account_summary())),
            "ListInstanceProfilesForRole" => self.list_instance_profiles_for_role(form).map(Some),
            "TagRole" => self.tag_role(form),
            "UntagRole" => self.untag_role(form),
            "ListRoleTags" => self.list_role_tags(form).map(Some),
            other => Err(Failure::not_served(&format!("IAM's {other}"))),
        }
    }

    fn role(&self, form: &Form) -> Result<&Role, Failure> {
        let name = read::role_name(form)?;
        self.roles
            .get(&name.to_lowercase())
            .map(Arc::as_ref)
            .ok_or_else(|| unknown_role(name))
    }

    fn role_mut(&mut self, form: &Form) -> Result<&mut Role, Failure> {
        let name = read::role_name(form)?;
        self.roles
            .get_mut(&name.to_lowercase())
            .map(Arc::make_mut)
            .ok_or_else(|| unknown_role(name))
    }

    /// The role with exactly that ARN.
    pub(crate) fn find_role(&self, arn: &str) -> Option<&Role> {
        let name = arn.rsplit('/').next()?;
        self.roles
            .get(&name.to_lowercase())
            .map(Arc::as_ref)
            .filter(|role| role.arn == arn)
    }

    /// Whether the role's inline policies, and its boundary if it has one, allow an
    /// action on a resource.
    /// Attached managed policies grant nothing here.
    pub(crate) fn role_allows(&self, role_arn: &str, action: &str, resource: &str) -> bool {
        self.verdict(role_arn, action, resource, &Context::default()) == Verdict::Allowed
    }

    /// As [`Iam::role_allows`], in a context of condition keys, and why not.
    pub(crate) fn verdict(
        &self,
        role_arn: &str,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Verdict {
        let Some(role) = self.find_role(role_arn) else {
            return Verdict::Unsaid;
        };
        let inline = role.inline.values().map(|it| &it.document);
        let verdict = policy::verdict(inline, action, resource, context);
        let boundary = role.boundary.as_ref().and_then(|it| it.document.as_ref());
        match (verdict, boundary) {
            (Verdict::Allowed, Some(it)) => {
                match policy::verdict([&it.document], action, resource, context) {
                    Verdict::Unsaid => Verdict::Unbounded,
                    other => other,
                }
            }
            (other, _) => other,
        }
    }

    /// The longest session of the role, in seconds; `None`: there is no such role.
    pub(crate) fn longest_session(&self, role_arn: &str) -> Option<i64> {
        Some(self.find_role(role_arn)?.max_session_seconds)
    }

    /// The role's unique id.
    pub(crate) fn id_of(&self, role_arn: &str) -> Option<&str> {
        Some(&self.find_role(role_arn)?.id)
    }

    /// The ARN of the role with that name.
    pub(crate) fn arn_of(&self, name: &str) -> Option<String> {
        let role = self.roles.get(&name.to_lowercase())?;
        Some(role.arn.clone())
    }

    /// Whether a managed policy is attached to the role.
    pub(crate) fn has_attached(&self, role_arn: &str, policy_arn: &str) -> bool {
        self.find_role(role_arn)
            .is_some_and(|role| role.attached.contains(policy_arn))
    }

    /// Whether a service may assume the role, in a context of condition keys.
    pub(crate) fn trusts(&self, role_arn: &str, service: &str, context: &Context) -> bool {
        self.find_role(role_arn)
            .is_some_and(|role| policy::trusts(&role.trust.document, service, context))
    }

    /// Whether somebody of the account may assume the role.
    pub(crate) fn trusts_principal(&self, role_arn: &str, arn: &str) -> bool {
        let trusts =
            |role: &Role| policy::trusts_principal(&role.trust.document, arn, &Context::default());
        self.find_role(role_arn).is_some_and(trusts)
    }

    /// Names of all roles.
    pub(crate) fn names(&self) -> Vec<String> {
        self.roles.values().map(|role| role.name.clone()).collect()
    }
}

fn unknown_role(name: &str) -> Failure {
    no_such_entity(format!("The role with name {name} cannot be found."))
}

fn no_such_entity(message: String) -> Failure {
    Failure::new(404, "NoSuchEntity", message)
}

fn validation(message: String) -> Failure {
    Failure::new(400, "ValidationError", message)
}

fn limit_exceeded(message: String) -> Failure {
    Failure::new(409, "LimitExceeded", message)
}
