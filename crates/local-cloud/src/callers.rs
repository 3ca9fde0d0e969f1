//! Who makes a signed request: the account's own user, a function as its role, or a
//! session of a role that STS gave.

use cloud_model::Caller;
use http::HeaderMap;

use crate::config::{USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY};
use crate::model::Model;
use crate::runtime::Credentials;
use crate::signature;
use crate::sigv4::{self, Expected, Secret, Signed, Unverified};

/// Whoever signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) access_key_id: String,
    /// `None`: the account's own user, who may do anything.
    pub(crate) caller: Option<Caller>,
}

/// Whoever signed a request for a service as they should have.
pub(crate) fn verified(
    model: &Model,
    credentials: &Credentials,
    request: Signed<'_>,
    service: &str,
    region: Option<&str>,
) -> Result<Signer, Unverified> {
    let expected = Expected {
        region,
        service,
        now: model.now(),
    };
    let secret_of = |key: &str| secret_of(model, credentials, key);
    let access_key_id = sigv4::verify(request, expected, secret_of)?;
    Ok(Signer {
        caller: caller_of(model, credentials, &access_key_id),
        access_key_id,
    })
}

/// Whoever says to have signed; the signature itself is not looked at.
pub(crate) fn claimed(
    model: &Model,
    credentials: &Credentials,
    headers: &HeaderMap,
    uri: &http::Uri,
) -> Option<Caller> {
    let key = signature::access_key_id(headers, uri)?;
    caller_of(model, credentials, key)
}

/// What somebody is told who may not do something, in the words that AWS's services share.
pub(crate) fn denial(caller: &Caller, action: &str, resource: &str) -> String {
    let who = &caller.session_arn;
    format!("User: {who} is not authorized to perform: {action} on resource: {resource}")
}

fn caller_of(model: &Model, credentials: &Credentials, key: &str) -> Option<Caller> {
    let function = credentials.caller(key).map(|caller| Caller {
        session_arn: caller.session_arn(),
        role_arn: caller.role_arn,
    });
    function.or_else(|| Some(model.session(key)?.caller))
}

fn secret_of(model: &Model, credentials: &Credentials, key: &str) -> Option<Secret> {
    if key == USER_ACCESS_KEY_ID {
        return Some(Secret {
            secret_access_key: USER_SECRET_ACCESS_KEY.to_owned(),
            session_token: None,
        });
    }
    let function = credentials.keys(key).map(|keys| Secret {
        secret_access_key: keys.secret_access_key,
        session_token: Some(keys.session_token),
    });
    function.or_else(|| {
        let session = model.session(key)?;
        Some(Secret {
            secret_access_key: session.secret_access_key,
            session_token: Some(session.session_token),
        })
    })
}
