//! An account and region on AWS: whether one gets in, whether it is the one that is meant,
//! by which clock, and what room there is left.
//!
//! Sources of the numbers: the quotas pages of Lambda, IAM and API Gateway. Deliberately
//! absent: REST APIs, which share API Gateway's quota and are listed by version 1 of its API.

use super::called;
use crate::commands::run::Stage;
use crate::render::Finding;
use crate::stage::connect_to;
use deployer_aws::{Cloud, ConnectError};
use deployer_core::account::Account;
use deployer_core::stage_file::Place;
use deployer_engine::causes;
use deployer_engine::checkup::{AccountReader, Introduction, LambdaQuotas, RoleQuota};
use deployer_engine::cloud::CloudReader;
use deployer_engine::error::CloudError;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::timeout;

/// For one question.
const DEADLINE: Duration = Duration::from_secs(10);
/// Signature version 4 holds for five minutes before and after its time.
const CLOCK_LIMIT_MS: i64 = 5 * 60 * 1000;
/// From here on a clock isn't kept by anybody.
const CLOCK_WARNING_MS: i64 = 60 * 1000;
/// Executions that reservations must leave to functions without one; all, where there are
/// fewer.
const LEFT_UNRESERVED: u32 = 100;
/// HTTP, WebSocket and REST APIs of an account and region, unless raised.
const API_QUOTA: usize = 600;
/// Percent of a quota from which on it is said.
const MUCH: u64 = 80;

const SET_REGION: &str =
    "export AWS_REGION=eu-central-1, or set `region` in the stage file or in ~/.aws/config";

/// Where stages on AWS live, as their files say.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    pub region: Option<String>,
    pub profile: Option<String>,
}

/// A stage, as far as its account matters.
struct OfStage {
    name: String,
    account_id: Option<String>,
    reserved: u32,
    writes_logs: bool,
}

/// An answer, or why there is none.
type Answer<T> = Result<T, Unanswered>;

enum Unanswered {
    Refused(CloudError),
    Late,
}

/// What an account has said.
struct Facts {
    region: String,
    /// Who we are, and how far the service's clock is ahead of this machine's, in ms.
    caller: Answer<Account>,
    ahead_ms: Option<i64>,
    lambda: Answer<LambdaQuotas>,
    roles: Answer<RoleQuota>,
    apis: Answer<usize>,
    /// `None`: no stage writes API Gateway's logs.
    logging_role: Option<Answer<Option<String>>>,
}

/// Looks at an account and region by the eyes of the stages that live there.
pub async fn check(site: &Site, stages: &[&Stage]) -> Vec<Finding> {
    let names = called(stages);
    let stages: Vec<OfStage> = stages.iter().map(|stage| of_stage(stage)).collect();
    let place = Place::Aws {
        region: site.region.clone(),
        profile: site.profile.clone(),
    };
    let findings = match connect_to(&place).await {
        Err(failure) => match failure {
            crate::failure::Failure::Connect(error) => not_connected(&error, !stages.is_empty()),
            other => vec![Finding::problem(
                "credentials",
                other.to_string(),
                other.next_step(),
            )],
        },
        Ok(cloud) => {
            let with_logs = stages.iter().any(|stage| stage.writes_logs);
            judge(&facts(&cloud, with_logs).await, site, &stages)
        }
    };
    findings
        .into_iter()
        .map(|finding| match finding.stages.is_empty() {
            true => finding.of(&names),
            false => finding,
        })
        .collect()
}

fn of_stage(stage: &Stage) -> OfStage {
    let definition = &stage.definition;
    let functions = definition.functions.values();
    OfStage {
        name: stage.name.clone(),
        account_id: definition.guards.account_id.clone(),
        reserved: functions.filter_map(|it| it.reserved_concurrency).sum(),
        writes_logs: definition.api.write_logs(),
    }
}

async fn facts(cloud: &Cloud, with_logs: bool) -> Facts {
    async fn answer<T>(call: impl Future<Output = Result<T, CloudError>>) -> Answer<T> {
        match timeout(DEADLINE, call).await {
            Ok(answered) => answered.map_err(Unanswered::Refused),
            Err(_) => Err(Unanswered::Late),
        }
    }
    let introduced = async {
        let asked = Timestamp::now();
        let introduced = timeout(DEADLINE, cloud.introduce()).await;
        let Ok(Introduction { account, server_ms }) = introduced else {
            return (Err(Unanswered::Late), None);
        };
        let ahead_ms = server_ms.map(|server_ms| ahead_ms(server_ms, asked, Timestamp::now()));
        (account.map_err(Unanswered::Refused), ahead_ms)
    };
    let logging_role = async {
        match with_logs {
            true => Some(answer(cloud.find_logging_role()).await),
            false => None,
        }
    };
    let ((caller, ahead_ms), lambda, roles, apis, logging_role) = tokio::join!(
        introduced,
        answer(cloud.get_lambda_quotas()),
        answer(cloud.get_role_quota()),
        answer(cloud.count_apis()),
        logging_role
    );
    Facts {
        region: cloud.region().to_owned(),
        caller,
        ahead_ms,
        lambda,
        roles,
        apis,
        logging_role,
    }
}

