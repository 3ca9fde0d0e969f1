//! What to do about an error of the cloud, by a table.

use crate::error::{CloudError, CloudErrorKind, NOT_SERVED};

/// One probable cause.
struct Hint {
    /// AWS's codes; any of them.
    codes: &'static [&'static str],
    /// A part of AWS's message; empty: any.
    message: &'static str,
    /// What to do.
    next_step: &'static str,
}

/// How services say that the caller may not do it.
const ACCESS_DENIED: &[&str] = &["AccessDenied", "AccessDeniedException"];

/// Of what we found ourselves.
const NO_CODE: &str = "";

const HINTS: &[Hint] = &[
    Hint {
        codes: &["ExpiredToken", "ExpiredTokenException", "RequestExpired"],
        message: "",
        next_step: "the credentials have expired: sign in again (aws sso login) or renew them",
    },
    Hint {
        codes: &[
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
        ],
        message: "",
        next_step: "AWS doesn't accept these credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE and this machine's clock",
    },
    Hint {
        codes: &[NOT_SERVED],
        message: "no DynamoDB of its own",
        next_step: "this stage has tables, or had some that may still be there: start an emulated DynamoDB (dynalite by npm, moto_server by PyPI, or DynamoDB Local) and give its address in DEPLOYER_LOCAL_DYNAMODB, e.g. http://127.0.0.1:8000, once the local cloud is down; a stage that never had any needs none with [tables.<name>] enabled = false",
    },
    Hint {
        codes: &["ValidationException"],
        message: "modified multiple times within a fixed interval",
        next_step: "DynamoDB takes one change of a table's time to live an hour: run the command again later",
    },
    Hint {
        codes: ACCESS_DENIED,
        message: "::/account",
        next_step: "logs of API Gateway need one role for the whole account: have somebody who may GET and PATCH arn:aws:apigateway:REGION::/account set it once (the deployer then leaves it alone), or remove access_logs and execution_logs",
    },
    Hint {
        codes: ACCESS_DENIED,
        message: "gateway-logs",
        next_step: "logs of API Gateway need one role for the whole account: have somebody who may create roles set it once (the deployer then leaves it alone), or remove access_logs and execution_logs",
    },
    Hint {
        codes: &["AccessDenied"],
        message: "Request has expired",
        next_step: "fetching the functions' code took more than ten minutes: run the command again, nearer to the account's region if it stays so",
    },
    Hint {
        codes: &[NO_CODE],
        message: "and was released with",
        next_step: "the zip was changed on its way, or the version isn't the release's any more: run the command again, and if it stays so, `deployer up` the stage that is promoted from",
    },
    Hint {
        codes: &["InvalidParameterValueException"],
        message: "UnreservedConcurrentExecution",
        next_step: "the account's concurrency is too low to reserve any: ask for a higher quota, or remove reserved_concurrency for this stage",
    },
    Hint {
        codes: &["MalformedPolicyDocument"],
        message: "",
        next_step: "IAM doesn't accept the statements: mend [[functions.<name>.iam]] as the message says",
    },
    Hint {
        codes: &["InvalidParameterValueException"],
        message: "cannot be assumed by Lambda",
        next_step: "IAM took unusually long to make the new role known: run the command again",
    },
    Hint {
        codes: &[
            "TooManyRequestsException",
            "Throttling",
            "ThrottlingException",
        ],
        message: "",
        next_step: "AWS is throttling this account: run the command again in a minute",
    },
    Hint {
        codes: &[
            "LimitExceeded",
            "LimitExceededException",
            "ServiceQuotaExceededException",
        ],
        message: "",
        next_step: "a quota of the account is used up: remove what is unused, or ask AWS for a higher quota",
    },
];

/// The next step for whoever reads the error.
pub fn next_step(error: &CloudError) -> String {
    let code = error.code.as_deref().unwrap_or_default();
    let found = HINTS
        .iter()
        .find(|hint| hint.codes.contains(&code) && error.message.contains(hint.message));
    match found {
        Some(hint) => hint.next_step.to_owned(),
        None if ACCESS_DENIED.contains(&code) => lacking(&error.message),
        None => by_kind(error.kind).to_owned(),
    }
}

