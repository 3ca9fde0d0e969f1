//! IAM: an action for each operation, on the role or the policy.

use super::Need;
use crate::Settings;
use crate::iam::Iam;
use crate::iam::policy::Context;
use crate::wire::query_xml::Form;

pub(super) fn needs(form: &Form, roles: &Iam, settings: &Settings) -> Vec<Need> {
    let Some(operation) = form.text("Action") else {
        return Vec::new();
    };
    let of_account = |kind: &str, path: &str, name: &str| {
        format!("arn:aws:iam::{}:{kind}{path}{name}", settings.account_id)
    };
    let path = form.text("Path").unwrap_or("/");
    let resource = match (form.text("RoleName"), operation) {
        (Some(name), "CreateRole") => of_account("role", path, name),
        (Some(name), _) => roles
            .arn_of(name)
            .unwrap_or_else(|| of_account("role", "/", name)),
        (None, "CreatePolicy") => {
            of_account("policy", path, form.text("PolicyName").unwrap_or_default())
        }
        (None, "ListRoles") => of_account("role", form.text("PathPrefix").unwrap_or("/"), ""),
        (None, _) => form.text("PolicyArn").unwrap_or("*").to_owned(),
    };
    let mut context = Context::default();
    if let Some(boundary) = form.text("PermissionsBoundary") {
        context = context.with("iam:PermissionsBoundary", boundary);
    }
    if let (true, Some(policy)) = (operation.ends_with("RolePolicy"), form.text("PolicyArn")) {
        context = context.with("iam:PolicyARN", policy);
    }
    let mut needs = vec![Need {
        context,
        ..Need::new(format!("iam:{operation}"), resource.clone())
    }];
    if operation == "CreateRole" && !form.pairs("Tags").is_empty() {
        needs.push(Need::new("iam:TagRole", resource));
    }
    needs
}
