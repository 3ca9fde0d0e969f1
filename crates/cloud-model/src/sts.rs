//! STS: who is calling, and sessions of roles.
//!
//! Deliberately absent: session policies, tags and chains, other accounts, federation.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::access;
use crate::call::{Call, iso_seconds};
use crate::caller::Caller;
use crate::constraints;
use crate::error::Failure;
use crate::iam::Iam;
use crate::iam::policy::Context;
use crate::ids::{session_key_id, uuid};
use crate::limits::SESSIONS;
use crate::wire::Protocol;
use crate::wire::query_xml::{Form, Xml};

const USER_ID: &str = "AIDALOCALCLOUDUSER00X";
const ASSUME_ROLE: &str = "sts:AssumeRole";
/// Seconds: the default, and the bounds.
const DURATION: i64 = 3_600;
const DURATIONS: std::ops::RangeInclusive<i64> = 900..=43_200;

/// Credentials of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub caller: Caller,
    /// What requests are signed with.
    pub secret_access_key: String,
    /// What they carry beside.
    pub session_token: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// All sessions that haven't ended, by access key id.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sts {
    sessions: BTreeMap<String, Session>,
}

impl Sts {
    /// The session of an access key id, unless it has ended.
    pub(crate) fn session(&self, access_key_id: &str, now: Timestamp) -> Option<&Session> {
        let session = self.sessions.get(access_key_id)?;
        (session.expires > now).then_some(session)
    }

    /// Serves one call.
    pub(crate) fn handle(
        &mut self,
        operation: &str,
        form: &Form,
        caller: Option<&Caller>,
        iam: &Iam,
        call: &mut Call<'_>,
    ) -> Result<Option<Xml>, Failure> {
        match operation {
            "GetCallerIdentity" => Ok(Some(identity(caller, iam, call))),
            "AssumeRole" => self.assume_role(form, caller, iam, call).map(Some),
            other => Err(Failure::not_served(&format!("STS's {other}"))),
        }
    }

    fn assume_role(
        &mut self,
        form: &Form,
        caller: Option<&Caller>,
        iam: &Iam,
        call: &mut Call<'_>,
    ) -> Result<Xml, Failure> {
        let given = |name: &str, member: &str| {
            let missing = || validation(constraints::missing(member));
            form.text(name).ok_or_else(missing)
        };
        let role_arn = given("RoleArn", "roleArn")?;
        let name = given("RoleSessionName", "roleSessionName")?;
        constraints::length(name, "roleSessionName", 2, 64).map_err(validation)?;
        let duration = match form.text("DurationSeconds").map(str::parse) {
            None => DURATION,
            Some(Ok(seconds)) if DURATIONS.contains(&seconds) => seconds,
            Some(_) => {
                let (least, most) = (DURATIONS.start(), DURATIONS.end());
                return Err(validation(format!(
                    "DurationSeconds must be between {least} and {most}"
                )));
            }
        };
        let who = arn_of(caller, call);
        if !iam.trusts_principal(role_arn, &who) {
            let text = format!(
                "User: {who} is not authorized to perform: {ASSUME_ROLE} on resource: {role_arn}"
            );
            return Err(Failure::new(403, "AccessDenied", text));
        }
        if let (true, Some(caller)) = (call.settings.enforce_iam, caller) {
            let (protocol, context) = (Protocol::Query, Context::default());
            access::require(protocol, iam, caller, ASSUME_ROLE, role_arn, &context)?;
        }
        if Some(duration) > iam.longest_session(role_arn) {
            return Err(validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                    .to_owned(),
            ));
        }
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        let account = &call.settings.account_id;
        let session = Session {
            caller: Caller {
                role_arn: role_arn.to_owned(),
                session_arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
            },
            secret_access_key: uuid(call.ids).replace('-', ""),
            session_token: uuid(call.ids).replace('-', "") + &uuid(call.ids).replace('-', ""),
            expires: call.now + SignedDuration::from_secs(duration),
        };
        let key = session_key_id(call.ids);
        let answer = Xml::default()
            .element(
                "Credentials",
                Xml::default()
                    .text("AccessKeyId", &key)
                    .text("SecretAccessKey", &session.secret_access_key)
                    .text("SessionToken", &session.session_token)
                    .text("Expiration", &iso_seconds(session.expires)),
            )
            .element(
                "AssumedRoleUser",
                Xml::default()
                    .text("AssumedRoleId", &user_id(&session.caller, iam))
                    .text("Arn", &session.caller.session_arn),
            );
        let now = call.now;
        self.sessions.retain(|_, session| session.expires > now);
        if self.sessions.len() >= SESSIONS {
            return Err(Failure::new(400, "Throttling", "Rate exceeded"));
        }
        self.sessions.insert(key, session);
        Ok(answer)
    }
}

fn identity(caller: Option<&Caller>, iam: &Iam, call: &Call<'_>) -> Xml {
    let id = caller.map_or_else(|| USER_ID.to_owned(), |caller| user_id(caller, iam));
    Xml::default()
        .text("Arn", &arn_of(caller, call))
        .text("UserId", &id)
        .text("Account", &call.settings.account_id)
}

/// `AROA…:name`
fn user_id(caller: &Caller, iam: &Iam) -> String {
    let name = caller.session_arn.rsplit('/').next().unwrap_or_default();
    let role = iam.id_of(&caller.role_arn).unwrap_or_default();
    format!("{role}:{name}")
}

fn arn_of(caller: Option<&Caller>, call: &Call<'_>) -> String {
    let account = &call.settings.account_id;
    match caller {
        Some(caller) => caller.session_arn.clone(),
        None => format!("arn:aws:iam::{account}:user/local"),
    }
}

fn validation(message: String) -> Failure {
    Failure::new(400, "ValidationError", message)
}