/// What a caller lacks, by AWS's words for it.
fn lacking(message: &str) -> String {
    let what = message
        .split_once("is not authorized to perform: ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let what = match what {
        Some(action) => format!("the caller lacks {action}"),
        None => "the caller lacks the permission that the message names".to_owned(),
    };
    let (options, former) = if message.contains(" logs:FilterLogEvents ") {
        (" --for logs", "")
    } else if ["lambda:GetAccountSettings ", "iam:GetAccountSummary "]
        .iter()
        .any(|action| message.contains(action))
    {
        (" --for doctor", "")
    } else if message.contains(" dynamodb:") {
        let former = "; with --former-tables, if the files no longer name the table";
        ("", former)
    } else {
        ("", "")
    };
    format!(
        "{what}: `deployer permissions STAGE{options}` prints the policy that is needed{former}"
    )
}

fn by_kind(kind: CloudErrorKind) -> &'static str {
    match kind {
        CloudErrorKind::NotSent => "set the credentials or region the message names",
        CloudErrorKind::NoAnswer => {
            "the call may or may not have been carried out: run the command again, it looks before it writes"
        }
        CloudErrorKind::TimedOut => "run the command again: it goes on where this one stopped",
        CloudErrorKind::Refused => {
            "mend what the message says and run the command again: it goes on where this one stopped"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str, kind: CloudErrorKind) -> CloudError {
        CloudError {
            service: "lambda",
            operation: "X".into(),
            resource: String::new(),
            kind,
            code: Some(code.into()),
            message: message.into(),
            request_id: None,
        }
    }

    #[test]
    fn the_message_decides_between_causes_of_one_code() {
        let concurrency = "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].";
        let step = next_step(&error(
            "InvalidParameterValueException",
            concurrency,
            CloudErrorKind::Refused,
        ));
        assert!(step.contains("reserved_concurrency"), "{step}");
        let step = next_step(&error(
            "InvalidParameterValueException",
            "x",
            CloudErrorKind::Refused,
        ));
        assert!(step.starts_with("mend"), "{step}");
    }

    #[test]
    fn an_address_that_has_expired_is_no_matter_of_permissions() {
        let step =
            |code: &str, message: &str| next_step(&error(code, message, CloudErrorKind::Refused));
        assert!(step("AccessDenied", "Request has expired").starts_with("fetching"));
        assert!(step("AccessDenied", "").contains("lacks the permission"));
        let differs = "its code has the SHA-256 a, and was released with b";
        assert!(step("", differs).starts_with("the zip was changed"));
    }

    #[test]
    fn expired_credentials_name_the_login_command() {
        assert!(
            next_step(&error("ExpiredToken", "", CloudErrorKind::Refused))
                .contains("aws sso login")
        );
    }

    #[test]
    fn who_may_not_set_the_accounts_role_for_logs_learns_who_could() {
        for message in [
            "User: arn:aws:iam::1:user/me is not authorized to perform: apigateway:PATCH on resource: arn:aws:apigateway:eu-central-1::/account",
            "User: arn:aws:iam::1:user/me is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/deployer-account-eu-central-1-gateway-logs",
        ] {
            let step = next_step(&error(
                "AccessDeniedException",
                message,
                CloudErrorKind::Refused,
            ));
            assert!(step.contains("remove access_logs"), "{step}");
        }
    }

    #[test]
    fn who_lacks_a_permission_learns_which_and_what_prints_them_all() {
        let message = "User: arn:aws:sts::1:assumed-role/ci/run is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:eu-central-1:1:function:chat-alpha-room because no identity-based policy allows the lambda:CreateFunction action";
        for (message, what) in [
            (message, "lambda:CreateFunction"),
            ("Access denied", "the permission that the message names"),
        ] {
            let denied = error("AccessDenied", message, CloudErrorKind::Refused);
            assert_eq!(
                next_step(&denied),
                format!(
                    "the caller lacks {what}: `deployer permissions STAGE` prints the policy that is needed"
                )
            );
        }
    }

    #[test]
    fn who_may_not_look_for_tables_may_need_to_for_those_of_before() {
        let message = "User: me is not authorized to perform: dynamodb:ListTables on resource: *";
        let code = "AccessDeniedException";
        let step = next_step(&error(code, message, CloudErrorKind::Refused));
        assert!(step.contains("--former-tables"), "{step}");
    }

    #[test]
    fn a_lost_answer_says_that_running_again_is_safe() {
        assert!(
            next_step(&error("", "", CloudErrorKind::NoAnswer)).contains("looks before it writes")
        );
    }
}
