//! How long a stage lives: `90m`, `12h`, `3d`, `2w`.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use std::fmt;
use std::str::FromStr;

/// The shortest: a deploy takes as long.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
/// The longest: what is to live longer needs no end.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
/// To what moments are rounded up, in seconds: an `up` that comes right after another has
/// nothing to renew.
const ROUNDED_TO: i64 = 60;

/// A time to live, one minute to 366 days. A day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl(SignedDuration);

impl Ttl {
    /// When a stage expires that is deployed at `now`: on the full minute.
    pub fn from(self, now: Timestamp) -> Timestamp {
        let exactly = now.saturating_add(self.0).unwrap_or(Timestamp::MAX);
        let second = exactly.as_second();
        let part = i64::from(exactly.subsec_nanosecond() > 0);
        let rounded = (second + part).div_euclid(ROUNDED_TO) * ROUNDED_TO;
        let up = match rounded < second + part {
            true => rounded + ROUNDED_TO,
            false => rounded,
        };
        Timestamp::from_second(up).unwrap_or(exactly)
    }
}

/// Why a text is no time to live.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TtlError {
    /// It isn't understood.
    #[error("`{0}` is no time to live: write e.g. `90m`, `12h`, `3d` or `2w`")]
    Unreadable(String),
    /// Too short or too long.
    #[error("`{0}` is out of bounds: a stage lives at least 1 minute and at most 366 days")]
    OutOfBounds(String),
}

impl FromStr for Ttl {
    type Err = TtlError;

    fn from_str(text: &str) -> Result<Self, TtlError> {
        let unreadable = |_| TtlError::Unreadable(text.to_owned());
        let span: Span = text.parse().map_err(unreadable)?;
        // Months and years have no length of their own.
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours());
        let length = length.map_err(unreadable)?;
        match (SHORTEST..=LONGEST).contains(&length) {
            true => Ok(Self(length)),
            false => Err(TtlError::OutOfBounds(text.to_owned())),
        }
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_a_number_and_its_unit() {
        let hours = |text: &str| text.parse::<Ttl>().unwrap().0.as_hours();
        assert_eq!(hours("12h"), 12);
        assert_eq!(hours("3d"), 72);
        assert_eq!(hours("2w"), 14 * 24);
        assert_eq!(hours("1d 12h"), 36);
        assert_eq!(
            "90m".parse::<Ttl>().unwrap().0,
            SignedDuration::from_mins(90)
        );
    }

    #[test]
    fn what_has_no_length_or_a_senseless_one_is_refused() {
        for text in ["", "3", "soon", "1mo", "1y", "3x"] {
            let error = text.parse::<Ttl>().unwrap_err();
            assert_eq!(error, TtlError::Unreadable(text.to_owned()));
        }
        for text in ["59s", "0d", "-3d", "367d", "3d ago"] {
            let error = text.parse::<Ttl>().unwrap_err();
            assert_eq!(error, TtlError::OutOfBounds(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_stage_expires_on_a_full_minute_and_never_too_early() {
        let ttl: Ttl = "1h".parse().unwrap();
        let from = |now: &str| ttl.from(now.parse().unwrap()).to_string();
        assert_eq!(from("2026-11-23T10:00:00Z"), "2026-11-23T11:00:00Z");
        assert_eq!(from("2026-11-23T10:00:00.001Z"), "2026-11-23T11:01:00Z");
        assert_eq!(from("2026-11-23T10:00:59Z"), "2026-11-23T11:01:00Z");
        let far: Ttl = "366d".parse().unwrap();
        assert!(far.from(Timestamp::MAX) <= Timestamp::MAX);
    }
}
