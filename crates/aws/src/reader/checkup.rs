//! The account as a whole: who calls, and its quotas.

use super::apis;
use crate::connect::Cloud;
use crate::error::Call;
use crate::server_clock::ServerClock;
use aws_sdk_iam::types::SummaryKeyType;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use deployer_core::account::Account;
use deployer_core::operations::Operation;
use deployer_engine::checkup::{AccountReader, Introduction, LambdaQuotas, RoleQuota};
use deployer_engine::error::CloudError;

impl AccountReader for Cloud {
    async fn introduce(&self) -> Introduction {
        let call = Call::new(Operation::GetCallerIdentity, "");
        let clock = ServerClock::default();
        let answer = self
            .sts
            .get_caller_identity()
            .customize()
            .interceptor(clock.clone())
            .send()
            .await
            .map_err(|error| call.error(error));
        Introduction {
            account: answer.and_then(|identity| account_of(&identity, &self.region)),
            server_ms: clock.last_ms(),
        }
    }

    async fn get_lambda_quotas(&self) -> Result<LambdaQuotas, CloudError> {
        let call = Call::new(Operation::GetAccountSettings, "");
        let answer = self
            .lambda
            .get_account_settings()
            .send()
            .await
            .map_err(|error| call.error(error))?;
        let limit = answer
            .account_limit()
            .ok_or_else(|| call.incomplete("AccountLimit"))?;
        let usage = answer
            .account_usage()
            .ok_or_else(|| call.incomplete("AccountUsage"))?;
        let unreserved = limit.unreserved_concurrent_executions();
        Ok(LambdaQuotas {
            concurrency: u32::try_from(limit.concurrent_executions()).unwrap_or_default(),
            unreserved: unreserved
                .and_then(|count| u32::try_from(count).ok())
                .ok_or_else(|| call.incomplete("UnreservedConcurrentExecutions"))?,
            code_bytes_limit: u64::try_from(limit.total_code_size()).unwrap_or_default(),
            code_bytes: u64::try_from(usage.total_code_size()).unwrap_or_default(),
        })
    }

    async fn get_role_quota(&self) -> Result<RoleQuota, CloudError> {
        let call = Call::new(Operation::GetAccountSummary, "");
        let answer = self
            .iam
            .get_account_summary()
            .send()
            .await
            .map_err(|error| call.error(error))?;
        let map = answer.summary_map();
        let number = |key: &SummaryKeyType| {
            let found = map.and_then(|map| map.get(key));
            let found = found.and_then(|count| u32::try_from(*count).ok());
            found.ok_or_else(|| call.incomplete(key.as_str()))
        };
        Ok(RoleQuota {
            roles: number(&SummaryKeyType::Roles)?,
            limit: number(&SummaryKeyType::RolesQuota)?,
        })
    }

    async fn count_apis(&self) -> Result<usize, CloudError> {
        apis::count(&self.apigateway).await
    }
}

/// The account that a caller comes to.
pub(super) fn account_of(
    identity: &GetCallerIdentityOutput,
    region: &str,
) -> Result<Account, CloudError> {
    let call = Call::new(Operation::GetCallerIdentity, "");
    let arn = identity.arn().ok_or_else(|| call.incomplete("Arn"))?;
    let account_id = identity
        .account()
        .ok_or_else(|| call.incomplete("Account"))?;
    Ok(Account {
        caller_arn: arn.to_owned(),
        partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
        account_id: account_id.to_owned(),
        region: region.to_owned(),
    })
}
