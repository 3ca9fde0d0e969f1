//! Writes of authorizers. CreateAuthorizer has no idempotency token: it makes one
//! attempt, and what became of it is found by the authorizer's name.

use super::apis::{Write, one_attempt};
use crate::error::gone;
use aws_sdk_apigatewayv2::types::AuthorizerType;
use deployer_core::authorizer::Authorizer;
use deployer_core::names::AuthorizerId;
use deployer_core::plan::Action;
use deployer_engine::cloud::Produced;
use deployer_engine::error::CloudError;

impl Write<'_> {
    pub(super) async fn authorizer(&self, action: &Action) -> Result<Produced, CloudError> {
        let api_id = self.api_id()?;
        match action {
            Action::CreateAuthorizer {
                authorizer,
                function_arn,
                credentials_arn,
            } => {
                let created = self
                    .client
                    .create_authorizer()
                    .api_id(api_id)
                    .name(authorizer.name())
                    .authorizer_type(AuthorizerType::Request)
                    .authorizer_uri(self.uri(&authorizer.function, function_arn)?)
                    .authorizer_credentials_arn(credentials_arn)
                    .set_identity_source(Some(sources(authorizer)))
                    .customize()
                    .config_override(one_attempt())
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
                let id = created
                    .authorizer_id()
                    .ok_or_else(|| self.call.incomplete("AuthorizerId"))?;
                Ok(Produced::Authorizer(AuthorizerId::new(id)))
            }
            Action::UpdateAuthorizer {
                authorizer,
                authorizer_id,
                function_arn,
                credentials_arn,
            } => {
                self.client
                    .update_authorizer()
                    .api_id(api_id)
                    .authorizer_id(authorizer_id.as_str())
                    .authorizer_uri(self.uri(&authorizer.function, function_arn)?)
                    .authorizer_credentials_arn(credentials_arn)
                    .set_identity_source(Some(sources(authorizer)))
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
                Ok(Produced::Nothing)
            }
            Action::DeleteAuthorizer { authorizer_id, .. } => {
                let request = self.client.delete_authorizer().api_id(api_id);
                let answer = request.authorizer_id(authorizer_id.as_str()).send().await;
                gone(answer.map_err(|error| self.call.error(error)))?;
                Ok(Produced::Nothing)
            }
            _ => unreachable!("only authorizers come here"),
        }
    }
}

fn sources(authorizer: &Authorizer) -> Vec<String> {
    authorizer.identity_sources.iter().cloned().collect()
}
