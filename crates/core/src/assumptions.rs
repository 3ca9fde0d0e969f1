//! What the planner takes for granted about AWS without a source that settles
//! it. Each line is easy to change, and nothing else in the core assumes more.

/// API Gateway answers a plain `GET` on a live WebSocket stage with this status,
/// and with 403 as long as the stage isn't live everywhere. Observed once on
/// AWS; used to tell that an endpoint serves, without running `$connect`.
pub const STATUS_OF_PLAIN_GET_ON_LIVE_STAGE: u16 = 426;

/// Longest description of an API Gateway deployment that is kept, in characters
/// (the service model's limit for descriptions).
pub const DESCRIPTION_LIMIT: usize = 1024;

/// Burst limit that AWS gives the routes of a new API stage (the developer
/// guide's sample). What nobody limits is desired to be so.
pub const BURST_LIMIT_OF_A_NEW_STAGE: u32 = 5_000;

/// Rate limit of the same, requests a second.
pub const RATE_LIMIT_OF_A_NEW_STAGE: f64 = 10_000.0;

/// Longest format of an access log, in bytes (the quotas page; the service model
/// of API Gateway v2 names a shape of 1,024).
pub const ACCESS_LOG_FORMAT_LIMIT: usize = 3_072;

/// Status of a plain `GET` where the execute-api endpoint is disabled.
pub const STATUS_OF_DISABLED_ENDPOINT: u16 = 403;
