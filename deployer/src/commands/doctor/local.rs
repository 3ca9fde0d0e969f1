//! A local cloud's port, its kept account, and the DynamoDB behind it.

use super::called;
use crate::cli::LOCAL_DYNAMODB;
use crate::commands::run::Stage;
use crate::local::data_dir;
use crate::project::Project;
use crate::render::Finding;
use crate::stage::connect_to;
use deployer_core::stage_file::Place;
use deployer_engine::causes;
use deployer_engine::cloud::CloudReader;
use local_cloud::client::{self, ClientError};
use local_cloud::{DynamoDbAddress, check_kept, is_kept};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// For DynamoDB to take a connection.
const DEADLINE: Duration = Duration::from_secs(3);
const OUR_VERSION: &str = env!("CARGO_PKG_VERSION");
const START_DYNAMODB: &str = "start an emulated DynamoDB (npx dynalite --port 8000, or moto_server -p 8000), then: export DEPLOYER_LOCAL_DYNAMODB=http://127.0.0.1:8000";

/// Who has a port.
#[derive(Debug, PartialEq, Eq)]
enum Port {
    Free,
    LocalCloud {
        version: String,
        pid: u32,
    },
    Another,
    /// Nobody, and it can't be had.
    Unusable(String),
}

/// The account that a local cloud has kept.
#[derive(Debug, PartialEq, Eq)]
enum Kept {
    None,
    /// By the cloud that runs.
    InUse,
    Legible(PathBuf),
    Broken(String),
}

/// Where tables are.
#[derive(Debug, PartialEq, Eq)]
enum Tables {
    /// No stage has any.
    Unneeded,
    /// The local cloud isn't running, and nobody has said where.
    NoAddress,
    BadAddress(String),
    Reachable(String),
    Unreachable {
        address: String,
        why: String,
    },
    /// The cloud that runs answers for them,
    Answered,
    /// or can't.
    Refused {
        why: String,
        remedy: String,
    },
}

/// Looks at one port by the eyes of the stages that have it.
pub async fn check(project: Option<&Project>, port: u16, stages: &[&Stage]) -> Vec<Finding> {
    let names = called(stages);
    let with_tables: Vec<String> = stages
        .iter()
        .filter(|stage| !stage.definition.tables.is_empty())
        .map(|stage| stage.name.clone())
        .collect();
    let listens = listener(port).await;
    let runs = matches!(listens, Port::LocalCloud { .. });
    let kept = match (project, runs) {
        (_, true) => Kept::InUse,
        (Some(project), false) => kept(data_dir(project, port)).await,
        (None, false) => Kept::None,
    };
    let tables = match (with_tables.is_empty(), runs) {
        (true, _) => Tables::Unneeded,
        (false, true) => tables_behind(port).await,
        (false, false) => tables_at(std::env::var(LOCAL_DYNAMODB).ok()).await,
    };
    let first = names.first().map_or("local", String::as_str);
    let mut findings = vec![of_port(port, &listens).of(&names)];
    findings.extend(of_kept(&kept, first).map(|it| it.of(&names)));
    findings.extend(of_tables(tables).map(|it| it.of(&with_tables)));
    findings
}

async fn listener(port: u16) -> Port {
    match client::health(port).await {
        Ok(health) => Port::LocalCloud {
            version: health.version,
            pid: health.pid,
        },
        Err(ClientError::NotListening) => match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(_) => Port::Free,
            Err(error) => Port::Unusable(error.to_string()),
        },
        Err(ClientError::Another | ClientError::Busy | ClientError::StillThere(_)) => Port::Another,
    }
}

