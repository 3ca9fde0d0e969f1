//! Signature version 4, verified: canonical request, string to sign, key and
//! signature are computed again and compared. In the `Authorization` header or
//! presigned in the query.
//!
//! Deliberately absent: chunked and asymmetric signatures, and who may do what.

use hmac::{Hmac, Mac};
use http::{HeaderMap, Method, Uri};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Instead of a body's hash, by who streams it.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// How far a signer's clock may be off.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The longest life of a presigned request.
const LONGEST_EXPIRY_SECONDS: i64 = 7 * 24 * 60 * 60;
/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What a key's owner signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) secret_access_key: String,
    /// `None`: the key is a permanent one.
    pub(crate) session_token: Option<String>,
}

/// Why a request is not let through. Clients only learn that it isn't.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unverified {
    #[error("Missing Authentication Token")]
    Unsigned,
    #[error("the signature is malformed: {0}")]
    Malformed(&'static str),
    #[error("the credential should be scoped to {0}")]
    WrongScope(String),
    #[error("the signature has expired, or is not yet current")]
    NotCurrent,
    #[error("nobody has the access key {0}")]
    UnknownKey(String),
    #[error("the security token is invalid")]
    WrongToken,
    #[error("the signature does not match")]
    Mismatch,
}

impl Unverified {
    /// As clients are told.
    pub(crate) fn kind(&self) -> cloud_model::Unverified {
        match self {
            Self::UnknownKey(_) | Self::WrongToken => cloud_model::Unverified::UnknownKey,
            Self::NotCurrent => cloud_model::Unverified::NotCurrent,
            Self::Unsigned | Self::Malformed(_) | Self::WrongScope(_) | Self::Mismatch => {
                cloud_model::Unverified::Mismatch
            }
        }
    }
}

/// For what a signature must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// `None`: any.
    pub(crate) region: Option<&'a str>,
    pub(crate) service: &'a str,
    pub(crate) now: Timestamp,
}

/// A request as it is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The access key id of whoever signed a request.
pub(crate) fn verify(
    request: Signed<'_>,
    expected: Expected<'_>,
    secret_of: impl FnOnce(&str) -> Option<Secret>,
) -> Result<String, Unverified> {
    let headers = request.headers;
    let query: Vec<(String, String)> = request.uri.query().map(pairs).unwrap_or_default();
    let claim = match text(headers, "authorization") {
        Some(header) if header.starts_with(ALGORITHM) => Claim::of_header(&header, headers)?,
        _ => Claim::of_query(&query).ok_or(Unverified::Unsigned)??,
    };
    let claimed = claim.scope.split('/').nth(1).unwrap_or_default().to_owned();
    let region = expected.region.unwrap_or(&claimed);
    let scope = format!(
        "{}/{region}/{}/aws4_request",
        claim.day()?,
        expected.service
    );
    if claim.scope != scope {
        return Err(Unverified::WrongScope(scope));
    }
    claim.check_time(expected.now)?;
    let unknown = || Unverified::UnknownKey(claim.access_key_id.clone());
    let secret = secret_of(&claim.access_key_id).ok_or_else(unknown)?;
    if claim.token != secret.session_token {
        return Err(Unverified::WrongToken);
    }
    if !claim.signed_headers.iter().any(|name| name == "host") {
        return Err(Unverified::Malformed("host is not signed"));
    }
    let request = canonical_request(request, &query, &claim)?;
    let to_sign = format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        claim.date,
        claim.scope,
        hex(&Sha256::digest(request.as_bytes()))
    );
    let mut key = mac(
        format!("AWS4{}", secret.secret_access_key).as_bytes(),
        claim.day()?,
    )
    .finalize()
    .into_bytes();
    for part in [region, expected.service, "aws4_request"] {
        key = mac(&key, part).finalize().into_bytes();
    }
    let signature = unhex(&claim.signature).ok_or(Unverified::Malformed("Signature"))?;
    // In constant time.
    mac(&key, &to_sign)
        .verify_slice(&signature)
        .map_err(|_| Unverified::Mismatch)?;
    Ok(claim.access_key_id)
}

/// What a request says of its signature.
#[derive(Debug)]
struct Claim {
    access_key_id: String,
    /// `20260101/us-east-1/execute-api/aws4_request`
    scope: String,
    /// `20260101T000000Z`
    date: String,
    signed_headers: Vec<String>,
    signature: String,
    token: Option<String>,
    /// Seconds, of a presigned request.
    expires: Option<i64>,
}

