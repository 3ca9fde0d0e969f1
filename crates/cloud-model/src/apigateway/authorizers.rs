//! Lambda REQUEST authorizers, the only kind that WebSocket APIs have. As with
//! integrations, whether the function exists is not asked: calling it is what fails.
//!
//! Deliberately absent: what only HTTP APIs know — JWT, caching of results, simple
//! responses, payload formats.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::integrations::{check_credentials, function_arn};
use super::{Api, bad_request, conflict, not_found, read};
use crate::assumptions::{AUTHORIZER_NAME_TAKEN, gateway_quota};
use crate::call::Call;
use crate::error::{Failure, unsupported};
use crate::ids::free_id;
use crate::limits::AUTHORIZERS_PER_API;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};
use crate::{IdentitySource, LiveAuthorizer};

const ID_CHARS: usize = 6;

/// One authorizer of the draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Authorizer {
    id: String,
    name: String,
    uri: String,
    credentials_arn: Option<String>,
    identity_sources: Vec<String>,
}

impl Authorizer {
    pub(super) fn show(&self) -> Value {
        present(json!({
            "authorizerCredentialsArn": self.credentials_arn,
            "authorizerId": self.id,
            "authorizerType": "REQUEST",
            "authorizerUri": self.uri,
            "identitySource": self.identity_sources,
            "name": self.name,
        }))
    }

    /// The authorizer as a deployment freezes it.
    pub(super) fn freeze(&self) -> LiveAuthorizer {
        let sources = self.identity_sources.iter();
        LiveAuthorizer {
            authorizer_id: self.id.clone(),
            function_arn: function_arn(&self.uri),
            credentials_arn: self.credentials_arn.clone(),
            identity_sources: sources
                .filter_map(|text| IdentitySource::read(text))
                .collect(),
        }
    }
}

/// What create and update have in common, checked.
struct Input {
    name: Option<String>,
    uri: Option<String>,
    credentials_arn: Option<String>,
    identity_sources: Option<Vec<String>>,
}

impl Input {
    fn read(members: &Members) -> Result<Self, Failure> {
        match members.text("authorizerType")?.as_deref() {
            None | Some("REQUEST") => {}
            Some("JWT") => {
                return Err(bad_request(
                    "JWT authorizers are not supported for WEBSOCKET APIs",
                ));
            }
            Some(other) => {
                return Err(bad_request(format!(
                    "Invalid authorizerType specified: {other}"
                )));
            }
        }
        read::refuse(
            members,
            &[
                "authorizerPayloadFormatVersion",
                "authorizerResultTtlInSeconds",
                "jwtConfiguration",
            ],
        )?;
        read::refuse_true(members, &["enableSimpleResponses"])?;
        let uri = read::text(members, "authorizerUri", 1, 2048)?;
        if let Some(uri) = uri.as_deref().filter(|uri| function_arn(uri).is_none()) {
            return Err(bad_request(format!(
                "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
            )));
        }
        let credentials_arn = members.text("authorizerCredentialsArn")?;
        check_credentials(credentials_arn.as_deref())?;
        let identity_sources = members.texts("identitySource")?;
        for source in identity_sources.iter().flatten() {
            if IdentitySource::read(source).is_none() {
                return Err(bad_request(format!(
                    "Invalid mapping expression specified: {source}"
                )));
            }
        }
        Ok(Self {
            name: read::text(members, "name", 1, 128)?,
            uri,
            credentials_arn,
            identity_sources,
        })
    }
}

impl Api {
    pub(super) fn authorizer(&self, id: &str) -> Result<&Authorizer, Failure> {
        self.authorizers
            .get(id)
            .ok_or_else(|| unknown_authorizer(id))
    }

    pub(super) fn create_authorizer(
        &mut self,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        let name = read::required(&members, "name", 128)?;
        read::required(&members, "authorizerType", 64)?;
        read::text(&members, "authorizerPayloadFormatVersion", 1, 64)?;
        let input = Input::read(&members)?;
        let Some(identity_sources) = input.identity_sources else {
            return Err(bad_request("Missing required member: identitySource"));
        };
        let Some(uri) = input.uri else {
            return Err(bad_request(unsupported(
                "authorizers without authorizerUri",
            )));
        };
        self.check_name(&name, None)?;
        if self.authorizers.len() >= AUTHORIZERS_PER_API {
            return Err(gateway_quota("Authorizers"));
        }
        let id = free_id(call.ids, ID_CHARS, |id| self.authorizers.contains_key(id));
        let authorizer = Authorizer {
            id: id.clone(),
            name,
            uri,
            credentials_arn: input.credentials_arn.filter(|text| !text.is_empty()),
            identity_sources,
        };
        let shown = authorizer.show();
        self.authorizers.insert(id, authorizer);
        Ok(Reply::created(shown))
    }

    pub(super) fn get_authorizers(&self, request: &RestRequest) -> Result<Reply, Failure> {
        read::list(
            request,
            self.authorizers
                .iter()
                .map(|(id, it)| (id.clone(), it.show())),
        )
    }

    pub(super) fn update_authorizer(
        &mut self,
        id: &str,
        request: &RestRequest,
    ) -> Result<Reply, Failure> {
        self.authorizer(id)?;
        let input = Input::read(&request.members()?)?;
        if let Some(name) = &input.name {
            self.check_name(name, Some(id))?;
        }
        let authorizer = self
            .authorizers
            .get_mut(id)
            .ok_or_else(|| unknown_authorizer(id))?;
        if let Some(name) = input.name {
            authorizer.name = name;
        }
        if let Some(uri) = input.uri {
            authorizer.uri = uri;
        }
        read::merge(&mut authorizer.credentials_arn, input.credentials_arn);
        if let Some(sources) = input.identity_sources {
            authorizer.identity_sources = sources;
        }
        Ok(Reply::ok(authorizer.show()))
    }

    pub(super) fn delete_authorizer(&mut self, id: &str) -> Result<Reply, Failure> {
        self.authorizer(id)?;
        let using = self
            .routes
            .iter()
            .filter(|(_, route)| route.authorization.authorizer_id() == Some(id));
        let ids: Vec<&str> = using.map(|(route_id, _)| route_id.as_str()).collect();
        if !ids.is_empty() {
            return Err(conflict(format!(
                "Cannot delete Authorizer because it is referenced by the following Routes with Ids: [{}]",
                ids.join(", ")
            )));
        }
        self.authorizers.remove(id);
        Ok(Reply::empty(204))
    }

    /// `own` is the authorizer that may have the name already.
    fn check_name(&self, name: &str, own: Option<&str>) -> Result<(), Failure> {
        let taken = self
            .authorizers
            .values()
            .any(|it| it.name == name && Some(it.id.as_str()) != own);
        match taken {
            true => Err(bad_request(AUTHORIZER_NAME_TAKEN)),
            false => Ok(()),
        }
    }
}

pub(super) fn unknown_authorizer(id: &str) -> Failure {
    not_found(format!("Invalid Authorizer identifier specified {id}"))
}
