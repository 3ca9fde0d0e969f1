//! `deployer connect` as users run it: piped, typed on a terminal, and by script.

use nix::pty::{Winsize, openpty};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use testkit::{Deployer, Ran, TinyProject};

/// For what a terminal shows. Generous: it only passes when a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The workspace: the project whose service is the chat.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the deployer lies in the workspace")
}

fn chat() -> Deployer {
    let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), workspace());
    deployer.set("XDG_STATE_HOME", "/nonexistent");
    deployer
}

fn url(deployer: &Deployer) -> String {
    let result = deployer.result(&["up", "local"]);
    result["url"].as_str().expect("a URL").to_owned()
}

/// Runs it with this on stdin.
fn piped(mut command: Command, input: &str) -> Ran {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    Ran::from(child.wait_with_output().expect("it ends"))
}

fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("x.script");
    std::fs::write(&path, text).expect("a file");
    path
}

#[test]
fn the_chat_goes_as_its_script_says() {
    let deployer = chat();
    url(&deployer);
    let ran = deployer.run(&[
        "connect",
        "local",
        "--script",
        "tests/smoke/chat.script",
        "--json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let result: Value = serde_json::from_str(&ran.stdout).expect("one line of JSON");
    assert_eq!(result["clients"], 2);
    assert_eq!(result["outcome"]["sent"], 10);
    assert_eq!(result["outcome"]["unasked"], 0);
    assert!(ran.stderr.contains("\nA> hi there"), "{}", ran.stderr);
}

#[test]
fn the_first_line_that_does_not_hold_ends_a_script() {
    let deployer = chat();
    let url = url(&deployer);
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        (
            "A> hi\n\nA< hi there",
            "x.script:3: A heard another text\n  expected  hi there\n  heard     hi\n",
        ),
        (
            "resend if {\"message\":\"Internal server error\"}\n> {\"action\":\"join\"}\n\
             < {\"type\":\"joined\"}",
            "x.script:3: the client heard no JSON\n  expected  {\"type\":\"joined\"}\n",
        ),
        (
            "within 3s\nA> hi\nA<< {}",
            "x.script:3: A didn't hear it: nothing more came within 3.0 s\n  expected  {}\n  heard     hi\n",
        ),
        (
            "A> hi\nA: quiet 5s",
            "x.script:2: A should have heard nothing\n  heard     hi\n",
        ),
        ("A: refused", "x.script:1: A was let in\n"),
        (
            "within 10ms\nA: closed 1000\n",
            "x.script:2: A is still connected after 10 ms\n",
        ),
    ];
    for (text, said) in cases {
        let path = script(folder.path(), text);
        let path = path.to_str().expect("a path that is text");
        let ran = deployer.run(&["connect", &url, "--script", path]);
        assert_eq!(ran.code, 1, "{text}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{text}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{text}");
    }
    let path = script(folder.path(), "A> hi\nA< ho");
    let path = path.to_str().expect("a path that is text");
    let ran = deployer.run(&["connect", "local", "--json", "--script", path]);
    let result: Value = serde_json::from_str(&ran.stdout).expect("one line of JSON");
    assert_eq!((ran.code, &result["failed"]["line"]), (1, &Value::from(2)));
}

#[test]
fn a_bad_script_is_refused_before_anybody_is_asked() {
    let deployer = chat();
    let folder = tempfile::tempdir().expect("a folder");
    let path = script(folder.path(), "A> hi\nA< {\"type\":}\nnonsense\n");
    let path = path.to_str().expect("a path that is text");
    let ran = deployer.run(&["connect", "local", "--script", path]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("x.script:2:12: this is no JSON"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("x.script:3:1: this line says nothing"),
        "{}",
        ran.stderr
    );
    let live = deployer.run(&["connect", "local", "--linger", "1"]);
    assert_eq!(live.code, 2, "{}", live.stderr);
    let live = deployer.run(&["connect", "local"]);
    assert_eq!(live.code, 1);
    assert!(
        live.stderr
            .contains("chat/local is not live\n  next: deployer up local"),
        "{}",
        live.stderr
    );
}

#[test]
fn lines_are_piped_in_and_messages_out() {
    let deployer = chat();
    let url = url(&deployer);
    let ran = piped(deployer.command(&["connect", "local"]), "hi there\n/help\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut heard: Vec<&str> = ran.stdout.lines().collect();
    heard.sort_unstable();
    assert_eq!(heard, ["/help", "hi there"]);
    assert!(
        ran.stderr.starts_with("connected to ws://127.0.0.1:"),
        "{}",
        ran.stderr
    );

    // An address needs no project.
    let mut elsewhere = deployer.command(&["connect", &url, "--json"]);
    elsewhere.current_dir("/");
    let ran = piped(elsewhere, "hi\n");
    let events: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(events[0]["event"], "opened");
    assert_eq!(
        (&events[1]["event"], &events[1]["text"]),
        (&"message".into(), &"hi".into())
    );
    assert!(
        events[1]["ms"].as_f64().is_some_and(|ms| ms > 0.0),
        "{}",
        events[1]
    );
}

#[test]
fn a_handshake_that_is_refused_is_explained() {
    let deployer = chat();
    let url = url(&deployer);
    let ran = deployer.run(&["connect", &format!("{url}-of-nobody")]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("can't connect: HTTP status 403"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("or there is no such stage"),
        "{}",
        ran.stderr
    );
    // Rooms in memory have no envelopes: offering nothing else is refused by the function.
    let ran = deployer.run(&["connect", "local", "--subprotocol", "chat.json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("HTTP status 400"), "{}", ran.stderr);
    let nobody = format!("ws://127.0.0.1:{}", testkit::free_port());
    let ran = deployer.run(&["connect", &nobody]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("see whether the stage is live"),
        "{}",
        ran.stderr
    );
    let ran = deployer.run(&["connect", "local", "--header", "a b: c"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("`a b` is no header's name"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_handshake_is_signed_for_iam_and_encrypted_for_a_trusted_local_cloud() {
    let project = TinyProject::new();
    project.write("src/main.rs", TinyProject::SERVING);
    let service = "service = \"tiny\"\n[functions.tiny]\n[routes]\n\"$connect\" = \"tiny\"\n\
                   \"$default\" = \"tiny\"\n[route_settings.\"$connect\"]\nauthorization = \"iam\"\n";
    project.write("stages/service.toml", service);
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let result = deployer.result(&["up", "local"]);
    let unsigned = deployer.run(&["connect", "local"]);
    assert_eq!(unsigned.code, 1);
    let next = "next: sign the handshake with --sign";
    assert!(unsigned.stderr.contains(next), "{}", unsigned.stderr);
    let signed = deployer.run(&[
        "connect", "local", "--sign", "--query", "a=b c", "--linger", "10ms",
    ]);
    assert_eq!(signed.code, 0, "{}", signed.stderr);
    assert!(
        signed.stderr.starts_with("connected to ws://"),
        "{}",
        signed.stderr
    );

    let secure = result["secure_url"].as_str().expect("a URL").to_owned();
    let untrusted = deployer.run(&["connect", &secure, "--sign"]);
    assert_eq!(untrusted.code, 1, "{}", untrusted.stderr);
    assert!(
        untrusted.stderr.contains("certificate"),
        "{}",
        untrusted.stderr
    );
    let ca = format!(".deployer/local-cloud-{}/ca/ca.pem", deployer.port());
    let trusted = deployer.run(&[
        "connect", &secure, "--sign", "--ca", &ca, "--linger", "10ms",
    ]);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    let none = deployer.run(&["connect", &secure, "--ca", "Cargo.toml"]);
    assert_eq!(none.code, 2, "{}", none.stderr);
}

/// A terminal, as its user sees it.
struct Terminal {
    keys: File,
    shown: mpsc::Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn run(mut command: Command) -> (Self, std::process::Child) {
        let size = Winsize {
            ws_row: 40,
            ws_col: 200,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).expect("a terminal");
        let stdin = pty.slave.try_clone().expect("a descriptor");
        let stdout = pty.slave.try_clone().expect("a descriptor");
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        let child = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(pty.slave)
            .spawn()
            .expect("the binary runs");
        drop(command);
        let mut screen = File::from(pty.master.try_clone().expect("a descriptor"));
        let (sender, shown) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = screen.read(&mut bytes) {
                if count == 0 || sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = File::from(pty.master);
        let seen = String::new();
        (Self { keys, shown, seen }, child)
    }

    fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("somebody listens");
    }

    /// Waits until this was shown since the last time.
    fn shows(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("{text}: {error}: {}", self.seen),
            }
        }
    }
}

#[test]
fn on_a_terminal_lines_are_edited_completed_and_kept() {
    let state = tempfile::tempdir().expect("a folder");
    let mut deployer = chat();
    let dir = state.path().to_str().expect("a path that is text");
    deployer.set("XDG_STATE_HOME", dir);
    url(&deployer);
    let (mut terminal, mut child) = Terminal::run(deployer.command(&["connect", "local"]));
    terminal.shows("connected to ws://");
    terminal.press("hi there\r");
    let shown = terminal.shows("< hi there  ");
    assert!(shown.contains(':'), "a time stands before it: {shown}");
    terminal.shows(" ms");
    // Completed, and gone on with: the cursor is behind the brace.
    terminal.press("jo\t");
    terminal.shows("{\"action\":\"join\"}");
    terminal.press("\x7f,\"room\":\"r1\"}\r");
    terminal.shows("has joined to Room r1");
    // What was sent is what the route begins with next.
    terminal.press("join\t");
    terminal.shows("{\"action\":\"join\",\"room\":\"r1\"}");
    terminal.press("\x15/ping\r");
    terminal.shows("answered in");
    terminal.press("/dance\r");
    terminal.shows("/dance is no command");
    terminal.press("/reconnect\r");
    terminal.shows("the connection has ended: closed from here; connecting again in");
    terminal.shows("connected to ws://");
    terminal.press("/quit\r");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    let kept = state.path().join("deployer/connect-history");
    let kept = std::fs::read_to_string(kept).expect("a history");
    assert!(
        kept.contains("hi there\n") && kept.contains("\"room\":\"r1\""),
        "{kept}"
    );
}
