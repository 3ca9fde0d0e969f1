//! What verbs say at their end, as text and (by `serde`) as JSON.

use deployer_core::provenance::PromotedFrom;
use deployer_package::Manifest;
use serde::Serialize;
use std::fmt::Write;

/// How `up` ended.
#[derive(Debug, Serialize)]
pub struct UpResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// `service/stage`.
    #[serde(skip)]
    pub identity: String,
    /// Whether anything was written.
    pub changed: bool,
    /// How many writes.
    pub steps: usize,
    /// What is live.
    pub release: String,
    /// Whose release it was made from, where it was promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted_from: Option<&'a PromotedFrom>,
    /// The source's revision, where it was promoted: shown only then.
    #[serde(skip)]
    pub git_revision: Option<&'a str>,
    /// Where.
    pub url: String,
    /// The same by TLS, where `url` is without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_url: Option<String>,
    /// Where the local cloud shows what happens; there is none on AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Whether clients need another address than `url`.
    pub endpoint_disabled: bool,
    /// When it expires, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What users of the stage must know.
    pub notice: Option<&'a str>,
}

/// How `down` ended.
#[derive(Debug, Default, Serialize)]
pub struct DownResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// `service/stage`.
    #[serde(skip)]
    pub identity: String,
    /// How many writes.
    pub removed: usize,
    /// Log groups that are left there, as the stage file says.
    pub retained: Vec<String>,
    /// Whether the local cloud has ended, nothing being left in it.
    pub local_cloud_stopped: bool,
    /// Whether the local cloud goes on, other stages living in it.
    pub local_cloud_needed: bool,
    /// Whether the stage used the account's role for API Gateway's logs, which
    /// stays.
    pub logging_role_kept: bool,
    /// Whether it stays, because it had expired and was renewed since.
    #[serde(skip_serializing_if = "is_false")]
    pub renewed: bool,
    /// When it expires now, RFC 3339; `None`: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Where it was looked for a stage that has no file, and nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_in: Option<String>,
    /// What may have been meant instead.
    #[serde(skip)]
    pub near: Option<String>,
}

impl<'a> DownResult<'a> {
    /// Nobody knows the stage, and nothing says of which service it would be.
    pub fn nothing(stage: &'a str, nothing_in: String, near: Option<String>) -> Self {
        Self {
            stage,
            identity: stage.to_owned(),
            nothing_in: Some(nothing_in),
            near,
            ..Self::default()
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands on a reference"
)]
fn is_false(it: &bool) -> bool {
    !it
}

/// The releases of a stage.
#[derive(Debug, Serialize)]
pub struct HistoryResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// `service/stage`.
    #[serde(skip)]
    pub identity: String,
    /// Newest first.
    pub releases: Vec<ReleaseStatus>,
}

/// A release that is kept.
#[derive(Debug, Serialize)]
pub struct ReleaseStatus {
    /// Its hash.
    pub release: String,
    /// Whether it is live.
    pub live: bool,
    /// RFC 3339.
    pub at: Option<String>,
    /// The ARN of who made it.
    pub by: Option<String>,
    /// Whose release it was made from, where it was promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted_from: Option<PromotedFrom>,
    /// From what.
    pub git_revision: Option<String>,
}

/// How `rollback` ended.
#[derive(Debug, Serialize)]
pub struct RollbackResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// `service/stage`.
    #[serde(skip)]
    pub identity: String,
    /// What was live.
    pub from: String,
    /// What is live.
    pub to: String,
    /// Where.
    pub url: String,
}

/// What was packaged.
#[derive(Debug, Serialize)]
pub struct PackageResult {
    /// Where it is.
    pub bundle: String,
    /// The SHA-256 of its manifest, in hex.
    pub digest: String,
    /// What it is for.
    pub stages: Vec<String>,
    /// The templates that it is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// What is in it.
    #[serde(flatten)]
    pub manifest: Manifest,
}

pub(super) fn package(result: &PackageResult) -> String {
    let manifest = &result.manifest;
    let revision = match &manifest.git_revision {
        Some(revision) => format!("revision {revision}, "),
        None => String::new(),
    };
    let mut text = format!(
        "{}: {} functions, {revision}{}",
        result.bundle,
        manifest.functions.len(),
        manifest.toolchain
    );
    for function in &manifest.functions {
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "\n  {} for {}: {}, zip {}",
            function.package,
            function.described(),
            megabytes(function.binary_bytes),
            megabytes(function.zip_bytes)
        );
    }
    let (bundle, digest) = (&result.bundle, &result.digest);
    let stages = match (result.stages.as_slice(), result.templates.first()) {
        ([], Some(template)) => format!("{template} --as NAME"),
        (stages, _) => stages.join(" "),
    };
    let _ = write!(
        text,
        "\n  digest  {digest}\n  next    deployer up {stages} --from {bundle} --digest {digest}"
    );
    text
}

