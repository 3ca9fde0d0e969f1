//! Carries what a process prints, and Lambda's own lines about it, into the
//! function's log.
//!
//! One writer an environment. A process that prints more than its allowance is
//! read no faster than that and then waits in its own write, so a flooding
//! function slows itself and nobody else; no line is lost.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cloud_model::LogEvent;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::process::Outputs;
use super::system_log::{Format, SystemEvent};
use crate::limits::{LOG_BATCH, LOG_DRAIN, LOG_ENTRIES, LOG_LINE, LOG_READ, LOG_TAIL, Limits};
use crate::model::Model;

/// Names a stream as Lambda does: date, version, 32 hexadecimal digits.
pub(crate) fn stream_name(now: Timestamp, version: &str, hex32: &str) -> String {
    format!("{}[{version}]{hex32}", now.strftime("%Y/%m/%d/"))
}

/// Where an environment's lines go.
pub(crate) struct Destination {
    pub(crate) model: Arc<Model>,
    pub(crate) group: String,
    pub(crate) stream: String,
    /// Of Lambda's own lines.
    pub(super) format: Format,
}

/// The writer of one environment's log.
pub(crate) struct LogWriter {
    entries: mpsc::Sender<Entry>,
    task: JoinHandle<()>,
    model: Arc<Model>,
    format: Format,
}

enum Entry {
    /// A line of Lambda's own.
    Line(String),
    /// A new invocation's log starts here.
    Begin,
    /// A further process writes here; the one before has ended.
    Outputs(Outputs),
    /// Everything before this is to be written; what the log ends with is asked.
    End(oneshot::Sender<Bytes>),
}

impl LogWriter {
    /// Starts writing; the outputs are those of the environment's process.
    pub(crate) fn start(to: Destination, outputs: Option<Outputs>, limits: &Limits) -> Self {
        let (entries, from) = mpsc::channel(LOG_ENTRIES);
        let pace = Pace {
            burst: limits.log_burst,
            rate: limits.log_rate,
            ..Pace::default()
        };
        let (model, format) = (Arc::clone(&to.model), to.format);
        let (stdout, stderr) = outputs.unzip();
        let writer = Writer {
            to,
            stdout: stdout.map(|out| LineReader::new(out, pace.clone())),
            stderr: stderr.map(|err| LineReader::new(err, pace.clone())),
            pace,
            batch: Vec::new(),
            tail: Tail::default(),
        };
        Self {
            entries,
            task: tokio::spawn(writer.run(from)),
            model,
            format,
        }
    }

    /// Writes Lambda's own lines about something that has happened.
    pub(super) async fn system(&self, event: SystemEvent<'_>) {
        for line in self.format.lines(&event, self.model.now()) {
            let _gone = self.entries.send(Entry::Line(line)).await;
        }
    }

    /// From here on a further process is listened to.
    pub(crate) async fn attach(&self, outputs: Outputs) {
        let _gone = self.entries.send(Entry::Outputs(outputs)).await;
    }

    /// From here on lines belong to a new invocation.
    pub(crate) async fn begin(&self) {
        let _gone = self.entries.send(Entry::Begin).await;
    }

    /// Waits until all lines are in the log; returns the invocation's last ones.
    pub(crate) async fn end(&self) -> Bytes {
        let (tail, asked) = oneshot::channel();
        let _gone = self.entries.send(Entry::End(tail)).await;
        asked.await.unwrap_or_default()
    }

    /// Gives the rest of the output a moment to arrive, then stops reading.
    pub(crate) async fn finish(self) {
        drop(self.entries);
        let mut task = self.task;
        if tokio::time::timeout(LOG_DRAIN, &mut task).await.is_err() {
            task.abort();
        }
    }
}

struct Writer {
    to: Destination,
    stdout: Option<LineReader<ChildStdout>>,
    stderr: Option<LineReader<ChildStderr>>,
    /// Of a process that has printed nothing yet.
    pace: Pace,
    batch: Vec<LogEvent>,
    tail: Tail,
}

