//! The files that browsers are given. They are in the binary: nothing is read from a disk, and
//! nothing comes from elsewhere.

use bytes::Bytes;
use http::StatusCode;

use super::document::{Document, POLICY};
use crate::http_io::{self, Answer, with_header};

const HTML: &str = "text/html; charset=utf-8";

/// By `build.rs`.
mod table {
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}

pub(super) use table::{CHAT, PAGE};

/// A file of a table, with what browsers have to know of it.
pub(super) fn answer(table: &'static [(&str, &[u8])], name: &str) -> Option<Answer> {
    let content = content(table, name)?;
    let (body, policy) = match kind_of(name) {
        HTML => {
            let document = Document::new(content, |style| self::content(table, style));
            (document.body, document.policy)
        }
        _ => (Bytes::from_static(content), POLICY.to_owned()),
    };
    let answer = http_io::bytes(StatusCode::OK, body);
    let answer = with_header(answer, "content-type", kind_of(name));
    Some(with_header(answer, "content-security-policy", &policy))
}

fn content(table: &'static [(&str, &[u8])], name: &str) -> Option<&'static [u8]> {
    let (_, content) = table.iter().find(|(file, _)| *file == name)?;
    Some(content)
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => HTML,
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_kind_that_browsers_take_it_for() {
        for (name, _) in PAGE.iter().chain(CHAT) {
            assert_ne!(kind_of(name), "application/octet-stream", "{name}");
        }
    }

    #[test]
    fn documents_are_there_and_what_is_not_is_not() {
        for table in [PAGE, CHAT] {
            let answer = answer(table, "index.html").unwrap();
            assert!(answer.headers().contains_key("content-security-policy"));
        }
        for name in ["", "../Cargo.toml", "nothing.js"] {
            assert!(answer(PAGE, name).is_none(), "{name}");
        }
    }
}
