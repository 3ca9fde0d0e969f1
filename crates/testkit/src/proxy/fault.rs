//! What can go wrong with one call.

use std::time::Duration;

/// Whether the cloud carried a call out before it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It never reached the cloud.
    Before,
    /// It took effect.
    After,
}

/// Which of two answers the caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The first delivery's.
    First,
    /// The second delivery's.
    Second,
}

/// How one call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The service answers with status 500.
    Fail(When),
    /// The connection closes without an answer after the call took effect.
    LostAnswer,
    /// The connection is reset before the call reaches the cloud.
    Reset,
    /// The service refuses it as one too many, in its own words.
    Throttle,
    /// The service refuses it: the caller may not do that.
    Refuse,
    /// It reaches the cloud so much later.
    Delay(Duration),
    /// It takes effect, and the answer's last byte is another one.
    Garble,
    /// It is delivered twice, one after the other.
    Twice(Answer),
    /// Nothing answers; whoever waits for [`super::Proxy::until_reached`] kills
    /// the caller meanwhile.
    Kill(When),
}
