//! Resource policies: who else may invoke a function, a version or an alias. Each has a
//! policy of its own.
//!
//! Deliberately absent: function URLs, organizations, and callers of other accounts:
//! only API Gateway asks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reference::Reference;
use super::{
    Lambda, conflict, invalid_parameter, not_supported, unknown, unknown_function, validation,
};
use crate::Settings;
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::iam::policy::matches_pattern;
use crate::ids::uuid;
use crate::limits::RESOURCE_POLICY_BYTES;
use crate::wire::members::Members;
use crate::wire::rest_json::{Reply, RestRequest};

const MISSING: &str = "The resource you requested does not exist.";
const SOURCE_ARN: &str = r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)";
const INVOKE: &str = "lambda:InvokeFunction";

/// The policy of one function, version or alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ResourcePolicy {
    revision_id: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Statement {
    sid: String,
    principal: Principal,
    action: String,
    source_arn: Option<String>,
    source_account: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Principal {
    Everybody,
    Service(String),
    /// An account or somebody of one.
    Aws(String),
}

impl Principal {
    fn read(text: &str, settings: &Settings) -> Result<Self, Failure> {
        let account = |id: &str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
        match text {
            "*" => Ok(Self::Everybody),
            // Another account's existence can't be asked.
            id if account(id) => Ok(Self::Aws(format!("arn:aws:iam::{id}:root"))),
            arn if arn.starts_with("arn:") && arn.contains(&settings.account_id) => {
                Ok(Self::Aws(arn.to_owned()))
            }
            service if service.ends_with(".amazonaws.com") => Ok(Self::Service(service.to_owned())),
            _ => Err(invalid_parameter(
                "The provided principal was invalid. Please check the principal and try again.",
            )),
        }
    }

    fn show(&self) -> Value {
        match self {
            Self::Everybody => json!("*"),
            Self::Service(service) => json!({ "Service": service }),
            Self::Aws(arn) => json!({ "AWS": arn }),
        }
    }
}

impl Statement {
    fn read(members: &Members, settings: &Settings) -> Result<Self, Failure> {
        let required = |name: &str, member: &str| {
            let missing = || validation(constraints::missing(member));
            members.text(name)?.ok_or_else(missing)
        };
        let sid = required("StatementId", "statementId")?;
        constraints::length(&sid, "statementId", 1, 100).map_err(validation)?;
        let is_word = sid
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        constraints::pattern(&sid, "statementId", "([a-zA-Z0-9-_]+)", is_word)
            .map_err(validation)?;
        let action = required("Action", "action")?;
        let operation = action.strip_prefix("lambda:").unwrap_or(&action);
        let is_action = operation == "*"
            || (action != operation && operation.bytes().all(|b| b.is_ascii_alphabetic()));
        let pattern = "(lambda:[*]|lambda:[a-zA-Z]+|[*])";
        constraints::pattern(&action, "action", pattern, is_action).map_err(validation)?;
        let principal = Principal::read(&required("Principal", "principal")?, settings)?;
        for absent in [
            "EventSourceToken",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "PrincipalOrgID",
        ] {
            if members.says_something(absent) {
                return Err(not_supported(absent));
            }
        }
        let source_arn = members.text("SourceArn")?;
        if let Some(arn) = &source_arn {
            constraints::length(arn, "sourceArn", 0, 10_000).map_err(validation)?;
            constraints::pattern(arn, "sourceArn", SOURCE_ARN, is_source_arn(arn))
                .map_err(validation)?;
        }
        let source_account = members.text("SourceAccount")?;
        if let Some(account) = &source_account {
            let holds = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
            constraints::pattern(account, "sourceAccount", r"\d{12}", holds).map_err(validation)?;
        }
        Ok(Self {
            sid,
            principal,
            action,
            source_arn,
            source_account,
        })
    }

    fn show(&self, resource: &str) -> Value {
        let mut shown = json!({
            "Sid": self.sid, "Effect": "Allow", "Principal": self.principal.show(),
            "Action": self.action, "Resource": resource,
        });
        if let Some(account) = &self.source_account {
            shown["Condition"]["StringEquals"] = json!({ "AWS:SourceAccount": account });
        }
        if let Some(arn) = &self.source_arn {
            shown["Condition"]["ArnLike"] = json!({ "AWS:SourceArn": arn });
        }
        shown
    }

    /// Whether a service may invoke on behalf of something of this account.
    fn allows(&self, service: &str, source_arn: &str, settings: &Settings) -> bool {
        let whom = match &self.principal {
            Principal::Everybody => true,
            Principal::Service(named) => named == service,
            Principal::Aws(_) => false,
        };
        let of_account = |account: &String| *account == settings.account_id;
        whom && matches_pattern(&self.action, INVOKE)
            && self.source_account.as_ref().is_none_or(of_account)
            && self
                .source_arn
                .as_ref()
                .is_none_or(|pattern| matches_pattern(pattern, source_arn))
    }
}

/// An ARN whose partition, service and account are no patterns.
fn is_source_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, _, account, _] = parts.as_slice() else {
        return false;
    };
    let word = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let number = account.bytes().all(|b| b.is_ascii_digit());
    partition.starts_with("aws")
        && word(partition)
        && word(service)
        && number
        && matches!(account.len(), 0 | 12)
}

