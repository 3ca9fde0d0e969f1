//! A function for the tests: speaks the Runtime API with the standard library (and TLS
//! where the script asks for it), and does what the event (or the variable `SCRIPT`)
//! says.
//!
//! The script is the message's body, the query parameter `do` of `$connect`, or
//! the event's own `do`.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn main() {
    let api = variable("AWS_LAMBDA_RUNTIME_API");
    match variable("SCRIPT").as_str() {
        "crash-at-start" => exit(3),
        "never-ready" => pause(600_000),
        "init-error" => {
            let document = r#"{"errorType":"Runtime.NoConfig","errorMessage":"no config"}"#;
            request(&api, "POST", "/2018-06-01/runtime/init/error", "", document);
            exit(1);
        }
        _ => {}
    }
    let needed = variable("CRASH_UNLESS_THERE");
    if !needed.is_empty() && std::fs::metadata(&needed).is_err() {
        let _full = std::fs::write(&needed, "");
        exit(3);
    }
    // As many events at once as Lambda Managed Instances give.
    let events = variable("AWS_LAMBDA_MAX_CONCURRENCY").parse().unwrap_or(1);
    for _ in 1..events {
        let api = api.clone();
        std::thread::spawn(move || serve(&api));
    }
    serve(&api)
}

fn serve(api: &str) -> ! {
    let mut count = 0;
    loop {
        let next = request(api, "GET", "/2018-06-01/runtime/invocation/next", "", "");
        count += 1;
        let Some(id) = next.header("lambda-runtime-aws-request-id") else {
            exit(4);
        };
        let (what, answer) = act(&next.body, &id, count);
        let path = format!("/2018-06-01/runtime/invocation/{id}/{what}");
        request(api, "POST", &path, "", &answer);
    }
}

