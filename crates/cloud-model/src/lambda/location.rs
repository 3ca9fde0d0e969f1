//! `Code.Location`: where a function's zip can be had for some minutes, by whoever
//! GetFunction told.
//!
//! Deliberately absent: S3's own signature. The parameters are named as its are, and
//! only whoever gave the address reads them.

use hmac::{Hmac, Mac};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::Settings;

/// How long an address leads there, in seconds. The guide says 10 minutes.
const LIFE_SECONDS: i64 = 600;
const DATE: &str = "%Y%m%dT%H%M%SZ";

/// Why an address leads to no zip. In S3's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// GetFunction gave it too long ago.
    #[error("Request has expired")]
    Expired,
    /// GetFunction never gave it.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )]
    Unsigned,
    /// The code isn't there any more.
    #[error("The specified key does not exist.")]
    Gone,
}

impl NoCode {
    /// S3's code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "AccessDenied",
            Self::Unsigned => "SignatureDoesNotMatch",
            Self::Gone => "NoSuchKey",
        }
    }
}

/// The address of the zip with this digest, given now.
pub(super) fn of(settings: &Settings, digest: &str, now: Timestamp) -> String {
    let query = format!(
        "X-Amz-Date={}&X-Amz-Expires={LIFE_SECONDS}",
        now.strftime(DATE)
    );
    let mac = mac(&settings.code_key, digest, &query).finalize();
    let signature: String = mac
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let base = &settings.code_base;
    format!("{base}/{digest}?{query}&X-Amz-Signature={signature}")
}

/// Looks whether the address was given, and not too long ago.
pub(super) fn check(key: &str, digest: &str, query: &str, now: Timestamp) -> Result<(), NoCode> {
    let (signed, signature) = query
        .split_once("&X-Amz-Signature=")
        .ok_or(NoCode::Unsigned)?;
    let signature = bytes(signature).ok_or(NoCode::Unsigned)?;
    mac(key, digest, signed)
        .verify_slice(&signature)
        .map_err(|_| NoCode::Unsigned)?;
    // What is signed is ours, so it reads.
    let date = signed
        .strip_prefix("X-Amz-Date=")
        .and_then(|rest| rest.split('&').next());
    let given = date.and_then(|date| DateTime::strptime(DATE, date).ok());
    let given = given.and_then(|given| given.to_zoned(TimeZone::UTC).ok());
    let given = given.ok_or(NoCode::Unsigned)?.timestamp();
    match now.duration_since(given) > SignedDuration::from_secs(LIFE_SECONDS) {
        true => Err(NoCode::Expired),
        false => Ok(()),
    }
}

fn mac(key: &str, digest: &str, query: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{digest}?{query}").as_bytes());
    mac
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}