async fn kept(dir: PathBuf) -> Kept {
    if !is_kept(&dir) {
        return Kept::None;
    }
    let look = move || match check_kept(&dir) {
        Ok(()) => Kept::Legible(dir),
        Err(error) => Kept::Broken(error.to_string()),
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.unwrap_or_else(|error| Kept::Broken(error.to_string()))
}

async fn tables_at(address: Option<String>) -> Tables {
    let Some(text) = address else {
        return Tables::NoAddress;
    };
    let address: DynamoDbAddress = match text.parse() {
        Ok(address) => address,
        Err(error) => return Tables::BadAddress(error),
    };
    let unreachable = |why: String| Tables::Unreachable {
        address: text.clone(),
        why,
    };
    match timeout(DEADLINE, TcpStream::connect(address.host_and_port())).await {
        Ok(Ok(_)) => Tables::Reachable(text),
        Ok(Err(error)) => unreachable(error.to_string()),
        Err(_) => unreachable(format!("no connection in {} s", DEADLINE.as_secs())),
    }
}

async fn tables_behind(port: u16) -> Tables {
    let cloud = match connect_to(&Place::Local { port }).await {
        Ok(cloud) => cloud,
        Err(failure) => {
            return Tables::Refused {
                why: failure.to_string(),
                remedy: failure.next_step(),
            };
        }
    };
    match cloud.list_tables("").await {
        Ok(_) => Tables::Answered,
        Err(error) => Tables::Refused {
            why: error.to_string(),
            remedy: causes::next_step(&error),
        },
    }
}

fn of_port(port: u16, listens: &Port) -> Finding {
    const CHECK: &str = "port";
    let elsewhere = "or set another `port` in the stage file, or DEPLOYER_LOCAL_PORT";
    match listens {
        Port::Free => Finding::ok(CHECK, format!("{port} is free")),
        Port::LocalCloud { version, pid } if version == OUR_VERSION => Finding::ok(
            CHECK,
            format!("{port}: the local cloud {version}, process {pid}"),
        ),
        Port::LocalCloud { version, pid } => Finding::warning(
            CHECK,
            format!(
                "{port}: the local cloud is {version} (process {pid}), and this is {OUR_VERSION}"
            ),
            format!(
                "kill {pid}: the next command starts this version with the account it has kept"
            ),
        ),
        Port::Another => Finding::problem(
            CHECK,
            format!("{port}: another program listens there"),
            format!("end the one that `ss -ltnp 'sport = :{port}'` shows, {elsewhere}"),
        ),
        Port::Unusable(why) => Finding::problem(
            CHECK,
            format!("{port} can't be listened on: {why}"),
            format!("wait until it is free, {elsewhere}"),
        ),
    }
}

fn of_kept(kept: &Kept, stage: &str) -> Option<Finding> {
    const CHECK: &str = "kept account";
    match kept {
        Kept::None => None,
        Kept::InUse => Some(Finding::ok(CHECK, "in use by the local cloud")),
        Kept::Legible(dir) => Some(Finding::ok(CHECK, shown(dir))),
        Kept::Broken(why) => Some(Finding::problem(
            CHECK,
            why.clone(),
            format!("deployer local-cloud --fresh sets it aside; then deployer up {stage}"),
        )),
    }
}

fn shown(dir: &Path) -> String {
    format!("{} can be gone on with", dir.display())
}

fn of_tables(tables: Tables) -> Option<Finding> {
    const CHECK: &str = "tables";
    Some(match tables {
        Tables::Unneeded => return None,
        Tables::Answered => Finding::ok(CHECK, "the local cloud has a DynamoDB behind it"),
        Tables::Reachable(address) => Finding::ok(CHECK, format!("DynamoDB listens at {address}")),
        Tables::NoAddress => Finding::problem(
            CHECK,
            "stages have tables, and the local cloud has no DynamoDB of its own",
            START_DYNAMODB,
        ),
        Tables::BadAddress(why) => {
            Finding::problem(CHECK, format!("{LOCAL_DYNAMODB}: {why}"), START_DYNAMODB)
        }
        Tables::Unreachable { address, why } => Finding::problem(
            CHECK,
            format!("no DynamoDB at {address}: {why}"),
            START_DYNAMODB,
        ),
        Tables::Refused { why, remedy } => Finding::problem(CHECK, why, remedy),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Status;

    #[test]
    fn a_port_is_free_ours_or_somebody_elses() {
        let cloud = |version: &str| Port::LocalCloud {
            version: version.to_owned(),
            pid: 7,
        };
        for (listens, status) in [
            (Port::Free, Status::Ok),
            (cloud(OUR_VERSION), Status::Ok),
            (cloud("0.0.1"), Status::Warning),
            (Port::Another, Status::Problem),
            (Port::Unusable("in use".to_owned()), Status::Problem),
        ] {
            assert_eq!(of_port(9100, &listens).status, status, "{listens:?}");
        }
    }

    #[test]
    fn tables_need_a_dynamodb_that_is_there() {
        let unreachable = Tables::Unreachable {
            address: "http://127.0.0.1:1".to_owned(),
            why: "refused".to_owned(),
        };
        for (tables, status) in [
            (Tables::Unneeded, None),
            (Tables::Answered, Some(Status::Ok)),
            (
                Tables::Reachable("http://127.0.0.1:8000".to_owned()),
                Some(Status::Ok),
            ),
            (Tables::NoAddress, Some(Status::Problem)),
            (
                Tables::BadAddress("no URL".to_owned()),
                Some(Status::Problem),
            ),
            (unreachable, Some(Status::Problem)),
        ] {
            assert_eq!(of_tables(tables).map(|it| it.status), status);
        }
    }

    #[tokio::test]
    async fn an_address_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let reachable = Tables::Reachable(address.clone());
        assert_eq!(tables_at(Some(address.clone())).await, reachable);
        drop(listener);
        let tried = tables_at(Some(address)).await;
        assert!(matches!(tried, Tables::Unreachable { .. }), "{tried:?}");
        let wrong = tables_at(Some("moon".to_owned())).await;
        assert!(matches!(wrong, Tables::BadAddress(_)), "{wrong:?}");
    }

    #[test]
    fn an_account_that_is_broken_is_a_problem_and_none_is_not() {
        assert_eq!(of_kept(&Kept::None, "local"), None);
        let broken = of_kept(&Kept::Broken("it is empty".to_owned()), "local");
        assert_eq!(broken.map(|it| it.status), Some(Status::Problem));
    }
}
