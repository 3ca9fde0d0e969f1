//! What policies mean: which action on which resource they allow, and which
//! service a role trusts.
//!
//! An explicit Deny wins; what nothing allows is denied. Conditions know string
//! and ARN comparisons of the keys in the [`Context`]. A statement with any
//! other condition fails closed: its Allow does not apply, its Deny does.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Condition keys of a request, e.g. `aws:SourceAccount`, lower-cased.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context(BTreeMap<String, String>);

impl Context {
    /// Adds a key.
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_ascii_lowercase(), value.into());
        self
    }
}

/// A policy as it is evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// Patterns that are to match, or not to match.
#[derive(Debug, Clone)]
pub(super) enum Patterns {
    Any(Vec<String>),
    None(Vec<String>),
}

impl Patterns {
    pub(super) fn items(&self) -> &[String] {
        match self {
            Self::Any(items) | Self::None(items) => items,
        }
    }

    fn match_by(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Any(items) => items.iter().any(|item| matches(item)),
            Self::None(items) => !items.iter().any(|item| matches(item)),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    pub(super) actions: Patterns,
    pub(super) resources: Patterns,
    pub(super) has_resource: bool,
    pub(super) has_principal: bool,
    services: Patterns,
    /// Accounts, users, roles and sessions that a trust statement names.
    principals: Patterns,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}

impl Policy {
    /// Reads a policy; `None` when it is none.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        if !members
            .keys()
            .all(|key| matches!(key.as_str(), "Version" | "Id" | "Statement"))
        {
            return None;
        }
        match members.get("Version") {
            None => {}
            Some(version) if version == "2012-10-17" || version == "2008-10-17" => {}
            Some(_) => return None,
        }
        let statements: Vec<Statement> = match members.get("Statement")? {
            Value::Array(items) => items.iter().map(Statement::read).collect::<Option<_>>()?,
            one => vec![Statement::read(one)?],
        };
        (!statements.is_empty()).then_some(Self { statements })
    }
}

impl Statement {
    fn read(value: &Value) -> Option<Self> {
        const KNOWN: [&str; 9] = [
            "Sid",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Principal",
            "NotPrincipal",
            "Condition",
        ];
        let members = value.as_object()?;
        if !members.keys().all(|key| KNOWN.contains(&key.as_str())) {
            return None;
        }
        let effect = match members.get("Effect")?.as_str()? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            _ => return None,
        };
        let has = |name: &str| members.contains_key(name);
        Some(Self {
            effect,
            actions: patterns(members, "Action", "NotAction")?,
            resources: patterns(members, "Resource", "NotResource")?,
            has_resource: has("Resource") || has("NotResource"),
            has_principal: has("Principal") || has("NotPrincipal"),
            services: named(members, "Service")?,
            principals: named(members, "AWS")?,
            conditions: conditions(members)?,
        })
    }

    fn applies(&self, context: &Context) -> bool {
        let mut known = true;
        for condition in &self.conditions {
            match condition.holds(context) {
                Some(true) => {}
                Some(false) => return false,
                None => known = false,
            }
        }
        known || self.effect == Effect::Deny
    }
}

impl Condition {
    /// `None`: this model does not know the operator.
    fn holds(&self, context: &Context) -> Option<bool> {
        let (operator, if_exists) = match self.operator.strip_suffix("IfExists") {
            Some(operator) => (operator, true),
            None => (self.operator.as_str(), false),
        };
        let (negated, compare): (bool, fn(&str, &str) -> bool) = match operator {
            "StringEquals" => (false, |pattern, value| pattern == value),
            "StringNotEquals" => (true, |pattern, value| pattern == value),
            "StringLike" | "ArnEquals" | "ArnLike" => (false, matches_pattern),
            "StringNotLike" | "ArnNotEquals" | "ArnNotLike" => (true, matches_pattern),
            _ => return None,
        };
        Some(match context.0.get(&self.key) {
            // A negated comparison with nothing holds.
            None => if_exists || negated,
            Some(value) => self.values.iter().any(|pattern| compare(pattern, value)) != negated,
        })
    }
}

/// One text or a list of texts.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn patterns(members: &Map<String, Value>, any: &str, none: &str) -> Option<Patterns> {
    match (members.get(any), members.get(none)) {
        (Some(_), Some(_)) => None,
        (Some(value), None) => texts(value).map(Patterns::Any),
        (None, Some(value)) => texts(value).map(Patterns::None),
        (None, None) => Some(Patterns::Any(Vec::new())),
    }
}

