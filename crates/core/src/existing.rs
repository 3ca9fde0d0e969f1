//! A function that somebody else made and goes on keeping: a stage's routes lead to it, and
//! the deployer neither builds nor changes nor removes it.
//!
//! Deliberately absent: functions of other accounts and regions. Only their owner can
//! permit an invocation from here.

use crate::account::Account;
use crate::names::FunctionName;
use serde::Serialize;
use std::fmt;

/// How long AWS lets a name, an alias or a version's number be.
const NAME_LIMIT: usize = 64;
const QUALIFIER_LIMIT: usize = 128;
const URI_INFIX: &str = ":lambda:path/2015-03-31/functions/";
const URI_SUFFIX: &str = "/invocations";

/// A function as a stage file names it, or as an integration invokes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ExistingFunction {
    /// Its name in the account.
    pub name: FunctionName,
    /// The alias or version that is invoked; `None`: `$LATEST`.
    pub qualifier: Option<String>,
    /// Where its ARN says it is; `None`: it was called by its name.
    pub place: Option<PlaceOfFunction>,
}

/// Where a function is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlaceOfFunction {
    /// E.g. `aws`.
    pub partition: String,
    /// E.g. `eu-central-1`.
    pub region: String,
    /// 12 digits.
    pub account_id: String,
}

impl ExistingFunction {
    /// What stage files take.
    pub const FORMS: &'static str =
        "a function's name or ARN, perhaps with `:` and an alias or a version";

    /// Reads a name or an ARN.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (place, rest) = match parts.as_slice() {
            [
                "arn",
                partition,
                "lambda",
                region,
                account_id,
                "function",
                rest @ ..,
            ] => {
                let legal = partition.starts_with("aws")
                    && !region.is_empty()
                    && account_id.len() == 12
                    && account_id.bytes().all(|byte| byte.is_ascii_digit());
                let place = PlaceOfFunction {
                    partition: (*partition).to_owned(),
                    region: (*region).to_owned(),
                    account_id: (*account_id).to_owned(),
                };
                (Some(legal.then_some(place)?), rest)
            }
            all => (None, all),
        };
        let (name, qualifier) = match rest {
            [name] => (name, None),
            [name, qualifier] => (name, Some(*qualifier)),
            _ => return None,
        };
        let named = |text: &str, limit| {
            let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            (1..=limit).contains(&text.len()) && text.bytes().all(word)
        };
        let legal = named(name, NAME_LIMIT)
            && qualifier.is_none_or(|it| it == "$LATEST" || named(it, QUALIFIER_LIMIT));
        legal.then(|| Self {
            name: FunctionName::new(*name),
            qualifier: qualifier.map(str::to_owned),
            place,
        })
    }

    /// What an integration's URI invokes; `None` where that isn't one function, always the
    /// same: a stage variable may be in it.
    pub fn of_uri(uri: &str) -> Option<Self> {
        let (_, arn) = uri.split_once(URI_INFIX)?;
        let found = Self::parse(arn.strip_suffix(URI_SUFFIX)?)?;
        found.place.is_some().then_some(found)
    }

    /// Its ARN, where it is called by its name: in that account.
    pub fn arn(&self, account: &Account) -> String {
        let mut arn = match &self.place {
            None => account.function_arn(&self.name),
            Some(place) => format!(
                "arn:{}:lambda:{}:{}:function:{}",
                place.partition, place.region, place.account_id, self.name
            ),
        };
        if let Some(qualifier) = &self.qualifier {
            arn.push(':');
            arn.push_str(qualifier);
        }
        arn
    }

    /// Whether it is in that account and region.
    pub fn is_in(&self, account: &Account) -> bool {
        self.place.as_ref().is_none_or(|place| {
            place.region == account.region && place.account_id == account.account_id
        })
    }
}

/// The shortest form that is unambiguous in its own account.
impl fmt::Display for ExistingFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_str())?;
        match &self.qualifier {
            Some(qualifier) => write!(f, ":{qualifier}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            caller_arn: String::new(),
            partition: "aws".into(),
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
        }
    }

    #[test]
    fn a_function_is_called_by_its_name_or_its_arn_and_what_of_it_is_invoked() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:Stack-Join-1A2B";
        for (text, expected) in [
            ("Stack-Join-1A2B", arn.to_owned()),
            ("Stack-Join-1A2B:live", format!("{arn}:live")),
            (arn, arn.to_owned()),
            (&format!("{arn}:7"), format!("{arn}:7")),
        ] {
            let function = ExistingFunction::parse(text).unwrap();
            assert_eq!(function.arn(&account()), expected);
            assert!(function.is_in(&account()));
        }
        for text in ["", "a b", "a:b:c", "arn:aws:s3:::bucket", "${fn}", "a:"] {
            assert_eq!(ExistingFunction::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_an_integration_invokes_is_read_from_its_uri() {
        let of = |arn: &str| ExistingFunction::of_uri(&account().invocation_uri(arn));
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:join:live";
        let found = of(arn).unwrap();
        assert_eq!(
            (found.arn(&account()).as_str(), found.to_string().as_str()),
            (arn, "join:live")
        );
        assert!(!found.is_in(&account()));
        assert_eq!(of(&format!("{}${{stageVariables.fn}}", &arn[..50])), None);
        assert_eq!(ExistingFunction::of_uri("https://example.com"), None);
    }
}
