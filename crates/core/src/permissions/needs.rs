//! Which permissions a call needs. Sources: the service authorization reference, and what
//! the services' models say of tags that come with what is made.

use crate::operations::Operation;
use serde::Serialize;

/// What a permission is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// `plan`, `status`, `history` and `list`: reads only.
    Plan,
    /// `up`.
    Up,
    /// `rollback`.
    Rollback,
    /// `down`.
    Down,
    /// `logs`: what functions and the gateway have said, which may be anybody's business
    /// or not. Nothing that deploys needs it.
    Logs,
    /// `invoke`: whoever may, speaks to the functions past the gateway. Nothing that deploys
    /// needs it.
    Invoke,
    /// `doctor`: how much of the account's quotas is used. Nothing that deploys needs it.
    Doctor,
}

impl Purpose {
    /// Those of whoever deploys.
    pub const ALL: &'static [Self] = &[Self::Plan, Self::Up, Self::Rollback, Self::Down];
}

/// Resources of a stage, by what calls are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// Lists that have no resource of their own.
    Anything,
    /// The list of APIs.
    Apis,
    /// APIs and all below them: ids aren't known before they are made.
    InApis,
    /// The API stage, of any API.
    ApiStage,
    /// Tags of APIs and their stages.
    ApiTags,
    /// API Gateway's settings of the account; of stages with its logs.
    GatewayAccount,
    /// The stage's functions, and their versions.
    Functions,
    /// Functions that aren't the stage's and that it invokes, to look at.
    Existing,
    /// The same, and their aliases or versions that are named.
    ExistingAsNamed,
    /// The stage's functions, if any is to reserve concurrency.
    Reserving,
    /// The same, if any is not to.
    NotReserving,
    /// The stage's roles.
    Roles,
    /// The same, if any is to have a boundary.
    Bounded,
    /// The same, if any is to have none.
    Unbounded,
    /// Roles that functions run as, others' included.
    RunAs,
    /// The role that API Gateway invokes functions by.
    Invoking,
    /// The account's role for API Gateway's logs; of stages with them.
    Logging,
    /// All log groups, to list them.
    LogGroups,
    /// The journal.
    Journal,
    /// The functions' log groups.
    FunctionLogs,
    /// API Gateway's log groups of this stage, those that are no longer asked for included.
    GatewayLogs,
    /// The same, of stages that ask for them.
    WantedGatewayLogs,
    /// The stage's tables, where it has any.
    Tables,
    /// All tables, to list them; where the stage has any.
    AllTables,
}

/// Actions that a call needs all of, on resources that it may be about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub by: &'static [Purpose],
    pub actions: &'static [&'static str],
    pub on: &'static [On],
    pub passed_to: Option<&'static str>,
}

