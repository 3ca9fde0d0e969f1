//! What a promotion reads of the stage that it promotes from: the live release, and its
//! functions' zips, checked against what the release says of them.
//!
//! Nothing of that stage is ever written. What becomes of the stage that is promoted to
//! is an `up` like any other ([`crate::exclusive`]), which begins once all zips are here.

use crate::cloud::{Artifacts, CloudReader, CodeReader, PublishedCode};
use crate::error::{CloudError, CloudErrorKind};
use deployer_core::desired::FunctionCode;
use deployer_core::manifest::{Manifest, ReleasedFunction, journal};
use deployer_core::names::{CodeSha256, FunctionKey, Names};
use deployer_core::promotion::{LiveRelease, PromotionRefusal, live};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// GetFunction allows 100 calls a second.
const READS_IN_FLIGHT: usize = 16;
/// Zips that are fetched at once.
const DOWNLOADS_IN_FLIGHT: usize = 4;
/// Lambda's limit for a zip that is uploaded with the call, in bytes: what is larger came
/// by another way, and couldn't be uploaded again.
pub const ZIP_LIMIT: usize = 52_428_800;

/// Why there is nothing to promote. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// Reading failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// There is no release that could be promoted.
    #[error(transparent)]
    Refused(#[from] PromotionRefusal),
}

/// A live release, and what its functions run.
#[derive(Debug, Clone)]
pub struct Found {
    /// The release.
    pub release: LiveRelease,
    /// What each of its functions runs, by the service's word.
    published: BTreeMap<FunctionKey, PublishedCode>,
}

impl Found {
    /// What each function runs.
    pub fn code(&self) -> BTreeMap<FunctionKey, FunctionCode> {
        let all = self.published.iter();
        all.map(|(key, published)| (key.clone(), published.code.clone()))
            .collect()
    }
}

/// The release that is live on a stage, and what its functions run.
///
/// # Errors
/// When reading fails, nothing of ours is live, or a function isn't what the release says.
pub async fn find_live<R: CloudReader + CodeReader>(
    reader: &R,
    names: &Names,
) -> Result<Found, PromoteError> {
    let identity = &names.identity;
    let apis = reader.list_apis(names).await?;
    let (api, deployment, release) = live(identity, &names.api_stage, &apis)?;
    let manifest = reader
        .find_manifest(&journal(names), &deployment.manifest_key())
        .await?;
    let manifest =
        manifest.ok_or_else(|| PromotionRefusal::NotRecorded(identity.clone(), release))?;
    let published = published(reader, names, &manifest).await?;
    // A manifest of an earlier version doesn't say it; the draft is the next best witness.
    let expression = manifest.route_selection_expression.clone();
    let expression = expression.unwrap_or_else(|| api.route_selection_expression.clone());
    Ok(Found {
        release: LiveRelease {
            identity: identity.clone(),
            route_selection_expression: expression,
            manifest,
        },
        published,
    })
}

async fn published<R: CodeReader>(
    reader: &R,
    names: &Names,
    manifest: &Manifest,
) -> Result<BTreeMap<FunctionKey, PublishedCode>, PromoteError> {
    let looks = manifest.functions.iter().map(|(key, function)| async move {
        let found = reader.find_code(&function.name, &function.version).await?;
        Ok::<_, CloudError>((key, function, found))
    });
    let found: Vec<_> = stream::iter(looks)
        .buffer_unordered(READS_IN_FLIGHT)
        .try_collect()
        .await?;
    let mut published = BTreeMap::new();
    let mut missing = Vec::new();
    for (key, function, code) in found {
        match code {
            Some(code) if code.code.sha256.as_str() != function.code_sha256 => {
                let found = code.code.sha256.as_str();
                return Err(differs(function, found).into());
            }
            Some(code) => {
                published.insert(key.clone(), code);
            }
            None => missing.push(called(function)),
        }
    }
    missing.sort();
    match missing.is_empty() {
        true => Ok(published),
        false => Err(PromotionRefusal::Gone {
            identity: names.identity.clone(),
            missing,
        }
        .into()),
    }
}

/// The functions' zips, byte for byte as they were published.
///
/// # Errors
/// When one can't be had, or isn't what the release says.
pub async fn fetch<R: CodeReader>(reader: &R, found: &Found) -> Result<Artifacts, CloudError> {
    let functions = &found.release.manifest.functions;
    let downloads = found.published.iter().map(|(key, code)| async move {
        let function = &functions[key];
        if usize::try_from(code.bytes).is_ok_and(|bytes| bytes > ZIP_LIMIT) {
            let message = format!(
                "its zip has {} bytes; Lambda takes at most {ZIP_LIMIT} with a call",
                code.bytes
            );
            return Err(refused(function, message));
        }
        let resource = called(function);
        let zip = reader
            .download(&resource, &code.location, ZIP_LIMIT)
            .await?;
        let sha256 = CodeSha256::of(&zip);
        match sha256.as_str() == function.code_sha256 {
            true => Ok((key.clone(), zip)),
            false => Err(differs(function, sha256.as_str())),
        }
    });
    stream::iter(downloads)
        .buffer_unordered(DOWNLOADS_IN_FLIGHT)
        .try_collect()
        .await
}

