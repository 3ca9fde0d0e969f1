//! Instance profiles aren't there: no role is in one. Whoever deletes a role asks first.

use super::{Iam, read};
use crate::error::Failure;
use crate::wire::query_xml::{Form, Xml};

impl Iam {
    pub(super) fn list_instance_profiles_for_role(&self, form: &Form) -> Result<Xml, Failure> {
        self.role(form)?;
        let page = read::page(form, std::iter::empty::<(String, Xml)>())?;
        Ok(read::page_end(
            Xml::default().members("InstanceProfiles", page.items),
            page.next.as_deref(),
        ))
    }
}
