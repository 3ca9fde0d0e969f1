use super::{
    Document, MANAGED_POLICY_LIMIT, Permission, Purpose, Scope, makes, of_operation, of_stage,
};
use crate::names::{SERVICE_NAME_LIMIT, STAGE_NAME_LIMIT};
use crate::operations::Operation;
use crate::stage_file::{self, FileText, StageDefinition};
use std::collections::BTreeSet;

const PLAIN: &str = "service = \"chat\"\n[functions.room]\n[routes]\n\"$connect\" = \"room\"\n";

fn definition_of(service: &str, stage: &str) -> StageDefinition {
    let service = FileText {
        path: "stages/service.toml",
        text: service,
    };
    let file = FileText {
        path: "stages/alpha.toml",
        text: "target = \"aws\"\n",
    };
    stage_file::read(stage, service, file).unwrap()
}

fn scope_of(service: &str, stage: &str, region: Option<&str>) -> Scope {
    Scope::new(&definition_of(service, stage), Some("123456789012"), region)
}

fn scope(service: &str) -> Scope {
    scope_of(service, "alpha", Some("eu-central-1"))
}

fn with(more: &str) -> Scope {
    scope(&PLAIN.replace("[routes]", &format!("{more}\n[routes]")))
}

/// Those of whoever reads logs or looks after the account, too.
const EVERY: &[Purpose] = &[
    Purpose::Plan,
    Purpose::Up,
    Purpose::Rollback,
    Purpose::Down,
    Purpose::Logs,
    Purpose::Invoke,
    Purpose::Doctor,
];

fn actions(scope: &Scope, purposes: &[Purpose]) -> BTreeSet<&'static str> {
    let all = of_stage(scope, purposes);
    all.iter().map(|permission| permission.action).collect()
}

#[test]
fn a_stages_policy_names_its_own_resources_and_each_action_once() {
    let document = Document::new(&of_stage(&with(EVERYTHING), Purpose::ALL));
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    let plainly = |action: &&&str| **action != "iam:PassRole";
    let all = document.statement.iter().flat_map(|it| &it.action);
    let named: Vec<&&str> = all.filter(plainly).collect();
    let once: BTreeSet<&&str> = named.iter().copied().collect();
    assert_eq!(once.len(), named.len());
}

const EVERYTHING: &str = r#"
reserved_concurrency = 1
permissions_boundary = "arn:aws:iam::123456789012:policy/b"
tables.T = { table = "t", actions = ["GetItem"] }
[functions.given]
role_arn = "arn:aws:iam::123456789012:role/somebodys"
[tables.t]
partition_key = "pk"
on_down = "remove"
[authorizer]
function = "given"
[api_stage.access_logs]
"#;

#[test]
fn the_policy_for_plans_has_reads_only() {
    let read = |action: &str| {
        let (_, verb) = action.split_once(':').unwrap();
        ["Get", "List", "Describe", "GET"]
            .iter()
            .any(|it| verb.starts_with(it))
    };
    let all = actions(&with(EVERYTHING), &[Purpose::Plan]);
    assert!(all.iter().all(|action| read(action)), "{all:?}");
    let rest = actions(&with(EVERYTHING), &[Purpose::Rollback]);
    let writes: Vec<_> = rest
        .iter()
        .filter(|action| !read(action))
        .copied()
        .collect();
    let lease = [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DeleteLogStream",
        "logs:TagResource",
    ];
    assert_eq!(writes, [&["apigateway:PATCH"], lease.as_slice()].concat());
}

#[test]
fn what_a_stage_doesnt_have_needs_no_permission() {
    let plain = actions(&scope(PLAIN), Purpose::ALL);
    for (more, action) in [
        ("reserved_concurrency = 1", "lambda:PutFunctionConcurrency"),
        (
            "permissions_boundary = \"arn:aws:iam::123456789012:policy/b\"",
            "iam:PutRolePermissionsBoundary",
        ),
        ("[api_stage.access_logs]", "iam:AttachRolePolicy"),
        (
            "tables.T = { table = \"t\", actions = [\"GetItem\"] }\n[tables.t]\npartition_key = \"pk\"\non_down = \"remove\"",
            "dynamodb:CreateTable",
        ),
    ] {
        assert!(!plain.contains(action), "{action}");
        assert!(
            actions(&with(more), Purpose::ALL).contains(action),
            "{action}"
        );
    }
    let former = scope(PLAIN).with_tables();
    assert!(actions(&former, &[Purpose::Down]).contains("dynamodb:DeleteTable"));
}

#[test]
fn every_call_is_some_commands_and_needs_something() {
    let scope = with(EVERYTHING);
    for operation in Operation::ALL {
        let needed = of_operation(*operation, &scope, EVERY);
        let free = *operation == Operation::GetCallerIdentity;
        assert_eq!(needed.is_empty(), free, "{operation:?}");
        let made = EVERY.iter().any(|purpose| makes(*purpose, *operation));
        assert_eq!(made, !free, "{operation:?}");
        let prefix = format!("{}:", operation.service());
        let of_it = needed.iter().any(|it| it.action.starts_with(&prefix));
        assert!(of_it || free, "{operation:?}: {needed:?}");
    }
}

