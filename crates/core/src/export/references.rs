//! Texts that stand for another resource of the same template, like the ARN of a role.

/// Texts and what they are written as instead; the longest that fits wins.
#[derive(Debug, Default)]
pub(super) struct References {
    by_length: Vec<(String, String)>,
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// What is written instead of a text.
    Reference(&'a str),
}

impl References {
    /// Wherever `text` stands, `expression` is to stand.
    pub fn add(&mut self, text: impl Into<String>, expression: impl Into<String>) {
        let text = text.into();
        let shorter = |(known, _): &(String, String)| known.len() < text.len();
        let place = self.by_length.iter().position(shorter);
        let place = place.unwrap_or(self.by_length.len());
        self.by_length.insert(place, (text, expression.into()));
    }

    /// The pieces of a text.
    pub fn pieces<'a>(&'a self, text: &'a str) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let (mut begun, mut at) = (0, 0);
        while at < text.len() {
            let mut known = self.by_length.iter();
            let found = known.find(|(known, _)| {
                let is_open = known.ends_with([':', '/']);
                text[at..].starts_with(known.as_str())
                    && (is_open || ends_there(&text[at + known.len()..]))
            });
            match found {
                Some((known, expression)) => {
                    if begun < at {
                        pieces.push(Piece::Text(&text[begun..at]));
                    }
                    pieces.push(Piece::Reference(expression));
                    at += known.len();
                    begun = at;
                }
                None => at += text[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        if begun < text.len() {
            pieces.push(Piece::Text(&text[begun..]));
        }
        pieces
    }
}

/// Whether a name ends before `rest`: `…:room` isn't meant where `…:room-2` stands.
fn ends_there(rest: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    !rest.starts_with(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_that_fits_is_taken_and_no_part_of_another_name() {
        let mut references = References::default();
        references.add("role/a", "A");
        references.add("role/a-b", "AB");
        references.add("role/a:1", "One");
        let pieces = references.pieces("role/a role/a-b role/a-bc role/a:1 role/a:12");
        assert_eq!(
            pieces,
            [
                Piece::Reference("A"),
                Piece::Text(" "),
                Piece::Reference("AB"),
                Piece::Text(" role/a-bc "),
                Piece::Reference("One"),
                Piece::Text(" "),
                Piece::Reference("A"),
                Piece::Text(":12"),
            ]
        );
    }
}