/// Whom of a kind a trust statement names. `*` names them all.
fn named(members: &Map<String, Value>, wanted: &str) -> Option<Patterns> {
    let read = |value: &Value| match value {
        Value::String(text) if text == "*" => Some(vec!["*".to_owned()]),
        Value::Object(kinds) if !kinds.is_empty() => {
            let known = |kind: &String| {
                matches!(
                    kind.as_str(),
                    "Service" | "AWS" | "Federated" | "CanonicalUser"
                )
            };
            if !kinds.keys().all(known) {
                return None;
            }
            for value in kinds.values() {
                texts(value)?;
            }
            kinds.get(wanted).map_or_else(|| Some(Vec::new()), texts)
        }
        _ => None,
    };
    match (members.get("Principal"), members.get("NotPrincipal")) {
        (Some(_), Some(_)) => None,
        (Some(value), None) => read(value).map(Patterns::Any),
        (None, Some(value)) => read(value).map(Patterns::None),
        (None, None) => Some(Patterns::Any(Vec::new())),
    }
}

fn conditions(members: &Map<String, Value>) -> Option<Vec<Condition>> {
    let Some(value) = members.get("Condition") else {
        return Some(Vec::new());
    };
    let mut all = Vec::new();
    for (operator, keys) in value.as_object()? {
        for (key, values) in keys.as_object()? {
            // Numbers and booleans are allowed too; the operators that compare
            // them are not known here.
            let values = match texts(values) {
                Some(values) => values,
                None => vec![values.to_string()],
            };
            let key = key.to_ascii_lowercase();
            all.push(Condition {
                operator: operator.clone(),
                key,
                values,
            });
        }
    }
    Some(all)
}

/// What policies come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    /// Nothing allows it.
    Unsaid,
    /// Something denies it.
    Denied,
    /// The permissions boundary doesn't allow what the policies do.
    Unbounded,
}

/// Whether policies together allow an action on a resource.
pub(crate) fn allows<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    action: &str,
    resource: &str,
    context: &Context,
) -> bool {
    verdict(policies, action, resource, context) == Verdict::Allowed
}

/// What policies together say of an action on a resource.
pub(crate) fn verdict<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    action: &str,
    resource: &str,
    context: &Context,
) -> Verdict {
    let action = action.to_ascii_lowercase();
    let mut verdict = Verdict::Unsaid;
    for statement in policies.into_iter().flat_map(|policy| &policy.statements) {
        let matches = statement
            .actions
            .match_by(|it| matches_pattern(&it.to_ascii_lowercase(), &action))
            && statement
                .resources
                .match_by(|it| matches_pattern(it, resource))
            && statement.applies(context);
        match (matches, statement.effect) {
            (true, Effect::Deny) => return Verdict::Denied,
            (true, Effect::Allow) => verdict = Verdict::Allowed,
            (false, _) => {}
        }
    }
    verdict
}

/// Whether a trust policy lets a service assume its role.
pub(crate) fn trusts(policy: &Policy, service: &str, context: &Context) -> bool {
    let named = |it: &Statement| it.services.match_by(|it| it == "*" || it == service);
    lets(policy, named, context)
}

/// Whether a trust policy lets somebody of the account assume its role: itself by name,
/// or the account as a whole.
pub(crate) fn trusts_principal(policy: &Policy, arn: &str, context: &Context) -> bool {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let root = format!("arn:aws:iam::{account}:root");
    let names = |it: &str| it == "*" || it == arn || it == account || it == root;
    let named = |it: &Statement| it.principals.match_by(names);
    lets(policy, named, context)
}

fn lets(policy: &Policy, named: impl Fn(&Statement) -> bool, context: &Context) -> bool {
    let mut trusted = false;
    for statement in &policy.statements {
        let matches = named(statement)
            && statement
                .actions
                .match_by(|it| matches_pattern(&it.to_ascii_lowercase(), "sts:assumerole"))
            && statement.applies(context);
        match (matches, statement.effect) {
            (true, Effect::Deny) => return false,
            (true, Effect::Allow) => trusted = true,
            (false, _) => {}
        }
    }
    trusted
}

