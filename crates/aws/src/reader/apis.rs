//! APIs with their draft, deployments and stages.

use crate::error::{Call, found};
use aws_sdk_apigatewayv2::Client;
use aws_sdk_apigatewayv2::types::{Api, ProtocolType, Stage};
use deployer_core::census::ApiFound;
use deployer_core::names::{ApiId, AuthorizerId, DeploymentId, IntegrationId, Names, RouteId};
use deployer_core::observed::{
    ApiStageState, ApiState, AuthorizerState, DeploymentState, IntegrationState, RouteState,
};
use deployer_core::operations::Operation;
use deployer_core::tags::{Ownership, SERVICE_TAG, STAGE_TAG, claimant, ownership_of};
use deployer_engine::error::CloudError;
use futures_util::future::{try_join_all, try_join5};

/// Items of one page; the service's maximum is assumed to be 500.
pub(super) const PAGE_SIZE: &str = "500";

/// Follows `nextToken` to the end. The SDK has no paginators for this service.
macro_rules! list_all {
    ($request:expr, $call:expr) => {{
        let call: Call<'_> = $call;
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = $request
                .max_results(PAGE_SIZE)
                .set_next_token(token.take())
                .send()
                .await
                .map_err(|error| call.error(error))?;
            token = page.next_token().map(str::to_owned);
            items.extend(page.items.unwrap_or_default());
            if token.is_none() {
                break Ok::<_, CloudError>(items);
            }
        }
    }};
}
pub(super) use list_all;

pub(super) async fn list(client: &Client, names: &Names) -> Result<Vec<ApiState>, CloudError> {
    let all = list_all!(client.get_apis(), Call::new(Operation::GetApis, ""))?;
    let mut tagged: Vec<&Api> = all.iter().filter(|api| concerns(api, names)).collect();
    tagged.sort_by_key(|api| api.created_date().map(|date| date.as_nanos()));
    let states = try_join_all(tagged.into_iter().map(|api| with_children(client, api))).await?;
    Ok(states.into_iter().flatten().collect())
}

/// How many there are, whoever's.
pub(super) async fn count(client: &Client) -> Result<usize, CloudError> {
    let all = list_all!(client.get_apis(), Call::new(Operation::GetApis, ""))?;
    Ok(all.len())
}

/// Those that any stage has tagged.
pub(super) async fn list_tagged(client: &Client) -> Result<Vec<ApiFound>, CloudError> {
    let all = list_all!(client.get_apis(), Call::new(Operation::GetApis, ""))?;
    let found = all.iter().map(|api| ApiFound {
        api_id: ApiId::new(api.api_id().unwrap_or_default()),
        tags: super::sorted(api.tags()),
        endpoint: api.api_endpoint().unwrap_or_default().to_owned(),
        created: api.created_date().map(ToString::to_string),
    });
    let tagged = |api: &ApiFound| {
        [SERVICE_TAG, STAGE_TAG]
            .iter()
            .all(|tag| api.tags.contains_key(*tag))
    };
    Ok(found.filter(tagged).collect())
}

/// Whether it is this stage's, or has its name and nobody's tags.
fn concerns(api: &Api, names: &Names) -> bool {
    let tags = super::sorted(api.tags());
    let unclaimed = || {
        api.name() == Some(&names.api)
            && api.protocol_type() == Some(&ProtocolType::Websocket)
            && claimant(&tags, &names.identity).is_none()
    };
    ownership_of(&tags, &names.identity) != Ownership::Foreign || unclaimed()
}

