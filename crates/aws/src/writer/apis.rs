//! Writes to API Gateway.
//!
//! CreateApi, CreateIntegration, CreateAuthorizer, CreateRoute and CreateDeployment have
//! no idempotency token: they make one attempt.

use super::stages::Settings;
use crate::error::{Call, gone};
use aws_sdk_apigatewayv2::Client;
use aws_sdk_apigatewayv2::config::{Builder as ConfigBuilder, Config};
use aws_sdk_apigatewayv2::types::{IntegrationType, ProtocolType};
use aws_smithy_types::retry::RetryConfig;
use deployer_core::authorizer::Authorization;
use deployer_core::names::{ApiId, DeploymentId, FunctionKey, IntegrationId};
use deployer_core::plan::Action;
use deployer_core::stage_settings::StageUpdate;
use deployer_engine::cloud::{Produced, WriteContext};
use deployer_engine::error::CloudError;

/// What AWS_PROXY integrations of a WebSocket API invoke with.
const INTEGRATION_METHOD: &str = "POST";

pub(super) async fn perform(
    client: &Client,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let (_, resource) = action.resource();
    let write = Write {
        client,
        context,
        call: Call::new(action.call(), &resource),
    };
    match action {
        Action::CreateApi { .. } | Action::UpdateApi { .. } | Action::DeleteApi { .. } => {
            write.api(action).await
        }
        Action::CreateIntegration { .. }
        | Action::UpdateIntegration { .. }
        | Action::DeleteIntegration { .. } => write.integration(action).await,
        Action::CreateAuthorizer { .. }
        | Action::UpdateAuthorizer { .. }
        | Action::DeleteAuthorizer { .. } => write.authorizer(action).await,
        Action::CreateRoute { .. } | Action::UpdateRoute { .. } | Action::DeleteRoute { .. } => {
            write.route(action).await
        }
        Action::CreateDeployment { .. }
        | Action::DeleteDeployment { .. }
        | Action::CreateStage { .. }
        | Action::UpdateStage { .. }
        | Action::ConfigureStage { .. }
        | Action::DisableAutoDeploy { .. }
        | Action::DeleteRouteSettings { .. }
        | Action::DeleteAccessLogSettings { .. } => write.release(action).await,
        _ => unreachable!("the writer sends each action to its service"),
    }
}

pub(super) struct Write<'a> {
    pub(super) client: &'a Client,
    context: &'a WriteContext<'a>,
    pub(super) call: Call<'a>,
}

