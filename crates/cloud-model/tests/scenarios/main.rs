//! Scenarios that drive the model as its clients do: with requests of each
//! service's wire protocol.

#![expect(
    clippy::unwrap_used,
    reason = "what scenarios share panics as tests do"
)]

mod aliases;
mod apigateway;
mod apigateway_refusals;
mod boundaries;
mod common;
mod data_plane;
mod facilities;
mod gateway_settings;
mod iam;

mod lambda;
mod lambda_refusals;
mod log_streams;
mod logs;
mod realism;
mod restored;
mod secrets;
mod wire;
