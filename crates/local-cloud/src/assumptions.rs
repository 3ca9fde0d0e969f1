//! What the local cloud assumes about AWS without a source that proves it.
//!
//! Each item names its assumption; a measurement on a real account that says
//! otherwise changes this file only.

use http::StatusCode;

/// Assumed: a `$connect` integration that takes longer than its timeout ends
/// the handshake with 504.
pub(crate) const CONNECT_TIMED_OUT: StatusCode = StatusCode::GATEWAY_TIMEOUT;
/// Assumed: a `$connect` integration that API Gateway may not or cannot call
/// ends the handshake with 500.
pub(crate) const CONNECT_MISCONFIGURED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
/// Assumed: a malformed answer of `$connect` ends the handshake with 502, as a
/// thrown error was seen to.
pub(crate) const CONNECT_FAILED: StatusCode = StatusCode::BAD_GATEWAY;
/// Assumed: too many connections are refused with this status.
pub(crate) const CONNECT_THROTTLED: StatusCode = StatusCode::TOO_MANY_REQUESTS;

/// Assumed: an authorizer that can't be asked, fails, or answers something else than
/// a policy ends the handshake with this status.
pub(crate) const AUTHORIZER_FAILED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
/// Assumed: what a client is told that its authorizer's policy denies; that the status
/// is 403 is documented.
pub(crate) const AUTHORIZER_DENIED: &str = "Forbidden";
/// Assumed: a route response whose function answers an empty body sends nothing.
pub(crate) const SENDS_EMPTY_RESPONSES: bool = false;

/// Assumed: what an access log has where a request lacks a variable.
pub(crate) const ABSENT_CONTEXT_VARIABLE: &str = "-";
/// Assumed: the message of the frame for a message beyond the limits of its
/// route. The socket stays open.
pub(crate) const MESSAGE_THROTTLED: &str = "Too Many Requests";
/// Assumed: the limits of a route don't hold for `$disconnect`, which nobody
/// sends.
pub(crate) const DISCONNECT_IS_THROTTLED: bool = false;
/// Assumed: where an API's own address is disabled, `@connections` is too.
pub(crate) const DISABLED_ENDPOINT_HAS_NO_CONNECTIONS: bool = true;

/// Assumed: the body of a handshake that the gateway or `$connect` refused.
/// (`$connect`'s own body is never delivered.)
pub(crate) fn handshake_refusal_body(
    message: &str,
    connection_id: &str,
    request_id: &str,
) -> String {
    format!(
        r#"{{"message":"{message}","connectionId":"{connection_id}","requestId":"{request_id}"}}"#
    )
}

/// Assumed: after a refused `$connect` there is no `$disconnect`; after an
/// accepted one whose client has meanwhile gone there is, with this code.
pub(crate) const GONE_BEFORE_ACCEPTED: (u16, &str) = TCP_DROPPED;
/// Assumed: what `$disconnect` is told of a TCP connection that ended without a
/// close frame.
pub(crate) const TCP_DROPPED: (u16, &str) = (1006, "Connection Closed Abnormally");
/// Assumed: what `$disconnect` is told, and the client receives, when the
/// client broke the WebSocket protocol.
pub(crate) const PROTOCOL_VIOLATION: (u16, &str) = (1002, "Protocol error");
/// Assumed: the reason beside 1003, which itself is documented.
pub(crate) const BINARY_FRAME: (u16, &str) = (1003, "Binary frames are not supported");
/// Assumed: text that is not UTF-8 is answered as RFC 6455 says.
pub(crate) const NOT_UTF8: (u16, &str) = (1007, "Invalid UTF-8");
/// Assumed: the reason beside 1009, which itself is documented.
pub(crate) const TOO_BIG: (u16, &str) = (1009, "Message too long");
/// Assumed: deleting an API or a stage closes its sockets this way.
pub(crate) const API_DELETED: (u16, &str) = (1001, "Going away");

/// Assumed: control frames (PING, PONG) do not count as traffic for the idle
/// timeout. Reports conflict; the stricter reading protects applications.
pub(crate) const CONTROL_FRAMES_ARE_TRAFFIC: bool = false;

/// Assumed: a body that is not strict JSON selects `$default`. (One capture
/// suggests that AWS parses more leniently.)
pub(crate) const NOT_JSON_SELECTS_DEFAULT: bool = true;
/// Assumed: a JSON `null` at the selected path counts as missing.
pub(crate) const NULL_SELECTS: &str = "";

/// Assumed: a proxy answer without `statusCode` is malformed.
pub(crate) const STATUS_CODE_IS_REQUIRED: bool = true;

/// Assumed: `PostToConnection` with bytes that are not UTF-8 is refused, since
/// clients only ever get text frames.
pub(crate) const NOT_UTF8_POST: StatusCode = StatusCode::BAD_REQUEST;

/// Assumed: the error type in the answer of a function that used too much memory.
/// (That of its REPORT line was observed.)
pub(crate) const OUT_OF_MEMORY: &str = "Runtime.OutOfMemory";
