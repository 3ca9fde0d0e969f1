//! Ownership tags: what marks a resource as belonging to a deploy stage.
//!
//! Only what carries these tags is ever changed or deleted. Routes, integrations
//! and deployments (and inline policies) cannot be tagged: they belong to
//! whoever owns their parent.

use crate::names::StageIdentity;
use std::collections::BTreeMap;

/// Names the version of this tagging scheme.
pub const SCHEMA_TAG: &str = "deployer:schema";
/// The scheme written by this version. A resource with another one is refused,
/// not guessed at.
pub const SCHEMA_VERSION: &str = "1";
/// Names the service.
pub const SERVICE_TAG: &str = "deployer:service";
/// Names the deploy stage.
pub const STAGE_TAG: &str = "deployer:stage";

/// Tags as AWS keeps them.
pub type Tags = BTreeMap<String, String>;

/// The tags every taggable resource of a stage carries.
pub fn ownership(identity: &StageIdentity) -> Tags {
    Tags::from([
        (SCHEMA_TAG.to_owned(), SCHEMA_VERSION.to_owned()),
        (SERVICE_TAG.to_owned(), identity.service.clone()),
        (STAGE_TAG.to_owned(), identity.stage.clone()),
    ])
}

/// The same with the stage file's own tags.
pub fn with_own(identity: &StageIdentity, own: &Tags) -> Tags {
    let mut tags = own.clone();
    tags.extend(ownership(identity));
    tags
}

/// Whether a tag is none of a stage file's business: AWS's own, and those by
/// which the deployer knows what is its.
pub fn is_reserved(key: &str) -> bool {
    let key = key.to_lowercase();
    key.starts_with("aws:") || key.starts_with("deployer:")
}

/// Whose resource the tags say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// This stage's, in the scheme this version knows.
    Ours,
    /// This stage's, but written in a scheme this version doesn't know.
    UnknownSchema,
    /// Somebody else's, or nobody's.
    Foreign,
}

/// Reads the tags of a resource.
pub fn ownership_of(tags: &Tags, identity: &StageIdentity) -> Ownership {
    let is = |key: &str, value: &str| tags.get(key).is_some_and(|found| found == value);
    if !is(SERVICE_TAG, &identity.service) || !is(STAGE_TAG, &identity.stage) {
        Ownership::Foreign
    } else if is(SCHEMA_TAG, SCHEMA_VERSION) {
        Ownership::Ours
    } else {
        Ownership::UnknownSchema
    }
}

/// The other stage that the tags name, as `service/stage`; `None`: nobody has
/// claimed the resource, or only this stage, so that it may be adopted.
pub fn claimant(tags: &Tags, identity: &StageIdentity) -> Option<String> {
    let (service, stage) = (tags.get(SERVICE_TAG), tags.get(STAGE_TAG));
    let other = service.is_some_and(|service| *service != identity.service)
        || stage.is_some_and(|stage| *stage != identity.stage);
    let word = |tag: Option<&String>| tag.map_or_else(|| "?".to_owned(), String::clone);
    other.then(|| format!("{}/{}", word(service), word(stage)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> StageIdentity {
        StageIdentity {
            service: "chat".into(),
            stage: "alpha".into(),
        }
    }

    #[test]
    fn a_stage_owns_what_it_tagged_and_nothing_of_another_stage() {
        let tags = ownership(&identity());
        assert_eq!(ownership_of(&tags, &identity()), Ownership::Ours);
        let other = StageIdentity {
            stage: "beta".into(),
            ..identity()
        };
        assert_eq!(ownership_of(&tags, &other), Ownership::Foreign);
        assert_eq!(ownership_of(&Tags::new(), &identity()), Ownership::Foreign);
    }

    #[test]
    fn a_later_scheme_is_recognised_as_unknown() {
        let mut tags = ownership(&identity());
        tags.insert(SCHEMA_TAG.into(), "2".into());
        assert_eq!(ownership_of(&tags, &identity()), Ownership::UnknownSchema);
    }

    #[test]
    fn only_what_nobody_else_claimed_may_be_adopted() {
        let mut tags = Tags::from([("team".to_owned(), "chat".to_owned())]);
        assert_eq!(claimant(&tags, &identity()), None);
        tags.insert(SERVICE_TAG.into(), "chat".into());
        assert_eq!(claimant(&tags, &identity()), None);
        tags.insert(STAGE_TAG.into(), "beta".into());
        assert_eq!(claimant(&tags, &identity()).as_deref(), Some("chat/beta"));
        let tags = Tags::from([(SERVICE_TAG.to_owned(), "other".to_owned())]);
        assert_eq!(claimant(&tags, &identity()).as_deref(), Some("other/?"));
    }
}