/// `None` when the API went away while it was read.
async fn with_children(client: &Client, api: &Api) -> Result<Option<ApiState>, CloudError> {
    let id = api.api_id().unwrap_or_default();
    let children = try_join5(
        routes(client, id),
        integrations(client, id),
        authorizers(client, id),
        deployments(client, id),
        stages(client, id),
    );
    let Some(children) = found(children.await)? else {
        return Ok(None);
    };
    let (routes, integrations, authorizers, deployments, stages) = children;
    Ok(Some(ApiState {
        api_id: ApiId::new(id),
        tags: super::sorted(api.tags()),
        endpoint: api.api_endpoint().unwrap_or_default().to_owned(),
        description: api.description().unwrap_or_default().to_owned(),
        route_selection_expression: api
            .route_selection_expression()
            .unwrap_or_default()
            .to_owned(),
        settings: super::stages::api_settings(api),
        routes,
        integrations,
        authorizers,
        deployments,
        stages,
    }))
}

async fn routes(client: &Client, id: &str) -> Result<Vec<RouteState>, CloudError> {
    let routes = list_all!(
        client.get_routes().api_id(id),
        Call::new(Operation::GetRoutes, id)
    )?;
    Ok(routes
        .iter()
        .map(|route| RouteState {
            route_id: RouteId::new(route.route_id().unwrap_or_default()),
            route_key: route.route_key().unwrap_or_default().to_owned(),
            target: route.target().map(str::to_owned),
            authorization: route
                .authorization_type()
                .map_or("NONE", |kind| kind.as_str())
                .to_owned(),
            authorizer_id: route
                .authorizer_id()
                .filter(|id| !id.is_empty())
                .map(AuthorizerId::new),
        })
        .collect())
}

async fn integrations(client: &Client, id: &str) -> Result<Vec<IntegrationState>, CloudError> {
    let integrations = list_all!(
        client.get_integrations().api_id(id),
        Call::new(Operation::GetIntegrations, id)
    )?;
    Ok(integrations
        .iter()
        .map(|integration| IntegrationState {
            integration_id: IntegrationId::new(integration.integration_id().unwrap_or_default()),
            integration_type: integration
                .integration_type()
                .map_or_else(String::new, |kind| kind.as_str().to_owned()),
            uri: integration.integration_uri().unwrap_or_default().to_owned(),
            credentials_arn: integration.credentials_arn().map(str::to_owned),
        })
        .collect())
}

async fn authorizers(client: &Client, id: &str) -> Result<Vec<AuthorizerState>, CloudError> {
    let authorizers = list_all!(
        client.get_authorizers().api_id(id),
        Call::new(Operation::GetAuthorizers, id)
    )?;
    Ok(authorizers
        .iter()
        .map(|authorizer| AuthorizerState {
            authorizer_id: AuthorizerId::new(authorizer.authorizer_id().unwrap_or_default()),
            name: authorizer.name().unwrap_or_default().to_owned(),
            uri: authorizer.authorizer_uri().unwrap_or_default().to_owned(),
            credentials_arn: authorizer.authorizer_credentials_arn().map(str::to_owned),
            identity_sources: authorizer.identity_source().iter().cloned().collect(),
        })
        .collect())
}

async fn deployments(client: &Client, id: &str) -> Result<Vec<DeploymentState>, CloudError> {
    let deployments = list_all!(
        client.get_deployments().api_id(id),
        Call::new(Operation::GetDeployments, id)
    )?;
    Ok(deployments
        .iter()
        .map(|deployment| DeploymentState {
            deployment_id: DeploymentId::new(deployment.deployment_id().unwrap_or_default()),
            description: deployment.description().unwrap_or_default().to_owned(),
            created: deployment.created_date().map(ToString::to_string),
        })
        .collect())
}

async fn stages(client: &Client, id: &str) -> Result<Vec<ApiStageState>, CloudError> {
    let stages = list_all!(
        client.get_stages().api_id(id),
        Call::new(Operation::GetStages, id)
    )?;
    Ok(stages.iter().map(stage_state).collect())
}

pub(super) fn stage_state(stage: &Stage) -> ApiStageState {
    ApiStageState {
        name: stage.stage_name().unwrap_or_default().to_owned(),
        deployment_id: stage.deployment_id().map(DeploymentId::new),
        auto_deploy: stage.auto_deploy().unwrap_or_default(),
        tags: super::sorted(stage.tags()),
        settings: super::stages::settings(stage),
    }
}
