//! How much of the account's quotas is used.
//!
//! Deliberately absent: what this model doesn't have, which AWS counts too (users, groups,
//! providers, devices).

use super::Iam;
use crate::limits::{
    ATTACHED_POLICIES_PER_ROLE, INLINE_POLICY_CHARS, MANAGED_POLICY_CHARS, POLICIES, ROLES,
    TRUST_POLICY_CHARS,
};
use crate::wire::query_xml::Xml;

impl Iam {
    pub(super) fn get_account_summary(&self) -> Xml {
        let entries = [
            ("AssumeRolePolicySizeQuota", TRUST_POLICY_CHARS),
            ("AttachedPoliciesPerRoleQuota", ATTACHED_POLICIES_PER_ROLE),
            ("Policies", self.policies.len()),
            ("PoliciesQuota", POLICIES),
            ("PolicySizeQuota", MANAGED_POLICY_CHARS),
            ("RolePolicySizeQuota", INLINE_POLICY_CHARS),
            ("Roles", self.roles.len()),
            ("RolesQuota", ROLES),
        ];
        let each = |map: Xml, (key, value): (&str, usize)| {
            let entry = Xml::default().text("key", key);
            map.element("entry", entry.text("value", &value.to_string()))
        };
        let map = entries.into_iter().fold(Xml::default(), each);
        Xml::default().element("SummaryMap", map)
    }
}
