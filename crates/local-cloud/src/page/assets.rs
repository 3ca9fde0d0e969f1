//! The files that browsers are given. They are in the binary: nothing is read from a disk, and
//! nothing comes from elsewhere.

use bytes::Bytes;
use http::StatusCode;

use crate::http_io::{self, Answer, with_header};

/// By `build.rs`.
mod table {
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}

pub(super) use table::{CHAT, PAGE};

/// What a document may do: run this port's scripts, talk to it, and to WebSockets anywhere
/// (the chat's page may talk to a stage on AWS).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// A file of a table, with what browsers have to know of it.
pub(super) fn answer(table: &'static [(&str, &[u8])], name: &str) -> Option<Answer> {
    let (_, content) = table.iter().find(|(file, _)| *file == name)?;
    let answer = http_io::bytes(StatusCode::OK, Bytes::from_static(content));
    let answer = with_header(answer, "content-type", kind_of(name));
    Some(with_header(answer, "content-security-policy", POLICY))
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
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
