//! Tags of roles.

use super::{Iam, limit_exceeded, read, validation};
use crate::error::Failure;
use crate::limits::TAGS_PER_RESOURCE;
use crate::tags::{self, TagFault, TagMap};
use crate::wire::query_xml::{Form, Xml};

impl Iam {
    pub(super) fn tag_role(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        add_tags(&mut self.role_mut(form)?.tags, form)?;
        Ok(None)
    }

    pub(super) fn untag_role(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        tags::remove(&mut self.role_mut(form)?.tags, form.list("TagKeys"));
        Ok(None)
    }

    pub(super) fn list_role_tags(&self, form: &Form) -> Result<Xml, Failure> {
        let role = self.role(form)?;
        let tag = |(key, value): (&String, &String)| {
            (
                key.clone(),
                Xml::default().text("Key", key).text("Value", value),
            )
        };
        let page = read::page(form, role.tags.iter().map(tag))?;
        Ok(read::page_end(
            Xml::default().members("Tags", page.items),
            page.next.as_deref(),
        ))
    }
}

/// Adds the parameters `Tags.member.N`.
pub(super) fn add_tags(tags: &mut TagMap, form: &Form) -> Result<(), Failure> {
    let mut new = TagMap::new();
    for (key, value) in form.pairs("Tags") {
        if new.insert(key.to_owned(), value.to_owned()).is_some() {
            let message =
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Failure::new(400, "InvalidInput", message));
        }
    }
    tags::add(tags, new).map_err(|fault| match fault {
        TagFault::TooMany => limit_exceeded(format!(
            "Cannot exceed quota for TagsPerRole: {TAGS_PER_RESOURCE}"
        )),
        TagFault::Reserved => Failure::new(400, "InvalidInput", fault.to_string()),
        TagFault::Key(_) | TagFault::Value(_) => validation(fault.to_string()),
    })
}
