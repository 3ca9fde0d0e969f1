//! The port: starts and stops the cloud, accepts connections, and sends each
//! request to the service it is for.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloud_model::{Cloud, IdSource, Settings};
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::config::Config;
use crate::gateway::{self, Gateway, address};
use crate::http_io::{self, Answer, Peer, header};
use crate::ids::{Ids, RandomIds};
use crate::limits::{
    ACCEPT_PAUSE, DESCRIPTORS, HEADER_WAIT, HTTP_CONNECTIONS, HTTP_STOP_WAIT, REAP_WAIT,
};
use crate::model::Model;
use crate::run_dir::RunDir;
use crate::runtime::{self, InvokePath, Pool};
use crate::start_error::StartError;
use crate::store::{Keeping, Store};
use crate::tls::authority::Authority;
use crate::tls::{Opened, Tls, Trust, bundle};
use crate::{admin, client, control, guard, page};

/// A started cloud. Dropping it lets go of it without stopping it; its
/// processes end at the latest with the tokio runtime.
pub struct Running {
    port: u16,
    authority: PathBuf,
    stop: watch::Sender<Stop>,
}

/// How far stopping has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Running,
    Asked,
    /// Sockets and processes have ended; only answers are still being sent.
    Answering,
    Done,
}

/// Starts a cloud. It serves as soon as this returns.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let listener = listen(config.port).await?;
    let port = match listener.local_addr() {
        Ok(address) => address.port(),
        Err(source) => {
            return Err(StartError::Listen {
                port: config.port,
                source,
            });
        }
    };
    let data_dir = |source| StartError::DataDir {
        dir: config.data_dir.display().to_string(),
        source,
    };
    let authority_dir = |source| StartError::Authority {
        dir: config.authority_dir.display().to_string(),
        source,
    };
    let run_dir = RunDir::create(&config.data_dir).map_err(data_dir)?;
    let authority = Authority::load_or_make(&config.authority_dir, config.clock.now())
        .map_err(authority_dir)?;
    let trust = Trust {
        bundle: bundle::write(run_dir.path(), &authority).map_err(data_dir)?,
        authority: authority.path().to_owned(),
    };
    let tls = Tls::new(authority, Arc::clone(&config.clock)).map_err(authority_dir)?;
    raise_descriptor_limit();
    let settings = Settings {
        account_id: config.account_id,
        region: config.region,
        websocket_base: format!("ws://127.0.0.1:{port}"),
        code_base: format!("http://127.0.0.1:{port}{}{}", admin::PREFIX, admin::CODE),
        // Of this process: what it signed, another needn't honour.
        code_key: format!("{:x}{:x}", RandomIds.next_u64(), RandomIds.next_u64()),
        function_activation: config.function_activation,
        realism: config.realism,
        enforce_iam: config.enforce_iam,
    };
    let (cloud, store) = match config.keeping {
        Keeping::Nothing => (Cloud::new(settings), None),
        keeping => {
            let now = config.clock.now();
            let opened = Store::open(&config.data_dir, keeping, settings, now).await;
            let (store, cloud) = opened?;
            (cloud, Some(store))
        }
    };
    let ids = Ids::new(config.ids);
    let model = Arc::new(Model::new(cloud, store, config.clock, ids));
    let lines = tokio::spawn(Arc::clone(&model).keep_lines());
    let limits = config.limits;
    let authority = trust.authority.clone();
    let code_dir = run_dir.path().to_owned();
    let pool = Pool::new(
        Arc::clone(&model),
        code_dir,
        limits.clone(),
        port,
        config.freeze,
        trust,
    );
    let gateway = Arc::new(Gateway::new(model, pool, limits, port, config.dynamodb));
    let stop = watch::Sender::new(Stop::Running);
    let server = Arc::new(Server {
        gateway,
        tls,
        stop: stop.clone(),
    });
    let accepting = tokio::spawn(Arc::clone(&server).accept(listener));
    tokio::spawn(server.stop_when_asked(accepting, lines, run_dir));
    Ok(Running {
        port,
        authority,
        stop,
    })
}

impl Running {
    /// The port on 127.0.0.1, also when the operating system chose it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where SDKs find every service: `http://127.0.0.1:{port}`.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same by TLS: `https://127.0.0.1:{port}`.
    pub fn secure_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The certificate of the authority that clients must trust who use TLS.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// Waits until the cloud has stopped because a request asked it to.
    pub async fn wait(&self) {
        let _ = self
            .stop
            .subscribe()
            .wait_for(|stop| *stop == Stop::Done)
            .await;
    }

    /// Closes all sockets with 1001, gives their `$disconnect` functions a
    /// moment, ends all processes and removes the unpacked code. An account that is kept
    /// stays.
    pub async fn stop(self) {
        ask_to_stop(&self.stop);
        self.wait().await;
    }
}

