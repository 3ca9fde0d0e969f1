//! One API with all that AWS shows of it.
//!
//! Deliberately absent: responses of integrations that can have none (proxies), which
//! nobody is asked for.

use super::apis::{PAGE_SIZE, list_all, stage_state};
use super::sorted;
use crate::connect::Cloud;
use crate::error::{Call, found};
use aws_sdk_apigatewayv2::Client;
use aws_sdk_apigatewayv2::types::{Integration, IntegrationType, Route};
use deployer_core::api_details::{
    ApiDetails, AuthorizerDetails, IntegrationDetails, IntegrationResponseDetails, RouteDetails,
    RouteResponseDetails, StageDetails,
};
use deployer_core::names::{ApiId, AuthorizerId, IntegrationId, RouteId};
use deployer_core::operations::Operation;
use deployer_engine::cloud::ApiReader;
use deployer_engine::error::CloudError;
use futures_util::future::{try_join_all, try_join5};

impl ApiReader for Cloud {
    async fn find_api(&self, api_id: &ApiId) -> Result<Option<ApiDetails>, CloudError> {
        found(get(&self.apigateway, api_id.as_str()).await)
    }
}

async fn get(client: &Client, id: &str) -> Result<ApiDetails, CloudError> {
    let call = Call::new(Operation::GetApi, id);
    let answer = client.get_api().api_id(id).send().await;
    let api = answer.map_err(|error| call.error(error))?;
    let (routes, integrations, authorizers, deployments, stages) = try_join5(
        routes(client, id),
        integrations(client, id),
        authorizers(client, id),
        async {
            list_all!(
                client.get_deployments().api_id(id),
                Call::new(Operation::GetDeployments, id)
            )
        },
        async {
            list_all!(
                client.get_stages().api_id(id),
                Call::new(Operation::GetStages, id)
            )
        },
    )
    .await?;
    let word = |word: &str| word.to_owned();
    Ok(ApiDetails {
        api_id: id.to_owned(),
        name: api.name().unwrap_or_default().to_owned(),
        protocol: api
            .protocol_type()
            .map_or_else(String::new, |kind| word(kind.as_str())),
        endpoint: api.api_endpoint().unwrap_or_default().to_owned(),
        description: text(api.description()),
        version: text(api.version()),
        route_selection_expression: api
            .route_selection_expression()
            .unwrap_or_default()
            .to_owned(),
        api_key_selection_expression: text(api.api_key_selection_expression()),
        settings: super::stages::settings_of(
            api.disable_execute_api_endpoint(),
            api.ip_address_type(),
        ),
        tags: sorted(api.tags()),
        routes,
        integrations,
        authorizers,
        deployments: deployments
            .iter()
            .map(|it| {
                let description = it.description().unwrap_or_default();
                (
                    word(it.deployment_id().unwrap_or_default()),
                    word(description),
                )
            })
            .collect(),
        stages: stages
            .iter()
            .map(|stage| StageDetails {
                state: stage_state(stage),
                description: text(stage.description()),
                client_certificate_id: text(stage.client_certificate_id()),
            })
            .collect(),
    })
}

async fn routes(client: &Client, id: &str) -> Result<Vec<RouteDetails>, CloudError> {
    let found = list_all!(
        client.get_routes().api_id(id),
        Call::new(Operation::GetRoutes, id)
    )?;
    let responses = found.iter().map(|it| route_responses(client, id, it));
    let responses = try_join_all(responses).await?;
    let routes = found.iter().zip(responses);
    let mut routes: Vec<RouteDetails> = routes
        .map(|(route, responses)| RouteDetails {
            route_id: RouteId::new(route.route_id().unwrap_or_default()),
            route_key: route.route_key().unwrap_or_default().to_owned(),
            target: text(route.target()),
            authorization: route
                .authorization_type()
                .map_or("NONE", |kind| kind.as_str())
                .to_owned(),
            authorizer_id: text(route.authorizer_id()).map(AuthorizerId::new),
            api_key_required: route.api_key_required().unwrap_or_default(),
            operation_name: text(route.operation_name()),
            model_selection_expression: text(route.model_selection_expression()),
            request_models: sorted(route.request_models()),
            request_parameters: route
                .request_parameters()
                .into_iter()
                .flatten()
                .map(|(name, it)| (name.clone(), it.required().unwrap_or_default()))
                .collect(),
            route_response_selection_expression: text(route.route_response_selection_expression()),
            responses,
        })
        .collect();
    routes.sort_by(|one, other| one.route_key.cmp(&other.route_key));
    Ok(routes)
}

