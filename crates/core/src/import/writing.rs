//! The files' text.

use super::{Found, Request};
use crate::api_details::StageDetails;
use crate::stage_file::Place;
use crate::stage_settings::{LoggingLevel, RouteSettings};
use crate::tags::is_reserved;
use serde_json::json;
use std::fmt::Write;

/// A value or a key in quotes, as TOML and JSON have it.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

/// A text that grows. Writing to a String can't fail.
struct Text(String);

impl Text {
    fn line(&mut self, line: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{line}");
    }
}

/// What all stages share.
pub(super) fn service_file(request: &Request<'_>, found: &Found<'_>) -> String {
    let api = request.api;
    let mut text = Text("#:schema ./service.schema.json\n".to_owned());
    text.line(format!(
        "# Imported from the API {} ({}).",
        one_line(&api.name),
        api.api_id
    ));
    text.line(format!("service = {}", quoted(request.service)));
    if let Some(description) = api.description.as_ref().filter(|it| !it.is_empty()) {
        text.line(format!("description = {}", quoted(description)));
    }
    text.line(format!(
        "route_selection_expression = {}",
        quoted(&api.route_selection_expression)
    ));
    text.line("");
    text.line(
        "# A stage whose file names no `existing` function of that name builds the Cargo package.",
    );
    for key in found.functions.keys() {
        text.line(format!("[functions.{key}]"));
    }
    text.line("\n[routes]");
    for (route, key) in &found.routes {
        text.line(format!("{} = \"{key}\"", quoted(route.as_str())));
    }
    authorizer(&mut text, found);
    text.0
}

fn authorizer(text: &mut Text, found: &Found<'_>) {
    if let Some(authorizer) = &found.authorizer {
        text.line("\n[authorizer]");
        text.line(format!("function = \"{}\"", authorizer.function));
        if !authorizer.identity_sources.is_empty() {
            text.line(format!(
                "identity_sources = {}",
                json!(authorizer.identity_sources)
            ));
        }
    }
}

/// What is the stage's own.
pub(super) fn stage_file(
    request: &Request<'_>,
    stage: &StageDetails,
    found: &Found<'_>,
    notes: &mut Vec<String>,
) -> String {
    let api = request.api;
    let state = &stage.state;
    let mut text = Text("#:schema ./stage.schema.json\n".to_owned());
    match request.place {
        Place::Local { port } => {
            text.line("target = \"local\"");
            text.line(format!("port = {port}"));
        }
        Place::Aws { profile, .. } => {
            text.line("target = \"aws\"");
            text.line(format!("region = {}", quoted(&request.account.region)));
            text.line(format!(
                "account_id = {}",
                quoted(&request.account.account_id)
            ));
            if let Some(profile) = profile {
                text.line(format!("aws_profile = {}", quoted(profile)));
            }
        }
    }
    text.line("\n[api]");
    text.line(format!(
        "# The API {}, which `deployer up {} --adopt` takes over.",
        one_line(&api.name),
        state.name
    ));
    text.line(format!("adopt = {}", quoted(&api.api_id)));
    if api.settings.disable_execute_api_endpoint {
        text.line("disable_execute_api_endpoint = true");
    }
    if api.settings.ip_address_type != "ipv4" {
        text.line(format!(
            "ip_address_type = {}",
            quoted(&api.settings.ip_address_type)
        ));
    }
    text.line("\n# These are there already, and stay as they are. Without its `existing`, a function is the");
    text.line(
        "# deployer's: built from the Cargo package of that name, and live with the next `up`.",
    );
    for (key, function) in &found.functions {
        text.line(format!("[functions.{key}]"));
        text.line(format!("existing = {}", quoted(&function.to_string())));
    }
    if request.service_file.is_some() {
        authorizer(&mut text, found);
    }
    api_stage(&mut text, stage, notes);
    for route in found.routes.keys() {
        let signed = found.signed.contains(route);
        let own = state.settings.routes.get(route);
        let own = own.filter(|own| **own != state.settings.default_route);
        if !signed && own.is_none() {
            continue;
        }
        text.line(format!("\n[route_settings.{}]", quoted(route.as_str())));
        if signed {
            text.line("authorization = \"iam\"");
        }
        if let Some(own) = own {
            text.line(throttling(own));
            text.line(format!("metrics = {}", own.metrics));
            let default = &state.settings.default_route;
            if (own.level, own.data_trace) != (default.level, default.data_trace) {
                notes.push(format!(
                    "route {route}: its execution logs become those of the stage"
                ));
            }
        }
    }
    let (kept, reserved): (Vec<_>, Vec<_>) =
        api.tags.iter().partition(|(key, _)| !is_reserved(key));
    if !kept.is_empty() {
        text.line("\n[tags]");
        for (key, value) in kept {
            text.line(format!("{} = {}", quoted(key), quoted(value)));
        }
        notes.push(
            "the API's tags are in [tags], so that all that `up` makes has them, too".to_owned(),
        );
    }
    if reserved
        .iter()
        .any(|(key, _)| key.starts_with("aws:cloudformation:"))
    {
        notes.push(
            "its tags say that a CloudFormation stack made it: unless that has let go of it, its next deploy puts everything back".to_owned(),
        );
    }
    text.0
}

fn api_stage(text: &mut Text, stage: &StageDetails, notes: &mut Vec<String>) {
    let settings = &stage.state.settings;
    let route = &settings.default_route;
    let default = RouteSettings::default();
    let mut lines = Vec::new();
    if !settings.variables.is_empty() {
        let pairs = settings.variables.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
            .collect();
        lines.push(format!("variables = {{ {} }}", pairs.join(", ")));
    }
    if (route.burst_limit, route.rate_limit) != (default.burst_limit, default.rate_limit) {
        lines.push(throttling(route));
    }
    if route.metrics {
        lines.push("metrics = true".to_owned());
    }
    if let Some(log) = &settings.access_log {
        lines.push(format!(
            "access_logs = {{ format = {} }}",
            quoted(log.format.trim_end())
        ));
        notes.push(format!(
            "access logs go to a log group of the stage's own from then on, no longer to {}, which stays",
            log.destination_arn
        ));
    }
    let level = match route.level {
        LoggingLevel::Off => None,
        LoggingLevel::Error => Some("error"),
        LoggingLevel::Info => Some("info"),
    };
    if let Some(level) = level {
        lines.push(format!(
            "execution_logs = {{ level = \"{level}\", data_trace = {} }}",
            route.data_trace
        ));
    }
    if !lines.is_empty() {
        text.line("\n[api_stage]");
        lines.iter().for_each(|line| text.line(line));
    }
}

fn throttling(route: &RouteSettings) -> String {
    format!(
        "throttling = {{ burst_limit = {}, rate_limit = {:?} }}",
        route.burst_limit, route.rate_limit.0
    )
}

/// Somebody else's text in a comment.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
