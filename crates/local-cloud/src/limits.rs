//! Every bound of the local cloud, by name: sizes, counts and waits.
//!
//! AWS's own numbers that nobody should change are constants; what a test or a
//! small machine may want otherwise is a field of [`Limits`].

use std::time::Duration;

/// Largest WebSocket frame a client may send, in bytes (AWS: 32 KB).
pub(crate) const MAX_FRAME: usize = 32 * 1024;
/// Largest WebSocket message, in bytes, either direction (AWS: 128 KB).
pub(crate) const MAX_MESSAGE: usize = 128 * 1024;
/// Largest answer of a function and largest event, in bytes (AWS: 6 MB + 100).
pub(crate) const MAX_PAYLOAD: usize = 6 * 1024 * 1024 + 100;
/// Largest event of an asynchronous invocation, in bytes (AWS: 1 MB).
pub(crate) const MAX_ASYNCHRONOUS_PAYLOAD: usize = 1024 * 1024;
/// Asynchronous events that may wait or run at once; AWS names no bound.
pub(crate) const ASYNCHRONOUS_EVENTS: usize = 1024;
/// No asynchronous event is tried again when it is older (AWS: 6 hours).
pub(crate) const MAX_EVENT_AGE: Duration = Duration::from_secs(6 * 60 * 60);
/// Longest pause of an asynchronous event that is throttled (AWS: 5 minutes).
pub(crate) const MAX_THROTTLE_PAUSE: Duration = Duration::from_secs(5 * 60);
/// Largest answer of an authorizer, in bytes (AWS: 8 KB).
pub(crate) const AUTHORIZER_RESULT: usize = 8 * 1024;
/// How long an authorizer may take (assumed: as long as the longest integration).
pub(crate) const AUTHORIZER_TIMEOUT: Duration = Duration::from_secs(29);
/// Largest control-plane request, in bytes (AWS: CreateFunction's own bound).
pub(crate) const MAX_CONTROL_BODY: usize = 70_167_211;
/// Largest URL a client may connect to, in bytes (AWS: 4096).
pub(crate) const MAX_URL: usize = 4096;
/// Largest unpacked function, in bytes (AWS: 250 MB).
pub(crate) const MAX_UNPACKED: u64 = 262_144_000;
/// Most files in a function's zip.
pub(crate) const MAX_ZIP_ENTRIES: usize = 10_000;
/// Bytes of a log's end that the Invoke API returns (AWS: 4 KB).
pub(crate) const LOG_TAIL: usize = 4096;

/// How often a session of StartLiveTail shows what has arrived (AWS: each second).
pub(crate) const LIVE_TAIL_PAUSE: Duration = Duration::from_secs(1);
/// How long a session of StartLiveTail lasts (AWS: 3 hours).
pub(crate) const LIVE_TAIL_SESSION: Duration = Duration::from_secs(3 * 60 * 60);
/// Sessions of StartLiveTail at once (AWS: 15).
pub(crate) const LIVE_TAILS: usize = 15;

/// Readers of the traffic at once.
pub(crate) const TRAFFIC_READERS: usize = 16;
/// Lines of the traffic that wait for a slow reader; what is older it has missed.
pub(crate) const TRAFFIC_LINES: usize = 1024;
/// Bytes that the traffic shows of a text; longer ones are cut.
pub(crate) const TRAFFIC_TEXT: usize = 8 * 1024;
/// Bytes of the longest text that the traffic looks into; of longer ones it has the size.
pub(crate) const TRAFFIC_PARSED: usize = 256 * 1024;
/// Open connections that a reader of the traffic is told of when it begins.
pub(crate) const TRAFFIC_CONNECTIONS: usize = 1000;

/// Invocations that are kept for who looks later.
pub(crate) const PAST_INVOCATIONS: usize = 256;
/// Bytes of all their events and answers together.
pub(crate) const PAST_BYTES: usize = 32 * 1024 * 1024;
/// Faults that are set at once.
pub(crate) const FAULTS: usize = 32;
/// Longest delay of a fault, in milliseconds.
pub(crate) const FAULT_DELAY_MS: u64 = 60_000;
/// So often a fault may be told to strike.
pub(crate) const FAULT_TIMES: u32 = 1_000_000;
/// Largest body that a page sends, in bytes.
pub(crate) const PAGE_BODY: usize = 16 * 1024;

