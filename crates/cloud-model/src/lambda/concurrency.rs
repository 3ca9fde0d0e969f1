//! Reserved concurrency, and the account's limits.

use serde_json::json;

use super::function::LATEST;
use super::reference::Reference;
use super::{Failure, Lambda, invalid_parameter, validation};
use crate::call::Call;
use crate::constraints;
use crate::limits::{
    CONCURRENT_EXECUTIONS, MIN_UNRESERVED_EXECUTIONS, TOTAL_CODE_BYTES, UNZIPPED_BYTES,
    ZIPPED_BYTES,
};
use crate::wire::rest_json::{Reply, RestRequest};

impl Lambda {
    pub(super) fn put_function_concurrency(
        &mut self,
        name: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = self.whole_function(name, call)?;
        let reserved = request
            .members()?
            .integer("ReservedConcurrentExecutions")?
            .ok_or_else(|| validation(constraints::missing("reservedConcurrentExecutions")))?;
        constraints::range(
            reserved,
            "reservedConcurrentExecutions",
            0,
            i64::from(u32::MAX),
        )
        .map_err(validation)?;
        let others = self.reserved(Some(&reference.name));
        if CONCURRENT_EXECUTIONS - others - reserved < MIN_UNRESERVED_EXECUTIONS {
            return Err(invalid_parameter(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value of [{MIN_UNRESERVED_EXECUTIONS}]."
            )));
        }
        self.find_mut(&reference, call.settings)?
            .reserved_concurrency = Some(reserved as u32);
        Ok(Reply::ok(
            json!({ "ReservedConcurrentExecutions": reserved }),
        ))
    }

    pub(super) fn get_function_concurrency(
        &self,
        name: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = Reference::read(name, None, call.settings)?;
        let function = self.find(&reference, call.settings)?;
        Ok(Reply::ok(match function.reserved_concurrency {
            Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
            None => json!({}),
        }))
    }

    pub(super) fn delete_function_concurrency(
        &mut self,
        name: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = self.whole_function(name, call)?;
        self.find_mut(&reference, call.settings)?
            .reserved_concurrency = None;
        Ok(Reply::empty(204))
    }

    pub(super) fn get_account_settings(&self) -> Reply {
        let unreserved = CONCURRENT_EXECUTIONS - self.reserved(None);
        Reply::ok(json!({
            "AccountLimit": {
                "CodeSizeUnzipped": UNZIPPED_BYTES,
                "CodeSizeZipped": ZIPPED_BYTES,
                "ConcurrentExecutions": CONCURRENT_EXECUTIONS,
                "TotalCodeSize": TOTAL_CODE_BYTES,
                "UnreservedConcurrentExecutions": unreserved,
            },
            "AccountUsage": {
                "FunctionCount": self.functions.len(),
                "TotalCodeSize": self.code_bytes(),
            },
        }))
    }

    /// Versions have no concurrency of their own.
    fn whole_function(&self, name: &str, call: &Call<'_>) -> Result<Reference, Failure> {
        let reference = Reference::read(name, None, call.settings)?;
        if reference.qualifier.is_some() {
            return Err(invalid_parameter(
                "This operation is permitted on Lambda functions only. Aliases and versions do not \
                 support this operation. Please specify either a function name or an unqualified \
                 function ARN.",
            ));
        }
        // Recorded: the refusal names `$LATEST`.
        let latest = Reference {
            qualifier: Some(LATEST.to_owned()),
            ..reference.clone()
        };
        self.find(&latest, call.settings)?;
        Ok(reference)
    }

    fn reserved(&self, except: Option<&str>) -> i64 {
        let others = self
            .functions
            .values()
            .filter(|function| Some(function.name.as_str()) != except);
        others
            .filter_map(|function| function.reserved_concurrency)
            .map(i64::from)
            .sum()
    }
}