/// How far a clock is ahead of ours that said this while we waited, in ms. It said whole
/// seconds: on average half a second less than it was.
fn ahead_ms(server_ms: i64, asked: Timestamp, answered: Timestamp) -> i64 {
    let ours = i64::midpoint(asked.as_millisecond(), answered.as_millisecond());
    server_ms + 500 - ours
}

/// Without credentials or a region there is no more to ask. Where no stage needs them, that
/// is no problem.
fn not_connected(error: &ConnectError, needed: bool) -> Vec<Finding> {
    let (check, remedy) = match error {
        ConnectError::NoRegion => ("region", SET_REGION.to_owned()),
        _ => ("credentials", error.next_step()),
    };
    let mut found = vec![match needed {
        true => Finding::problem(check, error.to_string(), remedy),
        false => Finding::not_checked(check, error.to_string()).with_remedy(remedy),
    }];
    let why = match error {
        ConnectError::NoRegion => "there is no region",
        _ => "there are no credentials",
    };
    if needed {
        found.extend(
            ["clock", "concurrency", "code", "roles", "APIs"]
                .map(|check| Finding::not_checked(check, why)),
        );
    }
    found
}

/// The command that gets new credentials instead of expired ones.
fn sign_in(site: &Site) -> String {
    let profile = site.profile.clone();
    let profile = profile.or_else(|| std::env::var("AWS_PROFILE").ok());
    match profile {
        Some(profile) => format!("aws sso login --profile {profile}"),
        None => "aws sso login".to_owned(),
    }
}

fn judge(facts: &Facts, site: &Site, stages: &[OfStage]) -> Vec<Finding> {
    let of = |which: &dyn Fn(&OfStage) -> bool| -> Vec<String> {
        let some = stages.iter().filter(|stage| which(stage));
        some.map(|stage| stage.name.clone()).collect()
    };
    let asking = stages.first().map_or("STAGE", |stage| stage.name.as_str());
    let mut findings = vec![credentials(&facts.caller, site)];
    let from = match (&site.region, &site.profile) {
        (Some(_), _) => "the stage file",
        (None, Some(_)) => "the environment or the profile",
        (None, None) => "the environment or the default profile",
    };
    findings.push(Finding::ok(
        "region",
        format!("{}, of {from}", facts.region),
    ));
    for stage in stages {
        findings.extend(account_id(&facts.caller, stage));
    }
    findings.push(clock(facts.ahead_ms));
    let region = &facts.region;
    let quota = |service, code, value: u64| {
        // IAM's quotas are the account's, and are asked for there.
        let region = if service == "iam" {
            "us-east-1"
        } else {
            region
        };
        format!(
            "aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} --desired-value {value} --region {region}"
        )
    };
    match &facts.lambda {
        Ok(quotas) => {
            let more = quota(
                "lambda",
                "L-B99A9384",
                1_000.max(2 * u64::from(quotas.concurrency)),
            );
            let reserved = stages.iter().map(|stage| stage.reserved).sum();
            let finding = concurrency(quotas, reserved, more);
            findings.push(finding.of(&of(&|stage| reserved == 0 || stage.reserved > 0)));
            findings.push(code(quotas));
        }
        Err(why) => {
            findings.push(unanswered("concurrency", why, asking));
            findings.push(unanswered("code", why, asking));
        }
    }
    findings.push(match &facts.roles {
        Ok(quota_of) => {
            let more = quota("iam", "L-FE177D64", 2 * u64::from(quota_of.limit));
            let found = format!("{} of {}", quota_of.roles, quota_of.limit);
            by_use(
                "roles",
                u64::from(quota_of.roles),
                u64::from(quota_of.limit),
                found,
                more,
            )
        }
        Err(why) => unanswered("roles", why, asking),
    });
    findings.push(match &facts.apis {
        Ok(count) => {
            let found = format!(
                "{count} HTTP and WebSocket APIs; with REST APIs there may be {API_QUOTA}, unless raised"
            );
            let remedy = format!("aws apigatewayv2 get-apis --region {region} shows what can go");
            by_use("APIs", *count as u64, API_QUOTA as u64, found, remedy)
        }
        Err(why) => unanswered("APIs", why, asking),
    });
    if let Some(role) = &facts.logging_role {
        let finding = match role {
            Ok(Some(arn)) => Finding::ok("logging role", arn.clone()),
            Ok(None) => Finding::ok(
                "logging role",
                "none is set by which API Gateway could write logs: the first `up` makes one",
            ),
            Err(why) => unanswered("logging role", why, asking),
        };
        findings.push(finding.of(&of(&|stage| stage.writes_logs)));
    }
    findings
}