/// As Lambda spells a version.
fn called(function: &ReleasedFunction) -> String {
    format!("{}:{}", function.name, function.version)
}

fn differs(function: &ReleasedFunction, found: &str) -> CloudError {
    let wanted = &function.code_sha256;
    refused(
        function,
        format!("its code has the SHA-256 {found}, and was released with {wanted}"),
    )
}

fn refused(function: &ReleasedFunction, message: String) -> CloudError {
    CloudError {
        service: "lambda",
        operation: "GetFunction".to_owned(),
        resource: called(function),
        kind: CloudErrorKind::Refused,
        code: None,
        message,
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::CodeLocation;
    use deployer_core::names::{FunctionName, FunctionVersion, StageIdentity};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const ZIP: &[u8] = b"zip";

    /// Versions with these bytes, by their functions' names.
    #[derive(Default)]
    struct Shelf {
        zips: BTreeMap<&'static str, (&'static [u8], u64)>,
        downloads: AtomicUsize,
    }

    impl CodeReader for Shelf {
        async fn find_code(
            &self,
            function: &FunctionName,
            version: &FunctionVersion,
        ) -> Result<Option<PublishedCode>, CloudError> {
            assert_eq!(version.as_str(), "3");
            let found = self.zips.get(function.as_str());
            Ok(found.map(|(_, bytes)| PublishedCode {
                code: FunctionCode {
                    sha256: CodeSha256::of(ZIP),
                    architecture: "arm64".into(),
                },
                bytes: *bytes,
                location: CodeLocation::new(function.as_str()),
            }))
        }

        async fn download(
            &self,
            _: &str,
            location: &CodeLocation,
            _: usize,
        ) -> Result<Arc<[u8]>, CloudError> {
            self.downloads.fetch_add(1, Ordering::Relaxed);
            Ok(self.zips[location.url()].0.into())
        }
    }

    fn release(code_sha256: &str) -> LiveRelease {
        let function = |name: &str| {
            format!(r#"{{"name":"chat-alpha-{name}","version":"3","code_sha256":"{code_sha256}"}}"#)
        };
        let text = format!(
            r#"{{"release":"0123456789abcdef","routes":{{"join":"room"}},"functions":{{"gate":{},"room":{}}},"provenance":{{"by":"me","at":"","git_revision":null}}}}"#,
            function("gate"),
            function("room")
        );
        LiveRelease {
            identity: names().identity,
            manifest: serde_json::from_str(&text).unwrap(),
            route_selection_expression: String::new(),
        }
    }

    fn names() -> Names {
        let identity = StageIdentity {
            service: "chat".into(),
            stage: "alpha".into(),
        };
        Names::new(identity, "eu-central-1")
    }

    async fn fetched(shelf: &Shelf, sha256: &str) -> Result<Artifacts, PromoteError> {
        let release = release(sha256);
        let published = published(shelf, &names(), &release.manifest).await?;
        let found = Found { release, published };
        Ok(fetch(shelf, &found).await?)
    }

    fn shelf(room: &'static [u8], bytes: u64) -> Shelf {
        Shelf {
            zips: BTreeMap::from([
                ("chat-alpha-gate", (ZIP, 3)),
                ("chat-alpha-room", (room, bytes)),
            ]),
            ..Shelf::default()
        }
    }

    #[tokio::test]
    async fn zips_come_as_they_were_released() {
        let sha256 = CodeSha256::of(ZIP);
        let artifacts = fetched(&shelf(ZIP, 3), sha256.as_str()).await.unwrap();
        assert_eq!(artifacts.len(), 2);
        assert!(artifacts.values().all(|zip| **zip == *ZIP));
    }

    #[tokio::test]
    async fn other_bytes_than_the_releases_are_refused() {
        let sha256 = CodeSha256::of(ZIP);
        let error = fetched(&shelf(b"zap", 3), sha256.as_str()).await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("lambda:GetFunction chat-alpha-room:3: its code"),
            "{error}"
        );
        // By the service's own word, nothing is fetched.
        let shelf = shelf(ZIP, 3);
        let error = fetched(&shelf, "another").await.unwrap_err().to_string();
        assert!(error.ends_with("and was released with another"), "{error}");
        assert_eq!(shelf.downloads.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_could_not_be_uploaded_is_not_fetched() {
        let bytes = u64::try_from(ZIP_LIMIT).unwrap() + 1;
        let sha256 = CodeSha256::of(ZIP);
        let error = fetched(&shelf(ZIP, bytes), sha256.as_str()).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("its zip has 52428801 bytes"), "{error}");
    }

    #[tokio::test]
    async fn every_version_that_is_gone_is_named() {
        let error = fetched(&Shelf::default(), "any").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "chat/alpha's live release needs chat-alpha-gate:3, chat-alpha-room:3, which is gone"
        );
    }
}
