//! What AWS's errors mostly mean here, and what to do about them: data only. The first row
//! that fits has its say, so what is special stands above what is general.
//!
//! Deliberately absent: what passes by itself ([`crate::retry`]). A row for such an error
//! says what to do when it didn't.

use super::Cause;
use crate::error::NOT_SERVED;

/// Of what we found ourselves.
const NO_CODE: &str = "";

/// How services say that the caller may not do it.
pub(super) const ACCESS_DENIED: &[&str] = &["AccessDenied", "AccessDeniedException"];
const NOT_SIGNED_WELL: &[&str] = &["InvalidSignatureException", "SignatureDoesNotMatch"];

/// A row without conditions, to be completed.
const ANY: Cause = Cause {
    name: "",
    service: "",
    operations: &[],
    codes: &[],
    message: "",
    meaning: "",
    next_step: "",
    example: "",
};

/// The table.
pub const CAUSES: &[Cause] = &[
    Cause {
        name: "expired-credentials",
        codes: &["ExpiredToken", "ExpiredTokenException", "RequestExpired"],
        meaning: "the session that these credentials belong to has ended",
        next_step: "the credentials have expired: sign in again with `aws sso login --profile NAME` (NAME is the stage's `aws_profile`, or AWS_PROFILE), or renew them",
        example: "The security token included in the request is expired",
        ..ANY
    },
    Cause {
        name: "clock-behind",
        codes: NOT_SIGNED_WELL,
        message: "Signature expired",
        meaning: "this machine's clock is more than five minutes behind",
        next_step: "set this machine's clock: AWS takes signatures for five minutes",
        example: "Signature expired: 20261123T200000Z is now earlier than 20261123T200100Z (20261123T200600Z - 5 min.)",
        ..ANY
    },
    Cause {
        name: "clock-ahead",
        codes: NOT_SIGNED_WELL,
        message: "Signature not yet current",
        meaning: "this machine's clock is more than five minutes ahead",
        next_step: "set this machine's clock: AWS takes signatures for five minutes",
        example: "Signature not yet current: 20261123T201000Z is still later than 20261123T200500Z (20261123T200000Z + 5 min.)",
        ..ANY
    },
    Cause {
        name: "credentials-not-accepted",
        codes: &[
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
        ],
        meaning: "the access key is unknown or was made inactive, the secret is another's, or the region isn't enabled for the account",
        next_step: "AWS doesn't accept these credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE and this machine's clock, and that the account has the region enabled",
        example: "The security token included in the request is invalid.",
        ..ANY
    },
    Cause {
        name: "not-signed-up",
        codes: &["OptInRequired", "SubscriptionRequiredException"],
        meaning: "the account isn't signed up for the service, or not yet",
        next_step: "finish signing the account up for AWS (a new one takes up to a day), or enable the region in the account's settings",
        example: "The AWS Access Key Id needs a subscription for the service",
        ..ANY
    },
    Cause {
        name: "no-dynamodb-in-local-cloud",
        codes: &[NOT_SERVED],
        message: "no DynamoDB of its own",
        meaning: "the stage has tables, and its local cloud wasn't told of a DynamoDB",
        next_step: "this stage has tables, or had some that may still be there: start an emulated DynamoDB (dynalite by npm, moto_server by PyPI, or DynamoDB Local) and give its address in DEPLOYER_LOCAL_DYNAMODB, e.g. http://127.0.0.1:8000, once the local cloud is down; a stage that never had any needs none with [tables.<name>] enabled = false",
        example: "the local cloud has no DynamoDB of its own",
        ..ANY
    },
    Cause {
        name: "time-to-live-changed-lately",
        service: "dynamodb",
        codes: &["ValidationException"],
        message: "modified multiple times within a fixed interval",
        meaning: "the table's time to live was changed within the last hour",
        next_step: "DynamoDB takes one change of a table's time to live an hour: run the command again later",
        example: "Time to live has been modified multiple times within a fixed interval",
        ..ANY
    },
    Cause {
        name: "account-logging-role",
        codes: ACCESS_DENIED,
        message: "::/account",
        meaning: "the stage asks for logs of API Gateway, for which the account has no role yet, and the caller may not set it",
        next_step: "logs of API Gateway need one role for the whole account: have somebody who may GET and PATCH arn:aws:apigateway:REGION::/account set it once (the deployer then leaves it alone), or remove access_logs and execution_logs",
        example: "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: apigateway:PATCH on resource: arn:aws:apigateway:eu-central-1::/account",
        ..ANY
    },
    Cause {
        name: "account-logging-role-not-created",
        codes: ACCESS_DENIED,
        message: "gateway-logs",
        meaning: "the stage asks for logs of API Gateway, for which the account has no role yet, and the caller may not create it",
        next_step: "logs of API Gateway need one role for the whole account: have somebody who may create roles set it once (the deployer then leaves it alone), or remove access_logs and execution_logs",
        example: "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/deployer-account-eu-central-1-gateway-logs",
        ..ANY
    },
    Cause {
        name: "code-location-expired",
        codes: &["AccessDenied"],
        message: "Request has expired",
        meaning: "the address that Lambda gives for a version's zip is good for ten minutes, and these are over",
        next_step: "fetching the functions' code took more than ten minutes: run the command again, nearer to the account's region if it stays so",
        example: "Request has expired",
        ..ANY
    },
    Cause {
        name: "denied-by-organisation",
        codes: ACCESS_DENIED,
        message: "explicit deny in a service control policy",
        meaning: "the organisation forbids it in this account, whatever the caller's own policies allow",
        next_step: "the organisation's service control policy denies it: ask who administers the organisation, or deploy to another account or region",
        example: "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:ap-south-1:123456789012:function:chat-alpha-room with an explicit deny in a service control policy",
        ..ANY
    },
    Cause {
        name: "denied-by-own-policy",
        codes: ACCESS_DENIED,
        message: "with an explicit deny in",
        meaning: "a policy of the caller, its boundary or the resource has a Deny, which no Allow outweighs",
        next_step: "a Deny in the policy that the message names goes before every Allow: narrow it, or deploy as somebody else",
        example: "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/chat-alpha-room with an explicit deny in an identity-based policy",
        ..ANY
    },
    Cause {
        name: "beyond-boundary",
        codes: ACCESS_DENIED,
        message: "because no permissions boundary allows",
        meaning: "the caller has a permissions boundary, which doesn't allow it",
        next_step: "allow it in the caller's permissions boundary, too: `deployer permissions STAGE` prints all that is needed",
        example: "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/chat-alpha-room because no permissions boundary allows the iam:CreateRole action",
        ..ANY
    },
    Cause {
        name: "zip-changed",
        codes: &[NO_CODE],
        message: "and was released with",
        meaning: "what was fetched isn't what the release's manifest says",
        next_step: "the zip was changed on its way, or the version isn't the release's any more: run the command again, and if it stays so, `deployer up` the stage that is promoted from",
        example: "its code has the SHA-256 a, and was released with b",
        ..ANY
    },
    Cause {
        name: "role-not-known-yet",
        service: "lambda",
        codes: &["InvalidParameterValueException"],
        message: "cannot be assumed by Lambda",
        meaning: "IAM hands a new role on within seconds, rarely a minute; waiting a minute wasn't enough",
        next_step: "IAM took unusually long to make the new role known: run the command again",
        example: "The role defined for the function cannot be assumed by Lambda.",
        ..ANY
    },
    Cause {
        name: "quota-concurrency",
        service: "lambda",
        codes: &["InvalidParameterValueException"],
        message: "UnreservedConcurrentExecution",
        meaning: "reserving takes from what all other functions share, of which some must stay: 100, or 10 in new accounts",
        next_step: "the account's concurrency is too low to reserve any: ask for a higher quota, or remove reserved_concurrency for this stage",
        example: "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].",
        ..ANY
    },
    Cause {
        name: "quota-environment",
        service: "lambda",
        codes: &["InvalidParameterValueException"],
        message: "exceeded the 4KB limit",
        meaning: "a function's variables, as JSON, are larger than 4 KB",
        next_step: "the function's variables may have 4 KB in all: shorten [functions.<name>.environment], or keep large values in SSM or Secrets Manager and read them in the function",
        example: "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.",
        ..ANY
    },
    Cause {
        name: "quota-unzipped-code",
        service: "lambda",
        codes: &["InvalidParameterValueException"],
        message: "Unzipped size must be smaller",
        meaning: "a function has more than 250 MB",
        next_step: "a function may have 250 MB unzipped: strip it (the release profile), or leave something out",
        example: "Unzipped size must be smaller than 262144000 bytes",
        ..ANY
    },
    Cause {
        name: "quota-zipped-code",
        service: "lambda",
        codes: &["RequestEntityTooLargeException"],
        meaning: "a function's zip is larger than what one request may carry, 50 MB",
        next_step: "a function's zip may have 50 MB: strip it (the release profile), or leave something out",
        example: "Request must be smaller than 70167211 bytes for the CreateFunction operation",
        ..ANY
    },
    Cause {
        name: "quota-code-storage",
        service: "lambda",
        codes: &["CodeStorageExceededException"],
        meaning: "all versions of all functions in the region have 75 GB, the quota",
        next_step: "the region's code storage (75 GB) is used up: remove versions and functions that nobody needs (`deployer list` shows stages), keep fewer releases (`keep_releases`), or ask AWS for more",
        example: "Code storage limit exceeded.",
        ..ANY
    },
    Cause {
        name: "quota-resource-policy",
        service: "lambda",
        codes: &["PolicyLengthExceededException"],
        meaning: "the permissions given on one function are longer than 20 KB",
        next_step: "a function's resource policy may have 20 KB: remove statements that others added to it",
        example: "The final policy size (20518) is bigger than the limit (20480).",
        ..ANY
    },
    Cause {
        name: "quota-roles",
        service: "iam",
        operations: &["CreateRole"],
        codes: &["LimitExceeded"],
        message: "RolesPerAccount",
        meaning: "the account has as many roles as it may, 1,000 if nobody asked for more",
        next_step: "the account's quota of roles is used up: remove roles that nobody needs (`deployer list` shows stages), or ask AWS for up to 5,000",
        example: "Cannot exceed quota for RolesPerAccount: 1000",
    },
    Cause {
        name: "quota-role-policies",
        service: "iam",
        operations: &["PutRolePolicy"],
        codes: &["LimitExceeded"],
        meaning: "the inline policies of one role have more than 10,240 characters in all",
        next_step: "a role's inline policies may have 10,240 characters: shorten [[functions.<name>.iam]], e.g. by patterns instead of lists",
        example: "Maximum policy size of 10240 bytes exceeded for role chat-alpha-room",
        ..ANY
    },
    Cause {
        name: "quota-attached-policies",
        service: "iam",
        operations: &["AttachRolePolicy"],
        codes: &["LimitExceeded"],
        meaning: "a role has as many managed policies as it may, 10 if nobody asked for more",
        next_step: "a role may have 10 managed policies: detach what somebody added, or ask AWS for more",
        example: "Cannot exceed quota for PoliciesPerRole: 10",
        ..ANY
    },
    Cause {
        name: "policy-malformed",
        service: "iam",
        codes: &["MalformedPolicyDocument"],
        meaning: "a statement of the stage file isn't one that IAM takes",
        next_step: "IAM doesn't accept the statements: mend [[functions.<name>.iam]] as the message says",
        example: "Syntax errors in policy.",
        ..ANY
    },
    Cause {
        name: "quota-apis",
        service: "apigateway",
        operations: &["CreateApi"],
        codes: &["BadRequestException", "LimitExceededException"],
        message: "Maximum number of",
        meaning: "the region has as many APIs as it may, 600, those of REST and HTTP included",
        next_step: "the region's quota of APIs is used up: remove stages that nobody needs (`deployer list`, `deployer down --expired`), or ask AWS for more",
        example: "Maximum number of APIs (600) has been reached",
    },
    Cause {
        name: "quota-in-api",
        service: "apigateway",
        codes: &["BadRequestException", "LimitExceededException"],
        message: "Maximum number of",
        meaning: "the API has as many of these as it may: 300 routes, 300 integrations, 10 authorizers, 10 stages",
        next_step: "one API may have 300 routes and integrations, 10 authorizers and 10 stages: split the service in two, or ask AWS for more",
        example: "Maximum number of Routes for this API has been reached.",
        ..ANY
    },
    Cause {
        name: "quota-tables",
        service: "dynamodb",
        codes: &["LimitExceededException"],
        meaning: "more than 500 tables of the region are changing at once, or it has as many as it may, 2,500",
        next_step: "DynamoDB's quota of tables, or of changes at once, is used up: run the command again later; if it stays so, remove tables that nobody needs or ask AWS for more",
        example: "Subscriber limit exceeded: There is a limit of 500 concurrent table operations",
        ..ANY
    },
    Cause {
        name: "quota-log-groups",
        service: "logs",
        codes: &["LimitExceededException"],
        meaning: "the region has as many log groups as it may",
        next_step: "the region's quota of log groups is used up: remove those that nobody needs (those of functions that are gone stay), or ask AWS for more",
        example: "Resource limit exceeded.",
        ..ANY
    },
    Cause {
        name: "throttled",
        codes: &[
            "TooManyRequestsException",
            "Throttling",
            "ThrottlingException",
        ],
        meaning: "others of the account make calls, too: all share API Gateway's 10 a second and Lambda's 15, and one CreateDeployment in 5 s",
        next_step: "AWS is throttling this account: run the command again in a minute",
        example: "Too Many Requests",
        ..ANY
    },
    Cause {
        name: "quota",
        codes: &[
            "LimitExceeded",
            "LimitExceededException",
            "ServiceQuotaExceededException",
        ],
        meaning: "a quota of the account is used up",
        next_step: "a quota of the account is used up: remove what is unused, or ask AWS for a higher quota",
        example: "Cannot exceed quota for PoliciesPerAccount: 1500",
        ..ANY
    },
];
