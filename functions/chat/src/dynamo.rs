//! The [`Store`] in a DynamoDB table: right in as many environments as there are.
//!
//! One table with the keys `pk` and `sk`, and single conditional writes only. What
//! lies where:
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `room#<room>` | connection | a membership |
//! | `conn#<connection>` | `room#<room>` | that it may be there: a superset of the memberships |
//! | `conn#<connection>` | `meta` | its format, that it has ended, its rate |
//! | `log#<room>` | 20 digits | a message: the log is the sequencer |
//! | `log#<room>` | `head` | the highest number given, for when the log has expired |
//! | `id#<room>` | sender and id | the place that a message with an id is to take |
//! | `chunk#<id>` | `progress` | whom a part of a fan-out has told |
//!
//! Everything but a `head` has `expires`, in seconds, and each read compares it: DynamoDB
//! deletes what has expired when it likes.
//!
//! A connection's end writes a tombstone *before* it looks for rooms; a join looks for a
//! tombstone *after* it has written. Whichever comes first, one of them undoes the
//! membership. Rows below `conn#` are deleted only with the membership they were written
//! for (`joined`), so that a leave that is late takes nothing from a later join.

mod client;
mod items;
mod log;
mod membership;
mod progress;

pub use client::DynamoStore;
