//! Rules that AWS's models state for single members of a call, where nobody else here
//! reads the member or holds its rule: they are asked before the call is carried out.
//!
//! Deliberately absent: what operations check themselves, and members that are given
//! by a path.

use crate::constraints;
use crate::error::Failure;
use crate::wire::Service;
use crate::wire::members::Members;
use crate::wire::query_xml::Form;

/// What a member must satisfy.
enum Rule {
    /// Characters, at least and at most.
    Length(usize, usize),
    /// At least and at most.
    Range(i64, i64),
    /// AWS's regular expression, and which characters it allows.
    Characters(&'static str, fn(char) -> bool),
    /// The enum's values.
    OneOf(&'static [&'static str]),
    /// AWS has the member, this model doesn't honour it.
    Unsupported,
}

use Rule::{Characters, Length, OneOf, Range, Unsupported};

/// Service, operation, member, rule.
type Line = (Service, &'static str, &'static str, Rule);

const WORD: &str = r"[\w+=,.@-]*";
const LATIN: &str = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*";
const TEXT: &str =
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+";
const LOG_CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];

#[rustfmt::skip]
const RULES: &[Line] = &[
    (Service::Iam, "CreatePolicy", "Description", Length(0, 1_000)),
    (Service::Iam, "CreatePolicy", "Description", Characters(LATIN, is_latin)),
    (Service::Iam, "CreateRole", "Description", Characters(LATIN, is_latin)),
    (Service::Iam, "UpdateRole", "Description", Characters(LATIN, is_latin)),
    (Service::Sts, "AssumeRole", "RoleArn", Length(20, 2_048)),
    (Service::Sts, "AssumeRole", "RoleArn", Characters(TEXT, is_text)),
    (Service::Sts, "AssumeRole", "RoleSessionName", Characters(WORD, is_word)),
    (Service::Sts, "AssumeRole", "ExternalId", Length(2, 1_224)),
    (Service::Sts, "AssumeRole", "ExternalId", Characters(r"[\w+=,.@:\/-]*", is_external_id)),
    (Service::Sts, "AssumeRole", "MinimumSessionTokenSize", Unsupported),
    (Service::Sts, "AssumeRole", "Policy", Unsupported),
    (Service::Sts, "AssumeRole", "PolicyArns.member.1.arn", Unsupported),
    (Service::Sts, "AssumeRole", "ProvidedContexts.member.1.ProviderArn", Unsupported),
    (Service::Sts, "AssumeRole", "SerialNumber", Unsupported),
    (Service::Sts, "AssumeRole", "SourceIdentity", Unsupported),
    (Service::Sts, "AssumeRole", "Tags.member.1.Key", Unsupported),
    (Service::Sts, "AssumeRole", "TokenCode", Unsupported),
    (Service::Logs, "DescribeLogGroups", "logGroupClass", OneOf(LOG_CLASSES)),
    (Service::Logs, "DescribeLogGroups", "logGroupNamePrefix", Length(1, 512)),
    (Service::Logs, "DescribeLogGroups", "logGroupNamePrefix", Characters(r"[\.\-_/#A-Za-z0-9]+", is_group)),
    (Service::Logs, "DescribeLogStreams", "logStreamNamePrefix", Length(1, 512)),
    (Service::Logs, "FilterLogEvents", "logStreamNamePrefix", Length(1, 512)),
    (Service::Logs, "FilterLogEvents", "startTime", Range(0, i64::MAX)),
    (Service::Logs, "FilterLogEvents", "endTime", Range(0, i64::MAX)),
    (Service::Logs, "GetLogEvents", "startTime", Range(0, i64::MAX)),
    (Service::Logs, "GetLogEvents", "endTime", Range(0, i64::MAX)),
    (Service::Logs, "PutLogEvents", "sequenceToken", Length(1, usize::MAX)),
    (Service::SecretsManager, "CreateSecret", "ClientRequestToken", Length(32, 64)),
    (Service::SecretsManager, "PutSecretValue", "ClientRequestToken", Length(32, 64)),
    (Service::SecretsManager, "PutSecretValue", "RotationToken", Unsupported),
    (Service::SecretsManager, "CreateSecret", "CrossAccountPrimaryARN", Unsupported),
    (Service::SecretsManager, "CreateSecret", "Description", Length(0, 2_048)),
    (Service::SecretsManager, "CreateSecret", "KmsKeyId", Length(0, 2_048)),
    (Service::Ssm, "PutParameter", "KeyId", Length(1, 256)),
    (Service::Ssm, "PutParameter", "KeyId", Characters(r"([a-zA-Z0-9:/_-]+)", is_key)),
    (Service::Ssm, "PutParameter", "Policies", Length(1, 4_096)),
    (Service::Ssm, "PutParameter", "Description", Length(0, 1_024)),
];

/// Asks the rules about a call of JSON 1.1.
pub(crate) fn check_members(
    service: Service,
    operation: &str,
    members: &Members,
) -> Result<(), Failure> {
    for (member, rule) in of(service, operation) {
        let kept = match rule {
            Range(min, max) => match members.integer(member)? {
                None => Ok(()),
                Some(number) => constraints::range(number, member, *min, *max),
            },
            rule => match members.text(member)? {
                None => Ok(()),
                Some(text) => keep(rule, member, &text),
            },
        };
        kept.map_err(|text| refused(service, text))?;
    }
    Ok(())
}

/// Asks the rules about a call of the query protocol.
pub(crate) fn check_form(service: Service, operation: &str, form: &Form) -> Result<(), Failure> {
    for (member, rule) in of(service, operation) {
        if let Some(text) = form.text(member) {
            keep(rule, member, text).map_err(|text| refused(service, text))?;
        }
    }
    Ok(())
}

fn of(service: Service, operation: &str) -> impl Iterator<Item = (&'static str, &'static Rule)> {
    RULES
        .iter()
        .filter(move |(of, name, _, _)| *of == service && *name == operation)
        .map(|(_, _, member, rule)| (*member, rule))
}

fn keep(rule: &Rule, name: &str, text: &str) -> Result<(), String> {
    // In messages members begin with a small letter, whatever the service.
    let mut member = name.to_owned();
    member[..1].make_ascii_lowercase();
    match rule {
        Length(min, max) => constraints::length(text, &member, *min, *max),
        Characters(pattern, legal) => {
            constraints::pattern(text, &member, pattern, text.chars().all(legal))
        }
        OneOf(values) if !values.contains(&text) => {
            let rule = format!(
                "Member must satisfy enum value set: [{}]",
                values.join(", ")
            );
            Err(constraints::violation(text, &member, &rule))
        }
        Unsupported => Err(crate::error::unsupported(name)),
        OneOf(_) | Range(..) => Ok(()),
    }
}

fn refused(service: Service, text: String) -> Failure {
    let code = match service {
        Service::Iam | Service::Sts => "ValidationError",
        Service::Logs => "InvalidParameterException",
        _ => "ValidationException",
    };
    Failure::new(400, code, text)
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter)
}

fn is_external_id(letter: char) -> bool {
    is_word(letter) || ":/".contains(letter)
}

fn is_text(letter: char) -> bool {
    !letter.is_control() || "\t\n\r\u{85}".contains(letter)
}

fn is_key(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || ":/_-".contains(letter)
}

fn is_group(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-/#".contains(letter)
}

fn is_latin(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}')
}
