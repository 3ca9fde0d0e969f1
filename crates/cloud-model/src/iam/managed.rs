//! Customer-managed policies, for permissions boundaries: what a role may do is
//! what its policies and its boundary both allow.
//!
//! Deliberately absent: versions, tags, attaching them to roles. AWS's own
//! policies can be boundaries too; their content is not known here, so they
//! bound nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::{Iam, limit_exceeded, no_such_entity, read, validation};
use crate::call::{Call, iso_seconds};
use crate::error::{Failure, unsupported};
use crate::ids::policy_id;
use crate::limits::{MANAGED_POLICY_CHARS, POLICIES};
use crate::wire::query_xml::{Form, Xml};

/// What AWS's own policies' ARNs begin with.
const AWS_MANAGED: &str = "arn:aws:iam::aws:policy/";

/// One policy.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ManagedPolicy {
    name: String,
    id: String,
    created: String,
    document: Arc<Document>,
}

/// What bounds a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Boundary {
    pub(super) arn: String,
    /// `None`: AWS's own, whose content is not known here.
    pub(super) document: Option<Arc<Document>>,
}

impl Iam {
    pub(super) fn create_policy(
        &mut self,
        form: &Form,
        call: &mut Call<'_>,
    ) -> Result<Xml, Failure> {
        let name = read::name(form, "PolicyName", "policyName", 128)?;
        if form.text("Path").is_some_and(|path| path != "/") {
            return Err(validation(unsupported("paths of policies")));
        }
        if !form.pairs("Tags").is_empty() {
            return Err(validation(unsupported("tags of policies")));
        }
        let document =
            Document::identity(read::required(form, "PolicyDocument", "policyDocument")?)?;
        if document.chars() > MANAGED_POLICY_CHARS {
            return Err(limit_exceeded(format!(
                "Cannot exceed quota for PolicySize: {MANAGED_POLICY_CHARS}"
            )));
        }
        let arn = format!("arn:aws:iam::{}:policy/{name}", call.settings.account_id);
        if self.policies.contains_key(&arn) {
            return Err(Failure::new(
                409,
                "EntityAlreadyExists",
                format!("A policy called {name} already exists. Duplicate names are not allowed."),
            ));
        }
        if self.policies.len() >= POLICIES {
            return Err(limit_exceeded(format!(
                "Cannot exceed quota for PoliciesPerAccount: {POLICIES}"
            )));
        }
        let policy = ManagedPolicy {
            name: name.to_owned(),
            id: policy_id(call.ids),
            created: iso_seconds(call.now),
            document: Arc::new(document),
        };
        let shown = self.show_policy(&arn, &policy);
        self.policies.insert(arn, policy);
        Ok(Xml::default().element("Policy", shown))
    }

    pub(super) fn get_policy(&self, form: &Form) -> Result<Xml, Failure> {
        let arn = read::required(form, "PolicyArn", "policyArn")?;
        let policy = self.policies.get(arn).ok_or_else(|| unknown(arn))?;
        Ok(Xml::default().element("Policy", self.show_policy(arn, policy)))
    }

    pub(super) fn delete_policy(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let arn = read::required(form, "PolicyArn", "policyArn")?;
        if !self.policies.contains_key(arn) {
            return Err(unknown(arn));
        }
        if self.bounded_by(arn) > 0 {
            return Err(Failure::new(
                409,
                "DeleteConflict",
                "Cannot delete a policy attached to entities.",
            ));
        }
        self.policies.remove(arn);
        Ok(None)
    }

    pub(super) fn put_role_permissions_boundary(
        &mut self,
        form: &Form,
    ) -> Result<Option<Xml>, Failure> {
        let arn = read::required(form, "PermissionsBoundary", "permissionsBoundary")?;
        let boundary = self.boundary(arn)?;
        self.role_mut(form)?.boundary = Some(boundary);
        Ok(None)
    }

    pub(super) fn delete_role_permissions_boundary(
        &mut self,
        form: &Form,
    ) -> Result<Option<Xml>, Failure> {
        let role = self.role_mut(form)?;
        if role.boundary.take().is_none() {
            let name = role.name.clone();
            return Err(no_such_entity(format!(
                "Role {name} does not have a permissions boundary."
            )));
        }
        Ok(None)
    }

    /// What a policy's ARN bounds a role by.
    pub(super) fn boundary(&self, arn: &str) -> Result<Boundary, Failure> {
        if !arn.starts_with("arn:") || arn.split(':').count() != 6 {
            return Err(validation(format!("ARN {arn} is not valid.")));
        }
        let document = self.policies.get(arn).map(|it| Arc::clone(&it.document));
        let of_aws = arn.strip_prefix(AWS_MANAGED);
        if document.is_none() && of_aws.is_none_or(str::is_empty) {
            return Err(no_such_entity(format!(
                "Scope ARN: {arn} does not exist or is not attachable."
            )));
        }
        let arn = arn.to_owned();
        Ok(Boundary { arn, document })
    }

    /// ARNs of all customer-managed policies.
    pub(crate) fn policy_arns(&self) -> Vec<String> {
        self.policies.keys().cloned().collect()
    }

    fn bounded_by(&self, arn: &str) -> usize {
        let boundaries = self
            .roles
            .values()
            .filter_map(|role| role.boundary.as_ref());
        boundaries.filter(|boundary| boundary.arn == arn).count()
    }

    fn show_policy(&self, arn: &str, policy: &ManagedPolicy) -> Xml {
        Xml::default()
            .text("PolicyName", &policy.name)
            .text("PolicyId", &policy.id)
            .text("Arn", arn)
            .text("Path", "/")
            .text("DefaultVersionId", "v1")
            .text("AttachmentCount", "0")
            .text(
                "PermissionsBoundaryUsageCount",
                &self.bounded_by(arn).to_string(),
            )
            .text("IsAttachable", "true")
            .text("CreateDate", &policy.created)
            .text("UpdateDate", &policy.created)
    }
}

impl Boundary {
    pub(super) fn show(&self) -> Xml {
        Xml::default()
            .text("PermissionsBoundaryType", "Policy")
            .text("PermissionsBoundaryArn", &self.arn)
    }
}

fn unknown(arn: &str) -> Failure {
    no_such_entity(format!("Policy {arn} was not found."))
}
