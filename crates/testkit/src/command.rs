//! Runs the `deployer` binary as a user would.

use local_cloud::client::{Health, health};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long functions may go on after a client has all its answers.
const IDLE_DEADLINE: Duration = Duration::from_secs(20);

/// What a run printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Results.
    pub stdout: String,
    /// Progress and errors.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The binary, a project, and a port of its own for the local cloud. What it
/// left running is taken down at the end.
pub struct Deployer {
    binary: PathBuf,
    project: PathBuf,
    port: u16,
    environment: Vec<(String, String)>,
}

/// A port that nothing listened on a moment ago.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound address").port()
}

impl Deployer {
    /// `binary` for `project`.
    pub fn new(binary: &str, project: &Path) -> Self {
        Self {
            binary: PathBuf::from(binary),
            project: project.to_owned(),
            port: free_port(),
            environment: Vec::new(),
        }
    }

    /// The local cloud's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets a variable for every run.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A command that isn't started yet, with nothing of this process's AWS
    /// settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(&self.project)
            .env("DEPLOYER_LOCAL_PORT", self.port.to_string())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
            .stdin(Stdio::null());
        for name in [
            "AWS_ACCOUNT_ID",
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_ENDPOINT_URL",
        ] {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it can't be run.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().expect("the binary runs"))
    }

    /// Runs it and expects success; gives what it printed on stdout.
    ///
    /// # Panics
    /// When it fails, with what it printed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Runs it with `--json`, expects success, and gives the result: the last line.
    ///
    /// # Panics
    /// When it fails, or the line isn't JSON.
    pub fn result(&self, arguments: &[&str]) -> serde_json::Value {
        let printed = self.succeed(&[arguments, &["--json"]].concat());
        let last = printed.lines().last().expect("a result");
        serde_json::from_str(last).expect("a line of JSON")
    }

    /// Waits until no function is at work: a client has its message before the
    /// function that sent it is done, and a function with reserved concurrency 1
    /// refuses events that overlap. A person's typing takes longer than that.
    ///
    /// # Panics
    /// When the local cloud isn't there, or functions don't end.
    pub async fn until_idle(&self) {
        self.until(|health| health.invocations == 0).await;
    }

    /// Waits until so many clients are connected, and all functions done that heard of it.
    ///
    /// # Panics
    /// As [`Self::until_idle`].
    pub async fn until_connected(&self, clients: usize) {
        self.until(|health| {
            health.connections == clients && health.coming_and_going + health.invocations == 0
        })
        .await;
    }

    async fn until(&self, holds: impl Fn(&Health) -> bool) {
        let started = Instant::now();
        loop {
            let health = health(self.port).await.expect("the local cloud runs");
            if holds(&health) {
                return;
            }
            assert!(
                started.elapsed() < IDLE_DEADLINE,
                "still not as waited for: {health:?}"
            );
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Deployer {
    fn drop(&mut self) {
        // After a failed assertion; a second `down` is harmless.
        let _ = self.command(&["down", "local"]).output();
    }
}
