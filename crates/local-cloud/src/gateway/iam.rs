//! Who may connect where `$connect` asks for a signature: whoever signed must be
//! somebody of the account, and be allowed `execute-api:Invoke` on the route.
//!
//! Deliberately absent: other accounts, and policies of the account's own user,
//! who may do anything.

use cloud_model::LiveStage;
use http::Request;

use super::Gateway;
use super::events::IamIdentity;
use super::route_selection::CONNECT;
use crate::callers;
use crate::sigv4::{Signed, Unverified};

const ACTION: &str = "execute-api:Invoke";

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the handshake isn't signed as it should be: {0}")]
    Unverified(#[from] Unverified),
    #[error("{who} is not authorized to perform: {ACTION} on resource: {resource}")]
    NotAllowed { who: String, resource: String },
}

impl Refusal {
    /// What the client is told.
    pub(crate) fn told(&self) -> &'static str {
        match self {
            Self::Unverified(Unverified::Unsigned) => "Missing Authentication Token",
            _ => "Forbidden",
        }
    }
}

/// Whoever signed the handshake, if they may connect.
pub(crate) fn authorize<B>(
    gateway: &Gateway,
    stage: &LiveStage,
    request: &Request<B>,
) -> Result<IamIdentity, Refusal> {
    let model = &gateway.model;
    let signed = Signed {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        body: &[],
    };
    let region = Some(model.region.as_str());
    let credentials = &gateway.pool.credentials;
    let signer = callers::verified(model, credentials, signed, "execute-api", region)?;
    let access_key_id = signer.access_key_id;
    let account_id = model.account_id.clone();
    let Some(caller) = signer.caller else {
        return Ok(IamIdentity {
            user: access_key_id.clone(),
            access_key_id,
            user_arn: format!("arn:aws:iam::{account_id}:user/local"),
            account_id,
        });
    };
    let path = format!("{}/{}/{CONNECT}", stage.api_id, stage.stage_name);
    let resource = model.execute_api_arn(&path);
    let user_arn = caller.session_arn;
    if !model.role_allows(&caller.role_arn, ACTION, &resource) {
        return Err(Refusal::NotAllowed {
            who: user_arn,
            resource,
        });
    }
    Ok(IamIdentity {
        user: access_key_id.clone(),
        access_key_id,
        account_id,
        user_arn,
    })
}