impl Write<'_> {
    pub(super) fn api_id(&self) -> Result<&str, CloudError> {
        let id = self.context.bindings.api_id.as_ref().map(ApiId::as_str);
        id.ok_or_else(|| self.call.incomplete("id of the API"))
    }

    fn deployment_id(&self) -> Result<&str, CloudError> {
        let id = self
            .context
            .bindings
            .deployment_id
            .as_ref()
            .map(DeploymentId::as_str);
        id.ok_or_else(|| self.call.incomplete("id of the deployment"))
    }

    pub(super) fn uri(&self, key: &FunctionKey, function_arn: &str) -> Result<String, CloudError> {
        let context = self.context;
        let uri = context
            .bindings
            .invocation_uri(context.account, key, function_arn);
        uri.ok_or_else(|| self.call.incomplete("version of the function"))
    }

    fn target(&self, key: &FunctionKey) -> Result<String, CloudError> {
        let id = self.context.bindings.integrations.get(key);
        let id = id.ok_or_else(|| self.call.incomplete("id of the integration"))?;
        Ok(format!("integrations/{id}"))
    }

    /// The authorizer that a route asks, where it asks one.
    fn authorizer_id(&self, authorization: Authorization) -> Result<Option<String>, CloudError> {
        if authorization != Authorization::Custom {
            return Ok(None);
        }
        let id = self.context.bindings.authorizer.as_ref();
        let id = id.ok_or_else(|| self.call.incomplete("id of the authorizer"))?;
        Ok(Some(id.to_string()))
    }

    async fn api(&self, action: &Action) -> Result<Produced, CloudError> {
        match action {
            Action::CreateApi {
                name,
                description,
                route_selection_expression,
                settings,
                tags,
            } => {
                let created = self
                    .client
                    .create_api()
                    .name(name)
                    .description(description)
                    .protocol_type(ProtocolType::Websocket)
                    .route_selection_expression(route_selection_expression)
                    .disable_execute_api_endpoint(settings.disable_execute_api_endpoint)
                    .ip_address_type(settings.ip_address_type.as_str().into())
                    .set_tags(Some(tags.clone().into_iter().collect()))
                    .customize()
                    .config_override(one_attempt())
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
                let id = created
                    .api_id()
                    .ok_or_else(|| self.call.incomplete("ApiId"))?;
                let endpoint = created
                    .api_endpoint()
                    .ok_or_else(|| self.call.incomplete("ApiEndpoint"))?;
                Ok(Produced::Api {
                    api_id: ApiId::new(id),
                    endpoint: endpoint.to_owned(),
                })
            }
            Action::UpdateApi {
                description,
                route_selection_expression,
                settings,
            } => {
                self.client
                    .update_api()
                    .api_id(self.api_id()?)
                    .description(description)
                    .route_selection_expression(route_selection_expression)
                    .disable_execute_api_endpoint(settings.disable_execute_api_endpoint)
                    .ip_address_type(settings.ip_address_type.as_str().into())
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
                Ok(Produced::Nothing)
            }
            Action::DeleteApi { api_id } => {
                let answer = self
                    .client
                    .delete_api()
                    .api_id(api_id.as_str())
                    .send()
                    .await;
                gone(answer.map_err(|error| self.call.error(error)))?;
                Ok(Produced::Nothing)
            }
            _ => unreachable!("only APIs come here"),
        }
    }

    async fn integration(&self, action: &Action) -> Result<Produced, CloudError> {
        let api_id = self.api_id()?;
        match action {
            Action::CreateIntegration {
                key,
                function_arn,
                credentials_arn,
            } => {
                let created = self
                    .client
                    .create_integration()
                    .api_id(api_id)
                    .integration_type(IntegrationType::AwsProxy)
                    .integration_method(INTEGRATION_METHOD)
                    .integration_uri(self.uri(key, function_arn)?)
                    .credentials_arn(credentials_arn)
                    .customize()
                    .config_override(one_attempt())
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
                let id = created
                    .integration_id()
                    .ok_or_else(|| self.call.incomplete("IntegrationId"))?;
                Ok(Produced::Integration(key.clone(), IntegrationId::new(id)))
            }
            Action::UpdateIntegration {
                key,
                integration_id,
                function_arn,
                credentials_arn,
            } => {
                self.client
                    .update_integration()
                    .api_id(api_id)
                    .integration_id(integration_id.as_str())
                    .integration_type(IntegrationType::AwsProxy)
                    .integration_method(INTEGRATION_METHOD)
                    .integration_uri(self.uri(key, function_arn)?)
                    .credentials_arn(credentials_arn)
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
                Ok(Produced::Nothing)
            }
            Action::DeleteIntegration { integration_id } => {
                let request = self.client.delete_integration().api_id(api_id);
                let answer = request.integration_id(integration_id.as_str()).send().await;
                gone(answer.map_err(|error| self.call.error(error)))?;
                Ok(Produced::Nothing)
            }
            _ => unreachable!("only integrations come here"),
        }
    }

    async fn route(&self, action: &Action) -> Result<Produced, CloudError> {
        let api_id = self.api_id()?;
        match action {
            Action::CreateRoute {
                route_key,
                function,
                authorization,
            } => {
                self.client
                    .create_route()
                    .api_id(api_id)
                    .route_key(route_key.as_str())
                    .target(self.target(function)?)
                    .authorization_type(authorization.as_str().into())
                    .set_authorizer_id(self.authorizer_id(*authorization)?)
                    .customize()
                    .config_override(one_attempt())
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
            }
            Action::UpdateRoute {
                route_id,
                function,
                authorization,
                forget_authorizer,
                ..
            } => {
                // An update merges: what isn't said stays, and empty text clears.
                let none = forget_authorizer.then(String::new);
                self.client
                    .update_route()
                    .api_id(api_id)
                    .route_id(route_id.as_str())
                    .target(self.target(function)?)
                    .authorization_type(authorization.as_str().into())
                    .set_authorizer_id(self.authorizer_id(*authorization)?.or(none))
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
            }
            Action::DeleteRoute { route_id, .. } => {
                let request = self
                    .client
                    .delete_route()
                    .api_id(api_id)
                    .route_id(route_id.as_str());
                gone(request.send().await.map_err(|error| self.call.error(error)))?;
            }
            _ => unreachable!("only routes come here"),
        }
        Ok(Produced::Nothing)
    }

    async fn update_stage(
        &self,
        stage_name: &str,
        deployment_id: Option<String>,
        settings: &StageUpdate,
    ) -> Result<(), CloudError> {
        let settings = Settings::from(settings);
        self.client
            .update_stage()
            .api_id(self.api_id()?)
            .stage_name(stage_name)
            .set_deployment_id(deployment_id)
            .set_stage_variables(settings.variables)
            .set_default_route_settings(settings.default_route)
            .set_route_settings(settings.routes)
            .set_access_log_settings(settings.access_log)
            .send()
            .await
            .map_err(|error| self.call.error(error))?;
        Ok(())
    }

    async fn release(&self, action: &Action) -> Result<Produced, CloudError> {
        let api_id = self.api_id()?;
        match action {
            Action::CreateDeployment { manifest } => {
                let complete = manifest.complete(&self.context.bindings.versions);
                let complete =
                    complete.ok_or_else(|| self.call.incomplete("version of a function"))?;
                let description = manifest.release().description(&complete.key());
                let created = self
                    .client
                    .create_deployment()
                    .api_id(api_id)
                    .description(description)
                    .customize()
                    .config_override(one_attempt())
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
                let id = created
                    .deployment_id()
                    .ok_or_else(|| self.call.incomplete("DeploymentId"))?;
                return Ok(Produced::Deployment(DeploymentId::new(id)));
            }
            Action::DeleteDeployment { deployment_id, .. } => {
                let request = self.client.delete_deployment().api_id(api_id);
                let answer = request.deployment_id(deployment_id.as_str()).send().await;
                gone(answer.map_err(|error| self.call.error(error)))?;
            }
            Action::CreateStage {
                stage_name,
                settings,
                tags,
            } => {
                let settings = Settings::from(settings);
                self.client
                    .create_stage()
                    .api_id(api_id)
                    .stage_name(stage_name)
                    .deployment_id(self.deployment_id()?)
                    .set_stage_variables(settings.variables)
                    .set_default_route_settings(settings.default_route)
                    .set_route_settings(settings.routes)
                    .set_access_log_settings(settings.access_log)
                    .set_tags(Some(tags.clone().into_iter().collect()))
                    .customize()
                    .config_override(one_attempt())
                    .send()
                    .await
                    .map_err(|error| self.call.error(error))?;
            }
            Action::UpdateStage {
                stage_name,
                settings,
            } => {
                let deployment_id = Some(self.deployment_id()?.to_owned());
                self.update_stage(stage_name, deployment_id, settings)
                    .await?;
            }
            Action::ConfigureStage {
                stage_name,
                settings,
            } => self.update_stage(stage_name, None, settings).await?,
            Action::DisableAutoDeploy { stage_name } => {
                let request = self.client.update_stage().api_id(api_id);
                let request = request.stage_name(stage_name).auto_deploy(false);
                let answer = request.send().await;
                answer.map_err(|error| self.call.error(error))?;
            }
            Action::DeleteRouteSettings {
                stage_name,
                route_key,
            } => {
                let request = self.client.delete_route_settings().api_id(api_id);
                let request = request.stage_name(stage_name).route_key(route_key.as_str());
                let answer = request.send().await;
                gone(answer.map_err(|error| self.call.error(error)))?;
            }
            Action::DeleteAccessLogSettings { stage_name } => {
                let request = self.client.delete_access_log_settings().api_id(api_id);
                let answer = request.stage_name(stage_name).send().await;
                gone(answer.map_err(|error| self.call.error(error)))?;
            }
            _ => unreachable!("only deployments and stages come here"),
        }
        Ok(Produced::Nothing)
    }
}

pub(super) fn one_attempt() -> ConfigBuilder {
    Config::builder().retry_config(RetryConfig::disabled())
}
