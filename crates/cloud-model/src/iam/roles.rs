//! Roles themselves. Documents are URL-encoded in answers, as AWS does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::Document;
use super::managed::Boundary;
use super::role_tags::add_tags;
use super::{Iam, limit_exceeded, read, validation};
use crate::call::{Call, iso_seconds};
use crate::constraints;
use crate::error::Failure;
use crate::ids::role_id;
use crate::limits::ROLES;
use crate::tags::TagMap;
use crate::wire::query_xml::{Form, Xml};
use crate::wire::url;

const DEFAULT_SESSION_SECONDS: i64 = 3_600;
const MAX_SESSION_SECONDS: i64 = 43_200;

/// One role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(super) name: String,
    path: String,
    pub(super) arn: String,
    pub(super) id: String,
    description: Option<String>,
    pub(super) max_session_seconds: i64,
    created: Timestamp,
    pub(super) trust: Document,
    /// Inline policies by name.
    pub(super) inline: BTreeMap<String, Document>,
    /// ARNs of attached managed policies.
    pub(super) attached: BTreeSet<String>,
    pub(super) boundary: Option<Boundary>,
    pub(super) tags: TagMap,
}

/// How much of a role an operation shows; recorded from AWS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// CreateRole: no session duration unless one was asked for.
    Created { session_given: bool },
    /// GetRole: all.
    Full,
    /// ListRoles: no tags, no last use.
    Listed,
}

impl Role {
    /// Whether that is its name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name
    }

    fn show(&self, detail: Detail) -> Xml {
        let xml = Xml::default()
            .text("Path", &self.path)
            .text("RoleName", &self.name)
            .text("RoleId", &self.id)
            .text("Arn", &self.arn)
            .text("CreateDate", &iso_seconds(self.created))
            .text("AssumeRolePolicyDocument", &url::encode(&self.trust.text))
            .maybe("Description", self.description.as_deref());
        let seconds = self.max_session_seconds.to_string();
        let session = (detail
            != Detail::Created {
                session_given: false,
            })
        .then_some(seconds.as_str());
        let xml = xml.maybe("MaxSessionDuration", session);
        let xml = if detail != Detail::Listed && !self.tags.is_empty() {
            let tag = |(key, value): (&String, &String)| {
                Xml::default().text("Key", key).text("Value", value)
            };
            xml.members("Tags", self.tags.iter().map(tag))
        } else {
            xml
        };
        let xml = match &self.boundary {
            Some(boundary) if detail != Detail::Listed => {
                xml.element("PermissionsBoundary", boundary.show())
            }
            _ => xml,
        };
        if detail == Detail::Full {
            xml.element("RoleLastUsed", Xml::default())
        } else {
            xml
        }
    }
}

impl Iam {
    pub(super) fn create_role(&mut self, form: &Form, call: &mut Call<'_>) -> Result<Xml, Failure> {
        let name = read::role_name(form)?;
        let path = form.text("Path").unwrap_or("/");
        check_path(path, "path")?;
        let trust = Document::trust(read::required(
            form,
            "AssumeRolePolicyDocument",
            "assumeRolePolicyDocument",
        )?)?;
        let description = read_description(form)?;
        let session = read_session(form)?;
        let boundary = form
            .text("PermissionsBoundary")
            .map(|arn| self.boundary(arn))
            .transpose()?;
        let mut tags = TagMap::new();
        add_tags(&mut tags, form)?;
        let key = name.to_lowercase();
        if self.roles.contains_key(&key) {
            return Err(Failure::new(
                409,
                "EntityAlreadyExists",
                format!("Role with name {name} already exists."),
            ));
        }
        if self.roles.len() >= ROLES {
            return Err(limit_exceeded(format!(
                "Cannot exceed quota for RolesPerAccount: {ROLES}"
            )));
        }
        let role = Role {
            name: name.to_owned(),
            path: path.to_owned(),
            arn: format!("arn:aws:iam::{}:role{path}{name}", call.settings.account_id),
            id: role_id(call.ids),
            description,
            max_session_seconds: session.unwrap_or(DEFAULT_SESSION_SECONDS),
            created: call.now,
            trust,
            inline: BTreeMap::new(),
            attached: BTreeSet::new(),
            boundary,
            tags,
        };
        let shown = role.show(Detail::Created {
            session_given: session.is_some(),
        });
        self.roles.insert(key, Arc::new(role));
        Ok(Xml::default().element("Role", shown))
    }

    pub(super) fn get_role(&self, form: &Form) -> Result<Xml, Failure> {
        Ok(Xml::default().element("Role", self.role(form)?.show(Detail::Full)))
    }

    pub(super) fn list_roles(&self, form: &Form) -> Result<Xml, Failure> {
        let prefix = form.text("PathPrefix").unwrap_or("/");
        if !prefix.starts_with('/') {
            check_path(prefix, "pathPrefix")?;
        }
        let under = self
            .roles
            .iter()
            .filter(|(_, role)| role.path.starts_with(prefix));
        let page = read::page(
            form,
            under.map(|(key, role)| (key.clone(), role.show(Detail::Listed))),
        )?;
        Ok(read::page_end(
            Xml::default().members("Roles", page.items),
            page.next.as_deref(),
        ))
    }

    pub(super) fn delete_role(&mut self, form: &Form) -> Result<Option<Xml>, Failure> {
        let role = self.role(form)?;
        let conflict = |first: &str| {
            let message = format!("Cannot delete entity, must {first} policies first.");
            Err(Failure::new(409, "DeleteConflict", message))
        };
        if !role.attached.is_empty() {
            return conflict("detach all");
        }
        if !role.inline.is_empty() {
            return conflict("delete");
        }
        let key = role.name.to_lowercase();
        self.roles.remove(&key);
        Ok(None)
    }

    pub(super) fn update_assume_role_policy(
        &mut self,
        form: &Form,
    ) -> Result<Option<Xml>, Failure> {
        let role = self.role_mut(form)?;
        role.trust = Document::trust(read::required(form, "PolicyDocument", "policyDocument")?)?;
        Ok(None)
    }

    pub(super) fn update_role(&mut self, form: &Form) -> Result<Xml, Failure> {
        let role = self.role_mut(form)?;
        let session = read_session(form)?;
        if form.text("Description").is_some() {
            role.description = read_description(form)?;
        }
        if let Some(session) = session {
            role.max_session_seconds = session;
        }
        Ok(Xml::default())
    }
}

fn read_description(form: &Form) -> Result<Option<String>, Failure> {
    let Some(text) = form.text("Description") else {
        return Ok(None);
    };
    constraints::length(text, "description", 0, 1000).map_err(validation)?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

fn read_session(form: &Form) -> Result<Option<i64>, Failure> {
    let (min, max) = (DEFAULT_SESSION_SECONDS, MAX_SESSION_SECONDS);
    read::integer(form, "MaxSessionDuration", "maxSessionDuration", min, max)
}

pub(super) fn check_path(path: &str, member: &str) -> Result<(), Failure> {
    constraints::length(path, member, 1, 512).map_err(validation)?;
    let graphic = path.bytes().all(|b| b.is_ascii_graphic());
    if graphic && path.starts_with('/') && path.ends_with('/') {
        return Ok(());
    }
    Err(validation(format!(
        "The specified value for {member} is invalid. It must begin and end with / and contain only \
         alphanumeric characters and/or / characters."
    )))
}
