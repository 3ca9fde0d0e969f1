//! Who may use a route, and the Lambda authorizer that decides it for `$connect`.
//!
//! An authorizer is a part of the release: a deployment freezes it with the version of
//! its function. Deliberately absent: JWT authorizers and cached answers, which only
//! HTTP APIs have.

use crate::names::{FunctionKey, RouteKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The one route whose callers API Gateway asks who they are; the answer holds for the
/// whole connection.
pub const CONNECT: &str = "$connect";

/// Who may use a route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authorization {
    /// Everybody.
    #[default]
    None,
    /// Whoever signs and may invoke it.
    Iam,
    /// Whom the API's authorizer lets in.
    Custom,
}

impl Authorization {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Iam => "AWS_IAM",
            Self::Custom => "CUSTOM",
        }
    }
}

/// A Lambda REQUEST authorizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorizer {
    /// Which function decides.
    pub function: FunctionKey,
    /// What a request must have to be decided on at all, e.g.
    /// `route.request.querystring.token`. All of them; their order means nothing.
    pub identity_sources: BTreeSet<String>,
}

impl Authorizer {
    /// What it is called in its API: as its function.
    pub fn name(&self) -> &str {
        self.function.as_str()
    }

    /// Whether it decides about a route.
    pub fn guards(&self, route: &RouteKey) -> bool {
        route.as_str() == CONNECT
    }
}

/// What an identity source of a WebSocket API names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentitySource<'a> {
    /// A header or a parameter of the query string, or something of the context.
    OfRequest,
    /// A variable of the API stage, by its name.
    StageVariable(&'a str),
}

impl<'a> IdentitySource<'a> {
    /// The forms, for who wrote another one.
    pub const FORMS: &'static str = "route.request.header.<name>, route.request.querystring.<name>, context.<variable> or stageVariables.<name>";

    /// What the text names; `None`: it has none of the legal forms.
    pub fn parse(text: &'a str) -> Option<Self> {
        let of_header = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let of_query = |c: char| c.is_ascii_graphic() && !"&=#".contains(c);
        let of_context = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let word = |name: &str, legal: &dyn Fn(char) -> bool| {
            (!name.is_empty() && name.chars().all(legal)).then_some(())
        };
        if let Some(name) = text.strip_prefix("route.request.header.") {
            return word(name, &of_header).map(|()| Self::OfRequest);
        }
        if let Some(name) = text.strip_prefix("route.request.querystring.") {
            return word(name, &of_query).map(|()| Self::OfRequest);
        }
        if let Some(name) = text.strip_prefix("stageVariables.") {
            return word(name, &of_context).map(|()| Self::StageVariable(name));
        }
        let path = text.strip_prefix("context.")?;
        let mut parts = path.split('.');
        parts
            .all(|part| word(part, &of_context).is_some())
            .then_some(Self::OfRequest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_sources_have_one_of_four_forms() {
        for legal in [
            "route.request.header.Sec-WebSocket-Protocol",
            "route.request.querystring.token",
            "context.identity.sourceIp",
        ] {
            assert_eq!(
                IdentitySource::parse(legal),
                Some(IdentitySource::OfRequest),
                "{legal}"
            );
        }
        assert_eq!(
            IdentitySource::parse("stageVariables.realm"),
            Some(IdentitySource::StageVariable("realm"))
        );
        for illegal in [
            "",
            "token",
            "route.request.header.",
            "route.request.header.two words",
            "route.request.querystring.a=b",
            "route.request.body.token",
            "$request.querystring.token",
            "method.request.header.Auth",
            "context.",
            "context.identity..sourceIp",
            "stageVariables.",
        ] {
            assert_eq!(IdentitySource::parse(illegal), None, "{illegal}");
        }
    }
}
