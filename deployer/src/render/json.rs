//! JSON for people: on one line if it is short, else a member a line, in colours. Order and
//! spelling stay as they came.

use super::colours::Colours;
use anstyle::Style;

/// What still fits on a line.
const WIDTH: usize = 100;
const INDENT: &str = "  ";

/// The text, laid out, if it is a JSON object or array; further lines begin with `margin`
/// blanks.
pub fn laid_out(text: &str, margin: usize, colours: &Colours) -> Option<String> {
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let tokens = tokens(text);
    let long = tokens
        .iter()
        .map(|token| token.text.len() + 1)
        .sum::<usize>()
        > WIDTH;
    Some(write(&tokens, long.then_some(margin), colours))
}

#[derive(Debug, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    is_key: bool,
}

/// Of legal JSON.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_end(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            it if it.is_ascii_whitespace() => {
                rest = &rest[1..];
                continue;
            }
            _ => rest
                .find(|it: char| ",]}".contains(it) || it.is_ascii_whitespace())
                .unwrap_or(rest.len()),
        };
        let (text, behind) = rest.split_at(length);
        if text == ":"
            && let Some(key) = found.last_mut()
        {
            key.is_key = true;
        }
        found.push(Token {
            text,
            is_key: false,
        });
        rest = behind;
    }
    found
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn write(tokens: &[Token<'_>], margin: Option<usize>, colours: &Colours) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let new_line = |out: &mut String, depth: usize| {
        if let Some(margin) = margin {
            out.push('\n');
            out.push_str(&" ".repeat(margin));
            out.push_str(&INDENT.repeat(depth));
        }
    };
    for (index, token) in tokens.iter().enumerate() {
        let after_opening = index > 0 && matches!(tokens[index - 1].text, "{" | "[");
        match token.text {
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                if !after_opening {
                    new_line(&mut out, depth);
                }
                out.push_str(token.text);
            }
            "," => {
                out.push(',');
                if margin.is_none() {
                    out.push(' ');
                }
                new_line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            text => {
                let opens = matches!(text, "{" | "[");
                if after_opening {
                    new_line(&mut out, depth);
                }
                out.push_str(&colours.paint(style(token, colours), text));
                depth += usize::from(opens);
            }
        }
    }
    out
}

fn style(token: &Token<'_>, colours: &Colours) -> Style {
    match token.text.as_bytes().first() {
        _ if token.is_key => colours.key,
        Some(b'"') => colours.text,
        Some(b'{' | b'[') | None => Style::new(),
        Some(_) => colours.number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn plain(text: &str) -> Option<String> {
        laid_out(text, 2, &Colours::none())
    }

    #[test]
    fn short_json_stays_on_its_line_in_its_order() {
        assert_eq!(
            plain(r#"{"b":1.50,"a":[true,null,{}],"c":"x: {\"y\"}"}"#).as_deref(),
            Some(r#"{"b": 1.50, "a": [true, null, {}], "c": "x: {\"y\"}"}"#)
        );
    }

    #[test]
    fn long_json_has_a_line_a_member() {
        let text = format!(
            r#"{{"type":"members","members":[{{"connection":"{}"}},{{}}],"total":2,"none":[]}}"#,
            "x".repeat(80)
        );
        insta::assert_snapshot!(plain(&text).expect("JSON"));
    }

    #[test]
    fn what_is_no_object_or_array_stays_as_it_is() {
        for text in ["hi", "1", "[x]: hello", "{", "\"x\"", ""] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn colours_go_round_keys_texts_and_numbers() {
        let text = laid_out(r#"{"a":"b","c":1}"#, 0, &Colours::all()).expect("JSON");
        insta::assert_snapshot!(text.replace('\u{1b}', "^"));
    }

    proptest! {
        #[test]
        fn layout_changes_nothing(members in prop::collection::btree_map(".{0,12}", prop::collection::vec(".{0,12}|[0-9]", 0..9), 0..9)) {
            let before = serde_json::to_string(&members).expect("JSON");
            let after = plain(&before).expect("it is JSON");
            let [before, after] = [before, after].map(|it| serde_json::from_str::<Value>(&it).expect("JSON"));
            prop_assert_eq!(before, after);
        }
    }
}
