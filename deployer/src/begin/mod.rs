//! How projects begin: what stage files an existing workspace gets, and folders that appear
//! with all their files at once.
//!
//! Deliberately absent: what new projects consist of (`template`), and printing.

pub mod guess;
pub mod place;

use std::fmt::Write;

/// Several mistakes as one text, each on a line of its own.
pub fn mistakes(what: &str, all: &[String]) -> String {
    match all {
        [one] => format!("{what}: {one}"),
        all => all.iter().fold(format!("{what}:"), |mut text, one| {
            let _ = write!(text, "\n  {one}");
            text
        }),
    }
}
