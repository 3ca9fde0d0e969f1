//! Where APIs are found: the one place that knows the form of public addresses.
//!
//! An API stage is `ws://127.0.0.1:{port}/{apiId}/{stage}`. The `domainName` of
//! events is everything between the scheme and the stage, so that a function
//! which builds `{scheme}://{domainName}/{stage}`, as AWS's examples do, reaches
//! this very stage.

use http::Uri;
use percent_encoding::percent_decode_str;

/// `domainName` in events.
pub(crate) fn domain_name(port: u16, api_id: &str) -> String {
    format!("127.0.0.1:{port}/{api_id}")
}

/// An API stage somebody addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StageAddress {
    pub(crate) api_id: String,
    pub(crate) stage: String,
}

/// A connection somebody addressed through the management API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectionAddress {
    /// `None`: the base address has no stage; the connection id identifies it.
    pub(crate) stage: Option<StageAddress>,
    pub(crate) connection_id: String,
}

/// The stage a client connects to; a trailing slash is as good as none.
pub(crate) fn stage_address(host: Option<&str>, uri: &Uri) -> Option<StageAddress> {
    let path = uri.path().strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<_> = path.split('/').collect();
    stage_of(host, &segments)
}

/// The connection a management call is about; `None`: not a management call.
pub(crate) fn connection_address(host: Option<&str>, uri: &Uri) -> Option<ConnectionAddress> {
    let segments: Vec<_> = uri.path().strip_prefix('/')?.split('/').collect();
    let (id, rest) = segments.split_last()?;
    let (marker, base) = rest.split_last()?;
    if decode(marker) != "@connections" {
        return None;
    }
    let stage = match base {
        [] => None,
        base => Some(stage_of(host, base)?),
    };
    Some(ConnectionAddress {
        stage,
        connection_id: decode(id),
    })
}

/// Whether a path could name an API: control planes have no such paths.
pub(crate) fn may_be_an_api(host: Option<&str>, uri: &Uri) -> bool {
    stage_address(host, uri).is_some_and(|address| is_api_id(&address.api_id))
        || is_api_id(uri.path().trim_matches('/'))
}

fn stage_of(host: Option<&str>, segments: &[&str]) -> Option<StageAddress> {
    let (api_id, stage) = match (api_in_host(host), segments) {
        (Some(api_id), [stage]) => (api_id.to_owned(), decode(stage)),
        (_, [api_id, stage]) => (decode(api_id), decode(stage)),
        _ => return None,
    };
    Some(StageAddress { api_id, stage })
}

/// The API in a host of AWS's form, `{apiId}.execute-api.…`.
pub(crate) fn api_in_host(host: Option<&str>) -> Option<&str> {
    let (api_id, rest) = host?.split_once('.')?;
    (is_api_id(api_id) && rest.starts_with("execute-api.")).then_some(api_id)
}

fn is_api_id(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(host: Option<&str>, uri: &str) -> Option<(String, String)> {
        stage_address(host, &uri.parse().unwrap()).map(|found| (found.api_id, found.stage))
    }

    fn pair(api_id: &str, stage: &str) -> Option<(String, String)> {
        Some((api_id.to_owned(), stage.to_owned()))
    }

    #[test]
    fn a_stage_is_named_by_its_path_or_by_host_and_path() {
        let aws = Some("abcd123456.execute-api.us-east-1.amazonaws.com");
        assert_eq!(
            stage(None, "/abcd123456/local"),
            pair("abcd123456", "local")
        );
        assert_eq!(
            stage(None, "/abcd123456/local/?a=b/c"),
            pair("abcd123456", "local")
        );
        assert_eq!(stage(aws, "/local"), pair("abcd123456", "local"));
        assert_eq!(stage(None, "/local"), None);
        assert_eq!(stage(None, "/abcd123456/local/more"), None);
    }

    #[test]
    fn a_connection_is_named_with_or_without_a_stage_encoded_or_not() {
        for uri in [
            "/abcd123456/local/@connections/PJqB0fHsqRcCHlw=",
            "/abcd123456/local/%40connections/PJqB0fHsqRcCHlw%3D",
        ] {
            let found = connection_address(None, &uri.parse().unwrap()).unwrap();
            assert_eq!(found.connection_id, "PJqB0fHsqRcCHlw=");
            assert_eq!(found.stage.unwrap().stage, "local");
        }
        let bare = connection_address(None, &"/@connections/x".parse().unwrap()).unwrap();
        assert_eq!((bare.stage, bare.connection_id.as_str()), (None, "x"));
        assert!(connection_address(None, &"/v2/apis".parse().unwrap()).is_none());
    }

    #[test]
    fn the_domain_name_with_the_stage_addresses_that_stage() {
        let uri = format!("http://{}/local", domain_name(9100, "abcd123456"));
        assert_eq!(
            stage(Some("127.0.0.1:9100"), &uri),
            pair("abcd123456", "local")
        );
    }

    #[test]
    fn control_plane_paths_are_no_apis() {
        for path in ["/", "/v2/apis", "/2015-03-31/functions", "/_local/health"] {
            assert!(!may_be_an_api(None, &path.parse().unwrap()), "{path}");
        }
        assert!(may_be_an_api(None, &"/abcd123456/local".parse().unwrap()));
        assert!(may_be_an_api(None, &"/abcd123456".parse().unwrap()));
    }
}
