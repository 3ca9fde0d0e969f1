//! What a stage's journal says of the stage by its tags, beside whose it is: who made it,
//! when it expires, what a `down` leaves of it and whether it wants to be confirmed. They
//! come with the journal, before anything else of the stage, so that a stage can be listed
//! and removed by somebody who has no file of it.
//!
//! A journal of an earlier version has none of them: its stage never expires, is not
//! protected and leaves nothing. What somebody wrote there by hand and nobody understands
//! is taken for the careful thing.
//!
//! Deliberately absent: a clock. Whoever asks says what time it is.

use crate::desired::Desired;
use crate::stage_file::Retained;
use crate::tags::Tags;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// Who made the stage: an ARN, as far as tags take its characters.
pub const OWNER_TAG: &str = "deployer:owner";
/// From when on `down --expired` removes the stage: RFC 3339.
pub const EXPIRES_TAG: &str = "deployer:expires";
/// What a `down` leaves in the account. Without it: nothing.
pub const RETAIN_TAG: &str = "deployer:retain";
/// That a `down` wants the stage's name said. Without it: it doesn't.
pub const PROTECTED_TAG: &str = "deployer:protected";

/// The longest value of a tag (service model of CloudWatch Logs), in characters.
const VALUE_LIMIT: usize = 256;
/// What [`RETAIN_TAG`] says of the functions' log groups.
const LOGS: &str = "logs";
/// What [`PROTECTED_TAG`] says.
const PROTECTED: &str = "true";

/// What an `up` does about the moment at which its stage expires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Expiry {
    /// It stays what it is.
    #[default]
    Keep,
    /// The stage expires at this moment.
    At(Timestamp),
    /// The stage doesn't expire.
    Never,
}

/// What a journal says of its stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Who made it; `None`: an earlier version didn't say.
    pub owner: Option<String>,
    /// `None`: never.
    pub expires: Option<Timestamp>,
    /// What a `down` leaves in the account.
    pub retain: BTreeSet<Retained>,
    /// Whether a `down` wants its name said.
    pub protected: bool,
}

impl Record {
    /// What these tags of a journal say.
    pub fn of(tags: &Tags) -> Self {
        let retain = match tags.get(RETAIN_TAG).map(String::as_str) {
            None | Some("") => BTreeSet::new(),
            Some(_) => BTreeSet::from([Retained::Logs]),
        };
        Self {
            owner: tags.get(OWNER_TAG).cloned(),
            expires: tags.get(EXPIRES_TAG).and_then(|at| at.parse().ok()),
            retain,
            protected: tags.get(PROTECTED_TAG).is_some_and(|it| it != "false"),
        }
    }

    /// Whether its stage had expired at `now`.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// What a journal that is made now says of the stage, with who makes it.
pub(crate) fn first(desired: &Desired) -> Tags {
    let mut tags = wanted(desired);
    let owner = legal(&desired.provenance.by);
    if !owner.is_empty() {
        tags.insert(OWNER_TAG.to_owned(), owner);
    }
    tags
}

/// What a journal should say of the stage, whoever made it.
pub(crate) fn wanted(desired: &Desired) -> Tags {
    let mut tags = Tags::new();
    if let Expiry::At(at) = desired.expiry {
        tags.insert(EXPIRES_TAG.to_owned(), at.to_string());
    }
    if desired.retain.contains(&Retained::Logs) {
        tags.insert(RETAIN_TAG.to_owned(), LOGS.to_owned());
    }
    if desired.protected {
        tags.insert(PROTECTED_TAG.to_owned(), PROTECTED.to_owned());
    }
    tags
}

/// Whether a tag of the journal goes where it isn't among those that are [`wanted`].
pub(crate) fn is_cleared(key: &str, desired: &Desired) -> bool {
    match key {
        RETAIN_TAG | PROTECTED_TAG => true,
        EXPIRES_TAG => desired.expiry == Expiry::Never,
        _ => false,
    }
}

/// What a tag's value takes of a text.
fn legal(text: &str) -> String {
    let replaced = text.chars().map(|c| match c {
        '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@' | ' ' => c,
        c if c.is_alphanumeric() => c,
        _ => '_',
    });
    replaced.take(VALUE_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(all: &[(&str, &str)]) -> Tags {
        let one = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        all.iter().map(one).collect()
    }

    #[test]
    fn a_journal_of_an_earlier_version_says_nothing() {
        let record = Record::of(&tags(&[("deployer:service", "chat")]));
        assert_eq!(record, Record::default());
        assert!(!record.has_expired(Timestamp::MAX));
    }

    #[test]
    fn a_stage_has_expired_from_its_moment_on() {
        let record = Record::of(&tags(&[(EXPIRES_TAG, "2026-11-26T16:30:00Z")]));
        let at = |text: &str| record.has_expired(text.parse().unwrap());
        assert!(!at("2026-11-26T16:29:59.999Z"));
        assert!(at("2026-11-26T16:30:00Z"));
        assert!(at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn what_nobody_understands_is_taken_for_the_careful_thing() {
        let record = Record::of(&tags(&[
            (EXPIRES_TAG, "soon"),
            (RETAIN_TAG, "logs and more"),
            (PROTECTED_TAG, "yes"),
        ]));
        assert_eq!(record.expires, None);
        assert!(record.protected && record.retain.contains(&Retained::Logs));
        assert!(!Record::of(&tags(&[(PROTECTED_TAG, "false")])).protected);
    }

    #[test]
    fn an_owner_is_written_with_the_characters_that_tags_take() {
        let arn = "arn:aws:sts::123456789012:assumed-role/ci,x/a@b";
        assert_eq!(
            legal(arn),
            "arn:aws:sts::123456789012:assumed-role/ci_x/a@b"
        );
        assert_eq!(legal(&"x".repeat(300)).len(), VALUE_LIMIT);
    }
}
