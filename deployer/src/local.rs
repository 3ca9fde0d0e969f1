//! The local cloud as a process beside this one: start it in the background,
//! find out whether it runs, stop it when nothing is left in it. Its account outlives it:
//! one that has ended is started again by whoever asks for what is in it.

use crate::failure::Failure;
use crate::project::Project;
use deployer_core::account::Account;
use local_cloud::client::{self, ClientError, Health};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

/// How long the local cloud may take to listen. It needs less than 100 ms.
const START_DEADLINE: Duration = Duration::from_secs(10);
/// How long it may take to close connections and end functions.
const STOP_DEADLINE: Duration = Duration::from_secs(15);
/// What the local cloud prints once it listens.
pub const LISTENING: &str = "listening on ";

/// Where the local cloud on `port` is reached.
pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Where the local cloud on `port` keeps its account, what it unpacks, and its log.
pub fn data_dir(project: &Project, port: u16) -> PathBuf {
    project.working_dir().join(format!("local-cloud-{port}"))
}

/// Whether a local cloud listens on `port`.
///
/// # Errors
/// When something else does.
async fn is_running(port: u16) -> Result<bool, Failure> {
    Ok(health(port).await?.is_some())
}

/// Whether there is a local cloud on `port`. One that has ended and left its account in
/// the project is started.
///
/// # Errors
/// When something else listens there, or it doesn't start.
pub async fn is_there(project: Option<&Project>, port: u16) -> Result<bool, Failure> {
    if is_running(port).await? {
        return Ok(true);
    }
    let Some(project) = project else {
        return Ok(false);
    };
    if !local_cloud::is_kept(&data_dir(project, port)) {
        return Ok(false);
    }
    ensure_running(project, port).await?;
    Ok(true)
}

/// How many clients are connected to the local cloud on `port`, if there is one.
pub async fn connections(port: u16) -> Option<usize> {
    let health = client::health(port).await.ok()?;
    Some(health.connections)
}

/// Whether what is read from the local cloud on `port` shows all that was written.
///
/// # Errors
/// When something else listens there.
pub async fn is_consistent(port: u16) -> Result<bool, Failure> {
    Ok(health(port).await?.is_some_and(|health| health.consistent))
}

async fn health(port: u16) -> Result<Option<Health>, Failure> {
    match client::health(port).await {
        Ok(health) => Ok(Some(health)),
        Err(ClientError::NotListening) => Ok(None),
        Err(error) => Err(Failure::LocalCloud {
            message: format!("port {port} of 127.0.0.1: {error}"),
            next_step:
                "stop the program that has the port, or set another `port` in the stage file"
                    .to_owned(),
        }),
    }
}

/// Starts the local cloud unless it runs.
pub async fn ensure_running(project: &Project, port: u16) -> Result<(), Failure> {
    if is_running(port).await? {
        return Ok(());
    }
    let dir = data_dir(project, port);
    let log = dir.join("log");
    let failed = |what: &str, error: &dyn std::fmt::Display| Failure::LocalCloud {
        message: format!("the local cloud doesn't start: {what}: {error}"),
        next_step: format!("see {}", log.display()),
    };
    fs::create_dir_all(&dir).map_err(|error| failed("its folder", &error))?;
    let log_file = File::create(&log).map_err(|error| failed("its log", &error))?;
    let program = std::env::current_exe().map_err(|error| failed("this program's path", &error))?;
    let mut command = Command::new(program);
    command
        .arg("--project")
        .arg(&project.root)
        .args(["local-cloud", "--port", &port.to_string(), "--data"])
        .arg(&dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        // Ctrl-C in this terminal isn't meant for it.
        .process_group(0);
    let mut child = tokio::process::Command::from(command)
        .spawn()
        .map_err(|error| failed("its process", &error))?;
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| failed("its output", &"not piped"))?;
    let mut lines = BufReader::new(stdout).lines();
    let said = timeout(START_DEADLINE, lines.next_line()).await;
    match said {
        Ok(Ok(Some(line))) if line.starts_with(LISTENING) => Ok(()),
        // Another `up` may have been quicker.
        Ok(Ok(_)) if is_running(port).await? => Ok(()),
        Ok(Ok(_)) => {
            let reason = fs::read_to_string(&log).unwrap_or_default();
            Err(failed("it ended", &reason.trim()))
        }
        Ok(Err(error)) => Err(failed("its output", &error)),
        Err(_) => Err(failed(
            "it doesn't listen",
            &format!("after {START_DEADLINE:?}"),
        )),
    }
}

/// What became of the local cloud after a stage went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// It wasn't running.
    WasNotRunning,
    /// It has ended, and its account is gone.
    Ended,
    /// Other stages live in it.
    StillNeeded,
}

/// Stops the local cloud when nothing is left in it, and removes its folder but for
/// accounts that were set aside.
pub async fn stop_if_empty(project: &Project, port: u16) -> Result<Afterwards, Failure> {
    let dir = data_dir(project, port);
    let was_running = match health(port).await? {
        None if local_cloud::is_kept(&dir) => return Ok(Afterwards::StillNeeded),
        None => false,
        Some(health) if !health.empty => return Ok(Afterwards::StillNeeded),
        Some(_) => {
            client::stop(port, STOP_DEADLINE)
                .await
                .map_err(|error| Failure::LocalCloud {
                    message: format!("the local cloud on port {port} doesn't stop: {error}"),
                    next_step: "run the command again, or end its process".to_owned(),
                })?;
            true
        }
    };
    local_cloud::clear(&dir).map_err(|error| Failure::LocalCloud {
        message: format!("can't remove {}: {error}", dir.display()),
        next_step: "remove it by hand".to_owned(),
    })?;
    // Gone too when nothing else of ours is in it.
    let _ = fs::remove_dir(project.working_dir());
    Ok(if was_running {
        Afterwards::Ended
    } else {
        Afterwards::WasNotRunning
    })
}

/// The account the local cloud plays.
pub fn account() -> Account {
    Account {
        caller_arn: String::new(),
        partition: "aws".to_owned(),
        account_id: local_cloud::ACCOUNT_ID.to_owned(),
        region: local_cloud::REGION.to_owned(),
    }
}
