//! What all stages of an account and region left there.

use super::apis::list_tagged;
use crate::connect::Cloud;
use crate::error::{Call, found};
use deployer_core::census::{ApiFound, JournalFound};
use deployer_core::names::ApiId;
use deployer_engine::directory::Directory;
use deployer_engine::error::CloudError;

impl Directory for Cloud {
    async fn list_journals(&self, prefix: &str) -> Result<Vec<JournalFound>, CloudError> {
        super::log_groups::list_journals(&self.logs, prefix).await
    }

    async fn list_tagged_apis(&self) -> Result<Vec<ApiFound>, CloudError> {
        list_tagged(&self.apigateway).await
    }

    async fn find_live_description(
        &self,
        api_id: &ApiId,
        api_stage: &str,
    ) -> Result<Option<String>, CloudError> {
        let api_id = api_id.as_str();
        let call = Call::new("apigateway", "GetStage", api_stage);
        let request = self.apigateway.get_stage().api_id(api_id);
        let answer = request.stage_name(api_stage).send().await;
        let stage = found(answer.map_err(|error| call.error(error)))?;
        let Some(deployment) = stage.and_then(|stage| stage.deployment_id) else {
            return Ok(None);
        };
        let call = Call::new("apigateway", "GetDeployment", &deployment);
        let request = self.apigateway.get_deployment().api_id(api_id);
        let answer = request.deployment_id(&deployment).send().await;
        let deployment = found(answer.map_err(|error| call.error(error)))?;
        Ok(deployment.map(|deployment| deployment.description.unwrap_or_default()))
    }
}
