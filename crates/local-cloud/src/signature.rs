//! Who signed a request: the access key id of a SigV4 `Authorization` header or
//! of a presigned query.
//!
//! Deliberately absent: verification (`sigv4`).

use http::{HeaderMap, StatusCode, Uri};

use crate::http_io::{self, Refusal, header};

/// As [`access_key_id`]; requests without one get AWS's answer.
pub(crate) fn signer<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Result<&'a str, Refusal> {
    access_key_id(headers, uri).ok_or_else(|| {
        let body = r#"{"message":"Missing Authentication Token"}"#;
        let code = "MissingAuthenticationTokenException";
        Box::new(http_io::error(StatusCode::FORBIDDEN, code, body))
    })
}

/// The access key id; `None`: the request is not signed.
pub(crate) fn access_key_id<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let in_header = header(headers, "authorization")
        .and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256"))
        .and_then(|value| value.split_once("Credential="))
        .map(|(_, rest)| rest);
    let in_query = || {
        let mut pairs = uri.query()?.split('&');
        pairs.find_map(|pair| pair.strip_prefix("X-Amz-Credential="))
    };
    let scope = in_header.or_else(in_query)?;
    let end = scope.find(['/', '%', ',']).unwrap_or(scope.len());
    (end > 0).then(|| &scope[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn key(authorization: &'static str, uri: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if !authorization.is_empty() {
            headers.insert("authorization", HeaderValue::from_static(authorization));
        }
        access_key_id(&headers, &uri.parse().unwrap()).map(str::to_owned)
    }

    #[test]
    fn the_key_is_found_in_header_or_query() {
        let header = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(key(header, "/").as_deref(), Some("AKID"));
        assert_eq!(
            key("", "/?X-Amz-Credential=AKID%2F2026").as_deref(),
            Some("AKID")
        );
        assert_eq!(key("Bearer x", "/"), None);
        assert_eq!(key("AWS4-HMAC-SHA256 Credential=", "/"), None);
        assert_eq!(key("", "/?a=b"), None);
    }
}
