//! IAM: roles and their policies.

use crate::common::{ACCOUNT, LAMBDA_TRUST, World, element, elements};

const MANAGED: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

fn policy(resource: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"{resource}"}}]}}"#
    )
}

fn put(world: &mut World, role: &str, name: &str, document: &str) -> crate::common::Answer {
    world.iam(
        "PutRolePolicy",
        &[
            ("RoleName", role),
            ("PolicyName", name),
            ("PolicyDocument", document),
        ],
    )
}

#[test]
fn a_role_is_shown_with_its_encoded_trust_policy() {
    let mut world = World::new();
    let made = world.iam(
        "CreateRole",
        &[
            ("RoleName", "chat"),
            ("Path", "/deployer/"),
            ("AssumeRolePolicyDocument", LAMBDA_TRUST),
            ("Description", "a <role>"),
            ("Tags.member.1.Key", "owner"),
            ("Tags.member.1.Value", "me @ you"),
        ],
    );
    assert_eq!(made.status, 200);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/deployer/chat");
    assert_eq!(element(&made.text, "Arn"), arn);
    assert_eq!(
        element(&made.text, "MaxSessionDuration"),
        "",
        "recorded: creation does not show it"
    );
    let got = world.iam("GetRole", &[("RoleName", "CHAT")]);
    assert_eq!(element(&got.text, "RoleName"), "chat");
    assert_eq!(element(&got.text, "MaxSessionDuration"), "3600");
    assert_eq!(element(&got.text, "CreateDate"), "2026-01-02T03:04:05Z");
    assert_eq!(element(&got.text, "Description"), "a &lt;role&gt;");
    assert_eq!(element(&got.text, "Value"), "me @ you");
    let document = element(&got.text, "AssumeRolePolicyDocument");
    assert!(
        document.starts_with("%7B%22Version%22%3A%222012-10-17%22"),
        "{document}"
    );
    assert_eq!(decode(&document), LAMBDA_TRUST);
    assert!(element(&got.text, "RoleId").starts_with("AROA"));
}

#[test]
fn role_names_are_unique_whatever_their_case() {
    let mut world = World::new();
    world.new_role("Chat", LAMBDA_TRUST);
    world
        .iam(
            "CreateRole",
            &[
                ("RoleName", "chat"),
                ("AssumeRolePolicyDocument", LAMBDA_TRUST),
            ],
        )
        .is_failure(
            409,
            "EntityAlreadyExists",
            "Role with name chat already exists.",
        );
}

#[test]
fn what_is_not_there_is_no_such_entity() {
    let mut world = World::new();
    let unknown = "The role with name nope cannot be found.";
    for action in [
        "GetRole",
        "DeleteRole",
        "ListRolePolicies",
        "ListAttachedRolePolicies",
        "ListRoleTags",
        "UpdateRole",
    ] {
        world
            .iam(action, &[("RoleName", "nope")])
            .is_failure(404, "NoSuchEntity", unknown);
    }
    put(&mut world, "nope", "p", &policy("*")).is_failure(404, "NoSuchEntity", unknown);
    world.new_role("chat", LAMBDA_TRUST);
    for action in ["GetRolePolicy", "DeleteRolePolicy"] {
        world
            .iam(action, &[("RoleName", "chat"), ("PolicyName", "p")])
            .is_failure(
                404,
                "NoSuchEntity",
                "The role policy with name p cannot be found.",
            );
    }
    world
        .iam(
            "DetachRolePolicy",
            &[("RoleName", "chat"), ("PolicyArn", MANAGED)],
        )
        .is_failure(
            404,
            "NoSuchEntity",
            &format!("Policy {MANAGED} was not found."),
        );
}

#[test]
fn names_numbers_and_documents_are_validated() {
    let mut world = World::new();
    let long = "n".repeat(65);
    world
        .iam("CreateRole", &[("RoleName", &long), ("AssumeRolePolicyDocument", LAMBDA_TRUST)])
        .is_failure(400, "ValidationError", &format!("1 validation error detected: Value '{long}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"));
    world
        .iam("CreateRole", &[("RoleName", "a b"), ("AssumeRolePolicyDocument", LAMBDA_TRUST)])
        .is_failure(400, "ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-");
    world
        .iam("CreateRole", &[("AssumeRolePolicyDocument", LAMBDA_TRUST)])
        .is_failure(400, "ValidationError", "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null");
    world
        .iam(
            "CreateRole",
            &[("RoleName", "chat"), ("AssumeRolePolicyDocument", "{")],
        )
        .is_failure(
            400,
            "MalformedPolicyDocument",
            "This policy contains invalid Json",
        );
    world
        .iam("CreateRole", &[("RoleName", "chat"), ("AssumeRolePolicyDocument", LAMBDA_TRUST), ("MaxSessionDuration", "3599")])
        .is_failure(400, "ValidationError", "1 validation error detected: Value '3599' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600");
    assert!(world.cloud.inventory().is_empty());
}

