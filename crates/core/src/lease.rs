//! Who may change a stage now: a lease in the stage's journal, made of log
//! streams alone, because creating one is atomic and needs no other service.
//!
//! `lease/<generation>` exists once: whoever creates it holds that generation.
//! Streams below it say by whom, how often it was renewed, that it ended, and whether
//! it left calls on their way.
//! Generations only grow, as long as the journal lives.
//!
//! Deliberately absent: clocks. Whether a lease has expired is found out by
//! watching it not being renewed (`deployer-engine`).

use std::fmt;

/// What the names of all streams of leases begin with.
pub const STREAM_PREFIX: &str = "lease/";

/// Counts the leases of a stage; 0: there was none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

impl Generation {
    /// Before the first lease.
    pub const NONE: Self = Self(0);

    /// The next one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many generations it is after `earlier`; 0 when it isn't.
    pub fn follows_by(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The stream whose creation is the acquisition.
    pub fn stream(self) -> String {
        format!("{STREAM_PREFIX}{self}")
    }

    /// The stream that names the holder.
    pub fn holder_stream(self, holder: &str) -> String {
        // Stream names must not contain these.
        format!("{}/by/{}", self.stream(), holder.replace([':', '*'], "_"))
    }

    /// The stream of the renewal with this number.
    pub fn renewal_stream(self, number: u32) -> String {
        format!("{}/renewed/{number:06}", self.stream())
    }

    /// The stream that says, before it is over, that a write of its holder may still
    /// be carried out.
    pub fn unanswered_stream(self) -> String {
        format!("{}/unanswered", self.stream())
    }

    /// The stream that says it is over.
    pub fn end_stream(self) -> String {
        format!("{}/ended", self.stream())
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}", self.0)
    }
}

/// The latest lease, as its streams tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which one.
    pub generation: Generation,
    /// By whom, once that is written.
    pub holder: Option<String>,
    /// How often it was renewed.
    pub renewals: usize,
    /// Whether its holder has left a write that may still be carried out.
    pub unanswered: bool,
    /// Whether its holder is done.
    pub ended: bool,
}

/// The latest lease among the streams of a journal; `None`: there was none yet.
pub fn latest<'a>(streams: impl Iterator<Item = &'a str> + Clone) -> Option<Lease> {
    let generation = streams.clone().filter_map(generation_of).max()?;
    let mut lease = Lease {
        generation,
        holder: None,
        renewals: 0,
        unanswered: false,
        ended: false,
    };
    for stream in streams {
        let Some(rest) = stream.strip_prefix(&generation.stream()) else {
            continue;
        };
        if let Some(holder) = rest.strip_prefix("/by/") {
            lease.holder = Some(holder.to_owned());
        } else if rest.starts_with("/renewed/") {
            lease.renewals += 1;
        } else if rest == "/unanswered" {
            lease.unanswered = true;
        } else if rest == "/ended" {
            lease.ended = true;
        }
    }
    Some(lease)
}

/// The lease a stream belongs to, if it is one of a lease.
pub fn generation_of(stream: &str) -> Option<Generation> {
    let number = stream.strip_prefix(STREAM_PREFIX)?;
    let number = number.split('/').next()?;
    number.parse().ok().map(Generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_lease_is_read_from_its_streams() {
        let second = Generation::NONE.next().next();
        let streams = [
            Generation::NONE.next().stream(),
            Generation::NONE.next().end_stream(),
            second.stream(),
            second.holder_stream("me@host: pid 1"),
            second.renewal_stream(1),
            second.renewal_stream(2),
            "release/abc".to_owned(),
        ];
        let lease = latest(streams.iter().map(String::as_str)).unwrap();
        assert_eq!(lease.generation, second);
        assert_eq!(lease.holder.as_deref(), Some("me@host_ pid 1"));
        assert_eq!((lease.renewals, lease.ended), (2, false));
    }

    #[test]
    fn an_ended_lease_is_ended_and_a_journal_without_one_has_none() {
        let first = Generation::NONE.next();
        let streams = [
            first.stream(),
            first.unanswered_stream(),
            first.end_stream(),
        ];
        let [_, middle, _] = &streams;
        let ended = latest(streams.iter().map(String::as_str)).unwrap();
        assert!(ended.ended && ended.unanswered);
        let answered = streams.iter().filter(|stream| *stream != middle);
        let ended = latest(answered.map(String::as_str)).unwrap();
        assert!(ended.ended && !ended.unanswered);
        assert_eq!(latest(["release/a"].into_iter()), None);
    }

    #[test]
    fn generations_sort_as_their_streams_do() {
        let mut generation = Generation::NONE;
        for _ in 0..11 {
            let next = generation.next();
            assert!(next > generation && next.stream() > generation.stream());
            generation = next;
        }
    }
}
