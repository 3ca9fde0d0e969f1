//! The processes of a local cloud's functions, as the kernel has them.

use std::fs;

use crate::ask;
use crate::failure::Failure;

/// What the room function's process has in its environment.
const ROOM: &[u8] = b"AWS_LAMBDA_FUNCTION_NAME=chat-local-room";

/// The process of the local cloud at this address.
pub(crate) async fn cloud(address: &str) -> Result<i32, Failure> {
    let health = ask::request(address, "GET /_local/health", "", "").await?;
    let pid = health["pid"]
        .as_i64()
        .and_then(|pid| i32::try_from(pid).ok());
    pid.ok_or_else(|| Failure::Answer {
        what: "GET /_local/health".to_owned(),
        answer: health.to_string(),
    })
}

/// How many invocations a local cloud is at work on.
pub(crate) async fn invocations(address: &str) -> Result<u64, Failure> {
    let health = ask::request(address, "GET /_local/health", "", "").await?;
    Ok(health["invocations"].as_u64().unwrap_or(u64::MAX))
}

/// The processes that this one has started.
pub(crate) fn children(of: i32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{of}/task"));
    let mut children = Vec::new();
    for task in tasks.into_iter().flatten().flatten() {
        // A thread may end while this looks.
        let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(
            text.split_whitespace()
                .filter_map(|id| id.parse::<i32>().ok()),
        );
    }
    children
}

/// Whether it is one of the room function's. `None`: it hasn't begun yet, or is gone.
pub(crate) fn is_room(id: i32) -> Option<bool> {
    let variables = fs::read(format!("/proc/{id}/environ")).ok()?;
    let mut variables = variables.split(|byte| *byte == 0);
    let name = variables.find(|it| it.starts_with(b"AWS_LAMBDA_FUNCTION_NAME="))?;
    Some(name == ROOM)
}

/// `R`, `S`, `T` and so on. `None`: it is gone, or about to be.
pub(crate) fn state(id: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.chars()
        .next()
        .filter(|state| !matches!(state, 'Z' | 'X'))
}

/// The most memory that it has ever had, in MB.
pub(crate) fn peak_mb(id: i32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Processor time that it has used, in ms.
pub(crate) fn processor_ms(id: i32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    // The 14th and 15th fields: user and system time, in ticks of 10 ms.
    let mut ticks = rest.split_whitespace().skip(11);
    let mut next = || ticks.next()?.parse::<f64>().ok();
    Some((next()? + next()?) * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_has_memory_and_is_no_room() {
        let this = i32::try_from(std::process::id()).unwrap();
        assert!(state(this).is_some());
        assert!(peak_mb(this).unwrap() > 0.1);
        assert!(processor_ms(this).unwrap() >= 0.0);
        assert_ne!(is_room(this), Some(true));
    }
}
