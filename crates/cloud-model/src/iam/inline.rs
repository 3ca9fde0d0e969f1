//! Inline policies of roles.

use super::document::Document;
use super::{Iam, Role, limit_exceeded, no_such_entity, read};
use crate::error::Failure;
use crate::limits::INLINE_POLICY_CHARS;
use crate::wire::query_xml::{Form, Xml};
use crate::wire::url;

impl Iam {
    /// Adds or replaces a policy.
    pub(super) fn put_role_policy(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let name = policy_name(form)?;
        let document =
            Document::identity(read::required(form, "PolicyDocument", "policyDocument")?)?;
        let role = self.role_mut(form)?;
        let others = role.inline.iter().filter(|(other, _)| *other != name);
        let chars: usize = others.map(|(_, it)| it.chars()).sum();
        if chars + document.chars() > INLINE_POLICY_CHARS {
            return Err(limit_exceeded(format!(
                "Maximum policy size of {INLINE_POLICY_CHARS} bytes exceeded for role {}",
                role.name
            )));
        }
        role.inline.insert(name.to_owned(), document);
        Ok(None)
    }

    pub(super) fn get_role_policy(&self, form: &Form) -> Result<Xml, Failure> {
        let name = policy_name(form)?;
        let role = self.role(form)?;
        let document = role.inline.get(name).ok_or_else(|| unknown_policy(name))?;
        Ok(Xml::default()
            .text("RoleName", &role.name)
            .text("PolicyName", name)
            .text("PolicyDocument", &url::encode(&document.text)))
    }

    pub(super) fn list_role_policies(&self, form: &Form) -> Result<Xml, Failure> {
        let role: &Role = self.role(form)?;
        let page = read::page(
            form,
            role.inline.keys().map(|name| (name.clone(), name.as_str())),
        )?;
        Ok(read::page_end(
            Xml::default().texts("PolicyNames", page.items),
            page.next.as_deref(),
        ))
    }

    pub(super) fn delete_role_policy(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let name = policy_name(form)?;
        let role = self.role_mut(form)?;
        role.inline
            .remove(name)
            .ok_or_else(|| unknown_policy(name))?;
        Ok(None)
    }
}

fn policy_name(form: &Form) -> Result<&str, Failure> {
    read::name(form, "PolicyName", "policyName", 128)
}

fn unknown_policy(name: &str) -> Failure {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}
