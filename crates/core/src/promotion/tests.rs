use super::*;
use crate::account::Account;
use crate::desired::Desired;
use crate::manifest::ManifestDraft;
use crate::names::{FunctionVersion, RouteKey};
use crate::provenance::Provenance;
use crate::stage_file::{self, FileText};

const RELEASED: &str = r#"
service = "chat"
route_selection_expression = "$request.body.do"
[functions.room]
memory_mb = 256
[functions.gate]
[routes]
"$connect" = "room"
join = "room"
[authorizer]
function = "gate"
"#;

fn definition(stage: &str, service: &str, file: &str) -> StageDefinition {
    let service = FileText {
        path: "stages/service.toml",
        text: service,
    };
    let file = FileText {
        path: "the stage's file",
        text: file,
    };
    stage_file::read(stage, service, file).expect("a legal stage")
}

fn code_of(
    definition: &StageDefinition,
    architecture: &str,
) -> BTreeMap<FunctionKey, FunctionCode> {
    let code = |key: &FunctionKey| FunctionCode {
        sha256: format!("{key}-one").as_str().into(),
        architecture: architecture.to_owned(),
    };
    let keys = definition.functions.keys();
    keys.map(|key| (key.clone(), code(key))).collect()
}

/// What `alpha` has released of a service.
fn released(service: &str) -> (LiveRelease, BTreeMap<FunctionKey, FunctionCode>) {
    let definition = definition("alpha", service, "target = \"aws\"");
    let code = code_of(&definition, "x86_64");
    let account = Account {
        caller_arn: "arn:aws:iam::123456789012:user/me".into(),
        partition: "aws".into(),
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
    };
    let provenance = Provenance {
        git_revision: Some("0123456789ab".into()),
        ..Provenance::default()
    };
    let desired = Desired::new(&definition, account, &code, provenance);
    let versions = code
        .keys()
        .map(|key| (key.clone(), FunctionVersion::new("3")))
        .collect();
    let manifest = ManifestDraft::of(&desired).complete(&versions);
    let manifest = manifest.expect("all versions are known");
    let release = LiveRelease {
        identity: definition.identity,
        route_selection_expression: manifest.route_selection_expression.clone().unwrap(),
        manifest,
    };
    (release, code)
}

fn refused(
    release: &LiveRelease,
    code: &BTreeMap<FunctionKey, FunctionCode>,
    target: &StageDefinition,
) -> Vec<String> {
    match promote(release, code, target, Some(Architecture::Arm64)) {
        Err(PromotionRefusal::Misfits(misfits)) => misfits.all,
        other => panic!("{other:?}"),
    }
}

#[test]
fn routes_are_the_releases_and_settings_are_the_targets() {
    let (release, code) = released(RELEASED);
    // The files have gone on since.
    let today = RELEASED
        .replace("do\"", "action\"")
        .replace("[functions.gate]", "[functions.gate]\n[functions.search]")
        .replace("join = \"room\"", "find = \"search\"\nenter = \"room\"")
        + "[route_settings.find]\nmetrics = true\n[route_settings.\"$connect\"]\nmetrics = true\n";
    let file = "target = \"aws\"\n[functions.room]\nmemory_mb = 1024\nenvironment = { COLOUR = \"blue\" }\n";
    let target = definition("prod", &today, file);
    let promoted = promote(&release, &code, &target, None).unwrap();
    assert_eq!(promoted.routes, release.manifest.routes);
    assert_eq!(promoted.route_selection_expression, "$request.body.do");
    let functions: Vec<&str> = promoted.functions.keys().map(FunctionKey::as_str).collect();
    assert_eq!(functions, ["gate", "room"]);
    let room = &promoted.functions[&"room".into()];
    assert_eq!(room.memory_mb, 1024);
    assert_eq!(room.environment["COLOUR"], "blue");
    let settled: Vec<&str> = promoted
        .api
        .route_settings
        .keys()
        .map(RouteKey::as_str)
        .collect();
    assert_eq!(settled, ["$connect"]);
    assert_eq!(promoted.identity, target.identity);
}

