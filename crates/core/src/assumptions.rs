//! What the planner takes for granted about AWS without a source that settles
//! it. Each line is easy to change, and nothing else in the core assumes more.

/// API Gateway answers a plain `GET` on a live WebSocket stage with this status,
/// and with 403 as long as the stage isn't live everywhere. Observed once on
/// AWS; used to tell that an endpoint serves, without running `$connect`.
pub const STATUS_OF_PLAIN_GET_ON_LIVE_STAGE: u16 = 426;

/// Longest description of an API Gateway deployment that is kept, in characters
/// (the service model's limit for descriptions).
pub const DESCRIPTION_LIMIT: usize = 1024;