/// `*` matches any run of characters, `?` any one. Linear: it goes back to the
/// last star only, so that no pattern costs more than text times pattern.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&letter) if letter == '?' || letter == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&letter| letter == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Context, Policy, allows, matches_pattern, trusts};

    fn policy(statements: Value) -> Policy {
        Policy::read(&json!({ "Version": "2012-10-17", "Statement": statements })).unwrap()
    }

    fn allowed(statements: Value, action: &str, resource: &str) -> bool {
        allows([&policy(statements)], action, resource, &Context::default())
    }

    const CHAT: &str = "arn:aws:lambda:eu-west-1:123456789012:function:chat";

    #[test]
    fn wildcards_match_runs_and_single_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbc"),
            ("a?c", "abc"),
            ("*:*:x", "a:b:c:x"),
            ("**a*", "ba"),
        ] {
            assert!(matches_pattern(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a?c", "ac"),
            ("a*c", "abcd"),
            ("?", ""),
            ("abc", "ABC"),
        ] {
            assert!(!matches_pattern(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn nothing_is_allowed_that_no_statement_allows() {
        let statement =
            json!([{ "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": CHAT }]);
        assert!(allowed(statement.clone(), "lambda:InvokeFunction", CHAT));
        assert!(!allowed(
            statement.clone(),
            "lambda:InvokeFunction",
            &format!("{CHAT}:1")
        ));
        assert!(!allowed(statement.clone(), "lambda:GetFunction", CHAT));
        assert!(
            allowed(statement, "LAMBDA:invokefunction", CHAT),
            "actions ignore case"
        );
    }

    #[test]
    fn an_explicit_deny_wins_in_any_order() {
        let deny =
            json!({ "Effect": "Deny", "Action": "lambda:*", "Resource": format!("{CHAT}*") });
        let allow = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
        for statements in [json!([deny, allow]), json!([allow, deny])] {
            assert!(!allowed(statements.clone(), "lambda:InvokeFunction", CHAT));
            assert!(allowed(statements, "logs:PutLogEvents", "arn:aws:logs:::x"));
        }
    }

    #[test]
    fn a_deny_in_another_policy_wins_too() {
        let allow = policy(json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }));
        let deny = policy(json!({ "Effect": "Deny", "NotAction": "s3:*", "Resource": "*" }));
        assert!(!allows(
            [&allow, &deny],
            "lambda:InvokeFunction",
            CHAT,
            &Context::default()
        ));
        assert!(allows(
            [&allow, &deny],
            "s3:GetObject",
            "arn:aws:s3:::b/k",
            &Context::default()
        ));
    }

    #[test]
    fn not_resource_allows_all_others() {
        let statement = json!({ "Effect": "Allow", "Action": "lambda:*", "NotResource": CHAT });
        assert!(!allowed(statement.clone(), "lambda:InvokeFunction", CHAT));
        assert!(allowed(statement, "lambda:InvokeFunction", "arn:other"));
    }

    #[test]
    fn unknown_conditions_fail_closed() {
        let with = |effect: &str| json!({ "Effect": effect, "Action": "*", "Resource": "*", "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } } });
        assert!(!allowed(json!([with("Allow")]), "s3:GetObject", "arn:x"));
        let allow = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
        assert!(!allowed(
            json!([allow, with("Deny")]),
            "s3:GetObject",
            "arn:x"
        ));
    }

    #[test]
    fn trust_names_the_service_and_meets_its_conditions() {
        let trust = policy(json!({
            "Effect": "Allow",
            "Principal": { "Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"] },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": "123456789012" }, "ArnLike": { "AWS:SourceArn": format!("{CHAT}*") } }
        }));
        let context = Context::default()
            .with("aws:SourceAccount", "123456789012")
            .with("aws:SourceArn", CHAT);
        assert!(trusts(&trust, "lambda.amazonaws.com", &context));
        assert!(!trusts(&trust, "apigateway.amazonaws.com", &context));
        assert!(!trusts(
            &trust,
            "lambda.amazonaws.com",
            &Context::default().with("aws:SourceAccount", "123456789012")
        ));
        let other = Context::default()
            .with("aws:SourceAccount", "999999999999")
            .with("aws:SourceArn", CHAT);
        assert!(!trusts(&trust, "lambda.amazonaws.com", &other));
    }

    #[test]
    fn if_exists_and_negated_conditions_hold_without_the_key() {
        let with = |operator: &str| {
            let trust = policy(json!({
                "Effect": "Allow", "Principal": "*", "Action": "sts:*",
                "Condition": { operator: { "aws:SourceAccount": "1" } }
            }));
            trusts(&trust, "lambda.amazonaws.com", &Context::default())
        };
        assert!(with("StringEqualsIfExists"));
        assert!(with("StringNotEquals"));
        assert!(!with("StringEquals"));
    }
}
