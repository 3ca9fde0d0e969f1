//! Integrations: Lambda proxies only. Whether the function exists is not asked,
//! as in AWS; calling it is what fails.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, bad_request, conflict, not_found, read};
use crate::LiveIntegration;
use crate::assumptions::{DEFAULT_INTEGRATION_METHOD, gateway_quota};
use crate::call::Call;
use crate::error::{Failure, unsupported};
use crate::ids::free_id;
use crate::limits::{INTEGRATION_TIMEOUT_MAX_MS, INTEGRATION_TIMEOUT_MIN_MS, INTEGRATIONS_PER_API};
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};

const ID_CHARS: usize = 7;
const INVOCATION: &str = ":lambda:path/2015-03-31/functions/";
const INVOCATION_END: &str = "/invocations";

/// One integration of the draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Integration {
    id: String,
    uri: String,
    credentials_arn: Option<String>,
    description: Option<String>,
    passthrough_behavior: String,
    timeout_ms: u32,
}

impl Integration {
    pub(super) fn show(&self) -> Value {
        present(json!({
            "connectionType": "INTERNET",
            "credentialsArn": self.credentials_arn,
            "description": self.description,
            "integrationId": self.id,
            "integrationMethod": DEFAULT_INTEGRATION_METHOD,
            "integrationType": "AWS_PROXY",
            "integrationUri": self.uri,
            "passthroughBehavior": self.passthrough_behavior,
            "payloadFormatVersion": "1.0",
            "timeoutInMillis": self.timeout_ms,
        }))
    }

    /// The integration as a deployment freezes it.
    pub(super) fn freeze(&self) -> LiveIntegration {
        LiveIntegration {
            function_arn: function_arn(&self.uri),
            credentials_arn: self.credentials_arn.clone(),
            timeout_ms: self.timeout_ms,
        }
    }
}

/// What create and update have in common, checked.
struct Input {
    uri: Option<String>,
    credentials_arn: Option<String>,
    description: Option<String>,
    passthrough_behavior: Option<String>,
    timeout_ms: Option<u32>,
}

impl Input {
    fn read(members: &Members) -> Result<Self, Failure> {
        refuse_what_is_absent(members)?;
        let uri = read::text(members, "integrationUri", 1, 2048)?;
        if let Some(uri) = uri.as_deref().filter(|uri| !uri.starts_with("arn:")) {
            return Err(bad_request(format!(
                "Invalid integration URI specified: {uri}"
            )));
        }
        let credentials_arn = members.text("credentialsArn")?;
        check_credentials(credentials_arn.as_deref())?;
        let passthrough_behavior = members.text("passthroughBehavior")?;
        if let Some(text) = passthrough_behavior.as_deref()
            && !matches!(text, "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER")
        {
            return Err(bad_request(format!(
                "Invalid passthroughBehavior specified: {text}"
            )));
        }
        Ok(Self {
            uri,
            credentials_arn,
            description: read::text(members, "description", 0, 1024)?,
            passthrough_behavior,
            timeout_ms: members
                .integer("timeoutInMillis")?
                .map(check_timeout)
                .transpose()?,
        })
    }
}

impl Api {
    pub(super) fn integration(&self, id: &str) -> Result<&Integration, Failure> {
        self.integrations
            .get(id)
            .ok_or_else(|| unknown_integration(id))
    }

    pub(super) fn create_integration(
        &mut self,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        read::required(&members, "integrationType", 64)?;
        read::text(&members, "connectionId", 1, 1024)?;
        read::text(&members, "integrationSubtype", 1, 128)?;
        let input = Input::read(&members)?;
        let uri = input
            .uri
            .ok_or_else(|| bad_request("integrationUri is required for AWS_PROXY integrations"))?;
        if self.integrations.len() >= INTEGRATIONS_PER_API {
            return Err(gateway_quota("Integrations"));
        }
        let id = free_id(call.ids, ID_CHARS, |id| self.integrations.contains_key(id));
        let integration = Integration {
            id: id.clone(),
            uri,
            credentials_arn: input.credentials_arn.filter(|text| !text.is_empty()),
            description: input.description.filter(|text| !text.is_empty()),
            passthrough_behavior: input
                .passthrough_behavior
                .unwrap_or_else(|| "WHEN_NO_MATCH".to_owned()),
            timeout_ms: input
                .timeout_ms
                .unwrap_or(INTEGRATION_TIMEOUT_MAX_MS as u32),
        };
        let shown = integration.show();
        self.integrations.insert(id, integration);
        Ok(Reply::created(shown))
    }

    pub(super) fn get_integrations(&self, request: &RestRequest) -> Result<Reply, Failure> {
        read::list(
            request,
            self.integrations
                .iter()
                .map(|(id, it)| (id.clone(), it.show())),
        )
    }

