//! How requests name a function: name, partial ARN, ARN, each with or without a
//! qualifier.

use super::{Failure, invalid_parameter, validation};
use crate::Settings;
use crate::constraints;

const PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";
const QUALIFIER_CHARS: usize = 128;
const QUALIFIER_PATTERN: &str = r"(|[a-zA-Z0-9$_-]+)";
const NAME_CHARS: usize = 64;
const REFERENCE_CHARS: usize = 140;

/// A function, perhaps of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) qualifier: Option<String>,
}

impl Reference {
    /// Reads a reference; `qualifier` is the one of the query string.
    pub(super) fn read(
        text: &str,
        qualifier: Option<&str>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        constraints::length(text, "functionName", 1, REFERENCE_CHARS).map_err(validation)?;
        let parts: Vec<&str> = text.split(':').collect();
        let rest = match parts.as_slice() {
            [
                "arn",
                "aws",
                "lambda",
                region,
                account,
                "function",
                rest @ ..,
            ] => {
                if *region != settings.region {
                    return Err(Failure::new(
                        404,
                        "ResourceNotFoundException",
                        format!(
                            "Functions from '{region}' are not reachable in this region ('{}')",
                            settings.region
                        ),
                    ));
                }
                foreign_account(account, settings)?;
                rest
            }
            [account, "function", rest @ ..] if is_account(account) => {
                foreign_account(account, settings)?;
                rest
            }
            ["function", rest @ ..] if !rest.is_empty() => rest,
            rest => rest,
        };
        let (name, own) = match rest {
            [name] if is_word(name) => (*name, None),
            [name, own] if is_word(name) && (*own == "$LATEST" || is_word(own)) => {
                (*name, Some(*own))
            }
            _ => {
                let fault = constraints::pattern(text, "functionName", PATTERN, false);
                return Err(validation(fault.err().unwrap_or_default()));
            }
        };
        constraints::length(name, "functionName", 1, NAME_CHARS).map_err(invalid_parameter)?;
        if let Some(qualifier) = qualifier {
            check_qualifier(qualifier).map_err(validation)?;
        }
        match (own, qualifier) {
            (Some(own), Some(qualifier)) if own != qualifier => Err(invalid_parameter(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
            _ => Ok(Self {
                name: name.to_owned(),
                qualifier: own.or(qualifier).map(str::to_owned),
            }),
        }
    }

    /// The ARN, with the qualifier if there is one.
    pub(super) fn arn(&self, settings: &Settings) -> String {
        let arn = function_arn(&self.name, settings);
        match &self.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }
}

/// The unqualified ARN of a function.
pub(super) fn function_arn(name: &str, settings: &Settings) -> String {
    format!(
        "arn:aws:lambda:{}:{}:function:{name}",
        settings.region, settings.account_id
    )
}

fn check_qualifier(qualifier: &str) -> Result<(), String> {
    constraints::length(qualifier, "qualifier", 1, QUALIFIER_CHARS)?;
    let holds = qualifier == "$LATEST" || is_word(qualifier);
    constraints::pattern(qualifier, "qualifier", QUALIFIER_PATTERN, holds)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn foreign_account(account: &str, settings: &Settings) -> Result<(), Failure> {
    if account == settings.account_id {
        return Ok(());
    }
    // Recorded: another account's functions give a bare refusal.
    Err(Failure::new(403, "AccessDeniedException", ""))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::Reference;
    use crate::Settings;

    fn settings() -> Settings {
        Settings {
            account_id: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            websocket_base: String::new(),
            code_base: String::new(),
            code_key: String::new(),
            function_activation: SignedDuration::ZERO,
            realism: None,
            enforce_iam: false,
        }
    }

    fn read(text: &str, qualifier: Option<&str>) -> Result<String, (u16, String)> {
        Reference::read(text, qualifier, &settings())
            .map(|it| it.arn(&settings()))
            .map_err(|failure| (failure.status, failure.message))
    }

    const CHAT: &str = "arn:aws:lambda:eu-west-1:123456789012:function:chat";

    #[test]
    fn all_ways_to_name_a_function_mean_the_same() {
        for text in ["chat", "function:chat", "123456789012:function:chat", CHAT] {
            assert_eq!(read(text, None).as_deref(), Ok(CHAT), "{text}");
            assert_eq!(
                read(&format!("{text}:$LATEST"), None),
                Ok(format!("{CHAT}:$LATEST")),
                "{text}"
            );
            assert_eq!(read(text, Some("7")), Ok(format!("{CHAT}:7")), "{text}");
        }
    }

    #[test]
    fn two_different_qualifiers_are_refused() {
        let text =
            "The derived qualifier from the function name does not match the specified qualifier.";
        assert_eq!(read("chat:1", Some("2")), Err((400, text.to_owned())));
        assert!(read("chat:1", Some("1")).is_ok());
    }

    #[test]
    fn another_region_is_not_reachable() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:chat";
        let text = "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')";
        assert_eq!(read(arn, None), Err((404, text.to_owned())));
    }

    #[test]
    fn names_have_64_characters_of_a_known_set() {
        assert!(read(&"a".repeat(64), None).is_ok());
        let (status, message) = read(&"a".repeat(65), None).unwrap_err();
        assert_eq!(status, 400);
        assert!(
            message.ends_with("Member must have length less than or equal to 64"),
            "{message}"
        );
        assert!(
            read("no.dots", None)
                .unwrap_err()
                .1
                .contains("Member must satisfy regular expression pattern")
        );
        assert!(read("invalid:function:name", None).is_err());
        assert!(read("", None).is_err());
    }
}
