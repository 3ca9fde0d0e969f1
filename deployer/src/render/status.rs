//! What `status` says: what is live, and what it has done in the last hour.

use super::results::with_notice;
use deployer_engine::figures::{FunctionFigures, GatewayFigures};
use serde::Serialize;
use std::fmt::Write;

/// Characters of a function's last error.
const ERROR_WIDTH: usize = 160;

/// What is live.
#[derive(Debug, Serialize)]
pub struct StatusResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// `service/stage`.
    #[serde(skip)]
    pub identity: String,
    /// `None`: nothing is live.
    pub url: Option<String>,
    /// `None`: nothing is live, or not by us.
    pub release: Option<String>,
    /// `None`: it wasn't compared with a file.
    pub drift: Option<DriftStatus>,
    /// The API stage's last hour; `None`: nobody knows.
    pub gateway: Option<GatewayFigures>,
    /// Clients that are connected to the local cloud, whatever stage they came to; AWS
    /// doesn't publish how many there are.
    pub connections: Option<usize>,
    /// The functions there are.
    pub functions: Vec<FunctionStatus>,
    /// The draft's route keys.
    pub routes: Vec<String>,
    /// Who made it, if that was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it expires, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What users of the stage must know.
    pub notice: Option<&'a str>,
    /// What couldn't be read, and what to do about it.
    pub notes: Vec<String>,
}

impl<'a> StatusResult<'a> {
    /// Nothing is there.
    pub fn nothing(stage: &'a str, identity: String) -> Self {
        Self {
            stage,
            identity,
            url: None,
            release: None,
            drift: None,
            gateway: None,
            connections: None,
            functions: Vec::new(),
            routes: Vec::new(),
            owner: None,
            expires: None,
            notice: None,
            notes: Vec::new(),
        }
    }
}

/// How far a stage is from its file; code isn't compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DriftStatus {
    /// What an `up` would write.
    pub differences: usize,
    /// What of it puts right what was changed by hand, as far as that can be told.
    pub by_hand: usize,
}

/// A function in the account.
#[derive(Debug, Serialize)]
pub struct FunctionStatus {
    /// Its name.
    pub name: String,
    /// The version that is live; its newest where nobody knows.
    pub version: Option<String>,
    /// Bytes of that version's zip.
    pub code_bytes: Option<u64>,
    /// When that version was made, in AWS's form.
    pub modified: Option<String>,
    /// MB.
    pub memory_mb: u32,
    /// Seconds.
    pub timeout_seconds: u32,
    /// `None`: unreserved.
    pub reserved_concurrency: Option<u32>,
    /// Its last hour; `None`: nobody knows.
    pub figures: Option<FunctionFigures>,
    /// The last error of that hour, if there is one that is known.
    pub last_error: Option<ErrorStatus>,
}

/// An error that was logged.
#[derive(Debug, Serialize)]
pub struct ErrorStatus {
    /// When, RFC 3339.
    pub at: String,
    /// As it was logged.
    pub message: String,
}

pub(super) fn text(result: &StatusResult<'_>) -> String {
    let mut text = match (&result.url, &result.release) {
        (Some(url), release) => format!(
            "{} is live\n  url      {url}\n  release  {}",
            result.identity,
            release.as_deref().unwrap_or("none of ours")
        ),
        (None, _) if result.functions.is_empty() => format!("{} is not deployed", result.identity),
        (None, _) => format!(
            "{} is half built: run `deployer up {}`",
            result.identity, result.stage
        ),
    };
    let mut line = |what: &str, said: &str| {
        // Writing to a String can't fail.
        let _ = write!(text, "\n  {what:<8} {said}");
    };
    if let Some(drift) = &result.drift {
        line("drift", &drifted(drift, result.stage));
    }
    if let Some(gateway) = &result.gateway {
        line("gateway", &of_gateway(gateway));
    }
    if let Some(count) = result.connections {
        line(
            "clients",
            &format!("{count} connected to the local cloud now"),
        );
    }
    for function in &result.functions {
        line("function", &of_function(function));
        if let Some(figures) = &function.figures {
            line("", &format!("  {}", in_an_hour(figures)));
        }
        if let Some(error) = &function.last_error {
            line(
                "",
                &format!("  last error {}: {}", error.at, shortened(&error.message)),
            );
        }
    }
    if !result.routes.is_empty() {
        line("routes", &result.routes.join(", "));
    }
    for (what, said) in [("owner", &result.owner), ("expires", &result.expires)] {
        if let Some(said) = said {
            line(what, said);
        }
    }
    for note in &result.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    with_notice(text, result.notice)
}

fn drifted(drift: &DriftStatus, stage: &str) -> String {
    let DriftStatus {
        differences,
        by_hand,
    } = *drift;
    let by_hand = match by_hand {
        0 => String::new(),
        count => format!(", {count} made by hand"),
    };
    match differences {
        0 => "as the stage file says; code isn't compared".to_owned(),
        1 => format!("1 difference from the stage file{by_hand}: deployer plan {stage}"),
        count => format!("{count} differences from the stage file{by_hand}: deployer plan {stage}"),
    }
}

