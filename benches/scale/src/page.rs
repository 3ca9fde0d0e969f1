//! docs/SCALE.md: words around the figures that [`compute`](crate::compute) finds.

use std::fmt::Write as _;

use crate::compute;
use crate::figures;

const MILLION: f64 = 1_000_000.0;
/// Sizes of rooms in the tables.
const ROOMS: [f64; 5] = [2.0, 10.0, 100.0, 1_000.0, 10_000.0];
/// Numbers of connections in the tables.
const CONNECTIONS: [f64; 4] = [1_000.0, 10_000.0, 100_000.0, MILLION];

/// The page.
pub fn render() -> String {
    let mut page = String::new();
    page.push_str(HEAD);
    connections(&mut page);
    rooms(&mut page);
    costs(&mut page);
    leaving(&mut page);
    given(&mut page);
    page
}

const HEAD: &str = "# On the way to a million connections

What bounds the chat on AWS, and what it costs: computed by `cargo run --package scale` from
AWS's quotas and prices, which stand at the end and in `benches/scale/src/figures.rs`. Nothing
here is a measurement. A test fails where this page isn't what the program says.
";

fn connections(page: &mut String) {
    let most = number(compute::most_connections());
    let _infallible = write!(
        page,
        "
## Connections

An account may open {rate} connections a second, and API Gateway cuts each after {hours}
hours: {most} at most, unless AWS raises the quota. Those that are cut come back, so that an
even load never rests; clients must spread their return (the client library does), or all
that were opened in one rush come back in one.

A connection on which nothing is said for {idle} minutes is cut, too. Whether a PING counts
isn't known for certain, so clients send a message every {keep} minutes, and every one of
those is a request and an invocation.

| connections | until all are connected | anew, a second | keep-alives, a second | of the account's requests |
|---|---|---|---|---|
",
        rate = number(figures::NEW_CONNECTIONS_A_SECOND),
        hours = number(figures::CONNECTION_SECONDS / 3600.0),
        idle = number(figures::IDLE_SECONDS / 60.0),
        keep = number(figures::KEEP_ALIVE_SECONDS / 60.0),
    );
    for connections in CONNECTIONS {
        row(
            page,
            &[
                number(connections),
                time(compute::ramp_seconds(connections)),
                number(compute::reconnects_a_second(connections)),
                number(compute::keep_alives_a_second(connections)),
                percent(compute::idle_share(connections)),
            ],
        );
    }
}

fn rooms(page: &mut String) {
    let _infallible = write!(
        page,
        "
## Messages to rooms

Each message and each post to a member counts against the account's {requests} requests a
second ({burst} at once). All APIs of the account in the region share them, HTTP ones too, so
a message to a room of 1,000 is a tenth of a second of everything there is. That, and not
Lambda or the table, bounds rooms of some ten members and more.

A room's memberships lie in one partition of the table, which gives {reads} read units a
second, and its messages in another, which takes {writes} writes, two a message: itself and
the log's head. Only small rooms can be that busy.

| members | messages a second | by requests | by memberships | by the log | to the last member |
|---|---|---|---|---|---|
",
        requests = number(figures::REQUESTS_A_SECOND),
        burst = number(figures::REQUESTS_AT_ONCE),
        reads = number(figures::PARTITION_READS),
        writes = number(figures::PARTITION_WRITES),
    );
    for members in ROOMS {
        row(
            page,
            &[
                number(members),
                number(compute::messages_a_second(members)),
                number(compute::messages_a_second_by_requests(members)),
                number(compute::messages_a_second_by_members(members)),
                number(compute::messages_a_second_by_log()),
                time(compute::seconds_to_last(members)),
            ],
        );
    }
    let _infallible = write!(
        page,
        "
\"To the last member\" takes {post} ms for a post, {call} ms for a call to the table, warm
environments, and an account that does nothing else. One invocation tells {split} members,
{at_once} at a time; more are told by further ones.

Lambda runs {concurrency} invocations at once in an account, and one function gains
{growth} environments in ten seconds. A chat in which everybody reads and few write stays
far below; one where {concurrency} write at the same moment doesn't: raise the quota first.
",
        post = number(figures::POST_SECONDS * 1000.0),
        call = number(figures::TABLE_CALL_SECONDS * 1000.0),
        split = number(figures::MEMBERS_AN_INVOCATION),
        at_once = number(figures::POSTS_AT_ONCE),
        concurrency = number(figures::LAMBDA_CONCURRENCY),
        growth = number(figures::LAMBDA_GROWTH_IN_10_S),
    );
}

fn costs(page: &mut String) {
    page.push_str(
        "
## What it costs

A thousand messages to a room, in dollars:

| members | API Gateway | Lambda | table | together |
|---|---|---|---|---|
",
    );
    for members in ROOMS {
        let cost = compute::cost_of_message(members);
        let dollars = |of_one: f64| dollars(of_one * 1000.0);
        row(
            page,
            &[
                number(members),
                dollars(cost.gateway),
                dollars(cost.lambda),
                dollars(cost.table),
                dollars(cost.total()),
            ],
        );
    }
    page.push_str(
        "
Connections that say nothing, in dollars a month, keep-alives included:

| connections | here | servers of one's own |
|---|---|---|
",
    );
    for connections in CONNECTIONS {
        row(
            page,
            &[
                number(connections),
                dollars(compute::holding_a_month(connections)),
                dollars(compute::servers_a_month(connections)),
            ],
        );
    }
}

