//! The port: starts and stops the cloud, accepts connections, and sends each
//! request to the service it is for.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use cloud_model::{Cloud, Effect, Settings};
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::config::Config;
use crate::gateway::{self, Gateway, address};
use crate::http_io::{self, Answer, BodyError, header};
use crate::ids::Ids;
use crate::limits::{
    ACCEPT_PAUSE, DESCRIPTORS, HEADER_WAIT, HTTP_CONNECTIONS, HTTP_STOP_WAIT, MAX_CONTROL_BODY,
    REAP_WAIT,
};
use crate::model::Model;
use crate::run_dir::RunDir;
use crate::runtime::{self, InvokePath, Pool};
use crate::store::{Keeping, StateError, Store};
use crate::{admin, client, guard, signature};

/// Why a cloud did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something else has the port.
    #[error("port {port} of 127.0.0.1 is in use by {}", if *.by_local_cloud { "another local cloud" } else { "another program" })]
    PortInUse {
        /// The port asked for.
        port: u16,
        /// Whether it answers as a local cloud.
        by_local_cloud: bool,
    },
    /// The port cannot be had for another reason, e.g. want of privilege.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The directory for unpacked functions cannot be made.
    #[error("cannot use {dir}: {source}")]
    DataDir {
        /// The directory asked for.
        dir: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The account can't be kept, or gone on with.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A started cloud. Dropping it lets go of it without stopping it; its
/// processes end at the latest with the tokio runtime.
pub struct Running {
    port: u16,
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
    let run_dir = RunDir::create(&config.data_dir).map_err(|source| StartError::DataDir {
        dir: config.data_dir.display().to_string(),
        source,
    })?;
    raise_descriptor_limit();
    let settings = Settings {
        account_id: config.account_id,
        region: config.region,
        websocket_base: format!("ws://127.0.0.1:{port}"),
        code_base: format!("http://127.0.0.1:{port}{}{}", admin::PREFIX, admin::CODE),
        function_activation: config.function_activation,
        realism: config.realism,
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
    let code_dir = run_dir.path().to_owned();
    let pool = Pool::new(Arc::clone(&model), code_dir, limits.clone(), port);
    let gateway = Arc::new(Gateway::new(model, pool, limits, port));
    let stop = watch::Sender::new(Stop::Running);
    let server = Arc::new(Server {
        gateway,
        stop: stop.clone(),
    });
    let accepting = tokio::spawn(Arc::clone(&server).accept(listener));
    tokio::spawn(server.stop_when_asked(accepting, lines, run_dir));
    Ok(Running { port, stop })
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

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _only_slower = stream.set_nodelay(true);
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

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Answer {
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
            None => self.control(request).await,
        }
    }

    /// Passes a control-plane request to the model, and does in the world what
    /// its answer means there.
    async fn control(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let body = match http_io::read_body(body, MAX_CONTROL_BODY).await {
            Ok((body, _)) => body,
            Err(BodyError::TooLarge) => {
                let text = format!("Request must be smaller than {MAX_CONTROL_BODY} bytes");
                let body = json!({"Type": "User", "message": text}).to_string();
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                return http_io::error(status, "RequestEntityTooLargeException", body);
            }
            Err(BodyError::Broken) => return http_io::empty(StatusCode::BAD_REQUEST),
        };
        let caller = signature::access_key_id(&parts.headers, &parts.uri)
            .and_then(|key| self.gateway.pool.credentials.caller(key))
            .map(|caller| cloud_model::Caller {
                session_arn: caller.session_arn(),
                role_arn: caller.role_arn,
            });
        let request = Request::from_parts(parts, body);
        let model = Arc::clone(&self.gateway.model);
        // Hashing and checking an uploaded zip takes a while.
        let handled =
            tokio::task::spawn_blocking(move || model.handle(&request, caller.as_ref())).await;
        let Ok((handled, kept)) = handled else {
            return failure("the local cloud failed on this request");
        };
        for effect in handled.effects {
            self.take_effect(effect);
        }
        if handled.held_back.is_positive() {
            tokio::time::sleep(handled.held_back.unsigned_abs()).await;
        }
        if let Err(error) = kept {
            let text = "the local cloud has done this, but can't write it into its files";
            return failure(&format!("{text}: {error}; make room and try again"));
        }
        handled.response.map(http_body_util::Full::new)
    }

    fn take_effect(&self, effect: Effect) {
        let registry = &self.gateway.registry;
        match effect {
            Effect::ApiDeleted { api_id } => {
                registry.close_deleted(&api_id, None);
                self.gateway.throttle.forget(&api_id);
            }
            Effect::StageDeleted { api_id, stage_name } => {
                registry.close_deleted(&api_id, Some(&stage_name));
            }
            Effect::FunctionDeleted { function_name } => self.gateway.pool.retire(&function_name),
        }
    }
}

fn failure(message: &str) -> Answer {
    let body = json!({ "message": message }).to_string();
    http_io::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", body)
}

fn forbidden(refused: &guard::Refused) -> Answer {
    let body = json!({ "message": refused.to_string() }).to_string();
    http_io::error(StatusCode::FORBIDDEN, "AccessDeniedException", body)
}
