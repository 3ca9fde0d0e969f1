//! `deployer local-cloud`: runs the local cloud until it is asked to stop. Its account is
//! kept, and gone on with.

use crate::cli::LocalCloud;
use crate::failure::Failure;
use crate::local::{LISTENING, data_dir};
use crate::project::Project;
use crate::render::text;
use local_cloud::{Config, Keeping, Realism, StartError, StateError};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until SIGINT, SIGTERM or a request to stop.
pub async fn run(project: &Project, options: &LocalCloud) -> Result<(), Failure> {
    let data = options
        .data
        .clone()
        .unwrap_or_else(|| data_dir(project, options.port));
    let mut config = Config::new(options.port, data);
    config.keeping = match options.fresh {
        true => Keeping::AccountAnew,
        false => Keeping::Account,
    };
    config.realism = options.realism.map(Realism::all);
    config.enforce_iam = options.enforce_iam;
    config.dynamodb.clone_from(&options.dynamodb);
    // A variable that is set to nothing is as good as none.
    if let Some(dir) = options.ca.as_ref().filter(|dir| *dir != Path::new("")) {
        config.authority_dir.clone_from(dir);
    }
    let running = local_cloud::start(config).await.map_err(|error| {
        let anew = format!(
            "start it with the version of deployer that wrote the file, or anew with `deployer \
             local-cloud --port {} --fresh`, which sets aside what is there",
            options.port
        );
        let next_step = match &error {
            StartError::PortInUse {
                by_local_cloud: true,
                ..
            } => "use the one that is running, or give this one another --port",
            StartError::PortInUse {
                by_local_cloud: false,
                ..
            } => "stop the program that has the port, or give another --port",
            StartError::Authority { .. } => {
                "make the folder writable, or name another by --ca or DEPLOYER_LOCAL_CA"
            }
            StartError::State(StateError::Unreadable { .. }) => &anew,
            StartError::State(StateError::InUse(_)) => {
                "stop the other one, or give this one another folder with --data"
            }
            _ => "mend what the message says and start again",
        };
        Failure::LocalCloud {
            message: error.to_string(),
            next_step: next_step.to_owned(),
        }
    })?;
    // The first line tells who started this process that it may begin.
    text::result(&format!("{LISTENING}{}", running.base_url()));
    text::result(&format!("  by TLS  {}", running.secure_url()));
    text::result(&format!("  page    {}/", running.base_url()));
    text::result(&format!("  trust   {}", running.authority().display()));
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| Failure::LocalCloud {
        message: format!("can't listen for signals: {error}"),
        next_step: "start again".to_owned(),
    })?;
    tokio::select! {
        () = running.wait() => return Ok(()),
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(())
}
