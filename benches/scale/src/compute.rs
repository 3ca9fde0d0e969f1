//! From what is given to what follows. Each function is one line of reasoning; the page
//! says it in words.

use crate::figures::{
    CALLS_BEFORE_TELLING, CONNECTION_SECONDS, GB_SECOND, KEEP_ALIVE_SECONDS, MEMBER_ITEM_BYTES,
    MEMBERS_AN_INVOCATION, MESSAGE_ITEM_BYTES, MILLION_CONNECTION_MINUTES, MILLION_INVOCATIONS,
    MILLION_MESSAGES, MILLION_READS, MILLION_WRITES, MONTH_MINUTES, NEW_CONNECTIONS_A_SECOND,
    PARTITION_READS, PARTITION_WRITES, POST_SECONDS, POSTS_AT_ONCE, QUERY_PAGE_BYTES,
    READ_UNIT_BYTES, READS_A_MESSAGE, REQUESTS_A_SECOND, ROOM_GB, SERVER_CONNECTIONS, SERVER_HOUR,
    TABLE_CALL_SECONDS, WRITE_UNIT_BYTES, WRITES_BESIDE_A_MESSAGE, WRITES_BESIDE_IN_THE_LOG,
};

const MILLION: f64 = 1_000_000.0;

/// Seconds until so many are connected, from none.
pub fn ramp_seconds(connections: f64) -> f64 {
    connections / NEW_CONNECTIONS_A_SECOND
}

/// The most connections there can be: what has connected before the first are cut.
pub fn most_connections() -> f64 {
    NEW_CONNECTIONS_A_SECOND * CONNECTION_SECONDS
}

/// Connections a second that begin anew because others were cut, evenly spread.
pub fn reconnects_a_second(connections: f64) -> f64 {
    connections / CONNECTION_SECONDS
}

/// Requests a second for keeping so many connections: their messages against idleness,
/// which must be messages, because API Gateway may not count a PING.
pub fn keep_alives_a_second(connections: f64) -> f64 {
    connections / KEEP_ALIVE_SECONDS
}

/// The share of the account's requests that connections take while nobody says anything:
/// keep-alives, and `$connect` and `$disconnect` of those that begin anew.
pub fn idle_share(connections: f64) -> f64 {
    let events = 2.0 * reconnects_a_second(connections);
    (keep_alives_a_second(connections) + events) / REQUESTS_A_SECOND
}

/// Requests that a message to a room costs: itself, and a post to each member.
pub fn requests_a_message(members: f64) -> f64 {
    1.0 + members
}

/// Messages a second to rooms of this size that the account's requests allow, if it does
/// nothing else.
pub fn messages_a_second_by_requests(members: f64) -> f64 {
    REQUESTS_A_SECOND / requests_a_message(members)
}

/// Read units for all of a room's memberships, read consistently.
pub fn reads_of_members(members: f64) -> f64 {
    (members * MEMBER_ITEM_BYTES / READ_UNIT_BYTES)
        .max(0.5)
        .ceil()
}

/// Messages a second to one room that its partition of memberships allows.
pub fn messages_a_second_by_members(members: f64) -> f64 {
    PARTITION_READS / reads_of_members(members)
}

/// Messages a second to one room that its partition of messages allows, however small it
/// is.
pub fn messages_a_second_by_log() -> f64 {
    PARTITION_WRITES / (WRITES_BESIDE_IN_THE_LOG + writes_of_message())
}

/// Write units of a message's own item.
fn writes_of_message() -> f64 {
    (MESSAGE_ITEM_BYTES / WRITE_UNIT_BYTES).ceil()
}

/// What bounds the messages a second to one room.
pub fn messages_a_second(members: f64) -> f64 {
    messages_a_second_by_requests(members)
        .min(messages_a_second_by_members(members))
        .min(messages_a_second_by_log())
}

/// Pages in which a room's memberships are read, one after the other.
fn pages(members: f64) -> f64 {
    (members * MEMBER_ITEM_BYTES / QUERY_PAGE_BYTES)
        .ceil()
        .max(1.0)
}

/// Invocations that tell a room: the first one, or those it hands parts to.
pub fn telling_invocations(members: f64) -> f64 {
    (members / MEMBERS_AN_INVOCATION).ceil().max(1.0)
}

/// Seconds that one invocation posts.
fn posting_seconds(members: f64) -> f64 {
    let each = members.min(MEMBERS_AN_INVOCATION);
    (each / POSTS_AT_ONCE).ceil() * POST_SECONDS
}

/// Seconds before the first post of a message.
fn storing_seconds(members: f64) -> f64 {
    (CALLS_BEFORE_TELLING + pages(members)) * TABLE_CALL_SECONDS
}

