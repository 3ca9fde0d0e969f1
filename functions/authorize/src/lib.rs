//! The authorizer of `$connect`: a signed token names the user, for as long as the
//! connection lasts.
//!
//! The token stands in the query string (`?token=…`), or among the subprotocols a
//! browser offers (`token.…`), which is the only header it lets a page set. Without a
//! token the answer is API Gateway's 401, with one that isn't good its 403; a good one
//! lets the client in, and every later event of the connection carries its name in
//! `requestContext.authorizer.name`.
//!
//! Deliberately absent: keys of others (RS256, JWKS), which would have to be fetched;
//! sessions, refreshing, and any record of who connected. Tokens and keys are never
//! logged.

mod answer;
mod request;
mod token;

pub use answer::{Answer, Unauthorized};
pub use request::{Request, SUBPROTOCOL_PREFIX};
pub use token::{Claims, Key, Refusal, WeakKey, sign, verify};

use std::io::{Write, stdout};

/// Decides about a request, at a time in seconds since 1970, and logs the outcome.
///
/// # Errors
/// When the request has no token: API Gateway makes a 401 of it.
pub fn authorize(request: &Request, key: &Key, now: u64) -> Result<Answer, Unauthorized> {
    let decided = decide(request, key, now);
    let outcome = match &decided {
        Ok(_) => "allowed".to_owned(),
        Err(refusal) => format!("refused: {refusal}"),
    };
    let line = serde_json::json!({
        "connectionId": request.request_context.connection_id,
        "outcome": outcome,
    });
    // A log that can't be written must not keep anybody out.
    let _ = writeln!(stdout(), "{line}");
    match decided {
        Ok(claims) => Ok(Answer::allow(&claims.sub, &request.method_arn)),
        Err(Refusal::Missing) => Err(Unauthorized),
        Err(_) => Ok(Answer::deny(&request.method_arn)),
    }
}

fn decide(request: &Request, key: &Key, now: u64) -> Result<Claims, Refusal> {
    verify(request.token()?, key, now)
}