impl ResourcePolicy {
    fn show(&self, resource: &str) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(|it| it.show(resource)).collect();
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements })
    }
}

/// By what the function is called with its qualifier, e.g. `chat` or `chat:live`.
pub(super) type Policies = BTreeMap<String, ResourcePolicy>;

impl Lambda {
    /// Whether a service may invoke, by resource policy, on behalf of `source_arn`.
    pub(crate) fn lets_invoke(
        &self,
        service: &str,
        source_arn: &str,
        function_arn: &str,
        settings: &Settings,
    ) -> bool {
        let Ok(reference) = Reference::read(function_arn, None, settings) else {
            return false;
        };
        let policy = self.policies.get(&key(&reference));
        policy.is_some_and(|policy| {
            let mut statements = policy.statements.iter();
            statements.any(|it| it.allows(service, source_arn, settings))
        })
    }

    pub(super) fn add_permission(
        &mut self,
        name: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        let statement = Statement::read(&members, call.settings)?;
        let reference = self.permitted(name, request, call.settings)?;
        let resource = reference.arn(call.settings);
        let policy = self.policies.get(&key(&reference));
        check_revision(members.text("RevisionId")?.as_deref(), policy)?;
        let mut statements = policy.map(|it| it.statements.clone()).unwrap_or_default();
        if statements.iter().any(|it| it.sid == statement.sid) {
            return Err(conflict(format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, \
                 or remove the existing statement.",
                statement.sid
            )));
        }
        let shown = statement.show(&resource);
        statements.push(statement);
        let policy = ResourcePolicy {
            revision_id: uuid(call.ids),
            statements,
        };
        let size = policy.show(&resource).to_string().len();
        if size > RESOURCE_POLICY_BYTES {
            return Err(Failure::new(
                400,
                "PolicyLengthExceededException",
                format!(
                    "The final policy size ({size}) is bigger than the limit ({RESOURCE_POLICY_BYTES})."
                ),
            ));
        }
        self.policies.insert(key(&reference), policy);
        Ok(Reply::created(json!({ "Statement": shown.to_string() })))
    }

    pub(super) fn remove_permission(
        &mut self,
        name: &str,
        sid: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = self.permitted(name, request, call.settings)?;
        let Some(policy) = self.policies.get_mut(&key(&reference)) else {
            return Err(unknown(
                "No policy is associated with the given resource.".to_owned(),
            ));
        };
        let Some(at) = policy.statements.iter().position(|it| it.sid == sid) else {
            return Err(unknown(format!(
                "Statement {sid} is not found in resource policy."
            )));
        };
        check_revision(request.query("RevisionId"), Some(policy))?;
        policy.statements.remove(at);
        policy.revision_id = uuid(call.ids);
        if policy.statements.is_empty() {
            self.policies.remove(&key(&reference));
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn get_policy(
        &self,
        name: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = Reference::read(name, request.query("Qualifier"), call.settings)?;
        let missing = || unknown(MISSING.to_owned());
        let policy = self.policies.get(&key(&reference)).ok_or_else(missing)?;
        let text = policy.show(&reference.arn(call.settings)).to_string();
        let body = json!({ "Policy": text, "RevisionId": policy.revision_id });
        Ok(Reply::ok(body))
    }

    /// Forgets the policies of a function that is gone, its versions' and aliases' too.
    pub(super) fn forget_policies(&mut self, function: &str) {
        let of_function = |key: &str| key.split(':').next() == Some(function);
        self.policies.retain(|key, _| !of_function(key));
    }

    /// Forgets the policy of an alias that is gone.
    pub(super) fn forget_policy(&mut self, function: &str, alias: &str) {
        self.policies.remove(&format!("{function}:{alias}"));
    }

    /// What a permission is for; it must be there.
    fn permitted(
        &self,
        name: &str,
        request: &RestRequest,
        settings: &Settings,
    ) -> Result<Reference, Failure> {
        let reference = Reference::read(name, request.query("Qualifier"), settings)?;
        let qualifier = reference.qualifier.as_deref();
        if qualifier == Some("$LATEST") {
            return Err(invalid_parameter(
                "We currently do not support adding policies for $LATEST.",
            ));
        }
        let function = self.find(&reference, settings)?;
        match function.find(qualifier) {
            Some(_) => Ok(reference),
            None => Err(unknown_function(&reference.arn(settings))),
        }
    }
}

fn key(reference: &Reference) -> String {
    match &reference.qualifier {
        Some(qualifier) => format!("{}:{qualifier}", reference.name),
        None => reference.name.clone(),
    }
}

fn check_revision(given: Option<&str>, policy: Option<&ResourcePolicy>) -> Result<(), Failure> {
    let current = policy.map(|it| it.revision_id.as_str());
    match given {
        Some(id) if Some(id) != current => Err(Failure::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API \
             to retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}