fn megabytes(bytes: usize) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

pub(super) fn history(result: &HistoryResult<'_>) -> String {
    if result.releases.is_empty() {
        return format!("{} has no releases", result.identity);
    }
    let mut text = format!("{}, newest first:", result.identity);
    for release in &result.releases {
        let mark = if release.live { "live" } else { "" };
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "\n  {} {mark:<4}  {}  {}  {}",
            release.release,
            word(&release.at),
            word(&release.git_revision),
            word(&release.by)
        );
        if let Some(PromotedFrom { stage, release }) = &release.promoted_from {
            let _ = write!(text, "  promoted from {stage}'s {release}");
        }
    }
    text
}

pub(super) fn rollback(result: &RollbackResult<'_>) -> String {
    format!(
        "{} is live: release {}, back from {}\n  url   {}\nnote: the next `deployer up {}` releases what the files say",
        result.identity, result.to, result.from, result.url, result.stage
    )
}

pub(super) fn up(result: &UpResult<'_>) -> String {
    let head = match result.changed {
        true => format!(
            "{} is live: {} changes, release {}",
            result.identity, result.steps, result.release
        ),
        false => format!(
            "{}: nothing to do, release {} is live",
            result.identity, result.release
        ),
    };
    let url = &result.url;
    let next = match result.endpoint_disabled {
        false => format!("deployer connect {}", result.stage),
        true => "connect by a custom domain: the API's own address is disabled".to_owned(),
    };
    let secure = match &result.secure_url {
        Some(secure) => format!("\n  tls   {secure}"),
        None => String::new(),
    };
    let page = match &result.page {
        Some(page) => format!("\n  page  {page}"),
        None => String::new(),
    };
    let from = match (result.promoted_from, result.git_revision) {
        (Some(PromotedFrom { stage, release }), Some(revision)) => {
            format!("\n  from  {stage}'s release {release}, revision {revision}")
        }
        (Some(PromotedFrom { stage, release }), None) => {
            format!("\n  from  {stage}'s release {release}")
        }
        (None, _) => String::new(),
    };
    let ends = match &result.expires {
        Some(expires) => format!("\n  ends  {expires}: then `deployer down --expired` removes it"),
        None => String::new(),
    };
    with_notice(
        format!("{head}{from}\n  url   {url}{secure}{page}{ends}\n  next  {next}"),
        result.notice,
    )
}

pub(super) fn down(result: &DownResult<'_>) -> String {
    if result.renewed {
        let until = match &result.expires {
            Some(expires) => format!("until {expires}"),
            None => "for good".to_owned(),
        };
        return format!(
            "{} stays {until}: it was renewed meanwhile",
            result.identity
        );
    }
    let head = match result.removed {
        0 => match (&result.nothing_in, &result.near) {
            (Some(place), Some(near)) => format!(
                "{}: nothing to do, nothing of it is in {place}; did you mean `{near}`?",
                result.identity
            ),
            (Some(place), None) => format!(
                "{}: nothing to do, nothing of it is in {place}",
                result.identity
            ),
            _ => format!("{}: nothing to do", result.identity),
        },
        removed => format!(
            "{} is gone: {removed} steps, verified by looking again",
            result.identity
        ),
    };
    let head = match (result.local_cloud_stopped, result.local_cloud_needed) {
        (true, _) => format!("{head}; the local cloud has stopped"),
        (_, true) if result.retained.is_empty() => {
            format!("{head}; the local cloud goes on for other stages")
        }
        (_, true) => format!("{head}; the local cloud goes on with what is retained"),
        _ => head,
    };
    let lines = result.retained.iter();
    let text = lines.fold(head, |text, name| format!("{text}\n  retained  {name}"));
    let kept = "the role by which API Gateway writes the account's logs stays: others may use it";
    with_notice(text, result.logging_role_kept.then_some(kept))
}

