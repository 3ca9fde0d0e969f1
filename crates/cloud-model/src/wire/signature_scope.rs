//! The credential scope of a SigV4 signature,
//! `{key}/{yyyymmdd}/{region}/{service}/aws4_request`: it names the service.

use bytes::Bytes;
use http::{Request, header};

use super::url;

/// The service name in the request's scope. `None`: the request is not signed.
pub fn signing_name(request: &Request<Bytes>) -> Option<String> {
    let from_header = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(credential_of_header)
        .map(str::to_owned);
    let credential = from_header.or_else(|| {
        // A presigned URL carries the same scope in its query.
        let pairs = url::pairs(request.uri().query()?);
        pairs
            .into_iter()
            .find(|(key, _)| key == "X-Amz-Credential")
            .map(|(_, value)| value)
    })?;
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        // The access key id may contain slashes: count from the end.
        [.., _key, _date, _region, service, "aws4_request"] if !service.is_empty() => {
            Some((*service).to_owned())
        }
        _ => None,
    }
}

fn credential_of_header(value: &str) -> Option<&str> {
    let parameters = value.trim().strip_prefix("AWS4-HMAC-SHA256")?;
    parameters
        .split(',')
        .find_map(|part| part.trim().strip_prefix("Credential="))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::signing_name;

    fn with_header(value: &str) -> Option<String> {
        let request = Request::builder()
            .header("authorization", value)
            .body(Bytes::new());
        signing_name(&request.unwrap())
    }

    #[test]
    fn the_scope_names_the_service_wherever_the_credential_stands() {
        let scope = "Credential=AKID/20260102/eu-central-1/lambda/aws4_request";
        let lambda = Some("lambda".to_owned());
        assert_eq!(
            with_header(&format!(
                "AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=00"
            )),
            lambda
        );
        assert_eq!(
            with_header(&format!(
                "AWS4-HMAC-SHA256 SignedHeaders=host,{scope},Signature=00"
            )),
            lambda
        );
    }

    #[test]
    fn other_authorization_is_no_signature() {
        assert_eq!(with_header("Bearer token"), None);
        assert_eq!(
            with_header("AWS4-HMAC-SHA256 Credential=AKID/20260102/lambda"),
            None
        );
    }

    #[test]
    fn a_presigned_url_is_signed() {
        let uri = "/?X-Amz-Credential=AKID%2F20260102%2Fus-east-1%2Fsts%2Faws4_request";
        let request = Request::builder().uri(uri).body(Bytes::new()).unwrap();
        assert_eq!(signing_name(&request), Some("sts".to_owned()));
    }
}