fn of_gateway(figures: &GatewayFigures) -> String {
    let GatewayFigures {
        connects,
        messages,
        client_errors,
        integration_errors,
        execution_errors,
    } = figures;
    let said = [
        counted(*connects, "connect"),
        counted(*messages, "message"),
        format!("{client_errors} refused"),
        counted(*integration_errors, "integration error"),
        counted(*execution_errors, "execution error"),
    ];
    format!("{} in the last hour", said.join(", "))
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn of_function(function: &FunctionStatus) -> String {
    let version = function.version.as_deref().unwrap_or("none");
    let mut text = format!("{} version {version}", function.name);
    if let Some(bytes) = function.code_bytes {
        let _ = write!(text, ", {:.2} MB zip", bytes as f64 / 1e6);
    }
    if let Some(modified) = &function.modified {
        let _ = write!(text, " of {}", whole_seconds(modified));
    }
    let (memory, timeout) = (function.memory_mb, function.timeout_seconds);
    let _ = write!(text, ", {memory} MB, {timeout} s");
    if let Some(count) = function.reserved_concurrency {
        let _ = write!(text, ", at most {count} at once");
    }
    text
}

/// `2026-11-23T10:03:07.118+0000` without what nobody reads.
fn whole_seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, rest)) if rest.ends_with("+0000") || rest.ends_with('Z') => {
            format!("{seconds}Z")
        }
        _ => time.to_owned(),
    }
}

fn in_an_hour(figures: &FunctionFigures) -> String {
    let FunctionFigures {
        invocations,
        errors,
        throttles,
        p50_ms,
        max_ms,
    } = figures;
    let counts = [
        counted(*invocations, "invocation"),
        counted(*errors, "error"),
        counted(*throttles, "throttle"),
    ]
    .join(", ");
    match (p50_ms, max_ms) {
        (Some(p50), Some(max)) => {
            format!("{counts}, {p50:.1} ms (p50) to {max:.1} ms in the last hour")
        }
        _ => format!("{counts} in the last hour"),
    }
}

/// Its first line, if that isn't too long.
fn shortened(message: &str) -> String {
    let line = message
        .lines()
        .next()
        .unwrap_or_default()
        .replace('\t', " ");
    match line.char_indices().nth(ERROR_WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> FunctionStatus {
        FunctionStatus {
            name: "chat-local-room".into(),
            version: Some("3".into()),
            code_bytes: Some(1_630_000),
            modified: Some("2026-11-23T10:03:07.118+0000".into()),
            memory_mb: 128,
            timeout_seconds: 20,
            reserved_concurrency: Some(1),
            figures: Some(FunctionFigures {
                invocations: 340,
                errors: 2,
                throttles: 1,
                p50_ms: Some(1.234),
                max_ms: Some(30.05),
            }),
            last_error: Some(ErrorStatus {
                at: "2026-11-23T10:42:00.5Z".into(),
                message: "ERROR\tit broke\nat room.rs".into(),
            }),
        }
    }

    #[test]
    fn status_tells_live_from_half_built_from_absent() {
        let mut result = StatusResult::nothing("local", "chat/local".into());
        assert_eq!(text(&result), "chat/local is not deployed");
        result.functions.push(function());
        assert!(text(&result).starts_with("chat/local is half built"));
        result.url = Some("ws://127.0.0.1:9100/a1b2c3d4e5/local".into());
        result.release = Some("0123456789abcdef".into());
        result.routes = vec!["$connect".into(), "join".into()];
        result.drift = Some(DriftStatus {
            differences: 3,
            by_hand: 1,
        });
        result.gateway = Some(GatewayFigures {
            connects: 12,
            messages: 328,
            ..GatewayFigures::default()
        });
        result.connections = Some(4);
        result.notes = vec!["no last errors: that needs an action".into()];
        insta::assert_snapshot!(text(&result));
        insta::assert_snapshot!(serde_json::to_string(&result).unwrap());
    }

    #[test]
    fn drift_is_one_line() {
        let of = |differences, by_hand| {
            drifted(
                &DriftStatus {
                    differences,
                    by_hand,
                },
                "alpha",
            )
        };
        assert_eq!(of(0, 0), "as the stage file says; code isn't compared");
        let one = "1 difference from the stage file: deployer plan alpha";
        assert_eq!(of(1, 0), one);
        assert!(of(3, 2).contains(", 2 made by hand: "));
    }

    #[test]
    fn a_long_error_is_cut_at_a_character() {
        assert_eq!(shortened(&"ü".repeat(200)).chars().count(), ERROR_WIDTH + 1);
        assert_eq!(shortened("a\tb\nc"), "a b");
    }
}