fn act(event: &str, id: &str, count: usize) -> (&'static str, String) {
    let script = script(event);
    let (verb, argument) = script.split_once(' ').unwrap_or((&script, ""));
    let ok = ("response", r#"{"statusCode":200}"#.to_owned());
    match verb {
        "echo" => post(event, argument),
        "event" => post(event, event),
        "post" => {
            let (to, text) = argument.split_once(' ').unwrap_or((argument, ""));
            post_to(event, to, text);
        }
        "post-by-tls" => post_by_tls(event, argument),
        "count" => post(event, &count.to_string()),
        "pid" => post(event, &std::process::id().to_string()),
        "var" => post(event, &variable(argument)),
        "sleep" => pause(argument.parse().unwrap_or(0)),
        "sleep-echo" => {
            pause(argument.parse().unwrap_or(0));
            post(event, "slept");
        }
        "answer" => return ("response", argument.to_owned()),
        "reveal" => return ("response", event.to_owned()),
        "big" => return ("response", "x".repeat(argument.parse().unwrap_or(0))),
        "fail" => {
            return (
                "error",
                r#"{"errorType":"Oops","errorMessage":"failed"}"#.to_owned(),
            );
        }
        "throw" => {
            let error = format!(r#"{{"errorType":"Error","errorMessage":"{argument}"}}"#);
            return ("error", error);
        }
        "exit" => exit(argument.parse().unwrap_or(1)),
        "abort" => std::process::abort(),
        "print-event" => say(&format!("{event}\n")),
        "print" => say(&format!("{argument}\n")),
        "flood" => {
            for _ in 0..argument.parse().unwrap_or(0) {
                say(&format!("{}\n", "f".repeat(1023)));
            }
        }
        "background" => {
            let path = argument.to_owned();
            std::thread::spawn(move || work(&path));
        }
        "meet" => {
            meet(argument.parse().unwrap_or(0));
            return ("response", std::process::id().to_string());
        }
        "await-file" => {
            while std::fs::metadata(argument).is_err() {
                pause(1);
            }
        }
        "open-files" => {
            let open = || std::fs::File::open("/dev/null").ok();
            let files: Vec<_> = std::iter::from_fn(open).take(5000).collect();
            return ("response", files.len().to_string());
        }
        "leak" => leak(),
        "forks" => loop {
            let _child = std::process::Command::new("/bin/sleep").arg("600").spawn();
        },
        "escape" => {
            let mut command = std::process::Command::new("/usr/bin/setsid");
            let child = command.args(["/bin/sleep", "600"]).spawn();
            post(event, &child.map_or(0, |child| child.id()).to_string());
        }
        "half-answer" => half_answer(id),
        "child" => {
            let child = std::process::Command::new("/bin/sleep").arg("600").spawn();
            post(event, &child.map_or(0, |child| child.id()).to_string());
        }
        _ => {}
    }
    ok
}

/// Waits until so many events are in this process.
fn meet(count: usize) {
    static HERE: AtomicUsize = AtomicUsize::new(0);
    HERE.fetch_add(1, Ordering::SeqCst);
    while HERE.load(Ordering::SeqCst) < count {
        pause(1);
    }
}

/// Work in the background: a file that grows.
fn work(path: &str) {
    let mut options = std::fs::OpenOptions::new();
    let Ok(mut file) = options.create(true).append(true).open(path) else {
        return;
    };
    loop {
        let _full = file.write_all(b".");
        pause(1);
    }
}

/// Uses more and more memory.
fn leak() {
    let mut leaked: Vec<Vec<u8>> = Vec::new();
    loop {
        leaked.push(vec![b'x'; 4 * 1024 * 1024]);
        pause(5);
    }
}

/// Dies in the midst of its answer.
fn half_answer(id: &str) {
    let host = variable("AWS_LAMBDA_RUNTIME_API");
    if let Ok(mut stream) = TcpStream::connect(&host) {
        let _gone = write!(
            stream,
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000\r\n\r\n{{\"half\":"
        );
    }
    exit(5);
}

/// What to do, cut out of the event without a JSON parser.
fn script(event: &str) -> String {
    let fixed = variable("SCRIPT");
    if !fixed.is_empty() {
        return fixed;
    }
    // Messages carry JSON whose quotes are escaped in the event's body.
    let found = member(event, r#"\"do\":\""#, r#"\""#).or_else(|| member(event, r#""do":""#, "\""));
    found
        .unwrap_or_default()
        .replace("\\\\\\\"", "\"")
        .replace("\\\"", "\"")
}

fn member<'a>(event: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = event.split_once(before)?;
    let mut end = 0;
    while let Some(at) = rest[end..].find(after) {
        // A quote within the script is escaped once more.
        if !rest[..end + at].ends_with('\\') {
            return Some(&rest[..end + at]);
        }
        end += at + after.len();
    }
    None
}

/// Writes to the connection the event came from.
fn post(event: &str, text: &str) {
    post_to(event, context(event, "connectionId"), text);
}

fn post_to(event: &str, id: &str, text: &str) {
    let (host, _api) = domain(event);
    let path = format!("/@connections/{id}");
    let answer = request(
        host,
        "POST",
        &path,
        &signature("http", host, &path, text),
        text,
    );
    say(&format!("posted: {}\n", answer.status));
}

/// Writes to the connection the event came from under `https://{domainName}/{stage}`,
/// trusting what the environment says.
fn post_by_tls(event: &str, text: &str) {
    let (host, api) = domain(event);
    let (stage, id) = (context(event, "stage"), context(event, "connectionId"));
    let path = format!("/{api}/{stage}/@connections/{id}");
    let signature = signature("https", host, &path, text);
    let answer =
        encrypted(host).and_then(|stream| exchange(stream, host, "POST", &path, &signature, text));
    match answer {
        Ok(answer) => say(&format!("posted: {}\n", answer.status)),
        Err(error) => say(&format!("not posted: {error}\n")),
    }
}

fn encrypted(host: &str) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = host.split(':').next().unwrap_or_default().to_owned();
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    let client = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(client, TcpStream::connect(host)?))
}

/// A member of the event's context that is a text.
fn context<'a>(event: &'a str, name: &str) -> &'a str {
    member(event, &format!(r#""{name}":""#), "\"").unwrap_or_default()
}

/// `domainName`: the host, and the path where there is one.
fn domain(event: &str) -> (&str, &str) {
    let domain = context(event, "domainName");
    domain.split_once('/').unwrap_or((domain, ""))
}

/// The headers of a signed POST, by the credentials of the environment.
fn signature(scheme: &str, host: &str, path: &str, body: &str) -> String {
    let token = Some(variable("AWS_SESSION_TOKEN"));
    let (key, secret) = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    );
    let identity = Credentials::new(key, secret, token, None, "environment").into();
    let region = variable("AWS_REGION");
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("execute-api")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build();
    let url = format!("{scheme}://{host}{path}");
    let body = SignableBody::Bytes(body.as_bytes());
    let signable = SignableRequest::new("POST", url, [("host", host)].into_iter(), body);
    let (Ok(params), Ok(signable)) = (params, signable) else {
        exit(5);
    };
    let Ok(signed) = sign(signable, &params.into()) else {
        exit(5);
    };
    let (instructions, _) = signed.into_parts();
    let line = |(name, value)| format!("{name}: {value}\r\n");
    instructions.headers().map(line).collect()
}

struct Answer {
    status: String,
    headers: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.headers.lines();
        lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .map(str::to_owned)
    }
}

/// One request on a connection of its own.
fn request(host: &str, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let stream = TcpStream::connect(host);
    match stream.and_then(|stream| exchange(stream, host, method, path, headers, body)) {
        Ok(answer) => answer,
        // The cloud is gone.
        Err(_) => exit(0),
    }
}

fn exchange(
    mut stream: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<Answer> {
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )?;
    let mut reader = BufReader::new(stream);
    let (mut status, mut headers) = (String::new(), String::new());
    reader.read_line(&mut status)?;
    while !headers.ends_with("\r\n\r\n") && headers != "\r\n" {
        if reader.read_line(&mut headers)? == 0 {
            break;
        }
    }
    let mut body = String::new();
    reader.read_to_string(&mut body)?;
    let status = status.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok(Answer {
        status,
        headers,
        body,
    })
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn say(text: &str) {
    let _closed = io::stdout().write_all(text.as_bytes());
}
