//! Route responses: with one, and with the route's response selection expression,
//! what a function answers goes back to the client.
//!
//! Deliberately absent: models and parameters of responses, which only mapping
//! templates use.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::routes::unknown_route;
use super::{Api, bad_request, conflict, not_found, read};
use crate::assumptions::{ROUTE_RESPONSE_EXISTS, ROUTE_RESPONSE_KEY};
use crate::call::Call;
use crate::error::Failure;
use crate::ids::free_id;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};

const ID_CHARS: usize = 6;
/// The only key and the only expression that a WebSocket API's responses have.
pub(super) const DEFAULT: &str = "$default";

/// The one response of a route.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RouteResponse {
    id: String,
    model_selection_expression: Option<String>,
}

impl RouteResponse {
    fn show(&self) -> Value {
        present(json!({
            "modelSelectionExpression": self.model_selection_expression,
            "routeResponseId": self.id,
            "routeResponseKey": DEFAULT,
        }))
    }
}

impl Api {
    /// Serves what is below a route: `routeresponses` and one of them.
    pub(super) fn route_responses(
        &mut self,
        route_id: &str,
        rest: &[&str],
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let route = self
            .routes
            .get_mut(route_id)
            .ok_or_else(|| unknown_route(route_id))?;
        match (request.method.as_str(), rest) {
            ("POST", ["routeresponses"]) => {
                let members = request.members()?;
                read::required(&members, "routeResponseKey", 128)?;
                let model_selection_expression = read_input(&members)?;
                if route.response.is_some() {
                    return Err(conflict(ROUTE_RESPONSE_EXISTS));
                }
                let response = RouteResponse {
                    id: free_id(call.ids, ID_CHARS, |_| false),
                    model_selection_expression,
                };
                let shown = response.show();
                route.response = Some(response);
                Ok(Reply::created(shown))
            }
            ("GET", ["routeresponses"]) => {
                let all = route.response.iter();
                read::list(request, all.map(|it| (it.id.clone(), it.show())))
            }
            (method, ["routeresponses", id]) => {
                let found = route.response.as_mut().filter(|it| it.id == *id);
                let Some(response) = found else {
                    return Err(not_found(format!(
                        "Invalid RouteResponse identifier specified {id}"
                    )));
                };
                match method {
                    "GET" => Ok(Reply::ok(response.show())),
                    "PATCH" => {
                        let expression = read_input(&request.members()?)?;
                        read::merge(&mut response.model_selection_expression, expression);
                        Ok(Reply::ok(response.show()))
                    }
                    "DELETE" => {
                        route.response = None;
                        Ok(Reply::empty(204))
                    }
                    _ => Err(Failure::not_served(&request.title())),
                }
            }
            _ => Err(Failure::not_served(&request.title())),
        }
    }
}

fn read_input(members: &Members) -> Result<Option<String>, Failure> {
    read::refuse(members, &["responseModels", "responseParameters"])?;
    if let Some(key) = read::text(members, "routeResponseKey", 1, 128)?
        && key != DEFAULT
    {
        return Err(bad_request(ROUTE_RESPONSE_KEY));
    }
    read::text(members, "modelSelectionExpression", 0, 128)
}
