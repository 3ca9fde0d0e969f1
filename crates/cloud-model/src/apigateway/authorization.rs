//! How a route's callers are authorized: not at all, by signature, or by a Lambda
//! authorizer. Only `$connect` asks; the answer holds for the whole connection.

use serde::{Deserialize, Serialize};

use super::authorizers::unknown_authorizer;
use super::{Api, bad_request};
use crate::LiveAuthorization;
use crate::assumptions::{AUTHORIZATION_ELSEWHERE, AUTHORIZER_MISSING};
use crate::error::Failure;
use crate::wire::members::Members;

/// A route's authorization in the draft.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Authorization {
    /// Open to all.
    #[default]
    None,
    /// Callers must sign.
    Iam,
    /// The authorizer's id.
    Custom(String),
}

impl Authorization {
    /// AWS's word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Iam => "AWS_IAM",
            Self::Custom(_) => "CUSTOM",
        }
    }

    pub(super) fn authorizer_id(&self) -> Option<&str> {
        match self {
            Self::Custom(id) => Some(id),
            _ => None,
        }
    }
}

impl Api {
    /// What a route with this key asks for, when it is said; `former` is what it asked
    /// for before.
    pub(super) fn read_authorization(
        &self,
        members: &Members,
        key: &str,
        former: &Authorization,
    ) -> Result<Option<Authorization>, Failure> {
        let authorizer = members
            .text("authorizerId")?
            .filter(|text| !text.is_empty());
        let word = members.text("authorizationType")?;
        let word = match (word, &authorizer) {
            // Another authorizer for a route that has one.
            (None, Some(_)) if *former != Authorization::None => former.word().to_owned(),
            (None, _) => return Ok(None),
            (Some(word), _) => word,
        };
        let asked = match word.as_str() {
            "NONE" => return Ok(Some(Authorization::None)),
            "AWS_IAM" => Authorization::Iam,
            "CUSTOM" => {
                let former = former.authorizer_id().map(str::to_owned);
                let Some(id) = authorizer.or(former) else {
                    return Err(bad_request(AUTHORIZER_MISSING));
                };
                if !self.authorizers.contains_key(&id) {
                    return Err(unknown_authorizer(&id));
                }
                Authorization::Custom(id)
            }
            "JWT" => {
                return Err(bad_request(
                    "JWT authorization is not supported for WEBSOCKET APIs",
                ));
            }
            other => {
                return Err(bad_request(format!(
                    "Invalid authorizationType specified: {other}"
                )));
            }
        };
        match key {
            "$connect" => Ok(Some(asked)),
            _ => Err(bad_request(AUTHORIZATION_ELSEWHERE)),
        }
    }

    /// An authorization as a deployment freezes it.
    pub(super) fn freeze_authorization(&self, authorization: &Authorization) -> LiveAuthorization {
        match authorization {
            Authorization::None => LiveAuthorization::None,
            Authorization::Iam => LiveAuthorization::Iam,
            Authorization::Custom(id) => match self.authorizers.get(id) {
                Some(authorizer) => LiveAuthorization::Custom(authorizer.freeze()),
                // None is deleted while a route refers to it; were it so, nobody gets in.
                None => LiveAuthorization::Iam,
            },
        }
    }
}