impl Claim {
    fn of_header(header: &str, headers: &HeaderMap) -> Result<Self, Unverified> {
        let parts = header[ALGORITHM.len()..].split(',');
        let named: Vec<(&str, &str)> = parts
            .filter_map(|part| part.trim().split_once('='))
            .collect();
        let part = |name: &'static str| {
            let found = named.iter().find(|(key, _)| *key == name);
            found
                .map(|(_, value)| *value)
                .ok_or(Unverified::Malformed(name))
        };
        let date = text(headers, "x-amz-date").ok_or(Unverified::Malformed("X-Amz-Date"))?;
        let token = text(headers, "x-amz-security-token");
        Self::new(
            part("Credential")?,
            date,
            part("SignedHeaders")?,
            part("Signature")?,
            token,
            None,
        )
    }

    /// `None`: the request isn't presigned.
    fn of_query(query: &[(String, String)]) -> Option<Result<Self, Unverified>> {
        let part = |name: &'static str| {
            let found = query.iter().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.clone())
                .ok_or(Unverified::Malformed(name))
        };
        part("X-Amz-Algorithm")
            .ok()
            .filter(|name| name == ALGORITHM)?;
        let read = || {
            let expires = part("X-Amz-Expires")?;
            let expires = expires
                .parse()
                .map_err(|_| Unverified::Malformed("X-Amz-Expires"))?;
            Self::new(
                &part("X-Amz-Credential")?,
                part("X-Amz-Date")?,
                &part("X-Amz-SignedHeaders")?,
                &part("X-Amz-Signature")?,
                part("X-Amz-Security-Token").ok(),
                Some(expires),
            )
        };
        Some(read())
    }

    fn new(
        credential: &str,
        date: String,
        signed_headers: &str,
        signature: &str,
        token: Option<String>,
        expires: Option<i64>,
    ) -> Result<Self, Unverified> {
        let (id, scope) = credential
            .split_once('/')
            .ok_or(Unverified::Malformed("Credential"))?;
        Ok(Self {
            access_key_id: id.to_owned(),
            scope: scope.to_owned(),
            date,
            signed_headers: signed_headers.split(';').map(str::to_lowercase).collect(),
            signature: signature.to_owned(),
            token,
            expires,
        })
    }

    fn day(&self) -> Result<&str, Unverified> {
        self.date
            .get(..8)
            .ok_or(Unverified::Malformed("X-Amz-Date"))
    }

    fn check_time(&self, now: Timestamp) -> Result<(), Unverified> {
        let at = DateTime::strptime("%Y%m%dT%H%M%SZ", &self.date)
            .and_then(|at| at.to_zoned(TimeZone::UTC))
            .map_err(|_| Unverified::Malformed("X-Amz-Date"))?
            .timestamp();
        let age = now.duration_since(at);
        let oldest = match self.expires {
            Some(seconds) if (1..=LONGEST_EXPIRY_SECONDS).contains(&seconds) => {
                SignedDuration::from_secs(seconds)
            }
            Some(_) => return Err(Unverified::Malformed("X-Amz-Expires")),
            None => SKEW,
        };
        match age <= oldest && age >= -SKEW {
            true => Ok(()),
            false => Err(Unverified::NotCurrent),
        }
    }
}

fn canonical_request(
    request: Signed<'_>,
    query: &[(String, String)],
    claim: &Claim,
) -> Result<String, Unverified> {
    let Signed {
        method,
        uri,
        headers,
        body,
    } = request;
    // Twice encoded: the path stands as it came, with every segment encoded again.
    let path: Vec<String> = uri.path().split('/').map(encode).collect();
    let mut query: Vec<(String, String)> = query
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    query.sort();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut signed = String::new();
    for name in &claim.signed_headers {
        let value = text(headers, name).ok_or(Unverified::Malformed("SignedHeaders"))?;
        signed += &format!("{name}:{value}\n");
    }
    // A body that isn't the one whose hash was signed doesn't match.
    let payload = hex(&Sha256::digest(body));
    let said = text(headers, "x-amz-content-sha256").filter(|said| said == UNSIGNED_PAYLOAD);
    Ok(format!(
        "{method}\n{}\n{}\n{signed}\n{}\n{}",
        path.join("/"),
        query.join("&"),
        claim.signed_headers.join(";"),
        said.unwrap_or(payload)
    ))
}

/// All values of a header as signers see them: trimmed, single spaces, commas.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn encode(text: impl AsRef<str>) -> String {
    utf8_percent_encode(text.as_ref(), ENCODED).to_string()
}

fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    (digits.len() == 64).then(|| digits.chunks(2).map(pair).collect())?
}

#[cfg(test)]
mod tests;