#[test]
fn every_contradiction_is_listed_at_once() {
    let (release, code) = released(RELEASED);
    let today = r#"
service = "chat"
[functions.room]
architecture = "arm64"
[functions.guard]
[routes]
"$connect" = "room"
[authorizer]
function = "guard"
"#;
    let target = definition("prod", today, "target = \"aws\"");
    assert_eq!(
        refused(&release, &code, &target),
        [
            "the release has the function `gate`, and by the files the stage has none of that name",
            "`room` was built for x86_64, and is to run on arm64",
            "[authorizer] names the function `guard`, which the release doesn't have",
        ]
    );
    let refusal = promote(&release, &code, &target, None).unwrap_err();
    assert!(refusal.to_string().starts_with(
        "the release of chat/alpha doesn't fit the file of chat/prod:\n  the release has"
    ));
    assert!(
        refusal.next_step().contains("(0123456789ab)"),
        "{}",
        refusal.next_step()
    );
}

#[test]
fn nobody_is_let_in_unasked_because_the_release_has_no_connect_route() {
    let (release, code) =
        released("service = \"chat\"\n[functions.room]\n[routes]\njoin = \"room\"\n");
    let today = "service = \"chat\"\n[functions.room]\n[routes]\n\"$connect\" = \"room\"\n[route_settings.\"$connect\"]\nauthorization = \"iam\"\n";
    let target = definition("prod", today, "target = \"aws\"");
    let misfits = refused(&release, &code, &target);
    assert_eq!(
        misfits,
        ["who may connect is decided at `$connect`, a route that the release doesn't have"]
    );
}

#[test]
fn an_authorizer_that_serves_a_route_of_the_release_is_refused() {
    let (release, code) = released(
        "service = \"chat\"\n[functions.room]\n[functions.gate]\n[routes]\n\"$connect\" = \"room\"\njoin = \"gate\"\n",
    );
    let target = definition("prod", RELEASED, "target = \"aws\"");
    let misfits = refused(&release, &code, &target);
    assert_eq!(
        misfits,
        ["[authorizer] names the function `gate`, which serves the route `join` in the release"]
    );
}

#[test]
fn routes_of_the_stages_own_file_must_be_the_releases() {
    let (release, code) = released(RELEASED);
    let today = RELEASED.replace("[routes]", "[functions.hall]\n[routes]\nhall = \"hall\"");
    let own = |routes: &str| {
        let file = format!("target = \"aws\"\n[routes]\n{routes}\n");
        definition("prod", &today, &file)
    };
    let agreeing = own("join = \"room\"");
    assert!(promote(&release, &code, &agreeing, None).is_ok());
    assert_eq!(
        refused(&release, &code, &own("join = \"hall\"\nleave = \"room\"")),
        [
            "the stage's own file sends the route `join` to `hall`, and the release sends it to `room`",
            "the stage's own file sends the route `leave` to `room`, and the release doesn't have it",
        ]
    );
}

#[test]
fn the_local_cloud_gets_what_this_machine_runs() {
    let (release, code) = released(RELEASED);
    let target = definition("local", RELEASED, "target = \"local\"");
    assert!(promote(&release, &code, &target, Some(Architecture::X86_64)).is_ok());
    assert_eq!(
        refused(&release, &code, &target),
        [
            "`gate` was built for x86_64, and is to run on arm64",
            "`room` was built for x86_64, and is to run on arm64",
        ]
    );
}

#[test]
fn what_the_deployer_didnt_build_is_no_release_and_a_target_that_has_its_own_keeps_it() {
    let theirs = RELEASED.replace(
        "[functions.room]\nmemory_mb = 256",
        "[functions.room]\nexisting = \"theirs\"",
    );
    let (release, code) = released(&theirs);
    let target = definition("prod", RELEASED, "target = \"aws\"");
    let misfits = refused(&release, &code, &target);
    assert_eq!(misfits.len(), 1, "{misfits:?}");
    assert!(misfits[0].contains("by `existing`"), "{misfits:?}");

    let own = "target = \"aws\"\n[functions.room]\nexisting = \"ours\"";
    let target = definition("prod", RELEASED, own);
    for service in [theirs.as_str(), RELEASED] {
        let (release, code) = released(service);
        let promoted = promote(&release, &code, &target, None).unwrap();
        assert_eq!(promoted.routes, release.manifest.routes);
        assert_eq!(promoted.existing[&"room".into()].to_string(), "ours");
        assert!(!promoted.functions.contains_key(&"room".into()));
    }
}