fn credentials(caller: &Answer<Account>, site: &Site) -> Finding {
    const CHECK: &str = "credentials";
    match caller {
        Ok(account) => Finding::ok(CHECK, account.caller_arn.clone()),
        Err(Unanswered::Late) => late(CHECK),
        Err(Unanswered::Refused(error)) => {
            let expired = ["ExpiredToken", "ExpiredTokenException"];
            let remedy = match expired.iter().any(|code| error.is(code)) {
                true => sign_in(site),
                false => causes::next_step(error),
            };
            Finding::problem(CHECK, error.to_string(), remedy)
        }
    }
}

fn account_id(caller: &Answer<Account>, stage: &OfStage) -> Option<Finding> {
    const CHECK: &str = "account";
    let wanted = stage.account_id.as_ref()?;
    let finding = match caller {
        Ok(account) if account.account_id == *wanted => {
            Finding::ok(CHECK, format!("{wanted}, as the stage file says"))
        }
        Ok(account) => Finding::problem(
            CHECK,
            format!(
                "these credentials lead to {}, and the stage lives in {wanted}",
                account.account_id
            ),
            format!("set AWS_PROFILE or `aws_profile` to one of {wanted}, or mend `account_id`"),
        ),
        Err(_) => Finding::not_checked(CHECK, "nobody knows whose the credentials are"),
    };
    Some(finding.of(std::slice::from_ref(&stage.name)))
}

fn clock(ahead_ms: Option<i64>) -> Finding {
    const CHECK: &str = "clock";
    let Some(ahead_ms) = ahead_ms else {
        return Finding::not_checked(CHECK, "no answer said what time it is");
    };
    let seconds = ahead_ms.abs() / 1_000;
    let found = match (seconds, ahead_ms > 0) {
        (0 | 1, _) => "as AWS's".to_owned(),
        (_, true) => format!("{seconds} s behind AWS's"),
        (_, false) => format!("{seconds} s ahead of AWS's"),
    };
    let remedy = match cfg!(target_os = "macos") {
        true => "sudo sntp -sS time.apple.com",
        false => "sudo timedatectl set-ntp true",
    };
    match ahead_ms.abs() {
        CLOCK_LIMIT_MS.. => {
            let found = format!("{found}: signatures hold for 300 s only");
            Finding::problem(CHECK, found, remedy)
        }
        CLOCK_WARNING_MS.. => Finding::warning(CHECK, found, remedy),
        _ => Finding::ok(CHECK, found),
    }
}

/// Whether what the stages want to reserve fits. What their functions have reserved already
/// isn't known here: it is part of what somebody has.
fn concurrency(quotas: &LambdaQuotas, wanted: u32, more: String) -> Finding {
    const CHECK: &str = "concurrency";
    let LambdaQuotas {
        concurrency,
        unreserved,
        ..
    } = *quotas;
    let reserved = concurrency.saturating_sub(unreserved);
    let free = unreserved.saturating_sub(LEFT_UNRESERVED.min(concurrency));
    let found = format!("{concurrency} executions at once, {unreserved} of them unreserved");
    if wanted.saturating_sub(reserved) > free {
        let found = format!("{found}; the stages are to reserve {wanted}, and that doesn't fit");
        return Finding::problem(CHECK, found, more);
    }
    if wanted > free {
        let found = format!(
            "{found}; the stages are to reserve {wanted}, which fits only if they have most of it already"
        );
        return Finding::warning(CHECK, found, more);
    }
    match concurrency < LEFT_UNRESERVED {
        true => Finding::warning(CHECK, format!("{found}, as new accounts have"), more),
        false => Finding::ok(CHECK, found),
    }
}

fn code(quotas: &LambdaQuotas) -> Finding {
    let gigabytes = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let (used, limit) = (quotas.code_bytes, quotas.code_bytes_limit);
    let found = format!(
        "{:.1} of {:.0} GB of functions' code and versions",
        gigabytes(used),
        gigabytes(limit)
    );
    let remedy = "lower `keep_releases` and run `deployer up` again, which removes older versions";
    by_use("code", used, limit, found, remedy.to_owned())
}

