//! Mistakes in a file, as data: what, where, and what to do about it.
//!
//! Deliberately absent: colours and layout, which are the screen's.

use std::fmt;
use std::ops::Range;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to write instead, if that can be said.
    pub help: Option<String>,
    /// Where, in bytes of the file's text.
    pub span: Range<usize>,
}

/// All mistakes of one file, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblems {
    /// The file as the user knows it, e.g. `stages/alpha.toml`.
    pub path: String,
    /// The file's text.
    pub text: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl FileProblems {
    /// `problems` in the order of the text.
    pub fn new(path: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        problems.dedup();
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            problems,
        }
    }
}

impl fmt::Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let (line, column) = line_and_column(&self.text, problem.span.start);
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:{line}:{column}: {}", self.path, problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for FileProblems {}

/// Line and column of a byte offset, both from 1; columns count characters.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        assert_eq!(line_and_column("a\nüx", 4), (2, 2));
        assert_eq!(line_and_column("a", 0), (1, 1));
        assert_eq!(line_and_column("a\n", 99), (2, 1));
    }

    #[test]
    fn problems_are_listed_in_the_order_of_the_text() {
        let at = |start, message: &str| Problem {
            message: message.into(),
            help: None,
            span: start..start + 1,
        };
        let problems = FileProblems::new("f.toml", "ab\ncd", vec![at(3, "two"), at(1, "one")]);
        assert_eq!(problems.to_string(), "f.toml:1:2: one\nf.toml:2:1: two");
    }
}