#[test]
fn a_role_is_deleted_after_its_policies() {
    let mut world = World::new();
    world.new_role("chat", LAMBDA_TRUST);
    assert_eq!(put(&mut world, "chat", "p", &policy("*")).status, 200);
    let role = [("RoleName", "chat")];
    let attach = [("RoleName", "chat"), ("PolicyArn", MANAGED)];
    assert_eq!(world.iam("AttachRolePolicy", &attach).status, 200);
    assert_eq!(
        world.iam("AttachRolePolicy", &attach).status,
        200,
        "twice is once"
    );
    world.iam("DeleteRole", &role).is_failure(
        409,
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    );
    assert_eq!(world.iam("DetachRolePolicy", &attach).status, 200);
    world.iam("DeleteRole", &role).is_failure(
        409,
        "DeleteConflict",
        "Cannot delete entity, must delete policies first.",
    );
    assert_eq!(
        world
            .iam(
                "DeleteRolePolicy",
                &[("RoleName", "chat"), ("PolicyName", "p")]
            )
            .status,
        200
    );
    assert_eq!(world.iam("DeleteRole", &role).status, 200);
    assert!(world.cloud.inventory().is_empty());
}

#[test]
fn inline_policies_are_replaced_read_back_and_listed() {
    let mut world = World::new();
    world.new_role("chat", LAMBDA_TRUST);
    for name in ["b", "a", "c"] {
        put(&mut world, "chat", name, &policy("*"));
    }
    let newer = policy("arn:aws:lambda:eu-central-1:123456789012:function:x%20y");
    put(&mut world, "chat", "a", &newer);
    let got = world.iam(
        "GetRolePolicy",
        &[("RoleName", "chat"), ("PolicyName", "a")],
    );
    assert_eq!(decode(&element(&got.text, "PolicyDocument")), newer);
    let first = world.iam(
        "ListRolePolicies",
        &[("RoleName", "chat"), ("MaxItems", "2")],
    );
    assert_eq!(elements(&first.text, "member"), ["a", "b"]);
    assert_eq!(element(&first.text, "IsTruncated"), "true");
    let marker = element(&first.text, "Marker");
    let rest = world.iam(
        "ListRolePolicies",
        &[("RoleName", "chat"), ("Marker", &marker)],
    );
    assert_eq!(elements(&rest.text, "member"), ["c"]);
    assert_eq!(
        (
            element(&rest.text, "IsTruncated").as_str(),
            element(&rest.text, "Marker").as_str()
        ),
        ("false", "")
    );
}

#[test]
fn inline_policies_of_a_role_have_10240_characters_together() {
    let mut world = World::new();
    world.new_role("chat", LAMBDA_TRUST);
    let large = policy(&format!(
        "arn:aws:lambda:r:a:function:{}",
        "x".repeat(6_000)
    ));
    assert_eq!(put(&mut world, "chat", "a", &large).status, 200);
    assert_eq!(
        put(&mut world, "chat", "a", &large).status,
        200,
        "replacing counts once"
    );
    put(&mut world, "chat", "b", &large).is_failure(
        409,
        "LimitExceeded",
        "Maximum policy size of 10240 bytes exceeded for role chat",
    );
}

#[test]
fn attachments_are_aws_managed_policies() {
    let mut world = World::new();
    world.new_role("chat", LAMBDA_TRUST);
    let attach = |world: &mut World, arn: &str| {
        world.iam(
            "AttachRolePolicy",
            &[("RoleName", "chat"), ("PolicyArn", arn)],
        )
    };
    attach(&mut world, "longpolicynamebutnoarn").is_failure(
        400,
        "ValidationError",
        "Invalid ARN:  Could not be parsed!",
    );
    let own = "arn:aws:iam::123456789012:policy/mine";
    attach(&mut world, own).is_failure(
        404,
        "NoSuchEntity",
        &format!("Policy {own} does not exist or is not attachable."),
    );
    attach(&mut world, MANAGED);
    let listed = world.iam("ListAttachedRolePolicies", &[("RoleName", "chat")]);
    assert_eq!(
        element(&listed.text, "PolicyName"),
        "AWSLambdaBasicExecutionRole"
    );
    assert_eq!(element(&listed.text, "PolicyArn"), MANAGED);
    let elsewhere = world.iam(
        "ListAttachedRolePolicies",
        &[("RoleName", "chat"), ("PathPrefix", "/other/")],
    );
    assert_eq!(elements(&elsewhere.text, "PolicyArn"), Vec::<String>::new());
    for n in 1..10 {
        assert_eq!(
            attach(&mut world, &format!("arn:aws:iam::aws:policy/P{n}")).status,
            200
        );
    }
    attach(&mut world, "arn:aws:iam::aws:policy/P10").is_failure(
        409,
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerRole: 10",
    );
}