fn by_use(check: &'static str, used: u64, limit: u64, found: String, remedy: String) -> Finding {
    match used.saturating_mul(100) {
        _ if used >= limit => Finding::problem(check, found, remedy),
        hundredfold if hundredfold >= limit.saturating_mul(MUCH) => {
            Finding::warning(check, found, remedy)
        }
        _ => Finding::ok(check, found),
    }
}

/// What couldn't be asked. Only who may ask less than we do learns what to be allowed.
fn unanswered(check: &'static str, why: &Unanswered, stage: &str) -> Finding {
    let error = match why {
        Unanswered::Late => return late(check),
        Unanswered::Refused(error) => error,
    };
    let Some(action) = lacking(error) else {
        let remedy = causes::next_step(error);
        return Finding::not_checked(check, error.to_string()).with_remedy(remedy);
    };
    Finding::not_checked(check, format!("that needs {action}"))
        .with_remedy(format!("deployer permissions {stage} --for doctor"))
}

/// The action that the caller may not.
fn lacking(error: &CloudError) -> Option<String> {
    let denied = ["AccessDenied", "AccessDeniedException"];
    if !denied.iter().any(|code| error.is(code)) {
        return None;
    }
    let named = error
        .message
        .split_once("is not authorized to perform: ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let known = match error.service {
        "apigateway" => "apigateway:GET".to_owned(),
        service => format!("{service}:{}", error.operation),
    };
    Some(named.map_or(known, str::to_owned))
}