impl Writer {
    async fn run(mut self, mut entries: mpsc::Receiver<Entry>) {
        let mut open = true;
        while open || self.stdout.is_some() || self.stderr.is_some() {
            tokio::select! {
                // The process's own lines first: what it printed before it
                // answered belongs before Lambda's lines about the answer.
                biased;
                line = next_line(&mut self.stdout), if self.stdout.is_some() => match line {
                    Some(line) => self.add(line),
                    None => self.stdout = None,
                },
                line = next_line(&mut self.stderr), if self.stderr.is_some() => match line {
                    Some(line) => self.add(line),
                    None => self.stderr = None,
                },
                entry = entries.recv(), if open => match entry {
                    Some(entry) => self.take(entry),
                    None => open = false,
                },
                // Nothing else is ready: write what has gathered.
                () = std::future::ready(()), if !self.batch.is_empty() => self.flush(),
            }
        }
        self.flush();
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Line(line) => self.add(line),
            Entry::Begin => self.tail = Tail::default(),
            // What the former process printed has been read: it comes first.
            Entry::Outputs((stdout, stderr)) => {
                self.stdout = Some(LineReader::new(stdout, self.pace.clone()));
                self.stderr = Some(LineReader::new(stderr, self.pace.clone()));
            }
            Entry::End(asked) => {
                self.flush();
                let _gone = asked.send(self.tail.bytes());
            }
        }
    }

    fn add(&mut self, message: String) {
        self.tail.add(&message);
        let timestamp = self.to.model.now();
        self.batch.push(LogEvent { timestamp, message });
        if self.batch.len() >= LOG_BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.to
                .model
                .put_log_events(&self.to.group, &self.to.stream, batch);
        }
    }
}

async fn next_line<R: AsyncRead + Unpin>(reader: &mut Option<LineReader<R>>) -> Option<String> {
    match reader {
        Some(reader) => reader.next().await.ok().flatten(),
        None => None,
    }
}

/// The last lines of an invocation, no more than the Invoke API returns.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
    size: usize,
}

impl Tail {
    fn add(&mut self, line: &str) {
        self.size += line.len() + 1;
        self.lines.push_back(line.to_owned());
        while self.size > LOG_TAIL && self.lines.len() > 1 {
            self.size -= self.lines.pop_front().map_or(0, |line| line.len() + 1);
        }
    }

    fn bytes(&self) -> Bytes {
        let text = self
            .lines
            .iter()
            .fold(String::new(), |text, line| text + line + "\n");
        let mut bytes = Bytes::from(text);
        bytes.split_off(bytes.len().saturating_sub(LOG_TAIL))
    }
}

/// How much output has been read of how much is allowed by now.
#[derive(Clone, Default)]
struct Pace {
    burst: usize,
    rate: usize,
    spent: usize,
    since: Option<Instant>,
}

impl Pace {
    /// When reading may go on.
    fn next_read(&mut self) -> Instant {
        let since = *self.since.get_or_insert_with(Instant::now);
        let beyond = self.spent.saturating_sub(self.burst);
        since + Duration::from_millis(beyond as u64 * 1000 / self.rate.max(1) as u64)
    }

    fn spend(&mut self, bytes: usize) {
        // What is earned back while quiet is never more than one burst.
        let now = Instant::now();
        let since = self.since.get_or_insert(now);
        let earned = now.saturating_duration_since(*since).as_millis() as usize * self.rate / 1000;
        self.spent = self.spent.saturating_sub(earned) + bytes;
        *since = now;
    }
}

/// Splits output into lines of bounded length. Cancelling [`LineReader::next`]
/// loses nothing.
struct LineReader<R> {
    from: R,
    buffer: BytesMut,
    /// Where in the buffer no newline has been looked for yet.
    searched: usize,
    /// The rest of a line too long is being dropped.
    skipping: bool,
    pace: Pace,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    fn new(from: R, pace: Pace) -> Self {
        Self {
            from,
            buffer: BytesMut::new(),
            searched: 0,
            skipping: false,
            pace,
        }
    }