pub(super) fn with_notice(text: String, notice: Option<&str>) -> String {
    match notice {
        Some(notice) => format!("{text}\nnote: {notice}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_result(changed: bool) -> UpResult<'static> {
        UpResult {
            endpoint_disabled: false,
            stage: "local",
            identity: "chat/local".into(),
            changed,
            steps: 20,
            release: "0123456789abcdef".into(),
            promoted_from: None,
            git_revision: None,
            url: "ws://127.0.0.1:9100/a1b2c3d4e5/local".into(),
            secure_url: Some("wss://127.0.0.1:9100/a1b2c3d4e5/local".into()),
            page: Some("http://127.0.0.1:9100/".into()),
            expires: None,
            notice: None,
        }
    }

    #[test]
    fn up_names_the_url_and_the_next_command() {
        insta::assert_snapshot!(up(&up_result(true)));
    }

    #[test]
    fn what_was_promoted_says_from_where() {
        let from: PromotedFrom = serde_json::from_value(serde_json::json!({
            "stage": "alpha",
            "release": "fedcba9876543210",
        }))
        .unwrap();
        let mut result = UpResult {
            promoted_from: Some(&from),
            git_revision: Some("0123456789ab"),
            ..up_result(true)
        };
        insta::assert_snapshot!(up(&result));
        result.git_revision = None;
        let text = up(&result);
        let line = "\n  from  alpha's release fedcba9876543210\n";
        assert!(text.contains(line), "{text}");
        let release = ReleaseStatus {
            release: "0123456789abcdef".into(),
            live: true,
            at: Some("2026-11-22T10:00:00.000Z".into()),
            by: Some("arn:aws:iam::123456789012:user/me".into()),
            promoted_from: Some(from.clone()),
            git_revision: Some("0123456789ab".into()),
        };
        let listed = history(&HistoryResult {
            stage: "local",
            identity: "chat/local".into(),
            releases: vec![release],
        });
        assert!(
            listed.ends_with("user/me  promoted from alpha's fedcba9876543210"),
            "{listed}"
        );
    }

    #[test]
    fn an_up_that_changed_nothing_says_so() {
        let text = up(&UpResult {
            endpoint_disabled: false,
            notice: Some("for demonstration"),
            ..up_result(false)
        });
        assert!(text.starts_with("chat/local: nothing to do"), "{text}");
        assert!(text.ends_with("\nnote: for demonstration"), "{text}");
    }

    #[test]
    fn package_lists_what_is_in_the_bundle_and_how_it_is_deployed() {
        let text = package(&PackageResult {
            bundle: ".deployer/bundle.zip".into(),
            digest: "ba7816bf".into(),
            stages: vec!["alpha".into(), "prod".into()],
            templates: vec!["preview".into()],
            manifest: serde_json::from_value(serde_json::json!({
                "format": 1,
                "zip_format": 1,
                "git_revision": "0123456789ab",
                "toolchain": "rustc 1.94.1 (e408947bf 2026-03-25)",
                "deployer": "0.1.0",
                "functions": [{
                    "package": "room",
                    "for": "aws",
                    "target": "aarch64-unknown-linux-gnu.2.34",
                    "linker": "cargo-zigbuild",
                    "file": "room.arm64.zip",
                    "zip_sha256": "00",
                    "zip_bytes": 1_630_000,
                    "binary_sha256": "00",
                    "binary_bytes": 3_351_000,
                }],
            }))
            .unwrap(),
        });
        assert_eq!(
            text,
            ".deployer/bundle.zip: 1 functions, revision 0123456789ab, rustc 1.94.1 (e408947bf 2026-03-25)\n  room for arm64: 3.35 MB, zip 1.63 MB\n  digest  ba7816bf\n  next    deployer up alpha prod --from .deployer/bundle.zip --digest ba7816bf"
        );
    }

    #[test]
    fn history_tells_which_release_is_live_and_where_it_came_from() {
        let release = |release: &str, live| ReleaseStatus {
            release: release.into(),
            live,
            at: Some("2026-11-22T10:00:00.000Z".into()),
            by: Some("arn:aws:iam::123456789012:user/me".into()),
            promoted_from: None,
            git_revision: live.then(|| "0123456789ab+".into()),
        };
        let releases = vec![
            release("1cddda73a0f55ac0", true),
            release("2f4cfb2af3613240", false),
        ];
        let mut result = HistoryResult {
            stage: "alpha",
            identity: "chat/alpha".into(),
            releases,
        };
        insta::assert_snapshot!(history(&result));
        result.releases.clear();
        assert_eq!(history(&result), "chat/alpha has no releases");
    }

    #[test]
    fn a_second_down_says_there_is_nothing_to_do() {
        let mut result = DownResult {
            stage: "local",
            identity: "chat/local".into(),
            ..DownResult::default()
        };
        assert_eq!(down(&result), "chat/local: nothing to do");
        result.nothing_in = Some("account 123456789012, region eu-central-1".into());
        let place = "nothing of it is in account 123456789012, region eu-central-1";
        assert_eq!(down(&result), format!("chat/local: nothing to do, {place}"));
        result.near = Some("locals".into());
        assert!(down(&result).ends_with("eu-central-1; did you mean `locals`?"));
    }

    #[test]
    fn a_down_lists_what_it_leaves() {
        let text = down(&DownResult {
            stage: "alpha",
            identity: "chat/alpha".into(),
            removed: 12,
            retained: vec!["/aws/lambda/chat-alpha-room".into()],
            ..DownResult::default()
        });
        assert_eq!(
            text,
            "chat/alpha is gone: 12 steps, verified by looking again\n  retained  /aws/lambda/chat-alpha-room"
        );
    }
}
