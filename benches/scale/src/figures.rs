//! What is given: AWS's quotas and prices, and the chat's own sizes. Everything in
//! docs/SCALE.md is computed from these.
//!
//! Prices are those of us-east-1, in US dollars, and were noted down by hand: AWS may have
//! changed them, and other regions have others. Quotas are the defaults; those that AWS
//! raises on request are marked.

/// New connections a second, of an account in a region. AWS raises it. Source: API
/// Gateway's quotas.
pub const NEW_CONNECTIONS_A_SECOND: f64 = 500.0;
/// Seconds until API Gateway cuts a connection. Source: API Gateway's quotas.
pub const CONNECTION_SECONDS: f64 = 2.0 * 3600.0;
/// Seconds without a message until API Gateway cuts a connection. Source: as above.
pub const IDLE_SECONDS: f64 = 600.0;
/// Requests a second of an account in a region, messages in and posts to connections
/// together. AWS raises it. Source: API Gateway's quotas.
pub const REQUESTS_A_SECOND: f64 = 10_000.0;
/// Of those, at once. Source: as above.
pub const REQUESTS_AT_ONCE: f64 = 5_000.0;
/// Invocations at once, of an account in a region. AWS raises it. Source: Lambda's quotas.
pub const LAMBDA_CONCURRENCY: f64 = 1_000.0;
/// Environments that one function may gain in ten seconds. Source: Lambda's guide.
pub const LAMBDA_GROWTH_IN_10_S: f64 = 1_000.0;
/// Write units a second of one partition, an item of 1 KB each. Source: DynamoDB's guide.
pub const PARTITION_WRITES: f64 = 1_000.0;
/// Read units a second of one partition, 4 KB read consistently each. Source: as above.
pub const PARTITION_READS: f64 = 3_000.0;
/// Bytes of a write unit.
pub const WRITE_UNIT_BYTES: f64 = 1_024.0;
/// Bytes of a read unit, read consistently.
pub const READ_UNIT_BYTES: f64 = 4_096.0;

/// Dollars for a million messages in or out, up to 32 KB each; a thousand millions a
/// month, later ones are cheaper.
pub const MILLION_MESSAGES: f64 = 1.00;
/// Dollars for a million minutes of a connection.
pub const MILLION_CONNECTION_MINUTES: f64 = 0.25;
/// Dollars for a million invocations.
pub const MILLION_INVOCATIONS: f64 = 0.20;
/// Dollars for a GB of memory during a second, on x86_64.
pub const GB_SECOND: f64 = 0.000_016_666_7;
/// Dollars for a million write units on demand.
pub const MILLION_WRITES: f64 = 0.625;
/// Dollars for a million read units on demand.
pub const MILLION_READS: f64 = 0.125;
/// Dollars for an hour of a server that holds [`SERVER_CONNECTIONS`]: 2 processors, 4 GB.
pub const SERVER_HOUR: f64 = 0.0725;
/// Connections that such a server is trusted with: half its memory at 40 KB each.
pub const SERVER_CONNECTIONS: f64 = 50_000.0;

/// GB of memory of the room function.
pub const ROOM_GB: f64 = 0.128;
/// Bytes of a membership as an item: keys, names, times.
pub const MEMBER_ITEM_BYTES: f64 = 200.0;
/// Bytes of a message as an item.
pub const MESSAGE_ITEM_BYTES: f64 = 600.0;
/// Members that one invocation tells; more are handed on to others.
pub const MEMBERS_AN_INVOCATION: f64 = 1_000.0;
/// Posts at a time of one invocation, once it has warmed up.
pub const POSTS_AT_ONCE: f64 = 128.0;
/// Seconds of one post to a connection, taken for granted.
pub const POST_SECONDS: f64 = 0.020;
/// Seconds of one call to DynamoDB, taken for granted.
pub const TABLE_CALL_SECONDS: f64 = 0.005;
/// Calls to DynamoDB, one after the other, before a message is told: the sender's rate,
/// its membership, the last number, the claim of the message's id, the message with the head.
pub const CALLS_BEFORE_TELLING: f64 = 5.0;
/// Write units among these, the message's own apart: rate, claim, the log's head.
pub const WRITES_BESIDE_A_MESSAGE: f64 = 3.0;
/// Of these in the partition of the room's log: its head.
pub const WRITES_BESIDE_IN_THE_LOG: f64 = 1.0;
/// Read units among these: membership, last number.
pub const READS_A_MESSAGE: f64 = 2.0;
/// Bytes of a page of a query.
pub const QUERY_PAGE_BYTES: f64 = 1_048_576.0;
/// Seconds between a client's own messages that keep its connection: well within
/// [`IDLE_SECONDS`].
pub const KEEP_ALIVE_SECONDS: f64 = 540.0;
/// Minutes of a month, as AWS bills them: 730 hours.
pub const MONTH_MINUTES: f64 = 730.0 * 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_chats_own_is_as_the_chat_has_it() {
        let same = |figure: f64, chats: usize| assert_eq!(figure as usize, chats);
        same(MEMBERS_AN_INVOCATION, chat::FAN_OUT_MEMBERS);
        same(POSTS_AT_ONCE, chat::POSTS_AT_ONCE);
        assert!(CONNECTION_SECONDS * 1000.0 < chat::CONNECTION_LIFETIME_MS as f64);
    }
}
