//! The temporary credentials functions sign with, remembered so that a signed
//! request tells which function's role it comes from.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::ids::Ids;

/// What one environment signs with.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
}

/// Whose credentials these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) role_arn: String,
    pub(crate) function_name: String,
}

impl Caller {
    /// The ARN AWS shows for a function's session of its role.
    pub(crate) fn session_arn(&self) -> String {
        let account = self.role_arn.split(':').nth(4).unwrap_or_default();
        let role = self.role_arn.rsplit('/').next().unwrap_or_default();
        format!(
            "arn:aws:sts::{account}:assumed-role/{role}/{}",
            self.function_name
        )
    }
}

/// All credentials of live environments; bounded by the number of processes.
#[derive(Default)]
pub(crate) struct Credentials(Mutex<HashMap<String, (Caller, Keys)>>);

impl Credentials {
    /// Makes credentials that are good until [`Credentials::revoke`].
    pub(crate) fn issue(&self, caller: Caller, ids: &Ids) -> Keys {
        let keys = Keys {
            access_key_id: ids.access_key_id(),
            secret_access_key: ids.secret(),
            session_token: ids.secret() + &ids.secret(),
        };
        self.lock()
            .insert(keys.access_key_id.clone(), (caller, keys.clone()));
        keys
    }

    /// Whose key this is; `None`: not a function's.
    pub(crate) fn caller(&self, access_key_id: &str) -> Option<Caller> {
        self.lock()
            .get(access_key_id)
            .map(|(caller, _)| caller.clone())
    }

    /// What the key's owner signs with; `None`: not a function's.
    pub(crate) fn keys(&self, access_key_id: &str) -> Option<Keys> {
        self.lock().get(access_key_id).map(|(_, keys)| keys.clone())
    }

    pub(crate) fn revoke(&self, access_key_id: &str) {
        self.lock().remove(access_key_id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Caller, Keys)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RandomIds;

    #[test]
    fn a_key_tells_the_role_until_its_environment_ends() {
        let credentials = Credentials::default();
        let caller = Caller {
            role_arn: "arn:aws:iam::000000000000:role/a/path/chat".to_owned(),
            function_name: "chat-room".to_owned(),
        };
        let keys = credentials.issue(caller.clone(), &Ids::new(Box::new(RandomIds)));
        assert_eq!(
            credentials.caller(&keys.access_key_id),
            Some(caller.clone())
        );
        assert_eq!(
            caller.session_arn(),
            "arn:aws:sts::000000000000:assumed-role/chat/chat-room"
        );
        credentials.revoke(&keys.access_key_id);
        assert_eq!(credentials.caller(&keys.access_key_id), None);
    }
}
