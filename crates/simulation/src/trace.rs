//! What happened, line by line: hashed always, kept where somebody will read it.

use std::fmt::Arguments;
use std::time::Duration;

/// A run's lines.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
    line: String,
}

impl Trace {
    /// `keep`: for reading; else only the hash is kept.
    pub fn new(keep: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: keep.then(Vec::new),
            line: String::new(),
        }
    }

    /// Adds a line; `who` is a deployer or the cloud.
    pub fn add(&mut self, at: Duration, who: &str, what: Arguments<'_>) {
        use std::fmt::Write as _;
        self.line.clear();
        let _to_a_string = write!(self.line, "{:>10.3} {who:<6} {what}", at.as_secs_f64());
        self.hash = fnv(self.hash, self.line.as_bytes());
        if let Some(lines) = &mut self.lines {
            lines.push(self.line.clone());
        }
    }

    /// Of all lines so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The lines, if they were kept.
    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

/// FNV-1a: quick, and the same everywhere.
pub fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