fn leaving(page: &mut String) {
    let _infallible = write!(
        page,
        "
## Where to shard, and when to leave

- **Rooms** are the unit: nothing is shared between two of them, so they spread over
  partitions by themselves. A room of more than 10,000 members isn't one conversation: split
  it into several that get the same announcements.
- **Accounts and regions** are the next: requests a second are counted there. A room must
  then belong to one of them (by a hash of its name, say), and clients connect to the one
  their room is in.
- **Leave API Gateway** when deliveries, not connections, make the bill: a million of them
  costs {delivery} dollars here, and nothing but traffic on servers of one's own. At a million
  connections these cost {servers} dollars a month (a machine for {each} connections
  each), holding the same here {holding}; a delivery a minute to each of them adds
  {deliveries}. What servers don't bring is somebody who runs them at night.
- **Leave Lambda, not API Gateway**, when messages come steadily: an HTTP integration to
  containers saves invocations, but posts to connections still count and cost the same.
",
        delivery = dollars(figures::MILLION_MESSAGES),
        servers = dollars(compute::servers_a_month(MILLION)),
        holding = dollars(compute::holding_a_month(MILLION)),
        each = number(figures::SERVER_CONNECTIONS),
        deliveries =
            dollars(MILLION * figures::MONTH_MINUTES * figures::MILLION_MESSAGES / MILLION),
    );
}

fn given(page: &mut String) {
    page.push_str(
        "
## What is given

Quotas are AWS's defaults. Prices are of us-east-1, without free tiers and discounts for
volume, noted in November 2026 and **assumed** to hold: look them up before you rely on them.

| | |
|---|---|
",
    );
    let rows = [
        (
            "dollars for a million messages, in or out, of up to 32 KB",
            figures::MILLION_MESSAGES.to_string(),
        ),
        (
            "dollars for a million minutes of a connection",
            figures::MILLION_CONNECTION_MINUTES.to_string(),
        ),
        (
            "dollars for a million invocations",
            figures::MILLION_INVOCATIONS.to_string(),
        ),
        (
            "dollars for a GB-second of Lambda, x86_64",
            figures::GB_SECOND.to_string(),
        ),
        (
            "dollars for a million write units, on demand",
            figures::MILLION_WRITES.to_string(),
        ),
        (
            "dollars for a million read units, on demand",
            figures::MILLION_READS.to_string(),
        ),
        (
            "dollars for a server's hour: 2 processors, 4 GB",
            figures::SERVER_HOUR.to_string(),
        ),
        (
            "memory of the room function, MB",
            number(figures::ROOM_GB * 1000.0),
        ),
        (
            "bytes of a membership, of a message",
            format!(
                "{}, {}",
                number(figures::MEMBER_ITEM_BYTES),
                number(figures::MESSAGE_ITEM_BYTES)
            ),
        ),
        (
            "write units, read units of a message beside its room's memberships",
            format!(
                "{}, {}",
                number(figures::WRITES_BESIDE_A_MESSAGE + 1.0),
                number(figures::READS_A_MESSAGE)
            ),
        ),
    ];
    for (what, figure) in rows {
        row(page, &[what.to_owned(), figure]);
    }
}

fn row(page: &mut String, cells: &[String]) {
    let _infallible = writeln!(page, "| {} |", cells.join(" | "));
}

/// With thousands apart, and no more digits than mean something.
fn number(value: f64) -> String {
    let digits = match value {
        value if value >= 100.0 || value.fract().abs() < 1e-9 => 0,
        value if value >= 1.0 => 1,
        _ => 2,
    };
    grouped(&format!("{value:.digits$}"))
}

fn grouped(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn dollars(value: f64) -> String {
    match value {
        value if value >= 100.0 => grouped(&format!("{value:.0}")),
        value if value >= 0.1 => format!("{value:.2}"),
        value => {
            // Two digits that mean something.
            let digits = (2.0 - value.log10()).floor().max(2.0) as usize;
            format!("{value:.digits$}")
        }
    }
}

fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 120.0 => format!("{} min", number(seconds / 60.0)),
        seconds if seconds >= 1.0 => format!("{} s", number(seconds)),
        seconds => format!("{} ms", number(seconds * 1000.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_what_the_program_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SCALE.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == render(),
            "docs/SCALE.md is another: write it with `cargo run --package scale`"
        );
    }

    #[test]
    fn figures_are_written_with_the_digits_that_mean_something() {
        assert_eq!(number(3_600_000.0), "3,600,000");
        assert_eq!(number(6.135), "6.1");
        assert_eq!(number(0.277_7), "0.28");
        assert_eq!(number(500.0), "500");
        assert_eq!(dollars(0.000_016_666_7), "0.000017");
        assert_eq!(dollars(10_950.0), "10,950");
        assert_eq!(dollars(1.0), "1.00");
        assert_eq!(time(2_000.0), "33.3 min");
        assert_eq!(time(0.19), "190 ms");
        assert_eq!(percent(0.213), "21.3 %");
    }
}
