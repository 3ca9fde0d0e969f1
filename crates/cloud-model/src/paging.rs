//! Pages of lists that are ordered by a key. A token names the last key given,
//! so that a list may change between two pages without skipping what stayed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Tokens of other lists, or invented ones, don't start like this.
const MARK: &str = "after:";

/// One page and the token of the next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Takes a page of at most `limit` out of `items`, which come in the order of
/// their keys. `Err` carries the token that was not understood.
pub(crate) fn page<T>(
    items: impl Iterator<Item = (String, T)>,
    token: Option<&str>,
    limit: usize,
) -> Result<Page<T>, String> {
    page_within(items, token, limit, usize::MAX, |_| 0)
}

/// Like [`page`], and ends the page before its items weigh more than `budget`.
/// One item is always given, or the list would not go on.
pub(crate) fn page_within<T>(
    items: impl Iterator<Item = (String, T)>,
    token: Option<&str>,
    limit: usize,
    budget: usize,
    weigh: impl Fn(&T) -> usize,
) -> Result<Page<T>, String> {
    let after = match token {
        None => None,
        Some(text) => Some(decode(text).ok_or_else(|| text.to_owned())?),
    };
    let mut taken: Vec<T> = Vec::new();
    let mut last = None;
    let mut weight: usize = 0;
    for (key, item) in items {
        if after.as_ref().is_some_and(|after| key <= *after) {
            continue;
        }
        weight = weight.saturating_add(weigh(&item));
        if taken.len() == limit || (weight > budget && !taken.is_empty()) {
            return Ok(Page {
                items: taken,
                next: last.map(|key: String| encode(&key)),
            });
        }
        taken.push(item);
        last = Some(key);
    }
    Ok(Page {
        items: taken,
        next: None,
    })
}

fn encode(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{MARK}{key}"))
}

fn decode(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    String::from_utf8(bytes)
        .ok()?
        .strip_prefix(MARK)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{page, page_within};

    fn letters(text: &str) -> impl Iterator<Item = (String, char)> {
        text.chars().map(|letter| (letter.to_string(), letter))
    }

    #[test]
    fn pages_join_to_the_whole_list() {
        let first = page(letters("abcde"), None, 2).unwrap();
        assert_eq!(first.items, ['a', 'b']);
        let second = page(letters("abcde"), first.next.as_deref(), 2).unwrap();
        assert_eq!(second.items, ['c', 'd']);
        let third = page(letters("abcde"), second.next.as_deref(), 2).unwrap();
        assert_eq!((third.items, third.next), (vec!['e'], None));
    }

    #[test]
    fn a_page_that_ends_the_list_exactly_has_no_token() {
        assert_eq!(page(letters("ab"), None, 2).unwrap().next, None);
    }

    #[test]
    fn a_token_survives_the_deletion_of_its_key() {
        let first = page(letters("abcd"), None, 2).unwrap();
        assert_eq!(
            page(letters("acd"), first.next.as_deref(), 2)
                .unwrap()
                .items,
            ['c', 'd']
        );
    }

    #[test]
    fn a_heavy_item_has_a_page_of_its_own() {
        let weigh = |letter: &char| if *letter == 'c' { 100 } else { 1 };
        let mut token = None;
        let mut pages = Vec::new();
        for _ in 0..3 {
            let page = page_within(letters("abcd"), token.as_deref(), 10, 5, weigh).unwrap();
            pages.push(page.items);
            token = page.next;
        }
        assert_eq!(pages, [vec!['a', 'b'], vec!['c'], vec!['d']]);
        assert_eq!(token, None);
    }

    #[test]
    fn an_invented_token_is_refused() {
        assert_eq!(page(letters("ab"), Some("b"), 1), Err("b".to_owned()));
    }
}
