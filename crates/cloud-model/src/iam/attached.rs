//! Attached managed policies. Any ARN of AWS's own policies can be attached;
//! what AWS grants with it is not known here, so it grants nothing in
//! `Cloud::role_allows`: inline policies are what counts.

use super::roles::check_path;
use super::{Iam, limit_exceeded, no_such_entity, read, validation};
use crate::error::{Failure, unsupported};
use crate::limits::ATTACHED_POLICIES_PER_ROLE;
use crate::wire::query_xml::{Form, Xml};

const AWS_MANAGED: &str = "arn:aws:iam::aws:policy/";

impl Iam {
    /// Attaching twice is attaching once.
    pub(super) fn attach_role_policy(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let arn = policy_arn(form)?;
        let known = self.policies.contains_key(arn);
        let role = self.role_mut(form)?;
        if known {
            let what = "attaching customer-managed policies to roles";
            return Err(validation(unsupported(what)));
        }
        let name = arn.strip_prefix(AWS_MANAGED);
        if name.is_none_or(|name| name.is_empty() || name.ends_with('/')) {
            return Err(no_such_entity(format!(
                "Policy {arn} does not exist or is not attachable."
            )));
        }
        if !role.attached.contains(arn) && role.attached.len() >= ATTACHED_POLICIES_PER_ROLE {
            return Err(limit_exceeded(format!(
                "Cannot exceed quota for PoliciesPerRole: {ATTACHED_POLICIES_PER_ROLE}"
            )));
        }
        role.attached.insert(arn.to_owned());
        Ok(None)
    }

    pub(super) fn detach_role_policy(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let arn = policy_arn(form)?;
        if self.role_mut(form)?.attached.remove(arn) {
            Ok(None)
        } else {
            Err(no_such_entity(format!("Policy {arn} was not found.")))
        }
    }

    pub(super) fn list_attached_role_policies(&self, form: &Form) -> Result<Xml, Failure> {
        let role = self.role(form)?;
        let prefix = form.text("PathPrefix").unwrap_or("/");
        check_path(prefix, "pathPrefix")?;
        let under = role
            .attached
            .iter()
            .filter(|arn| path(arn).starts_with(prefix));
        let show = |arn: &String| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            (
                arn.clone(),
                Xml::default()
                    .text("PolicyName", name)
                    .text("PolicyArn", arn),
            )
        };
        let page = read::page(form, under.map(show))?;
        Ok(read::page_end(
            Xml::default().members("AttachedPolicies", page.items),
            page.next.as_deref(),
        ))
    }
}

fn policy_arn(form: &Form) -> Result<&str, Failure> {
    let arn = read::required(form, "PolicyArn", "policyArn")?;
    if arn.starts_with("arn:") && arn.split(':').count() >= 6 {
        Ok(arn)
    } else {
        Err(validation("Invalid ARN:  Could not be parsed!".to_owned()))
    }
}

/// `/service-role/` of `…:policy/service-role/Name`.
fn path(arn: &str) -> &str {
    let path = arn.find('/').map_or("/", |at| &arn[at..]);
    path.rfind('/').map_or("/", |end| &path[..=end])
}
