//! Percent-encoding, paths, query strings and forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986, as IAM encodes policies.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Encodes everything but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Decodes `%xx`. What is not UTF-8 becomes replacement characters.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The path's segments, each decoded. A slash at the end adds none.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.trim_start_matches('/')
        .trim_end_matches('/')
        .split('/')
        .map(decode)
        .collect()
}

/// The pairs of a query string or form, in their order.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (
            decode(&key.replace('+', " ")),
            decode(&value.replace('+', " ")),
        )
    };
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(pair)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{encode, pairs, segments};

    #[test]
    fn an_encoded_slash_stays_within_its_segment() {
        assert_eq!(segments("/v2/tags/arn%3Aa%2Fb/"), ["v2", "tags", "arn:a/b"]);
    }

    #[test]
    fn forms_decode_plus_and_keep_repeated_keys() {
        let expected = [("k", "a b"), ("k", "+"), ("e", "")];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(pairs("k=a+b&k=%2B&&e"), expected);
    }

    #[test]
    fn policies_are_encoded_by_rfc_3986() {
        assert_eq!(encode("{\"a\": \"~*-\"}"), "%7B%22a%22%3A%20%22~%2A-%22%7D");
    }
}
