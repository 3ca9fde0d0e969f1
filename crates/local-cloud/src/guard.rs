//! Keeps web pages out of everything but the WebSocket gateway and, if they are this port's own
//! ([`crate::page`]), what is made for them.
//!
//! A page in a browser on this machine can send requests to 127.0.0.1, and with
//! a name that resolves there (DNS rebinding) even read the answers. Browsers
//! mark their requests; SDKs and functions never carry such marks.

use http::HeaderMap;

use crate::gateway::address::api_in_host;
use crate::http_io::header;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("requests from web pages are refused")]
    Browser,
    #[error("the Host of a request must be this machine's")]
    ForeignHost,
    #[error("only pages of this very port are answered; follow no link, type the address")]
    ForeignPage,
}

/// Lets a request pass that no web page can have sent.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Refused> {
    let from_page = headers.contains_key("origin")
        || header(headers, "sec-fetch-site").is_some_and(|site| site != "none");
    if from_page {
        return Err(Refused::Browser);
    }
    let host = header(headers, "host").unwrap_or_default();
    match is_loopback(host) {
        true => Ok(()),
        false => Err(Refused::ForeignHost),
    }
}

/// Lets a request pass that a page of this very port has sent, or no page at all. `scheme` is
/// what the request came by.
///
/// Who answers for a name can make it this machine's (DNS rebinding): so the Host counts, and
/// not only that the Origin is the same. Ports of this machine are other origins, but the same
/// site: `same-site` isn't enough.
pub(crate) fn check_page(headers: &HeaderMap, scheme: &str) -> Result<(), Refused> {
    let mut hosts = headers.get_all("host").iter();
    let host = match (
        hosts.next().and_then(|host| host.to_str().ok()),
        hosts.next(),
    ) {
        (Some(host), None) if is_loopback(host) => host,
        _ => return Err(Refused::ForeignHost),
    };
    let own = format!("{scheme}://{host}");
    let origins = headers.get_all("origin").iter();
    let sites = headers.get_all("sec-fetch-site").iter();
    let is_own = origins
        .map(|origin| origin.as_bytes())
        .all(|origin| origin.eq_ignore_ascii_case(own.as_bytes()))
        && sites
            .map(|site| site.as_bytes())
            .all(|site| matches!(site, b"same-origin" | b"none"));
    match is_own {
        true => Ok(()),
        false => Err(Refused::ForeignPage),
    }
}

/// As [`check`], and also for hosts of the form `{apiId}.execute-api.…`, whose
/// ids nobody can guess.
pub(crate) fn check_api_call(headers: &HeaderMap) -> Result<(), Refused> {
    match check(headers) {
        Err(Refused::ForeignHost) if api_in_host(header(headers, "host")).is_some() => Ok(()),
        other => other,
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "[::1]") || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = http::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn only_hosts_of_this_machine_pass() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:9100",
            "localhost:1",
            "LOCALHOST",
            "[::1]:80",
            "[::1]",
        ] {
            assert_eq!(check(&headers(&[("host", host)])), Ok(()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example:80",
            "localhost.evil.example",
        ] {
            assert_eq!(
                check(&headers(&[("host", host)])),
                Err(Refused::ForeignHost),
                "{host}"
            );
        }
    }

    #[test]
    fn marks_of_a_browser_are_refused() {
        let origin = [("host", "127.0.0.1"), ("origin", "null")];
        let no_cors = [("host", "127.0.0.1"), ("sec-fetch-site", "cross-site")];
        let address_bar = [("host", "127.0.0.1"), ("sec-fetch-site", "none")];
        assert_eq!(check(&headers(&origin)), Err(Refused::Browser));
        assert_eq!(check(&headers(&no_cors)), Err(Refused::Browser));
        assert_eq!(check(&headers(&address_bar)), Ok(()));
    }

    #[test]
    fn a_page_of_this_port_passes_and_no_other() {
        const HERE: (&str, &str) = ("host", "127.0.0.1:9100");
        for passes in [
            &[HERE][..],
            &[HERE, ("origin", "http://127.0.0.1:9100")],
            &[HERE, ("sec-fetch-site", "same-origin")],
            &[HERE, ("sec-fetch-site", "none")],
            &[
                ("host", "localhost:9100"),
                ("origin", "http://localhost:9100"),
            ],
            &[("host", "[::1]:9100"), ("origin", "http://[::1]:9100")],
        ] {
            assert_eq!(check_page(&headers(passes), "http"), Ok(()), "{passes:?}");
        }
        for foreign in [
            &[HERE, ("origin", "http://127.0.0.1:9101")][..],
            &[HERE, ("origin", "https://127.0.0.1:9100")],
            &[HERE, ("origin", "http://localhost:9100")],
            &[HERE, ("origin", "http://127.0.0.1:9100.evil.example")],
            &[HERE, ("origin", "null")],
            &[HERE, ("origin", "")],
            &[HERE, ("sec-fetch-site", "same-site")],
            &[HERE, ("sec-fetch-site", "cross-site")],
            &[
                HERE,
                ("origin", "http://127.0.0.1:9100"),
                ("sec-fetch-site", "cross-site"),
            ],
        ] {
            let refused = check_page(&headers(foreign), "http");
            assert_eq!(refused, Err(Refused::ForeignPage), "{foreign:?}");
        }
        for rebound in [
            &[("host", "evil.example:9100")][..],
            &[
                ("host", "evil.example:9100"),
                ("origin", "http://evil.example:9100"),
            ],
            &[("host", "127.0.0.1.evil.example:9100")],
            &[],
        ] {
            let refused = check_page(&headers(rebound), "http");
            assert_eq!(refused, Err(Refused::ForeignHost), "{rebound:?}");
        }
        let secure = [HERE, ("origin", "https://127.0.0.1:9100")];
        assert_eq!(check_page(&headers(&secure), "https"), Ok(()));
    }

    #[test]
    fn two_hosts_or_two_origins_are_none() {
        let mut two = headers(&[("host", "127.0.0.1"), ("origin", "http://127.0.0.1")]);
        two.append("origin", HeaderValue::from_static("https://site"));
        assert_eq!(check_page(&two, "http"), Err(Refused::ForeignPage));
        let mut two = headers(&[("host", "127.0.0.1")]);
        two.append("host", HeaderValue::from_static("localhost"));
        assert_eq!(check_page(&two, "http"), Err(Refused::ForeignHost));
    }

    #[test]
    fn an_apis_own_host_passes_for_its_calls_alone() {
        let api = headers(&[("host", "abcd123456.execute-api.us-east-1.amazonaws.com")]);
        assert_eq!(check_api_call(&api), Ok(()));
        assert_eq!(check(&api), Err(Refused::ForeignHost));
    }
}
