//! What a handshake asks for: address, headers, subprotocols, token, signature. Made anew for
//! each attempt, so that a signature isn't an old one.

use super::script::{Preparation, Prepared};
use super::target::Target;
use crate::cli::connect::Connect;
use crate::failure::Failure;
use chat_client::tungstenite::client::IntoClientRequest;
use chat_client::tungstenite::handshake::client::Request;
use chat_client::tungstenite::http::{HeaderName, HeaderValue};
use chat_client::{Ask, Trust};
use deployer_aws::Signer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// What a subprotocol with a token begins with (docs/AUTHORIZER.md).
const TOKEN_PREFIX: &str = "token.";
const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";
/// What stands for itself in a query string.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a client's handshake has, beside its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handshake {
    pub headers: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
    pub subprotocols: Vec<String>,
    pub token: Option<String>,
}

impl Handshake {
    /// As the command line has it.
    pub fn of(options: &Connect) -> Self {
        Self {
            headers: options.header.clone(),
            query: options.query.clone(),
            subprotocols: options.subprotocol.clone(),
            token: options.token.clone(),
        }
    }

    /// With what a script says of a client; a token of its own takes the other's place.
    pub fn with(&self, prepared: &[Prepared]) -> Self {
        let mut all = self.clone();
        for (preparation, value) in prepared {
            let value = value.clone();
            match preparation {
                Preparation::Header(name, _) => all.headers.push((name.clone(), value)),
                Preparation::Query(name, _) => all.query.push((name.clone(), value)),
                Preparation::Subprotocol(_) => all.subprotocols.push(value),
                Preparation::Token(_) => all.token = Some(value),
            }
        }
        all
    }

    /// The address with the query string. A token goes there unless there are subprotocols.
    fn address(&self, url: &str) -> String {
        let token = self.token.iter().filter(|_| self.subprotocols.is_empty());
        let token = token.map(|token| ("token", token.as_str()));
        let given = self.query.iter();
        let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
        let encoded = |text| utf8_percent_encode(text, PLAIN).to_string();
        let pairs: Vec<String> = given
            .chain(token)
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        match (pairs.is_empty(), url.contains('?')) {
            (true, _) => url.to_owned(),
            (false, true) => format!("{url}&{}", pairs.join("&")),
            (false, false) => format!("{url}?{}", pairs.join("&")),
        }
    }

    fn offered(&self) -> Option<String> {
        if self.subprotocols.is_empty() {
            return None;
        }
        let token = self.token.iter();
        let token = token.map(|token| format!("{TOKEN_PREFIX}{token}"));
        let all: Vec<String> = self.subprotocols.iter().cloned().chain(token).collect();
        Some(all.join(", "))
    }

    /// The request, without a signature.
    ///
    /// # Errors
    /// What isn't legal in it.
    pub fn request(&self, url: &str) -> Result<Request, String> {
        let address = self.address(url);
        let mut request = address
            .as_str()
            .into_client_request()
            .map_err(|error| format!("{address} is no address: {error}"))?;
        let offered = self.offered().map(|it| (SUBPROTOCOL.to_owned(), it));
        for (name, value) in self.headers.iter().cloned().chain(offered) {
            let legal_name: HeaderName = name
                .parse()
                .map_err(|_| format!("`{name}` is no header's name"))?;
            let value = HeaderValue::from_str(&value)
                .map_err(|_| format!("the header `{name}` can't have this value"))?;
            request.headers_mut().append(legal_name, value);
        }
        Ok(request)
    }

    /// What opens connections with this handshake.
    pub fn ask(self, url: &str, signer: Option<Arc<Signer>>) -> Ask {
        let url = url.to_owned();
        Box::new(move || {
            let request = self.request(&url);
            let (address, signer) = (self.address(&url), signer.clone());
            Box::pin(async move {
                let mut request = request?;
                if let Some(signer) = signer {
                    let headers = signer.headers(&address).await;
                    let headers = headers.map_err(|error| error.to_string())?;
                    for (name, value) in headers {
                        let name: HeaderName = name.parse().map_err(|_| "a bad signature")?;
                        let value = HeaderValue::from_str(&value).map_err(|_| "a bad signature")?;
                        request.headers_mut().insert(name, value);
                    }
                }
                Ok(request)
            })
        })
    }
}

/// Whom to trust beside the platform's roots; `None`: nobody.
///
/// # Errors
/// When a file can't be read or has no certificate.
pub fn trust(options: &Connect, target: &Target) -> Result<Option<Trust>, Failure> {
    let files = options.ca.iter().chain(&target.authority);
    let mut pem = Vec::new();
    for path in files {
        let text = std::fs::read(path).map_err(|error| wrong(path, &error))?;
        pem.extend(text);
        pem.push(b'\n');
    }
    if pem.is_empty() {
        return Ok(None);
    }
    let named = options.ca.as_ref().or(target.authority.as_ref());
    let path = named
        .map(|path| path.as_path())
        .unwrap_or(std::path::Path::new(""));
    Trust::and(&pem)
        .map(Some)
        .map_err(|error| wrong(path, &error))
}

fn wrong(path: &std::path::Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Input {
        message: format!("can't read certificates from {}: {error}", path.display()),
        next_step: "name a file with certificates in PEM".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake() -> Handshake {
        Handshake {
            query: vec![("a b".into(), "c&d".into())],
            token: Some("t.o-k".into()),
            ..Handshake::default()
        }
    }

    #[test]
    fn a_token_goes_into_the_query_string_or_beside_subprotocols() {
        let url = "wss://h/alpha";
        assert_eq!(
            handshake().request(url).unwrap().uri(),
            "wss://h/alpha?a%20b=c%26d&token=t.o-k"
        );
        let offering = Handshake {
            subprotocols: vec!["chat.json".into()],
            ..handshake()
        };
        let request = offering.request("wss://h/alpha?x=y").unwrap();
        assert_eq!(request.uri(), "wss://h/alpha?x=y&a%20b=c%26d");
        assert_eq!(request.headers()[SUBPROTOCOL], "chat.json, token.t.o-k");
    }

    #[test]
    fn what_a_script_says_of_a_client_comes_on_top() {
        let prepared = [
            (
                Preparation::Token(super::super::script::expected::Template::new("")),
                "other".to_owned(),
            ),
            (
                Preparation::Header(
                    "X-Who".into(),
                    super::super::script::expected::Template::new(""),
                ),
                "me".to_owned(),
            ),
        ];
        let both = handshake().with(&prepared);
        assert_eq!(both.token.as_deref(), Some("other"));
        assert_eq!(both.request("ws://h/x").unwrap().headers()["x-who"], "me");
    }

    #[test]
    fn what_is_no_header_is_named() {
        let bad = Handshake {
            headers: vec![("a b".into(), "x".into())],
            ..Handshake::default()
        };
        assert_eq!(
            bad.request("ws://h/x").unwrap_err(),
            "`a b` is no header's name"
        );
    }
}
