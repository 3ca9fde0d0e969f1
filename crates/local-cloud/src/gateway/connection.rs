//! One open socket: reads messages and hands them on, writes what functions post,
//! and ends it cleanly, whoever wants it to end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::Gateway;
use super::messages::{self, disconnected};
use super::registry::{Closing, Connection};
use crate::assumptions::{
    BINARY_FRAME, CONTROL_FRAMES_ARE_TRAFFIC, NOT_UTF8, PROTOCOL_VIOLATION, TCP_DROPPED, TOO_BIG,
};
use crate::limits::{
    CLOSE_DRAIN, CLOSE_WAIT, LAST_WRITES, MAX_FRAME, MAX_MESSAGE, SOCKET_READ_BUFFER,
    SOCKET_WRITE_BUFFER, UPGRADE_WAIT,
};
use crate::model::Model;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How a connection came to its end.
pub(crate) enum End {
    /// The gateway ends it with this close frame.
    ByGateway(Closing),
    /// The client sent a close frame; its reply is on the way.
    ByClient(Closing),
    /// There is nobody to say anything to.
    Dropped,
}

/// Runs a connection to its end, `$disconnect` included.
pub(crate) async fn run(
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    queue: mpsc::Receiver<Utf8Bytes>,
    upgrade: OnUpgrade,
) {
    let facts = &connection.facts;
    let Ok(Ok(upgraded)) = timeout(UPGRADE_WAIT, upgrade).await else {
        gateway.registry.close(&facts.connection_id);
        Box::pin(disconnected(&gateway, facts, &TCP_DROPPED.into())).await;
        return;
    };
    let socket =
        Socket::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config())).await;
    let (sink, mut stream) = socket.split();
    let (finish, finishing) = oneshot::channel();
    let writing = write(
        sink,
        queue,
        finishing,
        Arc::clone(&connection),
        Arc::clone(&gateway.model),
    );
    let writer = tokio::spawn(writing);
    let end = read(&gateway, &connection, &mut stream).await;
    gateway.registry.close(&facts.connection_id);
    let (closing, last_frame) = match end {
        End::ByGateway(closing) => {
            let frame = CloseFrame {
                code: closing.code.into(),
                reason: closing.reason.clone().into(),
            };
            (closing, Some(frame))
        }
        End::ByClient(closing) => (closing, None),
        End::Dropped => (TCP_DROPPED.into(), None),
    };
    let goodbye = async {
        let _writer_gone = finish.send(last_frame);
        say_goodbye(stream, writer).await;
    };
    // Apart: while the connection is open, it takes no room.
    Box::pin(async { tokio::join!(goodbye, disconnected(&gateway, facts, &closing)) }).await;
}

pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(SOCKET_READ_BUFFER)
        .write_buffer_size(SOCKET_WRITE_BUFFER)
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_MESSAGE))
}

/// Reads until the end. Messages run beside each other, boundedly: while too
/// many are running, the client's next ones stay in its own TCP buffers.
async fn read(
    gateway: &Arc<Gateway>,
    connection: &Arc<Connection>,
    stream: &mut SplitStream<Socket>,
) -> End {
    let limits = &gateway.limits;
    let in_flight = Arc::new(Semaphore::new(limits.messages_in_flight));
    let mut closing = connection.closing();
    let asked = async move {
        match closing.wait_for(Option::is_some).await {
            Ok(asked) => asked.clone(),
            Err(_) => None,
        }
    };
    let mut asked = std::pin::pin!(asked);
    let mut too_old = std::pin::pin!(tokio::time::sleep(limits.connection_lifetime));
    let mut idle = std::pin::pin!(connection.idle_for(limits.idle_timeout));
    let mut slot = None;
    loop {
        let received = tokio::select! {
            asked = &mut asked => {
                return End::ByGateway(asked.unwrap_or_else(|| Closing::GOING_AWAY.into()));
            }
            () = &mut too_old => return End::ByGateway(Closing::GOING_AWAY.into()),
            () = &mut idle => return End::ByGateway(Closing::GOING_AWAY.into()),
            free = Arc::clone(&in_flight).acquire_owned(), if slot.is_none() => {
                slot = free.ok();
                continue;
            }
            received = stream.next(), if slot.is_some() => received,
        };
        match Received::of(received) {
            Received::Text(text) => {
                connection.touch(gateway.model.now());
                let (gateway, connection) = (Arc::clone(gateway), Arc::clone(connection));
                let slot = slot.take();
                tokio::spawn(async move {
                    messages::handle(gateway, connection, text.as_str().to_owned()).await;
                    drop(slot);
                });
            }
            Received::ControlFrame => {
                if CONTROL_FRAMES_ARE_TRAFFIC {
                    connection.touch(gateway.model.now());
                }
            }
            Received::End(end) => return end,
        }
    }
}

