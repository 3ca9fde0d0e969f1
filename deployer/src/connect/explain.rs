//! Why a handshake was refused, and what to do, as far as its status tells.

use crate::failure::Failure;
use chat_client::OpenError;

/// The failure of a connection to `to`, a stage or an address.
pub fn refusal(to: &str, error: &OpenError) -> Failure {
    Failure::NotSo {
        message: format!("{to}: can't connect: {error}"),
        next_step: next_step(to, error),
    }
}

/// Whether another attempt may succeed.
pub fn may_pass(error: &OpenError) -> bool {
    match error {
        OpenError::Refused { status, .. } => *status == 429 || *status >= 500,
        OpenError::NoRequest(_) => false,
        OpenError::Unreachable(_) | OpenError::NoAnswer => true,
    }
}

/// What to do.
pub fn next_step(to: &str, error: &OpenError) -> String {
    let logs = match super::target::is_url(to) {
        true => "the logs of the function behind $connect".to_owned(),
        false => format!("`deployer logs {to} --since 5m`"),
    };
    match error {
        OpenError::NoRequest(_) => "mend the options of the command".to_owned(),
        OpenError::Unreachable(_) => {
            "see whether the stage is live (`deployer status`), and whether this machine reaches it; \
             for a certificate of your own give --ca FILE"
                .to_owned()
        }
        OpenError::NoAnswer => format!("see {logs}: $connect has 29 s to answer"),
        OpenError::Refused { status, body } => match status {
            400 => format!(
                "the function behind $connect refuses this, perhaps the subprotocol; see {logs}"
            ),
            401 => "give a token with --token, or what else the stage's authorizer asks for \
                    (docs/AUTHORIZER.md)"
                .to_owned(),
            403 if body.contains("Missing Authentication Token") => {
                "sign the handshake with --sign, if IAM authorizes $connect; else see whether the \
                 address has the stage's name at its end"
                    .to_owned()
            }
            403 => format!(
                "the authorizer, IAM (`execute-api:Invoke`) or the function behind $connect doesn't \
                 let this client in, or there is no such stage at this address; see {logs}"
            ),
            404 | 410 => "see whether the address is right: `deployer status`".to_owned(),
            429 => "wait: the limit of new connections a second is reached".to_owned(),
            500..=599 => format!("the function behind $connect failed; see {logs}"),
            _ => "see whether the address is one of a WebSocket".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_a_next_step() {
        let refused = |status, body: &str| OpenError::Refused {
            status,
            body: body.to_owned(),
        };
        let errors = [
            OpenError::Unreachable("Connection refused".into()),
            OpenError::NoAnswer,
            OpenError::NoRequest("`a b` is no header's name".into()),
            refused(400, ""),
            refused(401, r#"{"message":"Unauthorized"}"#),
            refused(403, r#"{"message":"Missing Authentication Token"}"#),
            refused(403, r#"{"message":"Forbidden"}"#),
            refused(410, ""),
            refused(429, ""),
            refused(502, r#"{"message":"Internal server error"}"#),
            refused(200, ""),
        ];
        let said: Vec<String> = errors
            .iter()
            .map(|error| format!("{error}\n  next: {}", next_step("alpha", error)))
            .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |status| OpenError::Refused {
            status,
            body: String::new(),
        };
        assert!(may_pass(&refused(429)) && may_pass(&refused(503)));
        assert!(!may_pass(&refused(401)) && !may_pass(&refused(403)));
        assert!(may_pass(&OpenError::NoAnswer));
    }
}
