//! Filter patterns of unstructured text: terms, all of which must be in the
//! message; `?term` for any of several; `-term` for none; quotes around what
//! has spaces or punctuation. Case matters.
//!
//! Deliberately absent: JSON (`{ … }`), space-delimited (`[ … ]`) and regular
//! expression (`%…%`) patterns. They are refused.

use crate::error::unsupported;
use crate::limits::FILTER_PATTERN_CHARS;

/// A pattern that was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Filter {
    /// Reads a pattern; `Err` says what is wrong with it. An empty one matches
    /// everything.
    pub(super) fn read(pattern: &str) -> Result<Self, String> {
        if pattern.chars().count() > FILTER_PATTERN_CHARS {
            return Err(format!(
                "The filter pattern has more than {FILTER_PATTERN_CHARS} characters."
            ));
        }
        let mut rest = pattern.trim();
        for (start, kind) in [('{', "JSON"), ('[', "space-delimited")] {
            if rest.starts_with(start) {
                return Err(unsupported(&format!("{kind} filter patterns")));
            }
        }
        let mut filter = Self::default();
        while !rest.is_empty() {
            let (list, term) = match rest.strip_prefix(['?', '-']) {
                Some(term) if rest.starts_with('?') => (&mut filter.any, term),
                Some(term) => (&mut filter.none, term),
                None => (&mut filter.all, rest),
            };
            let (term, after) = read_term(term)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(filter)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
    }
}

/// The first term and what comes after it.
fn read_term(text: &str) -> Result<(String, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut term = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => return Ok((term, &quoted[at + 1..])),
                '\\' => term.extend(letters.next().map(|(_, letter)| letter)),
                letter => term.push(letter),
            }
        }
        return Err("The filter pattern has a quote that does not end.".to_owned());
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let term = &text[..end];
    if term.starts_with('%') {
        return Err(unsupported("regular expressions in filter patterns"));
    }
    if term.is_empty()
        || !term
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
    {
        return Err(format!("Invalid character(s) in term '{term}'"));
    }
    Ok((term.to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn matches(pattern: &str, message: &str) -> bool {
        Filter::read(pattern).unwrap().matches(message)
    }

    #[test]
    fn all_terms_must_be_there_in_their_case() {
        assert!(matches("", "anything"));
        assert!(matches("ERROR room", "[ERROR] in room 7"));
        assert!(!matches("ERROR room", "[ERROR] elsewhere"));
        assert!(!matches("error", "[ERROR]"));
    }

    #[test]
    fn optional_and_excluded_terms() {
        assert!(matches("?ERROR ?WARN", "a WARN b"));
        assert!(!matches("?ERROR ?WARN", "a INFO b"));
        assert!(matches("ERROR -healthcheck", "ERROR x"));
        assert!(!matches("ERROR -healthcheck", "ERROR healthcheck"));
    }

    #[test]
    fn quotes_hold_spaces_and_punctuation() {
        assert!(matches(
            r#""connection closed: \"bye\"" room"#,
            r#"room: connection closed: "bye""#
        ));
        assert!(!matches(r#""a b""#, "b a"));
        assert!(!matches(r#"-"a-b""#, "x a-b"));
    }

    #[test]
    fn other_syntax_is_refused_by_name() {
        let fault = |pattern: &str| Filter::read(pattern).unwrap_err();
        assert_eq!(
            fault("{ $.level = \"x\" }"),
            "The local cloud does not support JSON filter patterns yet"
        );
        assert_eq!(
            fault("[a, b]"),
            "The local cloud does not support space-delimited filter patterns yet"
        );
        assert_eq!(
            fault("%ab+%"),
            "The local cloud does not support regular expressions in filter patterns yet"
        );
        assert_eq!(fault("a/b"), "Invalid character(s) in term 'a/b'");
        assert_eq!(
            fault("\"a"),
            "The filter pattern has a quote that does not end."
        );
        assert_eq!(fault("?"), "Invalid character(s) in term ''");
    }
}