fn late(check: &'static str) -> Finding {
    Finding::not_checked(check, format!("no answer in {} s", DEADLINE.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Status;
    use deployer_engine::error::CloudErrorKind;

    fn account() -> Account {
        Account {
            caller_arn: "arn:aws:iam::123456789012:user/me".to_owned(),
            partition: "aws".to_owned(),
            account_id: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
        }
    }

    fn quotas(concurrency: u32, unreserved: u32) -> LambdaQuotas {
        LambdaQuotas {
            concurrency,
            unreserved,
            code_bytes_limit: 80_530_636_800,
            code_bytes: 1 << 30,
        }
    }

    fn facts() -> Facts {
        Facts {
            region: "eu-central-1".to_owned(),
            caller: Ok(account()),
            ahead_ms: Some(300),
            lambda: Ok(quotas(1_000, 1_000)),
            roles: Ok(RoleQuota {
                roles: 12,
                limit: 1_000,
            }),
            apis: Ok(3),
            logging_role: None,
        }
    }

    fn stage(name: &str) -> OfStage {
        OfStage {
            name: name.to_owned(),
            account_id: None,
            reserved: 0,
            writes_logs: false,
        }
    }

    fn refused(service: &'static str, operation: &str, code: &str, message: &str) -> CloudError {
        CloudError {
            service,
            operation: operation.to_owned(),
            resource: String::new(),
            kind: CloudErrorKind::Refused,
            code: Some(code.to_owned()),
            message: message.to_owned(),
            request_id: None,
        }
    }

    fn of(check: &str, facts: &Facts, stages: &[OfStage]) -> Finding {
        let mut found = judge(facts, &Site::default(), stages).into_iter();
        found.find(|finding| finding.check == check).expect(check)
    }

    #[test]
    fn an_account_with_room_is_well() {
        let found = judge(&facts(), &Site::default(), &[stage("alpha")]);
        let wrong: Vec<_> = found.iter().filter(|it| it.status != Status::Ok).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(found[0].found, "arn:aws:iam::123456789012:user/me");
    }

    #[test]
    fn a_clock_is_warned_of_from_a_minute_on_and_useless_from_five() {
        let status = |ahead_ms| clock(Some(ahead_ms)).status;
        assert_eq!(status(59_999), Status::Ok);
        assert_eq!(status(-60_000), Status::Warning);
        assert_eq!(status(299_999), Status::Warning);
        assert_eq!(status(-300_000), Status::Problem);
        assert_eq!(clock(Some(70_200)).found, "70 s behind AWS's");
        assert_eq!(clock(Some(-70_200)).found, "70 s ahead of AWS's");
        assert_eq!(clock(None).status, Status::NotChecked);
    }

    #[test]
    fn an_answer_that_took_its_time_doesnt_make_the_clock_wrong() {
        let at = |ms| Timestamp::from_millisecond(ms).expect("a time");
        assert_eq!(ahead_ms(103_000, at(100_000), at(107_000)), 0);
    }

    #[test]
    fn a_stage_of_another_account_is_a_problem_of_that_stage() {
        let pinned = |name: &str, account_id: &str| OfStage {
            account_id: Some(account_id.to_owned()),
            ..stage(name)
        };
        let stages = [
            pinned("alpha", "123456789012"),
            pinned("prod", "999999999999"),
        ];
        let found = judge(&facts(), &Site::default(), &stages);
        let of_account: Vec<(&str, Status)> = found
            .iter()
            .filter(|it| it.check == "account")
            .map(|it| (it.stages[0].as_str(), it.status))
            .collect();
        assert_eq!(
            of_account,
            [("alpha", Status::Ok), ("prod", Status::Problem)]
        );
    }

    #[test]
    fn what_reservations_leave_is_counted_with_what_must_be_left() {
        let status = |wanted, quotas| concurrency(&quotas, wanted, String::new()).status;
        assert_eq!(status(0, quotas(1_000, 1_000)), Status::Ok);
        assert_eq!(status(900, quotas(1_000, 1_000)), Status::Ok);
        assert_eq!(status(901, quotas(1_000, 1_000)), Status::Problem);
        // 500 are reserved, perhaps by these.
        assert_eq!(status(401, quotas(1_000, 500)), Status::Warning);
        assert_eq!(status(901, quotas(1_000, 500)), Status::Problem);
        // A new account.
        assert_eq!(status(0, quotas(10, 10)), Status::Warning);
        assert_eq!(status(1, quotas(10, 10)), Status::Problem);
    }

    #[test]
    fn a_quota_is_warned_of_when_much_is_used() {
        let status = |used| by_use("roles", used, 1_000, String::new(), String::new()).status;
        assert_eq!(status(799), Status::Ok);
        assert_eq!(status(800), Status::Warning);
        assert_eq!(status(1_000), Status::Problem);
    }

    #[test]
    fn what_one_may_not_ask_is_not_checked_and_names_the_permission() {
        let mut facts = facts();
        let message = "User: me is not authorized to perform: iam:GetAccountSummary on resource: *";
        facts.roles = Err(Unanswered::Refused(refused(
            "iam",
            "GetAccountSummary",
            "AccessDenied",
            message,
        )));
        facts.lambda = Err(Unanswered::Refused(refused(
            "lambda",
            "GetAccountSettings",
            "AccessDeniedException",
            "no",
        )));
        facts.apis = Err(Unanswered::Late);
        let stages = [stage("alpha")];
        let finding = of("roles", &facts, &stages);
        assert_eq!(finding.status, Status::NotChecked);
        assert_eq!(finding.found, "that needs iam:GetAccountSummary");
        let remedy = "deployer permissions alpha --for doctor";
        assert_eq!(finding.remedy.as_deref(), Some(remedy));
        for check in ["concurrency", "code"] {
            let found = of(check, &facts, &stages).found;
            assert_eq!(found, "that needs lambda:GetAccountSettings");
        }
        assert_eq!(of("APIs", &facts, &stages).found, "no answer in 10 s");
    }

    #[test]
    fn expired_credentials_name_the_command_that_renews_them() {
        let site = Site {
            profile: Some("work".to_owned()),
            ..Site::default()
        };
        let login = "aws sso login --profile work";
        let expired = Unanswered::Refused(refused("sts", "GetCallerIdentity", "ExpiredToken", ""));
        assert_eq!(
            credentials(&Err(expired), &site).remedy.as_deref(),
            Some(login)
        );
        let error = ConnectError::SignedOut {
            profile: "work".to_owned(),
            reason: "the SSO token has expired".to_owned(),
        };
        let found = not_connected(&error, true);
        assert_eq!(found[0].status, Status::Problem);
        assert_eq!(
            found[0].remedy.as_deref(),
            Some("sign in: aws sso login --profile work")
        );
        assert!(found[1..].iter().all(|it| it.status == Status::NotChecked));
        // Nobody asked for AWS.
        assert_eq!(not_connected(&error, false)[0].status, Status::NotChecked);
    }

    #[test]
    fn only_stages_with_the_gateways_logs_want_its_role() {
        let mut facts = facts();
        facts.logging_role = Some(Ok(None));
        let stages = [
            stage("alpha"),
            OfStage {
                writes_logs: true,
                ..stage("prod")
            },
        ];
        let finding = of("logging role", &facts, &stages);
        assert_eq!(
            (finding.status, finding.stages),
            (Status::Ok, vec!["prod".to_owned()])
        );
    }
}