    async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(line) = self.buffered_line() {
                return Ok(Some(line));
            }
            // A timer takes up to a millisecond even where its time has come. What the
            // process had printed would then come after Lambda's lines about its answer.
            let next_read = self.pace.next_read();
            if next_read > Instant::now() {
                tokio::time::sleep_until(next_read).await;
            }
            self.buffer.reserve(LOG_READ);
            let mut limited = (&mut self.from).take(LOG_READ as u64);
            let read = limited.read_buf(&mut self.buffer).await?;
            self.pace.spend(read);
            if read == 0 {
                let rest = std::mem::take(&mut self.buffer);
                self.searched = 0;
                let ends_here = !rest.is_empty() && !self.skipping;
                return Ok(ends_here.then(|| text_of(&rest)));
            }
        }
    }

    fn buffered_line(&mut self) -> Option<String> {
        loop {
            let newline = self.buffer[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n');
            let Some(at) = newline.map(|at| at + self.searched) else {
                self.searched = self.buffer.len();
                if self.skipping {
                    self.drop_buffered();
                } else if self.buffer.len() >= LOG_LINE {
                    let line = text_of(&self.buffer[..LOG_LINE]);
                    self.skipping = true;
                    self.drop_buffered();
                    return Some(line);
                }
                return None;
            };
            let line = self.buffer.split_to(at + 1);
            self.searched = 0;
            if !std::mem::take(&mut self.skipping) {
                let end = at.min(LOG_LINE);
                return Some(text_of(
                    line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]),
                ));
            }
        }
    }

    fn drop_buffered(&mut self) {
        self.buffer.clear();
        self.searched = 0;
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    async fn lines_of(output: &[u8], pace: Pace) -> Vec<String> {
        let mut reader = LineReader::new(output, pace);
        let mut lines = Vec::new();
        while let Some(line) = reader.next().await.unwrap() {
            lines.push(line);
        }
        lines
    }

    fn fast() -> Pace {
        Pace {
            burst: usize::MAX,
            rate: 1,
            ..Pace::default()
        }
    }

    #[test]
    fn streams_are_named_by_date_and_version() {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(stream_name(now, "$LATEST", "0f"), "2026/01/02/[$LATEST]0f");
    }

    #[tokio::test]
    async fn output_splits_into_lines_and_the_last_needs_no_newline() {
        assert_eq!(lines_of(b"a\n\nb\r\nc", fast()).await, ["a", "", "b", "c"]);
        assert_eq!(lines_of(b"\xff\n", fast()).await, ["\u{fffd}"]);
    }

    #[tokio::test]
    async fn what_is_printed_within_the_burst_is_read_without_waiting() {
        let mut reader = LineReader::new(&b"a\nb\n"[..], fast());
        for expected in ["a", "b"] {
            let line = reader.next().now_or_never().expect("at once").unwrap();
            assert_eq!(line.as_deref(), Some(expected));
        }
    }

    #[tokio::test]
    async fn a_line_too_long_is_cut_and_the_next_one_is_whole() {
        let mut output = vec![b'x'; LOG_LINE * 2 + 10];
        output.extend_from_slice(b"\nnext\n");
        let lines = lines_of(&output, fast()).await;
        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            [LOG_LINE, 4]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn output_beyond_the_burst_is_read_at_the_rate() {
        let started = Instant::now();
        let output = vec![b'\n'; LOG_READ * 10];
        let pace = Pace {
            burst: LOG_READ,
            rate: LOG_READ,
            ..Pace::default()
        };
        assert_eq!(lines_of(&output, pace).await.len(), LOG_READ * 10);
        let seconds = started.elapsed().as_secs();
        assert!((8..=10).contains(&seconds), "{seconds}");
    }

    #[test]
    fn the_tail_is_bounded_and_keeps_the_end() {
        let mut tail = Tail::default();
        for number in 0..10_000 {
            tail.add(&format!("line {number}"));
        }
        let bytes = tail.bytes();
        assert!(bytes.len() <= LOG_TAIL && bytes.ends_with(b"line 9999\n"));
        tail.add(&"x".repeat(2 * LOG_TAIL));
        assert_eq!(tail.bytes().len(), LOG_TAIL);
    }
}
