//! A plain GET of a presigned URL, for a function's zip.
//!
//! It goes to S3, so no SDK of ours knows it: attempts, deadlines and the limit of its
//! size are here. The URL itself says nothing in errors: whoever has it may read.

use crate::connect::Cloud;
use crate::error::causes;
use crate::probe::connector;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::byte_stream::ByteStream;
use deployer_engine::error::{CloudError, CloudErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The first included. A read may be repeated.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(250);
/// For connecting and for the answer's beginning.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two parts of the body.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);
/// Of an error's text that is read.
const ERROR_LIMIT: usize = 4 * 1024;

impl Cloud {
    /// The body that `url` leads to, of at most `limit` bytes.
    pub(crate) async fn get_bytes(
        &self,
        resource: &str,
        url: &str,
        limit: usize,
    ) -> Result<Arc<[u8]>, CloudError> {
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            match self.get_once(resource, url, limit).await {
                Err(error) if error.kind == CloudErrorKind::NoAnswer && attempt < ATTEMPTS => {
                    sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn get_once(
        &self,
        resource: &str,
        url: &str,
        limit: usize,
    ) -> Result<Arc<[u8]>, CloudError> {
        let failed = |kind, message: String| CloudError {
            service: "s3",
            operation: "GET".to_owned(),
            resource: format!("the code of {resource}"),
            kind,
            code: None,
            message,
            request_id: None,
        };
        let no_answer = |message| failed(CloudErrorKind::NoAnswer, message);
        let request = HttpRequest::get(url).map_err(|_| {
            let message = "GetFunction gave something that is no URL".to_owned();
            failed(CloudErrorKind::Refused, message)
        })?;
        let answer = match &self.probes {
            Some(wire) => wire.call(request),
            None => connector(url).call(request),
        };
        let answer = timeout(ANSWER_TIMEOUT, answer)
            .await
            .map_err(|_| no_answer("no answer in time".to_owned()))?
            .map_err(|error| no_answer(causes(&error)))?;
        let status = answer.status().as_u16();
        match status {
            200 => body(answer, limit).await.map_err(|broken| match broken {
                Broken::TooLarge => failed(
                    CloudErrorKind::Refused,
                    format!("it has more than {limit} bytes"),
                ),
                Broken::Off(why) => no_answer(why),
            }),
            _ => {
                let said = body(answer, ERROR_LIMIT).await.unwrap_or_default();
                let kind = match status {
                    500.. => CloudErrorKind::NoAnswer,
                    _ => CloudErrorKind::Refused,
                };
                let mut error = failed(kind, format!("HTTP status {status}"));
                let said = String::from_utf8_lossy(&said);
                error.code = element(&said, "Code");
                if let Some(message) = element(&said, "Message") {
                    error.message = message;
                }
                error.request_id = element(&said, "RequestId");
                Err(error)
            }
        }
    }
}

/// Why there is no body.
pub(crate) enum Broken {
    TooLarge,
    Off(String),
}

pub(crate) async fn body(answer: HttpResponse, limit: usize) -> Result<Arc<[u8]>, Broken> {
    let mut parts = ByteStream::new(answer.into_body());
    let mut whole = Vec::new();
    loop {
        let part = timeout(STALL_TIMEOUT, parts.next()).await;
        let part = part.map_err(|_| Broken::Off("it stopped midway".to_owned()))?;
        match part {
            None => return Ok(whole.into()),
            Some(Err(error)) => return Err(Broken::Off(causes(&error))),
            Some(Ok(part)) if whole.len() + part.len() > limit => return Err(Broken::TooLarge),
            Some(Ok(part)) => whole.extend_from_slice(&part),
        }
    }
}

/// The text of an element of S3's errors, which have no two of one name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once("</")?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Broken as WireBroken, Clock, Exchange, Wire};
    use bytes::Bytes;
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::time::SystemTime;

    /// Answers in order; when there are none left, connections break.
    #[derive(Debug, Default)]
    struct Scripted(Mutex<VecDeque<(u16, &'static str)>>);

    impl Wire for Scripted {
        fn send(&self, request: http::Request<Bytes>) -> Exchange {
            assert_eq!(request.uri(), "https://bucket/zip?X-Amz-Signature=secret");
            let next = self.0.lock().unwrap().pop_front();
            Box::pin(async move {
                let (status, body) = next.ok_or(WireBroken)?;
                let answer = http::Response::builder().status(status);
                Ok(answer.body(Bytes::from_static(body.as_bytes())).unwrap())
            })
        }
    }

    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    async fn get(answers: &[(u16, &'static str)], limit: usize) -> Result<Arc<[u8]>, CloudError> {
        let wire = Arc::new(Scripted(Mutex::new(answers.iter().copied().collect())));
        let cloud = Cloud::over(wire, Arc::new(Stopped), "eu-central-1");
        let url = "https://bucket/zip?X-Amz-Signature=secret";
        cloud.get_bytes("chat-alpha-room:3", url, limit).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_larger_than_allowed_is_had_whole() {
        assert_eq!(*get(&[(200, "zip")], 3).await.unwrap(), *b"zip");
        let error = get(&[(200, "zips")], 3).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "s3:GET the code of chat-alpha-room:3: it has more than 3 bytes"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_fails_is_asked_for_again_and_a_refusal_is_not() {
        let healed = get(&[(500, ""), (503, "SlowDown"), (200, "zip")], 3).await;
        assert_eq!(*healed.unwrap(), *b"zip");
        let expired = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><RequestId>R1</RequestId></Error>";
        let error = get(&[(403, expired), (200, "zip")], 3).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "s3:GET the code of chat-alpha-room:3: AccessDenied: Request has expired (request id R1)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_never_shows_the_url() {
        for answers in [&[][..], &[(404, "")]] {
            let error = get(answers, 3).await.unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("secret"),
                "{error:?}"
            );
        }
    }
}
