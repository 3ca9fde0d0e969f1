//! Permissions boundaries: what a role may do is what its policies and its
//! boundary both allow.

use crate::common::{ACCOUNT, LAMBDA_TRUST, World, element};

const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const LOGS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}"#;

fn policy(world: &mut World) -> String {
    let made = world.iam(
        "CreatePolicy",
        &[("PolicyName", "bounds"), ("PolicyDocument", LOGS)],
    );
    assert_eq!(made.status, 200, "{made:?}");
    element(&made.text, "Arn")
}

fn allows(world: &World, action: &str) -> bool {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/f");
    let resource = format!("arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:x");
    world.cloud.role_allows(&role, action, &resource, world.now)
}

#[test]
fn a_boundary_narrows_what_the_policies_allow_until_it_is_deleted() {
    let mut world = World::new();
    let bounds = policy(&mut world);
    let made = world.iam(
        "CreateRole",
        &[
            ("RoleName", "f"),
            ("AssumeRolePolicyDocument", LAMBDA_TRUST),
            ("PermissionsBoundary", &bounds),
        ],
    );
    assert_eq!(element(&made.text, "PermissionsBoundaryArn"), bounds);
    world.iam(
        "PutRolePolicy",
        &[
            ("RoleName", "f"),
            ("PolicyName", "all"),
            ("PolicyDocument", ALL),
        ],
    );
    assert!(allows(&world, "logs:PutLogEvents"));
    assert!(!allows(&world, "ssm:GetParameter"));
    let gone = world.iam("DeleteRolePermissionsBoundary", &[("RoleName", "f")]);
    assert_eq!(gone.status, 200, "{gone:?}");
    assert!(allows(&world, "ssm:GetParameter"));
    let got = world.iam("GetRole", &[("RoleName", "f")]);
    assert!(!got.text.contains("PermissionsBoundary"), "{}", got.text);
    world
        .iam("DeleteRolePermissionsBoundary", &[("RoleName", "f")])
        .is_failure(
            404,
            "NoSuchEntity",
            "Role f does not have a permissions boundary.",
        );
}

#[test]
fn a_policy_that_bounds_a_role_stays_and_one_that_is_not_there_bounds_none() {
    let mut world = World::new();
    let bounds = policy(&mut world);
    world.new_role("f", LAMBDA_TRUST);
    let put = [("RoleName", "f"), ("PermissionsBoundary", bounds.as_str())];
    assert_eq!(world.iam("PutRolePermissionsBoundary", &put).status, 200);
    world
        .iam("DeletePolicy", &[("PolicyArn", &bounds)])
        .is_failure(
            409,
            "DeleteConflict",
            "Cannot delete a policy attached to entities.",
        );
    // The role takes its boundary along.
    assert_eq!(world.iam("DeleteRole", &[("RoleName", "f")]).status, 200);
    let gone = world.iam("DeletePolicy", &[("PolicyArn", &bounds)]);
    assert_eq!(gone.status, 200, "{gone:?}");
    world.new_role("f", LAMBDA_TRUST);
    world.iam("PutRolePermissionsBoundary", &put).is_failure(
        404,
        "NoSuchEntity",
        &format!("Scope ARN: {bounds} does not exist or is not attachable."),
    );
    let of_aws = [
        ("RoleName", "f"),
        (
            "PermissionsBoundary",
            "arn:aws:iam::aws:policy/PowerUserAccess",
        ),
    ];
    assert_eq!(world.iam("PutRolePermissionsBoundary", &of_aws).status, 200);
}

#[test]
fn policies_are_boundaries_only() {
    let mut world = World::new();
    let bounds = policy(&mut world);
    world.new_role("f", LAMBDA_TRUST);
    world
        .iam(
            "AttachRolePolicy",
            &[("RoleName", "f"), ("PolicyArn", &bounds)],
        )
        .is_failure(
            400,
            "ValidationError",
            "The local cloud does not support attaching customer-managed policies to roles yet",
        );
    let again = [("PolicyName", "bounds"), ("PolicyDocument", LOGS)];
    world.iam("CreatePolicy", &again).is_failure(
        409,
        "EntityAlreadyExists",
        "A policy called bounds already exists. Duplicate names are not allowed.",
    );
}
