//! Tags of a resource: the rules that all services share. Each service words
//! its own refusals.

use std::collections::BTreeMap;

use crate::limits::{TAG_KEY_CHARS, TAG_VALUE_CHARS, TAGS_PER_RESOURCE};

/// Tags of one resource by key.
pub(crate) type TagMap = BTreeMap<String, String>;

/// Which rule new tags break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TagFault {
    /// More than 50 together with those that are there.
    #[error("Number of tags exceeds resource tag limit.")]
    TooMany,
    /// `aws:` belongs to AWS.
    #[error("aws: prefixed tag key names are not allowed for external use.")]
    Reserved,
    /// An empty key or one that is too long.
    #[error("Tag keys must have between 1 and {TAG_KEY_CHARS} characters: {0:?}")]
    Key(String),
    /// A value that is too long.
    #[error("Tag values must have at most {TAG_VALUE_CHARS} characters: key {0:?}")]
    Value(String),
}

/// Adds `new` to `tags`; a key that is there gets the new value. Changes
/// nothing when a rule is broken.
pub(crate) fn add(tags: &mut TagMap, new: TagMap) -> Result<(), TagFault> {
    for (key, value) in &new {
        if key.is_empty() || key.chars().count() > TAG_KEY_CHARS {
            return Err(TagFault::Key(key.clone()));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(TagFault::Reserved);
        }
        if value.chars().count() > TAG_VALUE_CHARS {
            return Err(TagFault::Value(key.clone()));
        }
    }
    let fresh = new.keys().filter(|key| !tags.contains_key(*key)).count();
    if tags.len() + fresh > TAGS_PER_RESOURCE {
        return Err(TagFault::TooMany);
    }
    tags.extend(new);
    Ok(())
}

/// Removes `keys`; those that are not there are no mistake.
pub(crate) fn remove<'a>(tags: &mut TagMap, keys: impl IntoIterator<Item = &'a str>) {
    for key in keys {
        tags.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::{TagFault, TagMap, add, remove};

    fn map(pairs: &[(&str, &str)]) -> TagMap {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_new_value_replaces_the_old_one() {
        let mut tags = map(&[("a", "1"), ("b", "2")]);
        add(&mut tags, map(&[("a", "3")])).unwrap();
        assert_eq!(tags, map(&[("a", "3"), ("b", "2")]));
        remove(&mut tags, ["a", "absent"]);
        assert_eq!(tags, map(&[("b", "2")]));
    }

    #[test]
    fn the_51st_tag_is_refused_and_nothing_changes() {
        let mut tags: TagMap = (0..50).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(
            add(&mut tags, map(&[("0", "x"), ("new", "")])),
            Err(TagFault::TooMany)
        );
        assert_eq!(tags["0"], "");
        add(&mut tags, map(&[("0", "x")])).unwrap();
    }

    #[test]
    fn reserved_and_oversized_tags_are_refused() {
        let mut tags = TagMap::new();
        assert_eq!(
            add(&mut tags, map(&[("AWS:x", "")])),
            Err(TagFault::Reserved)
        );
        assert_eq!(
            add(&mut tags, map(&[("", "")])),
            Err(TagFault::Key(String::new()))
        );
        assert_eq!(
            add(&mut tags, map(&[("k", &"v".repeat(257))])),
            Err(TagFault::Value("k".to_owned()))
        );
    }
}