/// Initial read buffer of a socket, in bytes: small, because most sit idle.
pub(crate) const SOCKET_READ_BUFFER: usize = 2 * 1024;
/// Bytes gathered before a socket is written to without a flush.
pub(crate) const SOCKET_WRITE_BUFFER: usize = 16 * 1024;
/// Bytes still read after a close frame, so that a TCP reset cannot eat it.
pub(crate) const CLOSE_DRAIN: usize = 4 * 1024 * 1024;
/// How long an accepted handshake may take to become a socket.
pub(crate) const UPGRADE_WAIT: Duration = Duration::from_secs(10);
/// How long a peer may take to answer a close frame.
pub(crate) const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// How long what is still queued for a slow client may take before the close.
pub(crate) const LAST_WRITES: Duration = Duration::from_secs(2);
/// Messages waiting for one slow client, whatever their size.
pub(crate) const OUTBOUND_MESSAGES: usize = 1024;

/// How long a client may take to send the head of a request, keep-alive included;
/// before the first, as long to begin it or to finish a TLS handshake.
pub(crate) const HEADER_WAIT: Duration = Duration::from_secs(75);
/// How long a client may take to send a body.
pub(crate) const BODY_WAIT: Duration = Duration::from_secs(60);
/// How long the DynamoDB that requests are passed on to may take to accept a connection.
pub(crate) const DYNAMODB_CONNECT_WAIT: Duration = Duration::from_secs(2);
/// How long it may take to answer.
pub(crate) const DYNAMODB_WAIT: Duration = Duration::from_secs(30);
/// Its largest answer, in bytes (AWS: 16 MB, of BatchGetItem).
pub(crate) const DYNAMODB_ANSWER: usize = 20 * 1024 * 1024;
/// TCP connections beside the WebSockets; further ones wait to be accepted.
pub(crate) const HTTP_CONNECTIONS: usize = 1024;
/// Pause after the listener failed to accept, e.g. for want of descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a port in use may take to say whether a local cloud holds it.
pub(crate) const PROBE_WAIT: Duration = Duration::from_secs(5);
/// Most descriptors asked of the operating system.
pub(crate) const DESCRIPTORS: u64 = 65_536;
/// How long open HTTP requests may take to finish when the cloud stops.
pub(crate) const HTTP_STOP_WAIT: Duration = Duration::from_secs(1);

/// Environments of one function version that may be starting at once; further
/// events wait for one of them or for one that gets free.
pub(crate) const STARTING_AT_ONCE: usize = 4;
/// How long an event waits for a busy environment to get free before a further
/// one is started: shorter than a start, so waiting rarely costs anything. Half
/// as long again for each environment there is.
pub(crate) const START_PATIENCE: Duration = Duration::from_millis(10);
/// So many times as long it waits while others' environments get free one after the other.
pub(crate) const MOVING_PATIENCE: u32 = 4;
/// So many events wait with a look each [`START_PATIENCE`] whether they may start an
/// environment; the more there are, the longer it is between two.
pub(crate) const LOOKING_AT_ONCE: usize = 64;
/// How often an event is offered to another environment after one went away
/// without having received it.
pub(crate) const DELIVERY_ATTEMPTS: usize = 3;
/// Connections one process may hold to its Runtime API, beside one for each event that
/// it may have at once.
pub(crate) const RUNTIME_CONNECTIONS: usize = 16;
/// Runtime API calls waiting for one environment's supervisor.
pub(crate) const RUNTIME_CALLS: usize = 16;
/// How often a start is tried again while the executable is "busy", which
/// happens when another thread forks while it is being written.
pub(crate) const BUSY_EXECUTABLE_RETRIES: usize = 50;
/// Pause between those.
pub(crate) const BUSY_EXECUTABLE_PAUSE: Duration = Duration::from_millis(5);
/// Files and sockets that a function's process may have open (AWS's).
pub(crate) const OPEN_FILES: u64 = 1024;
/// The part of the time that looking at what a function uses may take: one in so many.
pub(crate) const LOOKING: u32 = 20;
/// How long a killed process may take to be reaped.
pub(crate) const REAP_WAIT: Duration = Duration::from_secs(2);

