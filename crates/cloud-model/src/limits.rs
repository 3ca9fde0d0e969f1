//! Every bound of the model, by name. The numbers are AWS's quotas unless the
//! comment says that they are this model's own.

/// APIs per account and region.
pub(crate) const APIS: usize = 600;
/// Routes per API.
pub(crate) const ROUTES_PER_API: usize = 300;
/// Integrations per API.
pub(crate) const INTEGRATIONS_PER_API: usize = 300;
/// Lambda authorizers per API.
pub(crate) const AUTHORIZERS_PER_API: usize = 10;
/// Stages per API.
pub(crate) const STAGES_PER_API: usize = 10;
/// Deployments per API. Own: AWS documents none, but a snapshot costs memory.
pub(crate) const DEPLOYMENTS_PER_API: usize = 1_000;
/// Stage variables per stage. Own: AWS bounds only their characters.
pub(crate) const STAGE_VARIABLES: usize = 100;
/// Characters of an access log's format (the quotas page's 3 KB).
pub(crate) const ACCESS_LOG_FORMAT_BYTES: usize = 3_072;
/// Seconds from one UpdateAccount to the next.
pub(crate) const SECONDS_PER_ACCOUNT_UPDATE: u32 = 20;
/// Shortest integration timeout, ms.
pub(crate) const INTEGRATION_TIMEOUT_MIN_MS: i64 = 50;
/// Longest integration timeout of a WebSocket API, ms.
pub(crate) const INTEGRATION_TIMEOUT_MAX_MS: i64 = 29_000;

/// Functions that are gone and whose versions' numbers are remembered. Own.
pub(crate) const FORMER_FUNCTIONS: usize = 10_000;
/// Bytes of a function's resource policy.
pub(crate) const RESOURCE_POLICY_BYTES: usize = 20_480;
/// Sessions of roles at once. Own.
pub(crate) const SESSIONS: usize = 1_000;

/// Tags per resource, in every service.
pub(crate) const TAGS_PER_RESOURCE: usize = 50;
/// Characters of a tag key.
pub(crate) const TAG_KEY_CHARS: usize = 128;
/// Characters of a tag value.
pub(crate) const TAG_VALUE_CHARS: usize = 256;

/// Functions per account and region. Own: AWS bounds their bytes (75 GB).
pub(crate) const FUNCTIONS: usize = 1_000;
/// Published versions per function. Own: AWS bounds their bytes.
pub(crate) const VERSIONS_PER_FUNCTION: usize = 10_000;
/// Aliases per function. Own: AWS documents none.
pub(crate) const ALIASES_PER_FUNCTION: usize = 1_000;
/// All code of the account, zipped, in bytes.
pub(crate) const TOTAL_CODE_BYTES: u64 = 80_530_636_800;
/// One zip uploaded in the request, in bytes.
pub(crate) const ZIPPED_BYTES: usize = 52_428_800;
/// One zip unpacked, in bytes.
pub(crate) const UNZIPPED_BYTES: u64 = 262_144_000;
/// Entries of one zip. Own.
pub(crate) const ZIP_ENTRIES: usize = 20_000;
/// A whole request that carries code, base64 included, in bytes.
pub(crate) const CODE_REQUEST_BYTES: usize = 70_167_211;
/// Environment variables as JSON, in bytes.
pub(crate) const ENVIRONMENT_BYTES: usize = 4_096;
/// Concurrent executions of the account.
pub(crate) const CONCURRENT_EXECUTIONS: i64 = 1_000;
/// What reservations must leave to functions without one.
pub(crate) const MIN_UNRESERVED_EXECUTIONS: i64 = 100;

/// Roles per account.
pub(crate) const ROLES: usize = 1_000;
/// Managed policies attached to one role.
pub(crate) const ATTACHED_POLICIES_PER_ROLE: usize = 10;
/// Characters, white space aside, of all inline policies of a role.
pub(crate) const INLINE_POLICY_CHARS: usize = 10_240;
/// Characters, white space aside, of a trust policy.
pub(crate) const TRUST_POLICY_CHARS: usize = 2_048;
/// Characters of any policy document in a request.
pub(crate) const POLICY_DOCUMENT_CHARS: usize = 131_072;

/// Customer-managed policies per account.
pub(crate) const POLICIES: usize = 1_500;
/// Characters, white space aside, of a managed policy.
pub(crate) const MANAGED_POLICY_CHARS: usize = 6_144;