async fn route_responses(
    client: &Client,
    id: &str,
    route: &Route,
) -> Result<Vec<RouteResponseDetails>, CloudError> {
    let route_id = route.route_id().unwrap_or_default();
    let responses = list_all!(
        client.get_route_responses().api_id(id).route_id(route_id),
        Call::new(Operation::GetRouteResponses, route_id)
    )?;
    let details = responses.iter().map(|response| RouteResponseDetails {
        id: response.route_response_id().unwrap_or_default().to_owned(),
        key: response.route_response_key().unwrap_or_default().to_owned(),
        model_selection_expression: text(response.model_selection_expression()),
        response_models: sorted(response.response_models()),
    });
    Ok(details.collect())
}

async fn integrations(client: &Client, id: &str) -> Result<Vec<IntegrationDetails>, CloudError> {
    let found = list_all!(
        client.get_integrations().api_id(id),
        Call::new(Operation::GetIntegrations, id)
    )?;
    let responses = found.iter();
    let responses = responses.map(|it| integration_responses(client, id, it));
    let responses = try_join_all(responses).await?;
    let integrations = found.iter().zip(responses);
    let mut integrations: Vec<IntegrationDetails> = integrations
        .map(|(it, responses)| IntegrationDetails {
            integration_id: IntegrationId::new(it.integration_id().unwrap_or_default()),
            integration_type: it
                .integration_type()
                .map_or_else(String::new, |kind| kind.as_str().to_owned()),
            uri: text(it.integration_uri()),
            method: text(it.integration_method()),
            credentials_arn: text(it.credentials_arn()),
            description: text(it.description()),
            connection_type: it.connection_type().map(|kind| kind.as_str().to_owned()),
            connection_id: text(it.connection_id()),
            content_handling: it
                .content_handling_strategy()
                .map(|kind| kind.as_str().to_owned()),
            passthrough_behavior: it
                .passthrough_behavior()
                .map(|kind| kind.as_str().to_owned()),
            payload_format_version: text(it.payload_format_version()),
            request_parameters: sorted(it.request_parameters()),
            request_templates: sorted(it.request_templates()),
            template_selection_expression: text(it.template_selection_expression()),
            timeout_ms: it
                .timeout_in_millis()
                .and_then(|timeout| u32::try_from(timeout).ok()),
            responses,
        })
        .collect();
    integrations.sort_by(|one, other| one.integration_id.cmp(&other.integration_id));
    Ok(integrations)
}

async fn integration_responses(
    client: &Client,
    id: &str,
    integration: &Integration,
) -> Result<Vec<IntegrationResponseDetails>, CloudError> {
    let kind = integration.integration_type();
    if matches!(
        kind,
        Some(IntegrationType::AwsProxy | IntegrationType::HttpProxy)
    ) {
        return Ok(Vec::new());
    }
    let integration_id = integration.integration_id().unwrap_or_default();
    let request = client.get_integration_responses().api_id(id);
    let request = request.integration_id(integration_id);
    let responses = list_all!(
        request.clone(),
        Call::new(Operation::GetIntegrationResponses, integration_id)
    )?;
    let details = responses.iter().map(|it| IntegrationResponseDetails {
        id: it.integration_response_id().unwrap_or_default().to_owned(),
        key: it.integration_response_key().unwrap_or_default().to_owned(),
        content_handling: it
            .content_handling_strategy()
            .map(|kind| kind.as_str().to_owned()),
        template_selection_expression: text(it.template_selection_expression()),
        response_templates: sorted(it.response_templates()),
    });
    Ok(details.collect())
}

async fn authorizers(client: &Client, id: &str) -> Result<Vec<AuthorizerDetails>, CloudError> {
    let found = list_all!(
        client.get_authorizers().api_id(id),
        Call::new(Operation::GetAuthorizers, id)
    )?;
    let mut details: Vec<AuthorizerDetails> = found
        .iter()
        .map(|it| AuthorizerDetails {
            authorizer_id: AuthorizerId::new(it.authorizer_id().unwrap_or_default()),
            name: it.name().unwrap_or_default().to_owned(),
            authorizer_type: it
                .authorizer_type()
                .map_or_else(String::new, |kind| kind.as_str().to_owned()),
            uri: text(it.authorizer_uri()),
            credentials_arn: text(it.authorizer_credentials_arn()),
            identity_sources: it.identity_source().to_vec(),
        })
        .collect();
    details.sort_by(|one, other| one.authorizer_id.cmp(&other.authorizer_id));
    Ok(details)
}

/// What says nothing isn't there.
fn text(said: Option<&str>) -> Option<String> {
    said.filter(|text| !text.is_empty()).map(str::to_owned)
}
