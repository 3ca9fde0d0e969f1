//! A document with its style sheet in it, so that a browser paints it without asking for anything
//! else; its policy allows that one style by its digest. Pure.
//!
//! Deliberately absent: scripts. They come after the first paint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// What a document may do: run this port's scripts, talk to it, and to WebSockets anywhere
/// (the chat's page may talk to a stage on AWS).
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";
const LINK: (&str, &str) = ("<link rel=\"stylesheet\" href=\"", "\">");
const OWN_STYLES: &str = "style-src 'self'";

/// What is sent of a document.
pub(super) struct Document {
    pub(super) body: Bytes,
    pub(super) policy: String,
}

impl Document {
    /// `file` gives a style sheet by its name. A document without one stays as it is.
    pub(super) fn new(html: &'static [u8], file: impl Fn(&str) -> Option<&'static [u8]>) -> Self {
        with_style(html, file).unwrap_or_else(|| Self {
            body: Bytes::from_static(html),
            policy: POLICY.to_owned(),
        })
    }
}

fn with_style(html: &[u8], file: impl Fn(&str) -> Option<&'static [u8]>) -> Option<Document> {
    let html = str::from_utf8(html).ok()?;
    let (before, rest) = html.split_once(LINK.0)?;
    let (address, after) = rest.split_once(LINK.1)?;
    let name = address.rsplit('/').next()?;
    let style = str::from_utf8(file(name)?).ok()?;
    let digest = STANDARD.encode(Sha256::digest(style));
    Some(Document {
        body: format!("{before}<style>{style}</style>{after}").into(),
        policy: POLICY.replace(OWN_STYLES, &format!("{OWN_STYLES} 'sha256-{digest}'")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_sheet_is_in_its_document_and_allowed_by_its_digest() {
        let html = b"<head><link rel=\"stylesheet\" href=\"/a/b.css\"></head>";
        let document = Document::new(html, |name| (name == "b.css").then_some(b"p{}"));
        assert_eq!(document.body, "<head><style>p{}</style></head>");
        let digest = STANDARD.encode(Sha256::digest("p{}"));
        let allowed = format!("style-src 'self' 'sha256-{digest}';");
        assert!(document.policy.contains(&allowed), "{}", document.policy);
    }

    #[test]
    fn without_a_style_sheet_of_ours_a_document_stays_as_it_is() {
        let html = b"<head><link rel=\"stylesheet\" href=\"/a/b.css\"></head>";
        let document = Document::new(html, |_| None);
        assert_eq!(
            (&document.body[..], &document.policy[..]),
            (&html[..], POLICY)
        );
    }
}