    pub(super) fn update_integration(
        &mut self,
        id: &str,
        request: &RestRequest,
    ) -> Result<Reply, Failure> {
        let integration = self
            .integrations
            .get_mut(id)
            .ok_or_else(|| unknown_integration(id))?;
        let input = Input::read(&request.members()?)?;
        if let Some(uri) = input.uri {
            integration.uri = uri;
        }
        read::merge(&mut integration.credentials_arn, input.credentials_arn);
        read::merge(&mut integration.description, input.description);
        if let Some(behavior) = input.passthrough_behavior {
            integration.passthrough_behavior = behavior;
        }
        if let Some(timeout_ms) = input.timeout_ms {
            integration.timeout_ms = timeout_ms;
        }
        Ok(Reply::ok(integration.show()))
    }

    pub(super) fn delete_integration(&mut self, id: &str) -> Result<Reply, Failure> {
        self.integration(id)?;
        let targeting = self
            .routes
            .iter()
            .filter(|(_, route)| route.target.as_deref() == Some(id));
        let ids: Vec<&str> = targeting.map(|(route_id, _)| route_id.as_str()).collect();
        if !ids.is_empty() {
            return Err(conflict(format!(
                "Cannot delete Integration because it is referenced by the following Routes with Ids: [{}]",
                ids.join(", ")
            )));
        }
        self.integrations.remove(id);
        Ok(Reply::empty(204))
    }
}

fn unknown_integration(id: &str) -> Failure {
    not_found(format!("Invalid Integration identifier specified {id}"))
}

fn check_timeout(timeout_ms: i64) -> Result<u32, Failure> {
    if (INTEGRATION_TIMEOUT_MIN_MS..=INTEGRATION_TIMEOUT_MAX_MS).contains(&timeout_ms) {
        Ok(timeout_ms as u32)
    } else {
        Err(bad_request(format!(
            "Timeout should be between {INTEGRATION_TIMEOUT_MIN_MS} ms and {INTEGRATION_TIMEOUT_MAX_MS} ms"
        )))
    }
}

pub(super) fn check_credentials(arn: Option<&str>) -> Result<(), Failure> {
    match arn {
        None | Some("") => Ok(()),
        Some(arn) if arn.contains(":user/") => {
            Err(bad_request(unsupported("the caller's credentials")))
        }
        Some(arn)
            if arn.starts_with("arn:") && arn.contains(":iam::") && arn.contains(":role/") =>
        {
            Ok(())
        }
        Some(arn) => Err(bad_request(format!(
            "Invalid credentials ARN specified: {arn}"
        ))),
    }
}

fn refuse_what_is_absent(members: &Members) -> Result<(), Failure> {
    let one_of = |name: &str, honoured: &str, known: &[&str]| match members.text(name)?.as_deref() {
        None => Ok(()),
        Some(text) if text == honoured => Ok(()),
        Some(text) if known.contains(&text) => {
            Err(bad_request(unsupported(&format!("{name} {text}"))))
        }
        Some(text) => Err(bad_request(format!("Invalid {name} specified: {text}"))),
    };
    one_of(
        "integrationType",
        "AWS_PROXY",
        &["AWS", "HTTP", "HTTP_PROXY", "MOCK"],
    )?;
    one_of("connectionType", "INTERNET", &["VPC_LINK"])?;
    one_of("payloadFormatVersion", "1.0", &["2.0"])?;
    // Lambda is invoked with POST; AWS takes another method and fails at run time.
    one_of(
        "integrationMethod",
        DEFAULT_INTEGRATION_METHOD,
        &["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"],
    )?;
    read::refuse(
        members,
        &[
            "connectionId",
            "contentHandlingStrategy",
            "integrationSubtype",
            "requestParameters",
            "requestTemplates",
            "responseParameters",
            "templateSelectionExpression",
            "tlsConfig",
        ],
    )
}

/// The function in `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations`.
pub(super) fn function_arn(uri: &str) -> Option<String> {
    let at = uri.find(INVOCATION).filter(|_| uri.starts_with("arn:"))?;
    let arn = uri[at + INVOCATION.len()..].strip_suffix(INVOCATION_END)?;
    (arn.starts_with("arn:") && arn.contains(":lambda:")).then(|| arn.to_owned())
}

#[cfg(test)]
mod tests {
    use super::function_arn;

    #[test]
    fn the_function_is_read_out_of_an_invocation_uri() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:chat:${stageVariables.v}";
        let uri = format!(
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{arn}/invocations"
        );
        assert_eq!(function_arn(&uri).as_deref(), Some(arn));
        assert_eq!(function_arn(arn), None);
        assert_eq!(
            function_arn("arn:aws:apigateway:eu-west-1:s3:path/x/invocations"),
            None
        );
    }
}
