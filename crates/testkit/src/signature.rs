//! Signature version 4, as the account's own user signs requests by hand.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use local_cloud::{REGION, USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY};
use std::time::SystemTime;

/// The headers that sign a request to `host`.
///
/// # Panics
/// When the request is none.
pub fn headers(
    service: &str,
    method: &str,
    host: &str,
    path: &str,
    body: &[u8],
) -> Vec<(String, String)> {
    let (key, secret) = (USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY);
    let identity = Credentials::new(key, secret, None, None, "by hand").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("all parameters are there")
        .into();
    let url = format!("http://{host}{path}");
    let host = [("host", host)].into_iter();
    let signable = SignableRequest::new(method, url, host, SignableBody::Bytes(body));
    let signed = sign(signable.expect("a legal request"), &params);
    let (instructions, _) = signed.expect("it can be signed").into_parts();
    let pairs = instructions.headers();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
