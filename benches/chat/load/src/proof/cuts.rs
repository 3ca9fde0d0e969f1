//! Cuts connections: from the client's side, by resetting them on the way, and from the
//! chat's side, by DELETE `@connections`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use aws_sdk_apigatewaymanagement::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig,
};
use aws_sdk_apigatewaymanagement::{Client, Config};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::world::World;
use crate::ask;
use crate::failure::Failure;

/// A way to the chat on which connections can be cut.
pub(super) struct Cutter {
    address: String,
    open: Rc<RefCell<BTreeMap<u64, oneshot::Sender<()>>>>,
}

impl Cutter {
    /// Must be called within a local set.
    pub(super) async fn before(chat: &str) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let open = Rc::default();
        let passing = pass_on(listener, chat.to_owned(), Rc::clone(&open));
        tokio::task::spawn_local(passing);
        Ok(Self { address, open })
    }

    /// HOST:PORT, to be used instead of the chat's.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Resets one of the open connections, in both directions; whether there was one.
    fn cut_one(&self, lots: &mut fastrand::Rng) -> bool {
        let mut open = self.open.borrow_mut();
        let victim = lots.choice(open.keys().copied().collect::<Vec<_>>());
        let cut = victim.and_then(|victim| open.remove(&victim));
        cut.is_some_and(|cut| cut.send(()).is_ok())
    }

    /// Cuts one every so often, for ever; counts.
    pub(super) async fn cut_some(
        &self,
        every: Duration,
        mut lots: fastrand::Rng,
        count: &RefCell<u64>,
    ) {
        loop {
            sleep(every.mul_f64(2.0 * lots.f64())).await;
            *count.borrow_mut() += u64::from(self.cut_one(&mut lots));
        }
    }
}

async fn pass_on(
    listener: TcpListener,
    chat: String,
    open: Rc<RefCell<BTreeMap<u64, oneshot::Sender<()>>>>,
) {
    let mut number = 0;
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // For want of descriptors: some get free.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (cut, is_cut) = oneshot::channel();
        number += 1;
        open.borrow_mut().insert(number, cut);
        let (chat, open) = (chat.clone(), Rc::clone(&open));
        tokio::task::spawn_local(async move {
            // What ends on one side ends on the other: there is nobody to tell why.
            let _ended = between(client, &chat, is_cut).await;
            open.borrow_mut().remove(&number);
        });
    }
}

async fn between(
    mut client: TcpStream,
    chat: &str,
    is_cut: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let mut chat = TcpStream::connect(chat).await?;
    client.set_nodelay(true)?;
    chat.set_nodelay(true)?;
    tokio::select! {
        passed = copy_bidirectional(&mut client, &mut chat) => passed.map(drop),
        _ = is_cut => {
            client.set_zero_linger()?;
            chat.set_zero_linger()
        }
    }
}

/// The chat's side.
pub(super) struct Deleter(Client);

impl Deleter {
    /// Of the API and stage at this URL.
    pub(super) fn of(url: &str) -> Result<Self, Failure> {
        let (address, path) = ask::parts(url)?;
        let (key, secret) = (ask::ACCESS_KEY_ID, ask::SECRET_ACCESS_KEY);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(ask::REGION))
            .credentials_provider(Credentials::new(key, secret, None, None, "proof"))
            .endpoint_url(format!("http://{address}/{path}"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Self(Client::from_conf(config)))
    }

    /// Deletes one that was seen every so often, for ever; counts those that were still open.
    pub(super) async fn delete_some(
        &self,
        world: &World,
        every: Duration,
        mut lots: fastrand::Rng,
        count: &RefCell<u64>,
    ) {
        loop {
            sleep(every.mul_f64(2.0 * lots.f64())).await;
            let Some(connection) = world.take_seen(&mut lots) else {
                continue;
            };
            let call = self.0.delete_connection().connection_id(connection);
            *count.borrow_mut() += u64::from(call.send().await.is_ok());
        }
    }
}