#[test]
fn an_unknown_account_or_region_is_any() {
    let resources = |scope: &Scope| -> Vec<String> {
        let all = of_stage(scope, Purpose::ALL);
        all.into_iter().map(|it| it.resource).collect()
    };
    let nowhere = scope_of(PLAIN, "alpha", None);
    let role = "arn:aws:iam::123456789012:role/chat-alpha-*".to_owned();
    assert!(
        resources(&nowhere).contains(&role),
        "{:?}",
        resources(&nowhere)
    );
    let china = resources(&scope_of(PLAIN, "alpha", Some("cn-north-1")));
    assert!(
        china
            .iter()
            .all(|it| it == "*" || it.starts_with("arn:aws-cn:")),
        "{china:?}"
    );
}

#[test]
fn one_policy_may_be_for_all_stages_of_a_template() {
    let region = Some("ap-southeast-1");
    let mut definition = definition_of(PLAIN, "preview");
    definition.identity.stage = "pr-*".to_owned();
    let scope = Scope::new(&definition, Some("123456789012"), region);
    let of_all = of_stage(&scope, Purpose::ALL);
    let ends = |end: &str| of_all.iter().any(|it| it.resource.ends_with(end));
    for end in [
        ":role/chat-pr-*",
        ":function:chat-pr-*-*",
        ":log-group:/deployer/chat-pr-*",
    ] {
        assert!(ends(end), "{end}: {of_all:?}");
    }
    // Also where their names are cut.
    let long = definition_of(&PLAIN.replace("chat", &"s".repeat(SERVICE_NAME_LIMIT)), "x");
    let of = |stage: &str| {
        let mut definition = long.clone();
        definition.identity.stage = stage.to_owned();
        of_stage(&Scope::new(&definition, None, region), Purpose::ALL)
    };
    let roles = |stage: &str| -> BTreeSet<String> {
        let all = of(stage).into_iter().map(|it| it.resource);
        all.filter(|it| it.contains(":role/")).collect()
    };
    let pattern = roles("pr-*");
    let prefix = pattern.first().unwrap().trim_end_matches('*').to_owned();
    assert_eq!(pattern.len(), 1, "{pattern:?}");
    let one = roles(&format!("pr-{}", "1".repeat(STAGE_NAME_LIMIT - 3)));
    assert!(one.iter().all(|role| role.starts_with(&prefix)), "{one:?}");
}

#[test]
fn a_policy_of_the_longest_names_is_within_iams_limit_or_can_be_split() {
    let names = ("s".repeat(SERVICE_NAME_LIMIT), "t".repeat(STAGE_NAME_LIMIT));
    let service = PLAIN
        .replace("chat", &names.0)
        .replace("[routes]", &format!("{EVERYTHING}[routes]"));
    let scope = scope_of(&service, &names.1, Some("ap-southeast-1"));
    let whole = Document::new(&of_stage(&scope, Purpose::ALL));
    assert!(whole.size() < 2 * MANAGED_POLICY_LIMIT, "{}", whole.size());
    let of = |documents: &[Document]| -> BTreeSet<(String, String)> {
        let statements = documents.iter().flat_map(|it| &it.statement);
        let pairs = statements.flat_map(|it| {
            let pair = |action: &&str| {
                let action = (*action).to_owned();
                it.resource
                    .iter()
                    .map(move |resource| (action.clone(), resource.clone()))
            };
            it.action.iter().flat_map(pair)
        });
        pairs.collect()
    };
    for limit in [MANAGED_POLICY_LIMIT, 2_048, 600] {
        let parts = whole.clone().split(limit);
        assert!(parts.iter().all(|part| part.size() <= limit), "{limit}");
        assert_eq!(of(&parts), of(std::slice::from_ref(&whole)), "{limit}");
    }
    // What is shortest is left as it is.
    let least = whole.clone().split(1);
    assert_eq!(of(&least), of(&[whole]));
}

#[test]
fn a_resource_that_another_covers_is_left_out() {
    let permission = |resource: &str| Permission {
        action: "apigateway:PATCH",
        resource: resource.to_owned(),
        passed_to: None,
    };
    let all = ["/apis/*", "/apis/*/stages/alpha", "/account"].map(permission);
    let document = Document::new(&BTreeSet::from(all));
    assert_eq!(document.statement[0].resource, ["/account", "/apis/*"]);
}

#[test]
fn of_functions_that_exist_it_may_be_seen_that_they_are_there_and_nothing_else() {
    let exists = "[functions.old]\nexisting = \"Stack-Old:live\"\n[routes]\nold = \"old\"";
    let scope = scope(&PLAIN.replace("[routes]", exists));
    let on_it = |purposes: &[Purpose]| -> BTreeSet<(&'static str, String)> {
        let all = of_stage(&scope, purposes).into_iter();
        all.filter_map(|it| {
            let name = it.resource.split_once(":function:")?.1.to_owned();
            name.starts_with("Stack-Old").then_some((it.action, name))
        })
        .collect()
    };
    let reads = [
        ("lambda:GetFunction", "Stack-Old".to_owned()),
        ("lambda:GetFunction", "Stack-Old:live".to_owned()),
        ("lambda:ListTags", "Stack-Old".to_owned()),
    ];
    assert_eq!(on_it(&[Purpose::Plan]), reads.clone().into());
    assert_eq!(on_it(EVERY), reads.into());
    assert_eq!(on_it(&[Purpose::Down]), BTreeSet::new());
}