#[test]
fn roles_are_listed_by_path_and_in_pages() {
    let mut world = World::new();
    for n in 0..5 {
        let name = format!("chat{n}");
        let parameters = [
            ("RoleName", name.as_str()),
            ("Path", "/deployer/chat/"),
            ("AssumeRolePolicyDocument", LAMBDA_TRUST),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", ""),
        ];
        world.iam("CreateRole", &parameters);
    }
    world.new_role("other", LAMBDA_TRUST);
    let listed = |world: &mut World, parameters: &[(&str, &str)]| {
        let answer = world.iam("ListRoles", parameters);
        assert_eq!(
            elements(&answer.text, "Tags").len(),
            0,
            "lists show no tags"
        );
        (
            elements(&answer.text, "RoleName"),
            element(&answer.text, "Marker"),
        )
    };
    assert_eq!(listed(&mut world, &[]).0.len(), 6);
    let (names, marker) = listed(
        &mut world,
        &[("PathPrefix", "/deployer/"), ("MaxItems", "3")],
    );
    assert_eq!(names, ["chat0", "chat1", "chat2"]);
    let (names, marker) = listed(
        &mut world,
        &[
            ("PathPrefix", "/deployer/"),
            ("MaxItems", "3"),
            ("Marker", &marker),
        ],
    );
    assert_eq!(
        (names, marker.as_str()),
        (vec!["chat3".to_owned(), "chat4".to_owned()], "")
    );
    world.iam("ListRoles", &[("Marker", "x")]).is_failure(
        400,
        "ValidationError",
        "Invalid Marker.",
    );
}

#[test]
fn roles_are_updated_and_tagged() {
    let mut world = World::new();
    let arn = world.new_role("chat", LAMBDA_TRUST);
    let role = ("RoleName", "chat");
    world.iam(
        "UpdateRole",
        &[role, ("Description", "d"), ("MaxSessionDuration", "7200")],
    );
    world.iam("UpdateRole", &[role]);
    let got = world.iam("GetRole", &[role]).text;
    assert_eq!(
        (
            element(&got, "Description").as_str(),
            element(&got, "MaxSessionDuration").as_str()
        ),
        ("d", "7200")
    );

    world.iam(
        "TagRole",
        &[
            role,
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", "1"),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.2.Value", "2"),
        ],
    );
    world.iam("UntagRole", &[role, ("TagKeys.member.1", "b")]);
    let tags = world.iam("ListRoleTags", &[role]).text;
    assert_eq!(
        (elements(&tags, "Key"), elements(&tags, "Value")),
        (vec!["a".to_owned()], vec!["1".to_owned()])
    );
    let aws = [
        role,
        ("Tags.member.1.Key", "aws:x"),
        ("Tags.member.1.Value", ""),
    ];
    world.iam("TagRole", &aws).is_failure(
        400,
        "InvalidInput",
        "aws: prefixed tag key names are not allowed for external use.",
    );

    let nobody = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}}"#;
    world.iam(
        "UpdateAssumeRolePolicy",
        &[role, ("PolicyDocument", nobody)],
    );
    assert_eq!(
        decode(&element(
            &world.iam("GetRole", &[role]).text,
            "AssumeRolePolicyDocument"
        )),
        nobody
    );
    assert!(
        world
            .cloud
            .may_invoke(Some(&arn), "arn:x", world.now)
            .is_err()
    );
}

#[test]
fn an_account_has_1000_roles() {
    let mut world = World::new();
    for n in 0..1000 {
        world.new_role(&format!("r{n}"), LAMBDA_TRUST);
    }
    world
        .iam(
            "CreateRole",
            &[
                ("RoleName", "more"),
                ("AssumeRolePolicyDocument", LAMBDA_TRUST),
            ],
        )
        .is_failure(
            409,
            "LimitExceeded",
            "Cannot exceed quota for RolesPerAccount: 1000",
        );
}

#[test]
fn no_role_is_in_an_instance_profile() {
    let mut world = World::new();
    let role = [("RoleName", "chat")];
    let list = "ListInstanceProfilesForRole";
    assert_eq!(world.iam(list, &role).failure().1, "NoSuchEntity");
    world.new_role("chat", LAMBDA_TRUST);
    let listed = world.iam(list, &role);
    assert!(
        listed
            .text
            .contains("<InstanceProfiles></InstanceProfiles>"),
        "{}",
        listed.text
    );
}
