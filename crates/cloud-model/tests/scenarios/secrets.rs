//! SSM parameters and Secrets Manager, and who may read them.

use cloud_model::Caller;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::{ACCOUNT, Answer, LAMBDA_TRUST, REGION, World};

fn ssm(world: &mut World, operation: &str, body: Value) -> Answer {
    world.json11("ssm", &format!("AmazonSSM.{operation}"), &body, None)
}

fn manager(world: &mut World, operation: &str, body: Value) -> Answer {
    let target = format!("secretsmanager.{operation}");
    world.json11("secretsmanager", &target, &body, None)
}

fn key(world: &mut World) {
    let body = json!({ "Name": "/chat/key", "Value": "s3cret", "Type": "SecureString" });
    let put = ssm(world, "PutParameter", body).ok();
    assert_eq!(put, json!({ "Tier": "Standard", "Version": 1 }));
}

#[test]
fn a_secure_string_is_shown_in_clear_only_with_decryption() {
    let mut world = World::new();
    key(&mut world);
    let hidden = ssm(&mut world, "GetParameter", json!({ "Name": "/chat/key" })).ok();
    assert_ne!(hidden["Parameter"]["Value"], "s3cret");
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/chat/key");
    for name in ["/chat/key", arn.as_str()] {
        let body = json!({ "Name": name, "WithDecryption": true });
        let shown = ssm(&mut world, "GetParameter", body).ok();
        let expected = json!({
            "ARN": arn,
            "DataType": "text",
            "LastModifiedDate": 1_767_323_045.678,
            "Name": "/chat/key",
            "Type": "SecureString",
            "Value": "s3cret",
            "Version": 1,
        });
        assert_eq!(shown["Parameter"], expected);
    }
}

#[test]
fn parameters_are_overwritten_on_request_only_and_are_gone_when_deleted() {
    let mut world = World::new();
    key(&mut world);
    let again = json!({ "Name": "/chat/key", "Value": "new" });
    ssm(&mut world, "PutParameter", again.clone()).is_failure(
        400,
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    );
    let mut over = again;
    over["Overwrite"] = json!(true);
    assert_eq!(ssm(&mut world, "PutParameter", over).ok()["Version"], 2);
    let name = json!({ "Name": "/chat/key" });
    ssm(&mut world, "DeleteParameter", name.clone()).ok();
    for operation in ["GetParameter", "DeleteParameter"] {
        ssm(&mut world, operation, name.clone()).is_failure(400, "ParameterNotFound", "");
    }
    let untyped = json!({ "Name": "/x", "Value": "v" });
    let (_, code, _) = ssm(&mut world, "PutParameter", untyped).failure();
    assert_eq!(code, "ValidationException");
}

#[test]
fn a_secret_has_a_current_and_a_previous_value() {
    let mut world = World::new();
    let body = json!({ "Name": "chat/key", "SecretString": "one" });
    let made = manager(&mut world, "CreateSecret", body.clone()).ok();
    let arn = made["ARN"].as_str().unwrap().to_owned();
    let prefix = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:chat/key-");
    assert_eq!(arn.strip_prefix(&prefix).unwrap().len(), 6);
    manager(&mut world, "CreateSecret", body).is_failure(
        400,
        "ResourceExistsException",
        "The operation failed because the secret chat/key already exists.",
    );
    let put = json!({ "SecretId": "chat/key", "SecretString": "two" });
    manager(&mut world, "PutSecretValue", put).ok();
    let partial = format!("{}chat/key", &prefix[..prefix.len() - "chat/key-".len()]);
    for id in ["chat/key", arn.as_str(), partial.as_str()] {
        let got = manager(&mut world, "GetSecretValue", json!({ "SecretId": id })).ok();
        assert_eq!(got["SecretString"], "two", "{id}");
        assert_eq!(got["VersionStages"], json!(["AWSCURRENT"]));
    }
    let previous = json!({ "SecretId": "chat/key", "VersionStage": "AWSPREVIOUS" });
    let got = manager(&mut world, "GetSecretValue", previous).ok();
    assert_eq!(got["SecretString"], "one");
}

