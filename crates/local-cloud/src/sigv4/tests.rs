//! Against the official signer.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use http::Request;

use super::*;

const KEY: &str = "AKIDEXAMPLE";
const NOW: i64 = 1_790_000_000;

fn at(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap())
}

fn signed(uri: &str, location: SignatureLocation, token: Option<&str>) -> Request<()> {
    let mut request = Request::get(uri)
        .header("host", "127.0.0.1:9100")
        .header("x-two", "a   b")
        .header("x-two", "c")
        .body(())
        .unwrap();
    let credentials = Credentials::new(KEY, "secret", token.map(str::to_owned), None, "test");
    let identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.signature_location = location;
    if location == SignatureLocation::QueryParams {
        settings.expires_in = Some(Duration::from_secs(60));
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("execute-api")
        .time(at(NOW))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let full = format!("http://127.0.0.1:9100{uri}");
    let signable = SignableRequest::new("GET", full, headers, SignableBody::Bytes(b"")).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}

fn check(request: &Request<()>, now: i64, token: Option<&str>) -> Result<String, Unverified> {
    let expected = Expected {
        region: Some("us-east-1"),
        service: "execute-api",
        now: Timestamp::from_second(now).unwrap(),
    };
    let path_and_query = request.uri().path_and_query().unwrap().as_str();
    let uri = path_and_query.parse().unwrap();
    let signed = Signed {
        method: request.method(),
        uri: &uri,
        headers: request.headers(),
        body: b"",
    };
    verify(signed, expected, |key| {
        (key == KEY).then(|| Secret {
            secret_access_key: "secret".to_owned(),
            session_token: token.map(str::to_owned),
        })
    })
}

const URIS: [&str; 4] = [
    "/abcd123456/local",
    "/abcd123456/local/?b=2&a=1&a=0&flag",
    "/abcd123456/with%20space?k=a%2Fb%20c",
    "/local",
];

#[test]
fn what_the_official_signer_signs_in_headers_is_verified() {
    for uri in URIS {
        for token in [None, Some("a/token+with=signs")] {
            let request = signed(uri, SignatureLocation::Headers, token);
            assert_eq!(check(&request, NOW, token), Ok(KEY.to_owned()), "{uri}");
        }
    }
}

#[test]
fn what_the_official_signer_presigns_is_verified() {
    for uri in URIS {
        for token in [None, Some("a/token+with=signs")] {
            let request = signed(uri, SignatureLocation::QueryParams, token);
            assert_eq!(check(&request, NOW, token), Ok(KEY.to_owned()), "{uri}");
            assert_eq!(
                check(&request, NOW + 61, token),
                Err(Unverified::NotCurrent)
            );
        }
    }
}

#[test]
fn whatever_was_changed_after_signing_is_noticed() {
    let mut request = signed("/abcd123456/local?a=1", SignatureLocation::Headers, None);
    *request.uri_mut() = "/abcd123456/local?a=2".parse().unwrap();
    assert_eq!(check(&request, NOW, None), Err(Unverified::Mismatch));
    let mut request = signed("/abcd123456/local", SignatureLocation::Headers, None);
    *request.uri_mut() = "/abcd123456/other".parse().unwrap();
    assert_eq!(check(&request, NOW, None), Err(Unverified::Mismatch));
    let mut request = signed("/abcd123456/local", SignatureLocation::Headers, None);
    request
        .headers_mut()
        .insert("host", "elsewhere".parse().unwrap());
    assert_eq!(check(&request, NOW, None), Err(Unverified::Mismatch));
}

#[test]
fn another_body_than_the_signed_one_is_noticed() {
    let request = signed("/abcd123456/local", SignatureLocation::Headers, None);
    let expected = Expected {
        region: None,
        service: "execute-api",
        now: Timestamp::from_second(NOW).unwrap(),
    };
    let with = |body: &[u8]| {
        let signed = Signed {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            body,
        };
        let secret = Secret {
            secret_access_key: "secret".to_owned(),
            session_token: None,
        };
        verify(signed, expected, |_| Some(secret))
    };
    assert_eq!(with(b""), Ok(KEY.to_owned()));
    assert_eq!(with(b"more"), Err(Unverified::Mismatch));
}

#[test]
fn old_unsigned_foreign_and_tokenless_requests_are_told_apart() {
    let request = signed("/local", SignatureLocation::Headers, None);
    assert_eq!(
        check(&request, NOW + 301, None),
        Err(Unverified::NotCurrent)
    );
    assert_eq!(
        check(&request, NOW - 301, None),
        Err(Unverified::NotCurrent)
    );
    assert_eq!(
        check(&request, NOW, Some("token")),
        Err(Unverified::WrongToken)
    );
    let plain = Request::get("/local").body(()).unwrap();
    assert_eq!(check(&plain, NOW, None), Err(Unverified::Unsigned));
    let expected = Expected {
        region: Some("us-east-1"),
        service: "lambda",
        now: Timestamp::from_second(NOW).unwrap(),
    };
    let signed = Signed {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        body: b"",
    };
    let wrong = verify(signed, expected, |_| None);
    assert!(matches!(wrong, Err(Unverified::WrongScope(_))));
    let nobody = Expected {
        service: "execute-api",
        ..expected
    };
    let wrong = verify(signed, nobody, |_| None);
    assert_eq!(wrong, Err(Unverified::UnknownKey(KEY.to_owned())));
}
