//! Lambda Managed Instances, as far as they change what a process is given: several
//! events at once.
//!
//! Deliberately absent: capacity providers themselves (any ARN of one is taken),
//! memory per vCPU, scaling, `$LATEST.PUBLISHED`, and what differs in price and network.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{invalid_parameter, not_supported, validation};
use crate::assumptions::EVENTS_AT_ONCE;
use crate::constraints;
use crate::error::Failure;
use crate::wire::members::{Members, present};

const INNER: &str = "LambdaManagedInstancesCapacityProviderConfig";
const MEMBER: &str = "capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig";

/// A function's `CapacityProviderConfig`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManagedInstances {
    provider_arn: String,
    /// `None`: not given, and then not shown.
    max_concurrency: Option<u32>,
}

impl ManagedInstances {
    /// What a request says of it; `None`: nothing.
    pub(super) fn read(members: &Members) -> Result<Option<Self>, Failure> {
        let Some(config) = members.object("CapacityProviderConfig")? else {
            return Ok(None);
        };
        let Some(inner) = config.object(INNER)? else {
            return Ok(None);
        };
        let unserved = "ExecutionEnvironmentMemoryGiBPerVCpu";
        if inner.says_something(unserved) {
            let name = format!("CapacityProviderConfig.{INNER}.{unserved}");
            return Err(not_supported(&name));
        }
        let arn = inner.text("CapacityProviderArn")?;
        let member = format!("{MEMBER}.capacityProviderArn");
        let arn = arn.ok_or_else(|| validation(constraints::missing(&member)))?;
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "lambda", _, _, "capacity-provider", name] = parts.as_slice() else {
            return Err(invalid_parameter(format!(
                "{arn} is not the ARN of a capacity provider"
            )));
        };
        constraints::length(name, &member, 1, 140).map_err(validation)?;
        let most = inner.integer("PerExecutionEnvironmentMaxConcurrency")?;
        if let Some(most) = most {
            let member = format!("{MEMBER}.perExecutionEnvironmentMaxConcurrency");
            constraints::range(most, &member, 1, 1600).map_err(validation)?;
        }
        Ok(Some(Self {
            provider_arn: arn,
            max_concurrency: most.map(|most| most as u32),
        }))
    }

    /// As `CapacityProviderConfig`.
    pub(super) fn show(&self) -> Value {
        json!({ INNER: present(json!({
            "CapacityProviderArn": self.provider_arn,
            "PerExecutionEnvironmentMaxConcurrency": self.max_concurrency,
        })) })
    }

    /// Events that a process is given at once.
    pub(super) fn max_concurrency(&self) -> u32 {
        self.max_concurrency.unwrap_or(EVENTS_AT_ONCE)
    }
}
