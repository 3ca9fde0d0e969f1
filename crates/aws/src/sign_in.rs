//! Why there is no region or there are no credentials, as far as the profile tells: which
//! one it is, whether there is such a profile, and which command signs in again.
//!
//! Deliberately absent: looking for either (the SDK's chains do that).

use crate::connect::Destination;
use aws_config::profile;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::borrow::Cow;

/// A profile that uses IAM Identity Center has one of these.
const SSO_KEYS: [&str; 2] = ["sso_session", "sso_start_url"];
/// How the SDK's reasons speak of a session that has ended or was never begun.
const SSO_REASONS: [&str; 2] = ["SSO token", "sso token"];
/// How IAM Identity Center's own answers do, of profiles that use it.
const ENDED: [&str; 3] = ["Session token", "UnauthorizedException", "expired"];

/// Why there is no connection. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No region anywhere.
    #[error("no AWS region is set")]
    NoRegion,
    /// The profile that was named isn't configured.
    #[error("no AWS credentials: there is no profile `{profile}` in the AWS config files")]
    NoProfile {
        /// What it would be called.
        profile: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// Nobody has signed in, or the session has ended.
    #[error("no AWS credentials: {reason}")]
    SignedOut {
        /// The profile that signs in.
        profile: String,
        /// The SDK's words.
        reason: String,
    },
    /// No credentials, or they can't be obtained.
    #[error("no AWS credentials: {reason}")]
    NoCredentials {
        /// The SDK's words.
        reason: String,
    },
}

impl ConnectError {
    /// What to set, or to run.
    pub fn next_step(&self) -> String {
        match self {
            Self::NoRegion => {
                "set `region` in the stage file, AWS_REGION in the environment, or region in the profile (~/.aws/config); for stages without a file there is --region, too".to_owned()
            }
            Self::NoProfile { profile, known } if known.is_empty() => {
                format!("make it with `aws configure sso --profile {profile}`, or unset AWS_PROFILE (or `aws_profile` in the stage file)")
            }
            Self::NoProfile { known, .. } => {
                format!("set AWS_PROFILE (or `aws_profile` in the stage file) to one of {}", known.join(", "))
            }
            Self::SignedOut { profile, .. } => {
                format!("sign in: aws sso login --profile {profile}")
            }
            Self::NoCredentials { .. } => {
                "set AWS_PROFILE (or `aws_profile` in the stage file), sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()
            }
        }
    }
}

/// The profile that a destination leads to, as the config files have it.
struct Profile {
    name: String,
    exists: bool,
    by_sso: bool,
    known: Vec<String>,
}

/// What is known of the reason why there is no region.
pub async fn no_region(destination: &Destination) -> ConnectError {
    diagnose_region(profile_of(destination).await)
}

/// What is known of the reason why there are no credentials.
pub async fn no_credentials(destination: &Destination, reason: String) -> ConnectError {
    diagnose_credentials(profile_of(destination).await, reason)
}

fn diagnose_region(profile: Option<Profile>) -> ConnectError {
    match profile {
        Some(profile) if !profile.exists && profile.name != DEFAULT => missing(profile),
        _ => ConnectError::NoRegion,
    }
}

fn diagnose_credentials(profile: Option<Profile>, reason: String) -> ConnectError {
    match profile {
        Some(profile) if !profile.exists && profile.name != DEFAULT => missing(profile),
        Some(profile)
            if SSO_REASONS.iter().any(|it| reason.contains(it))
                || profile.by_sso && ENDED.iter().any(|it| reason.contains(it)) =>
        {
            ConnectError::SignedOut {
                profile: profile.name,
                reason,
            }
        }
        _ => ConnectError::NoCredentials { reason },
    }
}

/// The one that need not be there.
const DEFAULT: &str = "default";

fn missing(profile: Profile) -> ConnectError {
    ConnectError::NoProfile {
        profile: profile.name,
        known: profile.known,
    }
}

/// `None` where the config files can't be read, or don't count.
async fn profile_of(destination: &Destination) -> Option<Profile> {
    let Destination::Aws { profile, .. } = destination else {
        return None;
    };
    let named = profile.clone().map(Cow::Owned);
    let (fs, env) = (Fs::real(), Env::real());
    let files = EnvConfigFiles::default();
    let profiles = profile::load(&fs, &env, &files, named).await.ok()?;
    let name = profiles.selected_profile();
    let found = profiles.get_profile(name);
    let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
    known.sort();
    Some(Profile {
        name: name.to_owned(),
        exists: found.is_some(),
        by_sso: found.is_some_and(|it| SSO_KEYS.iter().any(|key| it.get(key).is_some())),
        known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, exists: bool, by_sso: bool) -> Option<Profile> {
        Some(Profile {
            name: name.to_owned(),
            exists,
            by_sso,
            known: vec!["ops".to_owned(), "work".to_owned()],
        })
    }

    #[test]
    fn a_profile_that_is_not_there_is_told_with_those_that_are() {
        for error in [
            diagnose_region(profile("wrok", false, false)),
            diagnose_credentials(profile("wrok", false, false), "x".to_owned()),
        ] {
            assert!(error.to_string().contains("no profile `wrok`"), "{error}");
            assert!(error.next_step().ends_with("one of ops, work"));
        }
    }

    #[test]
    fn who_has_no_profiles_at_all_learns_that_there_is_no_region() {
        for profile in [
            None,
            profile(DEFAULT, false, false),
            profile("work", true, false),
        ] {
            assert!(matches!(diagnose_region(profile), ConnectError::NoRegion));
        }
    }

    #[test]
    fn an_ended_session_names_the_login_command_with_its_profile() {
        let reason = "the SSO token has expired and cannot be refreshed";
        let error = diagnose_credentials(profile("work", true, true), reason.to_owned());
        assert_eq!(error.next_step(), "sign in: aws sso login --profile work");
        assert!(error.to_string().ends_with(reason));
    }

    #[test]
    fn a_profile_that_borrows_a_session_is_signed_in_by_its_own_name() {
        let reason = "failed to load the cached SSO token".to_owned();
        let error = diagnose_credentials(profile("work", true, false), reason);
        assert!(matches!(error, ConnectError::SignedOut { .. }), "{error}");
    }

    #[test]
    fn a_network_that_is_down_is_no_matter_of_signing_in() {
        let reason = "failed to lookup address information".to_owned();
        let error = diagnose_credentials(profile("work", true, true), reason);
        assert!(
            matches!(error, ConnectError::NoCredentials { .. }),
            "{error}"
        );
    }

    #[test]
    fn other_reasons_stay_as_the_sdk_has_them() {
        let error = diagnose_credentials(profile("work", true, false), "no provider".to_owned());
        assert_eq!(error.to_string(), "no AWS credentials: no provider");
    }
}
