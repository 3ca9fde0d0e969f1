//! What every operation is given beside its input.

use jiff::{SignedDuration, Timestamp};

use crate::{Effect, IdSource, Settings};

/// The surroundings of one request: the account, the moment, ids to draw and
/// effects to report.
pub(crate) struct Call<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a mut dyn IdSource,
    pub(crate) effects: &'a mut Vec<Effect>,
    /// How long a function that is made or changed now settles.
    pub(crate) activation: SignedDuration,
    /// How long AWS takes to answer.
    pub(crate) held_back: SignedDuration,
}

/// `2018-11-15T06:49:09Z`, as API Gateway and IAM write instants.
pub(crate) fn iso_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-01-02T03:04:05.678+0000`, as Lambda writes instants.
pub(crate) fn iso_millis_offset(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}