/// Seconds from a message's arrival to its last post, where nothing is throttled and all
/// environments are warm.
pub fn seconds_to_last(members: f64) -> f64 {
    let handing_on = if telling_invocations(members) > 1.0 {
        // They are started all at once, and begin with a look at their progress.
        2.0 * TABLE_CALL_SECONDS + POST_SECONDS
    } else {
        0.0
    };
    let by_pace = members / REQUESTS_A_SECOND;
    storing_seconds(members) + handing_on + posting_seconds(members).max(by_pace)
}

/// What a message to a room costs, in dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Messages in and out.
    pub gateway: f64,
    /// Invocations and their time.
    pub lambda: f64,
    /// Writes and reads.
    pub table: f64,
}

impl Cost {
    /// All together.
    pub fn total(&self) -> f64 {
        self.gateway + self.lambda + self.table
    }
}

/// Of one message to a room of this size.
pub fn cost_of_message(members: f64) -> Cost {
    let parts = telling_invocations(members);
    let handed_on = if parts > 1.0 { parts } else { 0.0 };
    let seconds = storing_seconds(members) + parts * posting_seconds(members);
    let writes = WRITES_BESIDE_A_MESSAGE + writes_of_message() + handed_on;
    let reads = READS_A_MESSAGE + reads_of_members(members) + handed_on;
    Cost {
        gateway: requests_a_message(members) * MILLION_MESSAGES / MILLION,
        lambda: (1.0 + handed_on) * MILLION_INVOCATIONS / MILLION + seconds * ROOM_GB * GB_SECOND,
        table: writes * MILLION_WRITES / MILLION + reads * MILLION_READS / MILLION,
    }
}

/// Dollars a month for holding so many connections that say nothing: their minutes, and
/// their keep-alives with an invocation each of 5 ms.
pub fn holding_a_month(connections: f64) -> f64 {
    let minutes = connections * MONTH_MINUTES * MILLION_CONNECTION_MINUTES / MILLION;
    let events = keep_alives_a_second(connections) + 2.0 * reconnects_a_second(connections);
    let each = MILLION_MESSAGES / MILLION
        + MILLION_INVOCATIONS / MILLION
        + TABLE_CALL_SECONDS * ROOM_GB * GB_SECOND;
    minutes + events * MONTH_MINUTES * 60.0 * each
}

/// Dollars a month for servers of one's own that hold as many.
pub fn servers_a_month(connections: f64) -> f64 {
    (connections / SERVER_CONNECTIONS).ceil() * SERVER_HOUR * MONTH_MINUTES / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(found: f64, expected: f64) {
        let off = (found - expected).abs() / expected;
        assert!(off < 0.001, "{found} isn't {expected}");
    }

    #[test]
    fn a_million_connections_take_half_an_hour_and_the_quota_ends_at_3_6_million() {
        about(ramp_seconds(1e6), 2_000.0);
        about(most_connections(), 3_600_000.0);
        about(reconnects_a_second(1e6), 138.889);
        about(keep_alives_a_second(1e6), 1_851.852);
        about(idle_share(1e6), 0.212_963);
    }

    #[test]
    fn a_large_room_is_bound_by_requests_and_a_small_one_by_its_log() {
        about(messages_a_second(2.0), 500.0);
        about(messages_a_second(100.0), 10_000.0 / 101.0);
        about(messages_a_second(10_000.0), 10_000.0 / 10_001.0);
        about(messages_a_second_by_members(10_000.0), 3_000.0 / 489.0);
    }

    #[test]
    fn a_thousand_members_are_told_by_one_invocation_and_ten_thousand_by_ten() {
        about(telling_invocations(1_000.0), 1.0);
        about(telling_invocations(1_001.0), 2.0);
        about(telling_invocations(10_000.0), 10.0);
        // 8 rounds of 20 ms, behind 6 calls of 5 ms.
        about(seconds_to_last(1_000.0), 0.19);
        // The account's 10,000 requests a second are slower than ten invocations.
        about(seconds_to_last(10_000.0), 1.065);
    }

    #[test]
    fn what_a_message_costs_is_mostly_its_deliveries() {
        let cost = cost_of_message(1_000.0);
        about(cost.gateway, 0.001_001);
        assert!(cost.gateway / cost.total() > 0.97, "{cost:?}");
        let small = cost_of_message(1.0);
        assert!(small.table > small.lambda, "{small:?}");
    }

    #[test]
    fn costs_only_grow_with_members_and_rates_only_fall() {
        let sizes = [1.0, 2.0, 10.0, 100.0, 999.0, 1_000.0, 1_001.0, 10_000.0];
        for pair in sizes.windows(2) {
            let (small, large) = (pair[0], pair[1]);
            assert!(cost_of_message(small).total() < cost_of_message(large).total());
            assert!(messages_a_second(small) >= messages_a_second(large));
            assert!(seconds_to_last(small) <= seconds_to_last(large));
        }
    }

    #[test]
    fn holding_connections_costs_more_here_than_on_servers_of_ones_own() {
        about(servers_a_month(1e6), 20.0 * 0.0725 * 730.0);
        assert!(holding_a_month(1e6) > servers_a_month(1e6));
    }
}