/// Parameters per account and region.
pub(crate) const PARAMETERS: usize = 10_000;
/// Bytes of a parameter's value in the standard tier.
pub(crate) const PARAMETER_BYTES: usize = 4_096;
/// Secrets per account and region. Own: AWS allows 500,000.
pub(crate) const SECRETS: usize = 10_000;
/// Characters of a secret's value (AWS: bytes).
pub(crate) const SECRET_BYTES: usize = 65_536;

/// Requests a second to API Gateway's control plane, of the whole account.
pub(crate) const GATEWAY_REQUESTS_PER_SECOND: u32 = 10;
/// Requests to API Gateway's control plane at once.
pub(crate) const GATEWAY_REQUEST_BURST: u32 = 40;
/// Seconds from one CreateDeployment to the next, of the whole account.
pub(crate) const SECONDS_PER_DEPLOYMENT: u32 = 5;
/// Requests a second to Lambda's control plane but GetFunction.
pub(crate) const LAMBDA_REQUESTS_PER_SECOND: u32 = 15;
/// GetFunction a second.
pub(crate) const GET_FUNCTION_PER_SECOND: u32 = 100;
/// Writes to one resource that readers don't know of yet; more are merged. Own.
pub(crate) const DELAYED_WRITES: usize = 64;

/// Log groups per account and region. Own: AWS allows a million.
pub(crate) const LOG_GROUPS: usize = 10_000;
/// Bytes of events kept per log group; the oldest are dropped. Own.
pub(crate) const LOG_GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Bytes by which a group's journal may grow beyond twice its image. Own.
pub(crate) const LOG_JOURNAL_SLACK_BYTES: usize = 1024 * 1024;
/// Of an image that takes the place of a group's lines, at once.
pub(crate) const LOG_IMAGE_PART_BYTES: usize = 256 * 1024;
/// What each event counts beside its message, in bytes.
pub(crate) const LOG_EVENT_OVERHEAD_BYTES: usize = 26;
/// Log groups of one StartLiveTail.
pub(crate) const LIVE_TAIL_GROUPS: usize = 10;
/// Log streams, or prefixes of some, of one StartLiveTail.
pub(crate) const LIVE_TAIL_STREAMS: usize = 10;
/// Events that a session of StartLiveTail shows each second.
pub(crate) const LIVE_TAIL_EVENTS: usize = 500;
/// Log streams per group that CreateLogStream makes. Own: AWS has no limit.
pub(crate) const LOG_STREAMS_PER_GROUP: usize = 10_000;
/// Events of one PutLogEvents.
pub(crate) const LOG_BATCH_EVENTS: usize = 10_000;
/// Bytes of one PutLogEvents, messages with their overhead.
pub(crate) const LOG_BATCH_BYTES: usize = 1_048_576;
/// Bytes of one event of PutLogEvents with its overhead (256 KB before 2025).
pub(crate) const LOG_EVENT_BYTES: usize = 1_048_576;
/// Largest body of PutLogEvents: JSON may need six bytes for one. Own.
pub(crate) const LOG_REQUEST_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a message that a function writes; longer ones are cut.
pub(crate) const LOG_MESSAGE_BYTES: usize = 256 * 1024;
/// Bytes of messages in one page of events; one event is always given.
pub(crate) const LOG_PAGE_BYTES: usize = 1024 * 1024;
/// Characters of a log group's or stream's name.
pub(crate) const LOG_NAME_CHARS: usize = 512;
/// Characters of a filter pattern.
pub(crate) const FILTER_PATTERN_CHARS: usize = 1_024;

/// Largest body of a request that carries no code, in bytes. Own.
pub(crate) const CONTROL_REQUEST_BYTES: usize = 1024 * 1024;

/// Metrics of CloudWatch, each with its dimensions. Own.
pub(crate) const METRIC_SERIES: usize = 5_000;
/// Minutes of a metric that are kept. Own: AWS keeps 15 days of them.
pub(crate) const METRIC_MINUTES: i64 = 75;
/// Metrics of one GetMetricData.
pub(crate) const METRIC_QUERIES: usize = 500;
/// Points of one answer of GetMetricData.
pub(crate) const METRIC_DATAPOINTS: usize = 100_800;
/// Seconds of one GetMetricData. Own.
pub(crate) const METRIC_WINDOW_SECONDS: i64 = 86_400;
