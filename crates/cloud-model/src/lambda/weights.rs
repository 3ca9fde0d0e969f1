//! Weights of an alias: the part of its invocations that a second version runs.
//!
//! Deliberately absent: dead-letter queues, which both versions would have to share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::function::{Function, LATEST};
use super::{invalid_parameter, unknown_function, validation};
use crate::Settings;
use crate::constraints;
use crate::error::Failure;
use crate::ids::{IdSource, fraction};
use crate::wire::members::Members;

const KEY_RULE: &str = "Map keys must satisfy constraint: [Member must have length less than or \
                        equal to 1024, Member must have length greater than or equal to 1, Member \
                        must satisfy regular expression pattern: [0-9]+]";
const WEIGHT_RULE: &str = "Map value must satisfy constraint: [Member must have value less than or \
                           equal to 1.0, Member must have value greater than or equal to 0.0, \
                           Member must not be null]";

/// Versions with their weights, as a request has them.
pub(super) type Given = BTreeMap<String, f64>;

/// A version and the part of the invocations that it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Weighted {
    /// A number, not `$LATEST`.
    pub(super) version: String,
    /// 0.0 to 1.0.
    weight: f64,
}

impl Weighted {
    /// As `RoutingConfig`.
    pub(super) fn show(&self) -> Value {
        json!({ "AdditionalVersionWeights": { &self.version: self.weight } })
    }

    /// Whether it runs an invocation. Draws one number.
    pub(super) fn is_drawn(&self, ids: &mut dyn IdSource) -> bool {
        fraction(ids) < self.weight
    }
}

/// The weights of a request; those outside the model are refused before anything is
/// looked up. `None`: the request doesn't mention them.
pub(super) fn read(members: &Members) -> Result<Option<Given>, Failure> {
    let Some(routing) = members.object("RoutingConfig")? else {
        return Ok(None);
    };
    let given = routing
        .number_map("AdditionalVersionWeights")?
        .unwrap_or_default();
    for (version, weight) in &given {
        let digits = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
        let rule = match (digits, (0.0..=1.0).contains(weight)) {
            (true, true) => continue,
            (false, _) => KEY_RULE,
            (true, false) => WEIGHT_RULE,
        };
        return Err(validation(constraints::violation(
            format!("{{{version}={weight:?}}}"),
            "routingConfig.additionalVersionWeights",
            rule,
        )));
    }
    Ok(Some(given))
}

/// What an alias has, as a request would give it.
pub(super) fn as_given(additional: Option<&Weighted>) -> Given {
    additional
        .map(|other| (other.version.clone(), other.weight))
        .into_iter()
        .collect()
}

/// The weights as an alias of `version` may have them.
pub(super) fn check(
    function: &Function,
    version: &str,
    given: Given,
    settings: &Settings,
) -> Result<Option<Weighted>, Failure> {
    if given.len() > 1 {
        return Err(invalid_parameter(
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ));
    }
    let Some((other, weight)) = given.into_iter().next() else {
        return Ok(None);
    };
    if other == version {
        return Err(invalid_parameter(format!(
            "Invalid function version {version}. Function version {version} is already included in \
             routing configuration."
        )));
    }
    if version == LATEST {
        return Err(invalid_parameter(
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ));
    }
    let role = |version: &str| {
        let revision = function.find(Some(version))?;
        Some(revision.configuration.role_arn.as_str())
    };
    let Some(others) = role(&other) else {
        let arn = format!("{}:{other}", function.arn(settings));
        return Err(unknown_function(&arn));
    };
    // Observed in public issues.
    if role(version) != Some(others) {
        return Err(invalid_parameter(
            "Specified versions must be associated with the same execution role",
        ));
    }
    Ok(Some(Weighted {
        version: other,
        weight,
    }))
}