#[test]
fn a_deleted_secret_lies_in_wait_for_its_window_unless_forced() {
    let mut world = World::new();
    let body = json!({ "Name": "key", "SecretString": "one" });
    manager(&mut world, "CreateSecret", body.clone()).ok();
    let delete = json!({ "SecretId": "key", "RecoveryWindowInDays": 7 });
    manager(&mut world, "DeleteSecret", delete).ok();
    let get = json!({ "SecretId": "key" });
    manager(&mut world, "GetSecretValue", get.clone()).is_failure(
        400,
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    );
    let (_, code, _) = manager(&mut world, "CreateSecret", body.clone()).failure();
    assert_eq!(code, "InvalidRequestException");
    world.wait(SignedDuration::from_hours(7 * 24));
    manager(&mut world, "CreateSecret", body).ok();
    let force = json!({ "SecretId": "key", "ForceDeleteWithoutRecovery": true });
    manager(&mut world, "DeleteSecret", force).ok();
    manager(&mut world, "GetSecretValue", get).is_failure(
        400,
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    );
}

#[test]
fn a_function_reads_exactly_what_its_role_allows() {
    let mut world = World::new();
    key(&mut world);
    let other = json!({ "Name": "/chat/other", "Value": "v", "Type": "String" });
    ssm(&mut world, "PutParameter", other).ok();
    let role_arn = world.new_role("f", LAMBDA_TRUST);
    let caller = Caller {
        role_arn,
        session_arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/f/chat"),
    };
    let get = |world: &mut World, name: &str| {
        let body = json!({ "Name": name, "WithDecryption": true });
        world.json11("ssm", "AmazonSSM.GetParameter", &body, Some(&caller))
    };
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/chat/key");
    let refused = |arn: &str| {
        format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/f/chat is not authorized to perform: \
             ssm:GetParameter on resource: {arn} because no identity-based policy allows the \
             ssm:GetParameter action"
        )
    };
    get(&mut world, "/chat/key").is_failure(400, "AccessDeniedException", &refused(&arn));
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": [arn]
    }]});
    world.iam(
        "PutRolePolicy",
        &[
            ("RoleName", "f"),
            ("PolicyName", "p"),
            ("PolicyDocument", &policy.to_string()),
        ],
    );
    assert_eq!(
        get(&mut world, "/chat/key").ok()["Parameter"]["Value"],
        "s3cret"
    );
    // Neither the others, nor whether they are there.
    for name in ["/chat/other", "/chat/absent"] {
        let (_, code, _) = get(&mut world, name).failure();
        assert_eq!(code, "AccessDeniedException", "{name}");
    }
}

#[test]
fn a_key_of_the_accounts_own_needs_a_permission_of_its_own() {
    let mut world = World::new();
    let key = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/k");
    let body = json!({ "Name": "key", "SecretString": "one", "KmsKeyId": key });
    let made = manager(&mut world, "CreateSecret", body).ok();
    let role_arn = world.new_role("f", LAMBDA_TRUST);
    let caller = Caller {
        role_arn,
        session_arn: "arn:aws:sts::1:assumed-role/f/chat".to_owned(),
    };
    let get = |world: &mut World| {
        let body = json!({ "SecretId": made["ARN"] });
        let target = "secretsmanager.GetSecretValue";
        world.json11("secretsmanager", target, &body, Some(&caller))
    };
    let allow = |world: &mut World, statements: Value| {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let put = [
            ("RoleName", "f"),
            ("PolicyName", "p"),
            ("PolicyDocument", policy.as_str()),
        ];
        world.iam("PutRolePolicy", &put);
    };
    let read = json!({
        "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": made["ARN"]
    });
    allow(&mut world, json!([read]));
    let (_, _, text) = get(&mut world).failure();
    assert!(text.contains("kms:Decrypt on resource: "), "{text}");
    let decrypt = json!({ "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key });
    allow(&mut world, json!([read, decrypt]));
    assert_eq!(get(&mut world).ok()["SecretString"], "one");
}
