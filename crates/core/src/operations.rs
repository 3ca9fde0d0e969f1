//! Every call that the deployer makes, by AWS's names. The clients name their calls by
//! these alone, so that what is needed to make them ([`crate::permissions`]) can't lack one.

use serde::Serialize;

macro_rules! operations {
    ($($operation:ident: $service:literal $name:literal,)*) => {
        /// An operation of an AWS service.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[expect(missing_docs, reason = "the variants are AWS's operations")]
        pub enum Operation { $($operation,)* }

        impl Operation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$operation,)*];

            /// The service, as permissions have it: `iam`.
            pub fn service(self) -> &'static str {
                match self { $(Self::$operation => $service,)* }
            }

            /// AWS's name of it: `CreateRole`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$operation => $name,)* }
            }
        }
    };
}

operations! {
    GetCallerIdentity: "sts" "GetCallerIdentity",

    GetApis: "apigateway" "GetApis",
    GetApi: "apigateway" "GetApi",
    GetRoutes: "apigateway" "GetRoutes",
    GetRouteResponses: "apigateway" "GetRouteResponses",
    GetIntegrationResponses: "apigateway" "GetIntegrationResponses",
    GetIntegrations: "apigateway" "GetIntegrations",
    GetAuthorizers: "apigateway" "GetAuthorizers",
    GetDeployments: "apigateway" "GetDeployments",
    GetStages: "apigateway" "GetStages",
    GetStage: "apigateway" "GetStage",
    GetDeployment: "apigateway" "GetDeployment",
    GetAccount: "apigateway" "GetAccount",
    CreateApi: "apigateway" "CreateApi",
    UpdateApi: "apigateway" "UpdateApi",
    DeleteApi: "apigateway" "DeleteApi",
    CreateIntegration: "apigateway" "CreateIntegration",
    UpdateIntegration: "apigateway" "UpdateIntegration",
    DeleteIntegration: "apigateway" "DeleteIntegration",
    CreateAuthorizer: "apigateway" "CreateAuthorizer",
    UpdateAuthorizer: "apigateway" "UpdateAuthorizer",
    DeleteAuthorizer: "apigateway" "DeleteAuthorizer",
    CreateRoute: "apigateway" "CreateRoute",
    UpdateRoute: "apigateway" "UpdateRoute",
    DeleteRoute: "apigateway" "DeleteRoute",
    CreateDeployment: "apigateway" "CreateDeployment",
    DeleteDeployment: "apigateway" "DeleteDeployment",
    CreateStage: "apigateway" "CreateStage",
    UpdateStage: "apigateway" "UpdateStage",
    DeleteRouteSettings: "apigateway" "DeleteRouteSettings",
    DeleteAccessLogSettings: "apigateway" "DeleteAccessLogSettings",
    TagApi: "apigateway" "TagResource",
    UntagApi: "apigateway" "UntagResource",
    UpdateAccount: "apigateway" "UpdateAccount",

    GetAccountSettings: "lambda" "GetAccountSettings",
    ListFunctions: "lambda" "ListFunctions",
    GetFunction: "lambda" "GetFunction",
    ListVersionsByFunction: "lambda" "ListVersionsByFunction",
    CreateFunction: "lambda" "CreateFunction",
    UpdateFunctionConfiguration: "lambda" "UpdateFunctionConfiguration",
    UpdateFunctionCode: "lambda" "UpdateFunctionCode",
    PublishVersion: "lambda" "PublishVersion",
    PutFunctionConcurrency: "lambda" "PutFunctionConcurrency",
    DeleteFunctionConcurrency: "lambda" "DeleteFunctionConcurrency",
    DeleteFunction: "lambda" "DeleteFunction",
    TagFunction: "lambda" "TagResource",
    UntagFunction: "lambda" "UntagResource",
    Invoke: "lambda" "Invoke",

    GetAccountSummary: "iam" "GetAccountSummary",
    GetRole: "iam" "GetRole",
    ListRolePolicies: "iam" "ListRolePolicies",
    GetRolePolicy: "iam" "GetRolePolicy",
    ListAttachedRolePolicies: "iam" "ListAttachedRolePolicies",
    CreateRole: "iam" "CreateRole",
    UpdateAssumeRolePolicy: "iam" "UpdateAssumeRolePolicy",
    PutRolePolicy: "iam" "PutRolePolicy",
    DeleteRolePolicy: "iam" "DeleteRolePolicy",
    AttachRolePolicy: "iam" "AttachRolePolicy",
    DetachRolePolicy: "iam" "DetachRolePolicy",
    PutRolePermissionsBoundary: "iam" "PutRolePermissionsBoundary",
    DeleteRolePermissionsBoundary: "iam" "DeleteRolePermissionsBoundary",
    DeleteRole: "iam" "DeleteRole",
    TagRole: "iam" "TagRole",
    UntagRole: "iam" "UntagRole",

    DescribeLogGroups: "logs" "DescribeLogGroups",
    ListTagsOfLogGroup: "logs" "ListTagsForResource",
    DescribeLogStreams: "logs" "DescribeLogStreams",
    GetLogEvents: "logs" "GetLogEvents",
    FilterLogEvents: "logs" "FilterLogEvents",
    CreateLogGroup: "logs" "CreateLogGroup",
    PutRetentionPolicy: "logs" "PutRetentionPolicy",
    DeleteLogGroup: "logs" "DeleteLogGroup",
    CreateLogStream: "logs" "CreateLogStream",
    PutLogEvents: "logs" "PutLogEvents",
    DeleteLogStream: "logs" "DeleteLogStream",
    TagLogGroup: "logs" "TagResource",
    UntagLogGroup: "logs" "UntagResource",

    GetMetricData: "cloudwatch" "GetMetricData",

    ListTables: "dynamodb" "ListTables",
    DescribeTable: "dynamodb" "DescribeTable",
    ListTagsOfTable: "dynamodb" "ListTagsOfResource",
    DescribeTimeToLive: "dynamodb" "DescribeTimeToLive",
    DescribeContinuousBackups: "dynamodb" "DescribeContinuousBackups",
    CreateTable: "dynamodb" "CreateTable",
    UpdateTable: "dynamodb" "UpdateTable",
    UpdateTimeToLive: "dynamodb" "UpdateTimeToLive",
    UpdateContinuousBackups: "dynamodb" "UpdateContinuousBackups",
    DeleteTable: "dynamodb" "DeleteTable",
    TagTable: "dynamodb" "TagResource",
    UntagTable: "dynamodb" "UntagResource",
}
