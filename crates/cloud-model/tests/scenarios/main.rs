//! Scenarios that drive the model as its clients do: with requests of each
//! service's wire protocol.

#![expect(
    clippy::unwrap_used,
    reason = "what scenarios share panics as tests do"
)]

mod access;
mod account_summary;
mod aliases;
mod apigateway;
mod apigateway_refusals;
mod auto_deploy;
mod boundaries;
mod cloudwatch;
mod common;
mod data_plane;
mod facilities;
mod gateway_settings;
mod iam;
mod input_rules;

mod lambda;
mod lambda_authorizers;
mod lambda_refusals;
mod live_tail_sessions;
mod log_streams;
mod logs;
mod managed_instances;
mod realism;
mod resource_policies;
mod restored;
mod route_responses;
mod secrets;
mod wire;
