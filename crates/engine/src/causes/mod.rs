//! The probable cause of an error of the cloud, and what to do about it, by one table
//! (docs/ERRORS.md is made from it).

mod table;

pub use table::CAUSES;

use crate::error::{CloudError, CloudErrorKind};
use table::ACCESS_DENIED;

/// One probable cause, and how it is known.
#[derive(Debug)]
pub struct Cause {
    /// What it is called in JSON and in the documentation. Stays.
    pub name: &'static str,
    /// As in [`CloudError::service`]; empty: any.
    pub service: &'static str,
    /// AWS's operations; none: any.
    pub operations: &'static [&'static str],
    /// AWS's codes; any of them.
    pub codes: &'static [&'static str],
    /// A part of AWS's message; empty: any.
    pub message: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub next_step: &'static str,
    /// A message as AWS writes it.
    pub example: &'static str,
}

/// The name of the cause of all errors that say that the caller may not do it.
pub const LACKS_PERMISSION: &str = "lacks-permission";

impl Cause {
    fn fits(&self, error: &CloudError) -> bool {
        let code = error.code.as_deref().unwrap_or_default();
        let is_of = |all: &[&str], one: &str| all.is_empty() || all.contains(&one);
        self.codes.contains(&code)
            && (self.service.is_empty() || self.service == error.service)
            && is_of(self.operations, &error.operation)
            && error.message.contains(self.message)
    }
}

/// The probable cause, if the table has it.
pub fn cause_of(error: &CloudError) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.fits(error))
}

/// What the probable cause is called, if it is known.
pub fn name_of(error: &CloudError) -> Option<&'static str> {
    let by_table = cause_of(error).map(|cause| cause.name);
    by_table.or_else(|| is_denied(error).then_some(LACKS_PERMISSION))
}

/// The next step for whoever reads the error.
pub fn next_step(error: &CloudError) -> String {
    match cause_of(error) {
        Some(cause) => cause.next_step.to_owned(),
        None if is_denied(error) => lacking(&error.message),
        None => by_kind(error.kind).to_owned(),
    }
}

fn is_denied(error: &CloudError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    ACCESS_DENIED.contains(&code)
}

/// What a caller lacks, by AWS's words for it, and the statement that would allow it.
fn lacking(message: &str) -> String {
    let word_after = |words: &str| {
        let (_, rest) = message.split_once(words)?;
        rest.split_whitespace().next()
    };
    let action = word_after("is not authorized to perform: ");
    let what = match (action, word_after(" on resource: ")) {
        (Some(action), Some(resource)) => format!(
            r#"the caller lacks {action}: a policy with {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}} would allow this call"#
        ),
        (Some(action), None) => format!("the caller lacks {action}"),
        (None, _) => "the caller lacks the permission that the message names".to_owned(),
    };
    let (options, former) = if message.contains(" logs:FilterLogEvents ") {
        (" --for logs", "")
    } else if message.contains(" lambda:InvokeFunction ") {
        (" --for invoke", "")
    } else if ["lambda:GetAccountSettings ", "iam:GetAccountSummary "]
        .iter()
        .any(|action| message.contains(action))
    {
        (" --for doctor", "")
    } else if message.contains(" dynamodb:") {
        let former = " (with --former-tables, if the files no longer name the table)";
        ("", former)
    } else {
        ("", "")
    };
    format!(
        "{what}; `deployer permissions STAGE{options}` prints the whole policy that is needed{former}"
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
    use std::collections::BTreeSet;

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

    /// An error that a row is about.
    fn of(cause: &Cause, code: &str) -> CloudError {
        let service = match cause.service {
            "" => "lambda",
            service => service,
        };
        let operation = cause.operations.first().copied().unwrap_or("X");
        CloudError {
            service,
            operation: operation.into(),
            ..error(code, cause.example, CloudErrorKind::Refused)
        }
    }

    #[test]
    fn every_code_of_every_row_leads_to_that_row_by_its_example() {
        for cause in CAUSES {
            for code in cause.codes {
                let found = cause_of(&of(cause, code)).expect("a row");
                assert_eq!(found.name, cause.name, "{code}: {}", cause.example);
            }
        }
    }

    #[test]
    fn every_row_has_a_name_of_its_own_a_meaning_and_a_next_step() {
        let names: BTreeSet<&str> = CAUSES.iter().map(|cause| cause.name).collect();
        assert_eq!(names.len(), CAUSES.len());
        for cause in CAUSES {
            assert_ne!(cause.name, LACKS_PERMISSION);
            assert!(!cause.codes.is_empty(), "{cause:?}");
            assert!(
                !cause.meaning.is_empty() && !cause.next_step.is_empty(),
                "{cause:?}"
            );
        }
    }

    #[test]
    fn a_row_of_one_operation_is_not_that_of_others() {
        let roles = CAUSES
            .iter()
            .find(|cause| cause.name == "quota-roles")
            .expect("a row");
        let elsewhere = CloudError {
            operation: "CreatePolicy".into(),
            ..of(roles, "LimitExceeded")
        };
        assert_eq!(name_of(&elsewhere), Some("quota"));
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
        let step = |message| next_step(&error("AccessDenied", message, CloudErrorKind::Refused));
        assert_eq!(
            step(message),
            r#"the caller lacks lambda:CreateFunction: a policy with {"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "arn:aws:lambda:eu-central-1:1:function:chat-alpha-room"} would allow this call; `deployer permissions STAGE` prints the whole policy that is needed"#
        );
        assert_eq!(
            step("Access denied"),
            "the caller lacks the permission that the message names; `deployer permissions STAGE` prints the whole policy that is needed"
        );
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
