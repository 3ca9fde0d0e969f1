//! Tags of roles.

use super::{Iam, limit_exceeded, read, validation};
use crate::constraints;
use crate::error::Failure;
use crate::limits::TAGS_PER_RESOURCE;
use crate::tags::{self, TagFault, TagMap};
use crate::wire::query_xml::{Form, Xml};

const TAG_PATTERN: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*";

impl Iam {
    pub(super) fn tag_role(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let role = self.role_mut(form)?;
        if form.pairs("Tags").is_empty() {
            return Err(validation(constraints::missing("tags")));
        }
        add_tags(&mut role.tags, form)?;
        Ok(None)
    }

    pub(super) fn untag_role(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let role = self.role_mut(form)?;
        let keys = form.list("TagKeys");
        if keys.is_empty() {
            return Err(validation(constraints::missing("tagKeys")));
        }
        if keys.len() > TAGS_PER_RESOURCE {
            let rule = format!("Member must have length less than or equal to {TAGS_PER_RESOURCE}");
            let shown = format!("[{}]", keys.join(", "));
            return Err(validation(constraints::violation(shown, "tagKeys", &rule)));
        }
        tags::remove(&mut role.tags, keys);
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
    for (at, (key, value)) in form.pairs("Tags").into_iter().enumerate() {
        let missing = |part| {
            let member = format!("tags.{}.member.{part}", at + 1);
            validation(constraints::missing(&member))
        };
        let key = key.ok_or_else(|| missing("key"))?;
        let value = value.ok_or_else(|| missing("value"))?;
        for (part, text) in [("key", key), ("value", value)] {
            let member = format!("tags.{}.member.{part}", at + 1);
            let legal =
                |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
            constraints::pattern(text, &member, TAG_PATTERN, text.chars().all(legal))
                .map_err(validation)?;
        }
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
