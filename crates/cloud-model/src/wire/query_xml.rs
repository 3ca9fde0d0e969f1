//! awsQuery, as IAM and STS speak it: a form in, XML out.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};

use super::{Service, url};
use crate::error::Failure;

/// The parameters of one call.
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads the body, and the query string of a GET.
    pub(crate) fn read(request: &Request<Bytes>) -> Self {
        let query = request.uri().query().map(url::pairs).unwrap_or_default();
        let body = url::pairs(&String::from_utf8_lossy(request.body()));
        Self(query.into_iter().chain(body).collect())
    }

    /// A parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The members `{name}.member.N`, in their order.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let item = |n: usize| self.text(&format!("{name}.member.{n}"));
        (1..).map_while(item).collect()
    }

    /// The pairs `{name}.member.N.Key` and `.Value`, in their order, as far as each is
    /// given.
    pub(crate) fn pairs(&self, name: &str) -> Vec<(Option<&str>, Option<&str>)> {
        let item = |n: usize| {
            let part = |part: &str| self.text(&format!("{name}.member.{n}.{part}"));
            let pair = (part("Key"), part("Value"));
            (pair != (None, None)).then_some(pair)
        };
        (1..).map_while(item).collect()
    }
}

/// XML under construction: elements of text and elements of elements.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// Adds `<name>text</name>`, escaped.
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        write!(self.0, "<{name}>{}</{name}>", escape(text)).expect("writing to a String succeeds");
        self
    }

    /// Adds `<name>text</name>` when there is a text.
    pub(crate) fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Adds `<name>…</name>` around other elements.
    pub(crate) fn element(mut self, name: &str, inner: Self) -> Self {
        write!(self.0, "<{name}>{}</{name}>", inner.0).expect("writing to a String succeeds");
        self
    }

    /// Adds `<name><member>…</member>…</name>`.
    pub(crate) fn members(self, name: &str, members: impl IntoIterator<Item = Self>) -> Self {
        let each = |list: Self, member: Self| list.element("member", member);
        self.element(name, members.into_iter().fold(Self::default(), each))
    }

    /// Adds `<name><member>text</member>…</name>`.
    pub(crate) fn texts<'a>(self, name: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let each = |list: Self, text: &str| list.text("member", text);
        self.element(name, texts.into_iter().fold(Self::default(), each))
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            // XML 1.0 has no other control characters, not even escaped.
            letter if letter.is_control() && letter != '\n' && letter != '\t' => {
                escaped.push('\u{fffd}');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn namespace(service: Option<Service>) -> &'static str {
    match service {
        Some(Service::Sts) => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "https://iam.amazonaws.com/doc/2010-05-08/",
    }
}

/// Writes a result. `None`: the operation has no output.
pub(crate) fn answer(
    service: Service,
    operation: &str,
    result: Option<Xml>,
    request_id: &str,
) -> Response<Bytes> {
    let metadata = Xml::default().text("RequestId", request_id);
    let inner = match result {
        Some(result) => Xml::default().element(&format!("{operation}Result"), result),
        None => Xml::default(),
    };
    let Xml(inner) = inner.element("ResponseMetadata", metadata);
    let space = namespace(Some(service));
    let body = format!("<{operation}Response xmlns=\"{space}\">{inner}</{operation}Response>");
    write_response(200, body, request_id)
}

/// Writes a failure.
pub(crate) fn refuse(
    service: Option<Service>,
    failure: &Failure,
    request_id: &str,
) -> Response<Bytes> {
    let side = if failure.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let error = Xml::default()
        .text("Type", side)
        .text("Code", failure.code)
        .text("Message", &failure.message);
    let Xml(inner) = Xml::default()
        .element("Error", error)
        .text("RequestId", request_id);
    let space = namespace(service);
    let body = format!("<ErrorResponse xmlns=\"{space}\">{inner}</ErrorResponse>");
    write_response(failure.status, body, request_id)
}

fn write_response(status: u16, body: String, request_id: &str) -> Response<Bytes> {
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("x-amzn-RequestId", request_id)
        .header(header::CONTENT_TYPE, "text/xml")
        .body(Bytes::from(body))
        .expect("names and values are plain ASCII of our own")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::{Form, Xml};

    #[test]
    fn markup_in_values_is_escaped() {
        let Xml(text) = Xml::default().text("A", "<b a=\"1\">&\u{1}</b>");
        assert_eq!(
            text,
            "<A>&lt;b a=&quot;1&quot;&gt;&amp;\u{fffd}&lt;/b&gt;</A>"
        );
    }

    #[test]
    fn lists_end_at_the_first_gap() {
        let body = "TagKeys.member.1=a&TagKeys.member.2=b&TagKeys.member.4=d\
                    &Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=e";
        let request = Request::new(Bytes::from(body));
        let form = Form::read(&request);
        assert_eq!(form.list("TagKeys"), ["a", "b"]);
        let given = [(Some("k"), Some("v")), (Some("e"), None)];
        assert_eq!(form.pairs("Tags"), given);
    }
}
