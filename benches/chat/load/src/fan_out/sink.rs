//! Stands for `@connections`: takes posts by TLS, answers each after a delay of its own,
//! however many there are, and knows who was told what.

use std::cell::RefCell;
use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::failure::Failure;

/// An id of the form that API Gateway's have.
pub(super) fn id_of(member: usize) -> String {
    format!("{member:A>15}=")
}

fn member_of(id: &str) -> Option<usize> {
    id.strip_suffix('=')?.trim_start_matches('A').parse().ok()
}

/// What one message has come to so far.
#[derive(Debug, Default)]
struct Round {
    /// What a post must end with to count.
    text: String,
    /// How often each member was told.
    told: Vec<u32>,
    missing: usize,
    last: Option<Instant>,
    /// Posts to nobody, or of another text.
    strange: u64,
}

/// Its state, and that of the round it is in.
pub(super) struct Sink {
    port: u16,
    round: RefCell<Round>,
    complete: Notify,
    counts: RefCell<Counts>,
}

/// Of all rounds so far.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    /// TLS handshakes.
    pub(super) connections: u64,
    /// Posts being answered now, and the most at once.
    now: u64,
    pub(super) at_once: u64,
}

impl Sink {
    /// Starts one whose certificate is written into a file, for functions to trust. Must be
    /// called within a local set.
    pub(super) async fn start(certificate: &Path, delay: Duration) -> Result<Rc<Self>, Failure> {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .map_err(|error| Failure::Certificate(error.to_string()))?;
        std::fs::write(certificate, own.cert.pem())?;
        let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let chain = vec![own.cert.der().clone()];
                builder.with_no_client_auth().with_single_cert(chain, key)
            })
            .map_err(|error| Failure::Certificate(error.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Rc::new(Self {
            port: listener.local_addr()?.port(),
            round: RefCell::default(),
            complete: Notify::new(),
            counts: RefCell::default(),
        });
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        spawn_local(Rc::clone(&sink).accept(listener, acceptor, delay));
        Ok(sink)
    }

    /// `domainName` of events.
    pub(super) fn domain_name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// From here on so many members are to be told a text.
    pub(super) fn begin(&self, members: usize, text: &str) {
        *self.round.borrow_mut() = Round {
            text: text.to_owned(),
            told: vec![0; members],
            missing: members,
            last: None,
            strange: 0,
        };
    }

    /// When the last of them was answered.
    pub(super) async fn all_told(&self) -> Instant {
        loop {
            let complete = self.complete.notified();
            if let Some(last) = self.last_of_all() {
                return last;
            }
            complete.await;
        }
    }

    fn last_of_all(&self) -> Option<Instant> {
        let round = self.round.borrow();
        round.last.filter(|_| round.missing == 0)
    }

    /// Members that were told more than once, and posts that were none of this round's.
    pub(super) fn too_many(&self) -> u64 {
        let round = self.round.borrow();
        let doubled = round.told.iter().filter(|told| **told > 1).count();
        doubled as u64 + round.strange
    }

    /// How many were told so far.
    pub(super) fn told(&self) -> usize {
        let round = self.round.borrow();
        round.told.len() - round.missing
    }

    async fn accept(self: Rc<Self>, listener: TcpListener, tls: TlsAcceptor, delay: Duration) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            let (sink, tls) = (Rc::clone(&self), tls.clone());
            spawn_local(async move {
                let _only_slower = stream.set_nodelay(true);
                // A function that is ended in the midst of it is missed by the round.
                let Ok(stream) = tls.accept(stream).await else {
                    return;
                };
                sink.counts.borrow_mut().connections += 1;
                let service = service_fn(|request| sink.take(request, delay));
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let _ended = serving.await;
            });
        }
    }

    async fn take(
        &self,
        request: Request<Incoming>,
        delay: Duration,
    ) -> Result<Response<Empty<Bytes>>, Infallible> {
        {
            let mut counts = self.counts.borrow_mut();
            counts.now += 1;
            counts.at_once = counts.at_once.max(counts.now);
        }
        let path = request.uri().path().to_owned();
        let id = path.rsplit('/').next().unwrap_or_default();
        let id = id.replace("%3D", "=");
        let text = request.into_body().collect().await;
        let text = text.map(|text| text.to_bytes()).unwrap_or_default();
        sleep(delay).await;
        self.counts.borrow_mut().now -= 1;
        let status = self.note(member_of(&id), &text);
        let mut answer = Response::new(Empty::new());
        *answer.status_mut() = status;
        Ok(answer)
    }

    fn note(&self, member: Option<usize>, text: &[u8]) -> StatusCode {
        let mut round = self.round.borrow_mut();
        let is_this = text.ends_with(round.text.as_bytes());
        let Some(told) = member.and_then(|member| round.told.get_mut(member)) else {
            round.strange += 1;
            return StatusCode::GONE;
        };
        if !is_this {
            round.strange += 1;
            return StatusCode::OK;
        }
        *told += 1;
        if *told == 1 {
            round.missing -= 1;
            round.last = Some(Instant::now());
            if round.missing == 0 {
                self.complete.notify_waiters();
            }
        }
        StatusCode::OK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_members_id_has_the_form_of_a_connections_and_leads_back() {
        for member in [0, 7, 9_999] {
            let id = id_of(member);
            assert_eq!((id.len(), member_of(&id)), (16, Some(member)));
        }
        assert_eq!(member_of("x="), None);
    }

    #[tokio::test]
    async fn a_round_is_complete_when_each_member_was_told_and_counts_what_is_too_many() {
        let sink = Sink {
            port: 0,
            round: RefCell::default(),
            complete: Notify::new(),
            counts: RefCell::default(),
        };
        sink.begin(2, "one");
        assert_eq!(sink.note(Some(0), b"[a=]: one"), StatusCode::OK);
        assert_eq!(sink.note(Some(0), b"[a=]: one"), StatusCode::OK);
        assert_eq!((sink.told(), sink.too_many()), (1, 1));
        assert_eq!(sink.note(Some(2), b"[a=]: one"), StatusCode::GONE);
        sink.note(Some(1), b"[a=]: none of it");
        assert_eq!((sink.told(), sink.too_many()), (1, 3));
        sink.note(Some(1), b"[a=]: one");
        sink.all_told().await;
    }
}
