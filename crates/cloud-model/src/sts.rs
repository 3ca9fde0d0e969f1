//! STS: who is calling. Any signed caller is the same local user.

use crate::call::Call;
use crate::error::Failure;
use crate::wire::query_xml::Xml;

const USER_ID: &str = "AIDALOCALCLOUDUSER00X";

/// Serves one call.
pub(crate) fn handle(operation: &str, call: &Call<'_>) -> Result<Option<Xml>, Failure> {
    match operation {
        "GetCallerIdentity" => {
            let account = &call.settings.account_id;
            let xml = Xml::default()
                .text("Arn", &format!("arn:aws:iam::{account}:user/local"))
                .text("UserId", USER_ID)
                .text("Account", account);
            Ok(Some(xml))
        }
        other => Err(Failure::not_served(&format!("STS's {other}"))),
    }
}