const fn need(by: &'static [Purpose], actions: &'static [&'static str], on: &'static [On]) -> Need {
    Need {
        by,
        actions,
        on,
        passed_to: None,
    }
}

const fn pass(on: &'static [On], service: &'static str) -> Need {
    Need {
        by: UP,
        actions: &["iam:PassRole"],
        on,
        passed_to: Some(service),
    }
}

const ALL: &[Purpose] = Purpose::ALL;
const PLAN_UP: &[Purpose] = &[Purpose::Plan, Purpose::Up];
const DOCTOR: &[Purpose] = &[Purpose::Doctor];
const UP: &[Purpose] = &[Purpose::Up];
const DOWN: &[Purpose] = &[Purpose::Down];
const UP_DOWN: &[Purpose] = &[Purpose::Up, Purpose::Down];
const UP_ROLLBACK: &[Purpose] = &[Purpose::Up, Purpose::Rollback];
/// Whoever takes the lease.
const WRITES: &[Purpose] = &[Purpose::Up, Purpose::Rollback, Purpose::Down];

const LAMBDA: &str = "lambda.amazonaws.com";
const GATEWAY: &str = "apigateway.amazonaws.com";

const POST: &[&str] = &["apigateway:POST"];
const PATCH: &[&str] = &["apigateway:PATCH"];
const DELETE: &[&str] = &["apigateway:DELETE"];
const ROLES: &[On] = &[On::Roles, On::Logging];
const ALL_LOGS: &[On] = &[On::Journal, On::FunctionLogs, On::GatewayLogs];
const SAID: &[On] = &[On::FunctionLogs, On::GatewayLogs];
const WANTED_LOGS: &[On] = &[On::Journal, On::FunctionLogs, On::WantedGatewayLogs];

/// Shorthand: reads of every command.
macro_rules! reads {
    ($action:literal, $on:expr) => {
        const { &[need(ALL, &[$action], &[$on])] }
    };
}

/// Shorthand: writes of `up` alone.
macro_rules! writes {
    ($action:literal, $on:expr) => {
        const { &[need(UP, &[$action], &[$on])] }
    };
}

/// Shorthand: reads of the stage's roles, and of the account's where it is to be made.
macro_rules! role_reads {
    ($action:literal) => {
        const {
            &[
                need(ALL, &[$action], &[On::Roles]),
                need(PLAN_UP, &[$action], &[On::Logging]),
            ]
        }
    };
}

/// What a call needs.
pub(super) fn needs(operation: Operation) -> &'static [Need] {
    use Operation as Op;
    match operation {
        // Nobody can be kept from it.
        Op::GetCallerIdentity => &[],

        Op::GetApis => {
            const {
                &[
                    need(ALL, &["apigateway:GET"], &[On::Apis]),
                    need(DOCTOR, &["apigateway:GET"], &[On::Apis]),
                ]
            }
        }
        Op::GetApi
        | Op::GetRoutes
        | Op::GetRouteResponses
        | Op::GetIntegrations
        | Op::GetIntegrationResponses
        | Op::GetAuthorizers
        | Op::GetDeployments
        | Op::GetStages
        | Op::GetStage
        | Op::GetDeployment => reads!("apigateway:GET", On::InApis),
        Op::GetAccount => {
            const {
                &[
                    need(PLAN_UP, &["apigateway:GET"], &[On::GatewayAccount]),
                    need(DOCTOR, &["apigateway:GET"], &[On::GatewayAccount]),
                ]
            }
        }
        Op::CreateApi => const { &[need(UP, POST, &[On::Apis, On::ApiTags])] },
        Op::CreateStage => const { &[need(UP, POST, &[On::InApis, On::ApiTags])] },
        Op::CreateRoute | Op::CreateDeployment => const { &[need(UP, POST, &[On::InApis])] },
        Op::CreateIntegration | Op::CreateAuthorizer => {
            const {
                &[
                    need(UP, POST, &[On::InApis]),
                    pass(&[On::Invoking], GATEWAY),
                ]
            }
        }
        Op::UpdateApi | Op::UpdateRoute => const { &[need(UP, PATCH, &[On::InApis])] },
        Op::UpdateIntegration | Op::UpdateAuthorizer => {
            const {
                &[
                    need(UP, PATCH, &[On::InApis]),
                    pass(&[On::Invoking], GATEWAY),
                ]
            }
        }
        Op::UpdateStage => const { &[need(UP_ROLLBACK, PATCH, &[On::ApiStage])] },
        Op::DeleteApi => const { &[need(UP_DOWN, DELETE, &[On::InApis])] },
        Op::DeleteIntegration
        | Op::DeleteAuthorizer
        | Op::DeleteRoute
        | Op::DeleteDeployment
        | Op::DeleteRouteSettings
        | Op::DeleteAccessLogSettings => const { &[need(UP, DELETE, &[On::InApis])] },
        Op::TagApi => const { &[need(UP, POST, &[On::ApiTags])] },
        Op::UntagApi => const { &[need(UP, DELETE, &[On::ApiTags])] },
        Op::UpdateAccount => {
            const {
                &[
                    need(UP, PATCH, &[On::GatewayAccount]),
                    pass(&[On::Logging], GATEWAY),
                ]
            }
        }

        Op::GetAccountSettings => {
            const {
                &[need(
                    DOCTOR,
                    &["lambda:GetAccountSettings"],
                    &[On::Anything],
                )]
            }
        }
        Op::ListFunctions => reads!("lambda:ListFunctions", On::Anything),
        // Its answer has the tags of those only who may list them.
        Op::GetFunction => {
            const {
                &[
                    need(
                        ALL,
                        &["lambda:GetFunction", "lambda:ListTags"],
                        &[On::Functions],
                    ),
                    need(PLAN_UP, &["lambda:GetFunction"], &[On::ExistingAsNamed]),
                    need(PLAN_UP, &["lambda:ListTags"], &[On::Existing]),
                ]
            }
        }
        Op::ListVersionsByFunction => reads!("lambda:ListVersionsByFunction", On::Functions),
        Op::CreateFunction => {
            const {
                &[
                    need(
                        UP,
                        &["lambda:CreateFunction", "lambda:TagResource"],
                        &[On::Functions],
                    ),
                    pass(&[On::RunAs], LAMBDA),
                ]
            }
        }
        Op::UpdateFunctionConfiguration => {
            const {
                &[
                    need(
                        UP,
                        &["lambda:UpdateFunctionConfiguration"],
                        &[On::Functions],
                    ),
                    pass(&[On::RunAs], LAMBDA),
                ]
            }
        }
        Op::UpdateFunctionCode => writes!("lambda:UpdateFunctionCode", On::Functions),
        Op::PublishVersion => writes!("lambda:PublishVersion", On::Functions),
        Op::PutFunctionConcurrency => writes!("lambda:PutFunctionConcurrency", On::Reserving),
        Op::DeleteFunctionConcurrency => {
            writes!("lambda:DeleteFunctionConcurrency", On::NotReserving)
        }
        Op::DeleteFunction => {
            const { &[need(UP_DOWN, &["lambda:DeleteFunction"], &[On::Functions])] }
        }
        Op::Invoke => {
            const {
                &[need(
                    &[Purpose::Invoke],
                    &["lambda:InvokeFunction"],
                    &[On::Functions],
                )]
            }
        }
        Op::TagFunction => writes!("lambda:TagResource", On::Functions),
        Op::UntagFunction => writes!("lambda:UntagResource", On::Functions),

        Op::GetAccountSummary => {
            const { &[need(DOCTOR, &["iam:GetAccountSummary"], &[On::Anything])] }
        }
        Op::GetRole => role_reads!("iam:GetRole"),
        Op::ListRolePolicies => role_reads!("iam:ListRolePolicies"),
        Op::GetRolePolicy => role_reads!("iam:GetRolePolicy"),
        Op::ListAttachedRolePolicies => role_reads!("iam:ListAttachedRolePolicies"),
        Op::CreateRole => const { &[need(UP, &["iam:CreateRole", "iam:TagRole"], ROLES)] },
        Op::UpdateAssumeRolePolicy => const { &[need(UP, &["iam:UpdateAssumeRolePolicy"], ROLES)] },
        Op::PutRolePolicy => writes!("iam:PutRolePolicy", On::Roles),
        Op::DeleteRolePolicy => const { &[need(UP_DOWN, &["iam:DeleteRolePolicy"], &[On::Roles])] },
        Op::DetachRolePolicy => const { &[need(UP_DOWN, &["iam:DetachRolePolicy"], &[On::Roles])] },
        Op::DeleteRole => const { &[need(UP_DOWN, &["iam:DeleteRole"], &[On::Roles])] },
        Op::AttachRolePolicy => writes!("iam:AttachRolePolicy", On::Logging),
        Op::PutRolePermissionsBoundary => {
            writes!("iam:PutRolePermissionsBoundary", On::Bounded)
        }
        Op::DeleteRolePermissionsBoundary => {
            writes!("iam:DeleteRolePermissionsBoundary", On::Unbounded)
        }
        Op::TagRole => writes!("iam:TagRole", On::Roles),
        Op::UntagRole => writes!("iam:UntagRole", On::Roles),

        Op::DescribeLogGroups => reads!("logs:DescribeLogGroups", On::LogGroups),
        Op::ListTagsOfLogGroup => const { &[need(ALL, &["logs:ListTagsForResource"], ALL_LOGS)] },
        Op::DescribeLogStreams => reads!("logs:DescribeLogStreams", On::Journal),
        Op::GetLogEvents => reads!("logs:GetLogEvents", On::Journal),
        Op::FilterLogEvents => const { &[need(&[Purpose::Logs], &["logs:FilterLogEvents"], SAID)] },
        // The lease makes the journal where there is none.
        Op::CreateLogGroup => {
            const {
                &[
                    need(
                        WRITES,
                        &["logs:CreateLogGroup", "logs:TagResource"],
                        &[On::Journal],
                    ),
                    need(
                        UP,
                        &["logs:CreateLogGroup", "logs:TagResource"],
                        WANTED_LOGS,
                    ),
                ]
            }
        }
        Op::PutRetentionPolicy => {
            const {
                &[need(
                    UP,
                    &["logs:PutRetentionPolicy"],
                    &[On::FunctionLogs, On::WantedGatewayLogs],
                )]
            }
        }
        Op::DeleteLogGroup => {
            const {
                &[
                    need(
                        UP_DOWN,
                        &["logs:DeleteLogGroup"],
                        &[On::FunctionLogs, On::GatewayLogs],
                    ),
                    need(DOWN, &["logs:DeleteLogGroup"], &[On::Journal]),
                ]
            }
        }
        Op::CreateLogStream => const { &[need(WRITES, &["logs:CreateLogStream"], &[On::Journal])] },
        Op::DeleteLogStream => const { &[need(WRITES, &["logs:DeleteLogStream"], &[On::Journal])] },
        Op::PutLogEvents => writes!("logs:PutLogEvents", On::Journal),
        Op::TagLogGroup => const { &[need(UP, &["logs:TagResource"], WANTED_LOGS)] },
        Op::UntagLogGroup => const { &[need(UP, &["logs:UntagResource"], WANTED_LOGS)] },

        Op::GetMetricData => {
            const {
                &[need(
                    &[Purpose::Plan],
                    &["cloudwatch:GetMetricData"],
                    &[On::Anything],
                )]
            }
        }

        Op::ListTables => reads!("dynamodb:ListTables", On::AllTables),
        Op::DescribeTable => reads!("dynamodb:DescribeTable", On::Tables),
        Op::ListTagsOfTable => reads!("dynamodb:ListTagsOfResource", On::Tables),
        Op::DescribeTimeToLive => reads!("dynamodb:DescribeTimeToLive", On::Tables),
        Op::DescribeContinuousBackups => {
            reads!("dynamodb:DescribeContinuousBackups", On::Tables)
        }
        Op::CreateTable => {
            const {
                &[need(
                    UP,
                    &["dynamodb:CreateTable", "dynamodb:TagResource"],
                    &[On::Tables],
                )]
            }
        }
        Op::UpdateTable => writes!("dynamodb:UpdateTable", On::Tables),
        Op::UpdateTimeToLive => writes!("dynamodb:UpdateTimeToLive", On::Tables),
        Op::UpdateContinuousBackups => {
            writes!("dynamodb:UpdateContinuousBackups", On::Tables)
        }
        Op::DeleteTable => const { &[need(DOWN, &["dynamodb:DeleteTable"], &[On::Tables])] },
        Op::TagTable => writes!("dynamodb:TagResource", On::Tables),
        Op::UntagTable => writes!("dynamodb:UntagResource", On::Tables),
    }
}