/// Bytes of a line of an execution log; longer ones are cut (AWS's).
pub(crate) const EXECUTION_LOG_LINE: usize = 1024;
/// Longest log line kept, in bytes; the rest of it is dropped (AWS: 256 KB).
pub(crate) const LOG_LINE: usize = 256 * 1024;
/// Log entries waiting for one environment's log writer.
pub(crate) const LOG_ENTRIES: usize = 64;
/// Lines given to the model at once.
pub(crate) const LOG_BATCH: usize = 256;
/// Bytes of one read from a process's output.
pub(crate) const LOG_READ: usize = 16 * 1024;
/// How long the last output of an ended process may take to arrive.
pub(crate) const LOG_DRAIN: Duration = Duration::from_millis(500);

/// How long lines of functions wait before they are written into a file.
pub(crate) const LOG_DELAY: Duration = Duration::from_millis(500);
/// How long a cloud that is ending may take to let go of its files.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Between two looks at whether it has.
pub(crate) const LOCK_LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Bounds that a configuration may change. The defaults are AWS's where AWS has
/// one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A socket without any message for this long is closed (AWS: 10 minutes).
    pub idle_timeout: Duration,
    /// No socket lives longer (AWS: 2 hours).
    pub connection_lifetime: Duration,
    /// Open WebSockets; further handshakes are answered 429.
    pub websockets: usize,
    /// Messages of one socket whose function is still running; beyond it the
    /// gateway stops reading that socket.
    pub messages_in_flight: usize,
    /// Bytes waiting for one slow client; beyond it `PostToConnection` answers
    /// 429 `LimitExceededException`.
    pub outbound_bytes: usize,
    /// Concurrent invocations of all functions together (AWS: 1,000).
    pub invocations: usize,
    /// Processes of all functions together; further events wait for one of them.
    pub processes: usize,
    /// How long a process may take until it asks for its first event (AWS: 10 s); then
    /// it is started once more, with the time that the function has for an event.
    pub init_timeout: Duration,
    /// A process without events for this long is ended.
    pub process_idle: Duration,
    /// Processes that one environment may be (AWS: 1,024, threads included).
    pub processes_of_a_function: usize,
    /// Pause between two looks at what a running function uses; it may use more than
    /// it has for that long.
    pub usage_watch: Duration,
    /// Bytes of output a process may write at once; then [`Limits::log_rate`]
    /// holds and the process waits in its write.
    pub log_burst: usize,
    /// Bytes of output per second a process may write in the long run.
    pub log_rate: usize,
    /// Pauses before an asynchronous event is tried again that its function failed on
    /// (AWS: a minute, then two).
    pub asynchronous_retries: [Duration; 2],
    /// First pause of an asynchronous event that is throttled (AWS: 1 s).
    pub throttle_pause: Duration,
    /// How long sockets and their `$disconnect` functions get when the cloud
    /// stops.
    pub stop_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(10 * 60),
            connection_lifetime: Duration::from_secs(2 * 60 * 60),
            websockets: 10_000,
            messages_in_flight: 16,
            outbound_bytes: 1024 * 1024,
            invocations: 1_000,
            processes: 128,
            init_timeout: Duration::from_secs(10),
            process_idle: Duration::from_secs(5 * 60),
            processes_of_a_function: 1024,
            usage_watch: Duration::from_millis(50),
            log_burst: 4 * 1024 * 1024,
            log_rate: 1024 * 1024,
            asynchronous_retries: [Duration::from_secs(60), Duration::from_secs(120)],
            throttle_pause: Duration::from_secs(1),
            stop_wait: Duration::from_secs(5),
        }
    }
}