fn ask_to_stop(stop: &watch::Sender<Stop>) {
    stop.send_if_modified(|stop| {
        let first = *stop == Stop::Running;
        if first {
            *stop = Stop::Asked;
        }
        first
    });
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let by_local_cloud = client::health(port).await.is_ok();
            Err(StartError::PortInUse {
                port,
                by_local_cloud,
            })
        }
        Err(source) => Err(StartError::Listen { port, source }),
    }
}

/// Every socket is a descriptor; the usual limit of 1024 is for other times.
fn raise_descriptor_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(DESCRIPTORS);
        if soft < wanted {
            // Should it fail, fewer sockets fit; accepting copes with that.
            let _fewer = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
        }
    }
}

struct Server {
    gateway: Arc<Gateway>,
    tls: Tls,
    stop: watch::Sender<Stop>,
}

impl Server {
    async fn stop_when_asked(
        self: Arc<Self>,
        accepting: JoinHandle<()>,
        lines: JoinHandle<()>,
        run_dir: RunDir,
    ) {
        let mut stop = self.stop.subscribe();
        let _ = stop.wait_for(|stop| *stop != Stop::Running).await;
        let gateway = &self.gateway;
        // Functions may still write to connections while they are being told of
        // the end, so the port is the last to go.
        gateway.shut_down(gateway.limits.stop_wait).await;
        gateway.pool.shut_down(REAP_WAIT).await;
        lines.abort();
        // Whoever sees the port free may remove the files, or start on them.
        Arc::clone(&gateway.model).keep_all().await;
        self.stop.send_replace(Stop::Answering);
        let _ = accepting.await;
        gateway.model.close();
        run_dir.remove().await;
        self.stop.send_replace(Stop::Done);
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let most = self.gateway.limits.websockets + HTTP_CONNECTIONS;
        let places = Arc::new(Semaphore::new(most));
        let mut stop = self.stop.subscribe();
        let mut stopped = std::pin::pin!(stop.wait_for(|stop| *stop == Stop::Answering));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await.ok();
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                accepted = accepted => accepted,
                _ = &mut stopped => break,
            };
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let server = Arc::clone(&self);
            connections.spawn(async move {
                server.serve(stream, peer).await;
                drop(place);
            });
        }
        drop(listener);
        let last_answers = async { while connections.join_next().await.is_some() {} };
        let _slow = tokio::time::timeout(HTTP_STOP_WAIT, last_answers).await;
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, address: SocketAddr) {
        let _only_slower = stream.set_nodelay(true);
        let mut stop = self.stop.subscribe();
        let opened = tokio::select! {
            opened = self.tls.open(stream) => opened,
            _ = stop.wait_for(|stop| *stop == Stop::Answering) => return,
        };
        let ip = address.ip();
        match opened {
            Ok(Opened::Plain(stream)) => self.talk(stream, Peer { ip, proto: "http" }).await,
            Ok(Opened::Encrypted(stream)) => {
                let proto = "https";
                self.talk(stream, Peer { ip, proto }).await;
            }
            // There is nobody to tell.
            Err(_) => {}
        }
    }

    async fn talk<S>(self: Arc<Self>, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut stop = self.stop.subscribe();
        let service = service_fn(move |request| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.answer(request, peer).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_WAIT)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = &mut connection => return,
            _ = stop.wait_for(|stop| *stop == Stop::Answering) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }

    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Answer {
        let (headers, uri) = (request.headers(), request.uri());
        let host = header(headers, "host");
        let path = uri.path();
        if let Some(call) = address::connection_address(host, uri) {
            return match guard::check_api_call(headers) {
                Ok(()) => gateway::manage(&self.gateway, call, request).await,
                Err(refused) => forbidden(&refused),
            };
        }
        let upgrades = header(headers, "upgrade")
            .is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
        if upgrades {
            let stage = address::stage_address(host, uri);
            return gateway::connect(Arc::clone(&self.gateway), stage, request, peer).await;
        }
        let is_signed = headers.contains_key("authorization");
        if !is_signed && request.method() == Method::GET && address::may_be_an_api(host, uri) {
            let stage = address::stage_address(host, uri);
            return gateway::upgrade_required(&self.gateway, stage.as_ref());
        }
        if page::is_of_page(&request) {
            return page::answer(&self.gateway, request, peer).await;
        }
        if let Err(refused) = guard::check(headers) {
            return forbidden(&refused);
        }
        if path.starts_with(admin::PREFIX) {
            let (answer, stop) = admin::answer(&self.gateway, &request);
            if stop {
                ask_to_stop(&self.stop);
            }
            return answer;
        }
        match InvokePath::of(request.method(), uri) {
            Some(path) => {
                let Gateway { model, pool, .. } = &*self.gateway;
                runtime::invoke(model, pool, path, request).await
            }
            None => control::answer(&self.gateway, request).await,
        }
    }
}

fn forbidden(refused: &guard::Refused) -> Answer {
    let body = json!({ "message": refused.to_string() }).to_string();
    http_io::error(StatusCode::FORBIDDEN, "AccessDeniedException", body)
}
