//! What cargo says: on stdout the programs it has built, as JSON; on stderr lines and how
//! far it is.

use crate::metadata::Target;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// What cargo says while it builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// A line to be kept.
    Line(&'a str),
    /// How far it is; the next one replaces it.
    Progress(&'a str),
    /// How long the last build of the same took.
    LastTook(Duration),
    /// It has built everything; what follows is ours.
    Built,
}

/// How cargo shall speak.
#[derive(Debug, Clone, Copy, Default)]
pub struct Speech {
    /// With colours.
    pub colour: bool,
    /// With [`Said::Progress`].
    pub progress: bool,
}

/// A line of cargo's machine-readable output; other lines have other reasons.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    executable: Option<PathBuf>,
    target: Option<Target>,
}

/// Something that can be run.
pub(crate) struct Program {
    /// Cargo's id of its package.
    pub package_id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The programs that cargo says it has built.
pub(crate) async fn programs<R: AsyncRead + Unpin>(stdout: R) -> Vec<Program> {
    let mut lines = BufReader::new(stdout).lines();
    let mut found = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            continue;
        };
        if let (true, Some(package_id), Some(path), Some(target)) = (
            message.reason == "compiler-artifact",
            message.package_id,
            message.executable,
            message.target,
        ) && target.is_program()
        {
            found.push(Program {
                package_id,
                name: target.name,
                path,
            });
        }
    }
    found
}

/// Lines end in a line feed; what is to be replaced in a carriage return.
pub(crate) async fn hand_on<R: AsyncRead + Unpin>(mut stderr: R, to: &(dyn Fn(Said<'_>) + Sync)) {
    let mut piece = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
        for byte in &buffer[..length] {
            match byte {
                b'\n' => say(&mut piece, to, |text| Said::Line(text)),
                b'\r' => say(&mut piece, to, |text| Said::Progress(text)),
                _ => piece.push(*byte),
            }
        }
    }
    if !piece.is_empty() {
        say(&mut piece, to, |text| Said::Line(text));
    }
}

/// Hands one piece on, without the sequence by which cargo clears its progress.
fn say(piece: &mut Vec<u8>, to: &(dyn Fn(Said<'_>) + Sync), kind: fn(&str) -> Said<'_>) {
    const CLEAR: &str = "\x1b[K";
    let text = String::from_utf8_lossy(piece).replace(CLEAR, "");
    let said = kind(&text);
    if said != Said::Progress("") {
        to(said);
    }
    piece.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test]
    async fn pieces_end_where_cargo_ends_them() {
        let heard = Mutex::new(Vec::new());
        let said = |said: Said<'_>| heard.lock().unwrap().push(format!("{said:?}"));
        let stream = "one\n  1/2\r\x1b[Ktwo\n\n\r\x1b[Klast";
        hand_on(stream.as_bytes(), &said).await;
        assert_eq!(
            heard.into_inner().unwrap(),
            [
                "Line(\"one\")",
                "Progress(\"  1/2\")",
                "Line(\"two\")",
                "Line(\"\")",
                "Line(\"last\")"
            ]
        );
    }
}
