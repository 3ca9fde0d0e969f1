//! Tokens: JWTs signed with HMAC-SHA-256 (RFC 7519, RFC 7515), read strictly.
//!
//! The algorithm is fixed: what a token's header says must agree, and never chooses.
//! Deliberately absent: other algorithms, `crit`, padded or otherwise non-canonical
//! base64, numbers with a fraction.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// Longer ones aren't looked at.
const TOKEN_LIMIT: usize = 4096;
/// Bytes that a key for HMAC-SHA-256 must have at least (RFC 7518, 3.2).
const KEY_MINIMUM: usize = 32;
/// Characters of a name.
const NAME_LIMIT: usize = 64;
/// How far ahead the clock of whoever made a token may be, in seconds.
const CLOCK_SKEW: u64 = 60;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's name: 1 to 64 letters, digits, single inner spaces and `._-@+'`.
    pub sub: String,
    /// It is good before this moment, in seconds since 1970.
    pub exp: u64,
    /// It is good from this moment on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    /// Extensions that must be understood; none is.
    #[serde(default, skip_serializing)]
    crit: Option<serde_json::Value>,
}

/// Why a client isn't let in. Says nothing of the token's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Refusal {
    #[error("there is no token")]
    Missing,
    #[error("there are several tokens")]
    Several,
    #[error("the token is longer than {TOKEN_LIMIT} bytes")]
    TooLong,
    #[error("the token doesn't have three parts in base64url")]
    Malformed,
    #[error("the signature isn't ours")]
    Signature,
    #[error("the header isn't that of a JWT signed with HS256")]
    Header,
    #[error("the claims aren't `sub` and `exp`, the latter whole seconds since 1970")]
    Claims,
    #[error("the name isn't 1 to {NAME_LIMIT} letters, digits, inner spaces and ._-@+'")]
    Name,
    #[error("the token has expired")]
    Expired,
    #[error("the token isn't good yet")]
    Early,
}

/// What tokens are signed with. Never shown by `Debug`.
#[derive(Clone)]
pub struct Key(Vec<u8>);

/// A key that could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key has {0} bytes: HS256 needs at least {KEY_MINIMUM}; make one with `openssl rand -base64 32`"
)]
pub struct WeakKey(usize);

impl Key {
    /// The key of these bytes.
    ///
    /// # Errors
    /// When they are fewer than HMAC-SHA-256 needs.
    pub fn new(bytes: &[u8]) -> Result<Self, WeakKey> {
        match bytes.len() {
            KEY_MINIMUM.. => Ok(Self(bytes.to_vec())),
            length => Err(WeakKey(length)),
        }
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// The claims of a token, if it was signed with the key and is good at a time in
/// seconds since 1970. The signature comes first: nothing unsigned is read.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify(token: &str, key: &Key, now: u64) -> Result<Claims, Refusal> {
    if token.len() > TOKEN_LIMIT {
        return Err(Refusal::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
    let [header, claims, signature] = [decode(header)?, decode(claims)?, decode(signature)?];
    let mut mac = key.mac();
    mac.update(signed.as_bytes());
    // In constant time.
    mac.verify_slice(&signature)
        .map_err(|_| Refusal::Signature)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| Refusal::Header)?;
    let typed = header.typ.as_deref().unwrap_or("JWT");
    if header.alg != "HS256" || header.crit.is_some() || !typed.eq_ignore_ascii_case("JWT") {
        return Err(Refusal::Header);
    }
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| Refusal::Claims)?;
    if !is_name(&claims.sub) {
        return Err(Refusal::Name);
    }
    if claims.exp <= now {
        return Err(Refusal::Expired);
    }
    let early = claims
        .nbf
        .is_some_and(|nbf| nbf > now.saturating_add(CLOCK_SKEW));
    match early {
        true => Err(Refusal::Early),
        false => Ok(claims),
    }
}

/// A token, for examples and tests: whoever knows the users makes theirs.
pub fn sign(claims: &Claims, key: &Key) -> String {
    let header = Header {
        alg: "HS256".to_owned(),
        typ: Some("JWT".to_owned()),
        crit: None,
    };
    let part = |json: Result<Vec<u8>, serde_json::Error>| {
        URL_SAFE_NO_PAD.encode(json.expect("texts and numbers are JSON"))
    };
    let signed = format!(
        "{}.{}",
        part(serde_json::to_vec(&header)),
        part(serde_json::to_vec(claims))
    );
    let mut mac = key.mac();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}

/// What others can read and nobody can hide anything in: no controls, no marks that
/// turn or overlay text, no spaces that can't be seen.
fn is_name(name: &str) -> bool {
    (1..=NAME_LIMIT).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || " ._-@+'".contains(c))
        && !name.starts_with(' ')
        && !name.ends_with(' ')
        && !name.contains("  ")
}

#[cfg(test)]
mod tests;