/// What came from a client.
pub(crate) enum Received {
    Text(Utf8Bytes),
    ControlFrame,
    End(End),
}

impl Received {
    /// By what the WebSocket protocol's reader says.
    pub(crate) fn of(received: Option<Result<Message, Error>>) -> Self {
        match received {
            Some(Ok(Message::Text(text))) => Self::Text(text),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Self::ControlFrame,
            Some(Ok(Message::Binary(_))) => Self::End(End::ByGateway(BINARY_FRAME.into())),
            Some(Ok(Message::Close(frame))) => Self::End(End::ByClient(closing_of(frame))),
            Some(Err(error)) => Self::End(end_of(&error)),
            None => Self::End(End::Dropped),
        }
    }
}

fn closing_of(frame: Option<CloseFrame>) -> Closing {
    match frame {
        Some(frame) => Closing {
            code: frame.code.into(),
            reason: frame.reason.to_string(),
        },
        None => Closing::NO_STATUS.into(),
    }
}

fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::ByGateway(TOO_BIG.into()),
        Error::Utf8(_) => End::ByGateway(NOT_UTF8.into()),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Dropped,
        Error::Protocol(_) => End::ByGateway(PROTOCOL_VIOLATION.into()),
        _ => End::Dropped,
    }
}

/// Writes what is queued until told to finish; then, if there is a last frame,
/// the rest of the queue and that frame.
async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut queue: mpsc::Receiver<Utf8Bytes>,
    mut finishing: oneshot::Receiver<Option<CloseFrame>>,
    connection: Arc<Connection>,
    model: Arc<Model>,
) -> SplitSink<Socket, Message> {
    let last = loop {
        let text = tokio::select! {
            biased;
            Some(text) = queue.recv() => text,
            last = &mut finishing => break last.ok().flatten(),
        };
        let size = text.len();
        let mut written = write_message(&mut sink, text).await;
        connection.written(size);
        connection.touch(model.now());
        if written.is_ok() && queue.is_empty() {
            written = sink.flush().await;
        }
        if written.is_err() {
            // The reader sees the same end; until then nothing can be written.
            return sink;
        }
    };
    if let Some(frame) = last {
        while let Ok(text) = queue.try_recv() {
            if write_message(&mut sink, text).await.is_err() {
                return sink;
            }
        }
        let _gone = sink.send(Message::Close(Some(frame))).await;
    }
    sink
}

/// Long messages go as several frames, as API Gateway sends them.
async fn write_message(
    sink: &mut SplitSink<Socket, Message>,
    text: Utf8Bytes,
) -> Result<(), Error> {
    if text.len() <= MAX_FRAME {
        return sink.feed(Message::Text(text)).await;
    }
    let mut rest = bytes::Bytes::from(text);
    let mut kind = Data::Text;
    while !rest.is_empty() {
        let part = rest.split_to(rest.len().min(MAX_FRAME));
        let frame = Frame::message(part, OpCode::Data(kind), rest.is_empty());
        sink.feed(Message::Frame(frame)).await?;
        kind = Data::Continue;
    }
    Ok(())
}

/// Ends the socket so that the client gets the close frame: what it still sends
/// is read, boundedly, for unread bytes would make TCP reset the connection and
/// throw the frame away.
async fn say_goodbye(
    mut stream: SplitStream<Socket>,
    mut writer: tokio::task::JoinHandle<SplitSink<Socket, Message>>,
) {
    let Ok(Ok(sink)) = timeout(LAST_WRITES, &mut writer).await else {
        writer.abort();
        return;
    };
    // Sends the reply to the client's close frame, or awaits the reply to ours.
    let handshake = async { while let Some(Ok(_)) = stream.next().await {} };
    let _slow = timeout(CLOSE_WAIT, handshake).await;
    if let Ok(mut socket) = stream.reunite(sink) {
        drain(socket.get_mut(), CLOSE_DRAIN, CLOSE_WAIT).await;
    }
}

async fn drain<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut S, most: usize, longest: Duration) {
    let reading = async {
        let _gone = socket.shutdown().await;
        let mut sink = tokio::io::sink();
        let mut rest = socket.take(most as u64);
        let _gone = tokio::io::copy(&mut rest, &mut sink).await;
    };
    let _slow = timeout(longest, reading).await;
}
