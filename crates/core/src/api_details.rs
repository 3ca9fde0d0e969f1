//! An API with all that AWS shows of it: more than the planner looks at, for who writes it
//! down in another form or takes it over.
//!
//! Deliberately absent: what only HTTP APIs have, and what a deployment froze, which AWS
//! shows to nobody.

use crate::names::{ApiId, AuthorizerId, DeploymentId, IntegrationId, RouteId};
use crate::observed::ApiStageState;
use crate::stage_settings::ApiSettings;
use crate::tags::Tags;
use std::collections::BTreeMap;

/// Text by text, e.g. templates by their keys.
pub type Texts = BTreeMap<String, String>;

/// An API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiDetails {
    /// Its id; empty in none that was read.
    pub api_id: String,
    /// Its name; not unique.
    pub name: String,
    /// AWS's word, e.g. `WEBSOCKET`.
    pub protocol: String,
    /// Where it answers, without the stage.
    pub endpoint: String,
    /// Its description.
    pub description: Option<String>,
    /// Its version, a text of its owner's.
    pub version: Option<String>,
    /// How a message finds its route.
    pub route_selection_expression: String,
    /// Where a client's API key is looked for.
    pub api_key_selection_expression: Option<String>,
    /// Its other settings.
    pub settings: ApiSettings,
    /// Its tags.
    pub tags: Tags,
    /// By their keys.
    pub routes: Vec<RouteDetails>,
    /// By their ids.
    pub integrations: Vec<IntegrationDetails>,
    /// By their ids.
    pub authorizers: Vec<AuthorizerDetails>,
    /// Ids and descriptions of its deployments.
    pub deployments: BTreeMap<String, String>,
    /// By their names.
    pub stages: Vec<StageDetails>,
}

/// A route of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteDetails {
    /// Its id.
    pub route_id: RouteId,
    /// Its key.
    pub route_key: String,
    /// E.g. `integrations/a1b2c3d`.
    pub target: Option<String>,
    /// AWS's word, e.g. `NONE`.
    pub authorization: String,
    /// Where that is `CUSTOM`.
    pub authorizer_id: Option<AuthorizerId>,
    /// Whether clients need an API key.
    pub api_key_required: bool,
    /// Its name for generated clients.
    pub operation_name: Option<String>,
    /// Which of `request_models` a message has to fit.
    pub model_selection_expression: Option<String>,
    /// Names of models.
    pub request_models: Texts,
    /// Parameters, and whether they are required.
    pub request_parameters: BTreeMap<String, bool>,
    /// By which the answer to a message finds its response.
    pub route_response_selection_expression: Option<String>,
    /// What is done with answers.
    pub responses: Vec<RouteResponseDetails>,
}

/// What a route does with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteResponseDetails {
    /// Its id.
    pub id: String,
    /// Its key; AWS takes `$default` only.
    pub key: String,
    /// Which model the answer has to fit.
    pub model_selection_expression: Option<String>,
    /// Names of models.
    pub response_models: Texts,
}

/// An integration of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationDetails {
    /// Its id.
    pub integration_id: IntegrationId,
    /// E.g. `AWS_PROXY`.
    pub integration_type: String,
    /// What it calls.
    pub uri: Option<String>,
    /// By which HTTP method.
    pub method: Option<String>,
    /// By which role.
    pub credentials_arn: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// `INTERNET` or `VPC_LINK`.
    pub connection_type: Option<String>,
    /// Of the VPC link.
    pub connection_id: Option<String>,
    /// How payloads are converted.
    pub content_handling: Option<String>,
    /// What is done without a template.
    pub passthrough_behavior: Option<String>,
    /// E.g. `1.0`.
    pub payload_format_version: Option<String>,
    /// Parameters of the call.
    pub request_parameters: Texts,
    /// Templates of its body.
    pub request_templates: Texts,
    /// By which a template is chosen.
    pub template_selection_expression: Option<String>,
    /// How long it is waited for.
    pub timeout_ms: Option<u32>,
    /// What is done with answers.
    pub responses: Vec<IntegrationResponseDetails>,
}

/// What an integration does with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationResponseDetails {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// How payloads are converted.
    pub content_handling: Option<String>,
    /// By which a template is chosen.
    pub template_selection_expression: Option<String>,
    /// Templates of the answer.
    pub response_templates: Texts,
}

/// An authorizer of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizerDetails {
    /// Its id.
    pub authorizer_id: AuthorizerId,
    /// Its name.
    pub name: String,
    /// AWS's word, e.g. `REQUEST`.
    pub authorizer_type: String,
    /// What it invokes.
    pub uri: Option<String>,
    /// By which role.
    pub credentials_arn: Option<String>,
    /// What a request must have to be decided on.
    pub identity_sources: Vec<String>,
}

/// An API stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageDetails {
    /// What the planner looks at.
    pub state: ApiStageState,
    /// Its description.
    pub description: Option<String>,
    /// By which integrations know API Gateway.
    pub client_certificate_id: Option<String>,
}

impl ApiDetails {
    /// Its id.
    pub fn id(&self) -> ApiId {
        ApiId::new(&self.api_id)
    }

    /// An API stage.
    pub fn stage(&self, name: &str) -> Option<&StageDetails> {
        self.stages.iter().find(|stage| stage.state.name == name)
    }

    /// The integration that a route leads to.
    pub fn integration_of(&self, route: &RouteDetails) -> Option<&IntegrationDetails> {
        let id = route.target.as_deref()?.strip_prefix("integrations/")?;
        let mut all = self.integrations.iter();
        all.find(|integration| integration.integration_id.as_str() == id)
    }

    /// The authorizer that a route asks.
    pub fn authorizer_of(&self, route: &RouteDetails) -> Option<&AuthorizerDetails> {
        let id = route.authorizer_id.as_ref()?;
        let mut all = self.authorizers.iter();
        all.find(|authorizer| authorizer.authorizer_id == *id)
    }

    /// What a deployment is called.
    pub fn description_of(&self, deployment: &DeploymentId) -> Option<&str> {
        let found = self.deployments.get(deployment.as_str());
        found.map(String::as_str)
    }
}
