//! `[authorizer]` in stage files, right and wrong.

use super::tests::read_on_aws;
use crate::authorizer::Authorizer;

const SERVICE: &str = r#"
service = "chat"
[functions.room]
[functions.gate]
[routes]
"$connect" = "room"
join = "room"
[authorizer]
function = "gate"
identity_sources = ["route.request.querystring.token"]
"#;

const WITHOUT: &str = r#"
service = "chat"
[functions.room]
[functions.gate]
[routes]
"$connect" = "room"
join = "room"
"#;

fn authorizer(service: &str, stage: &str) -> Option<Authorizer> {
    read_on_aws(service, stage).unwrap().api.authorizer
}

fn mistakes(service: &str, stage: &str) -> String {
    read_on_aws(service, stage).expect_err(stage)
}

fn gate(sources: &[&str]) -> Option<Authorizer> {
    Some(Authorizer {
        function: "gate".into(),
        identity_sources: sources.iter().map(|text| (*text).to_owned()).collect(),
    })
}

#[test]
fn an_authorizer_is_of_both_files_together_and_the_stage_wins_key_by_key() {
    let token = "route.request.querystring.token";
    assert_eq!(authorizer(SERVICE, ""), gate(&[token]));
    let header = "route.request.header.Authorization";
    let of_stage = format!("[authorizer]\nidentity_sources = [\"{header}\"]");
    assert_eq!(authorizer(SERVICE, &of_stage), gate(&[header]));
    assert_eq!(
        authorizer(SERVICE, "[authorizer]\nidentity_sources = []"),
        gate(&[])
    );
    assert_eq!(
        authorizer(WITHOUT, "[authorizer]\nfunction = \"gate\""),
        gate(&[])
    );
    let said = "[route_settings.\"$connect\"]\nauthorization = \"custom\"";
    assert_eq!(authorizer(SERVICE, said), gate(&[token]));
}

#[test]
fn a_stage_turns_the_authorizer_off_and_on_and_its_function_stays() {
    let off = read_on_aws(SERVICE, "[authorizer]\nenabled = false").unwrap();
    assert_eq!(off.api.authorizer, None);
    assert!(off.functions.contains_key(&"gate".into()));
    let service = format!("{SERVICE}enabled = false\n");
    assert_eq!(authorizer(&service, ""), None);
    let on = "[authorizer]\nenabled = true";
    assert!(authorizer(&service, on).is_some());
}

#[test]
fn a_function_that_nothing_asks_is_a_mistake() {
    assert_eq!(
        mistakes(WITHOUT, ""),
        "stages/service.toml:4:12: no route leads to the function `gate` (add a route for it under [routes], name it in [authorizer], or remove [functions.gate])"
    );
}

#[test]
fn the_authorizers_function_must_be_one_that_no_route_leads_to() {
    assert_eq!(
        mistakes(SERVICE, "[authorizer]\nfunction = \"gaet\""),
        "stages/alpha.toml:3:12: [authorizer] names the function `gaet`, which isn't defined (did you mean `gate`?)"
    );
    assert_eq!(
        mistakes(SERVICE, "[authorizer]\nfunction = \"room\""),
        "stages/alpha.toml:3:12: `room` is the authorizer and serves the route `$connect`, too: the two are asked and answer differently (let another function decide who may connect)"
    );
    assert_eq!(
        mistakes(
            &WITHOUT.replace("[functions.gate]\n", ""),
            "[authorizer]\nidentity_sources = []"
        ),
        "stages/alpha.toml:2:2: `authorizer.function` is missing (name the function that decides who may connect)"
    );
}

#[test]
fn it_contradicts_another_authorization_of_connect() {
    for word in ["iam", "none"] {
        let stage = format!("[route_settings.\"$connect\"]\nauthorization = \"{word}\"");
        assert_eq!(
            mistakes(SERVICE, &stage),
            "stages/alpha.toml:3:17: `$connect` has an authorizer, so its authorization is `custom` (leave it out, or turn the authorizer off with `enabled = false`)"
        );
        let off = format!("{stage}\n[authorizer]\nenabled = false");
        assert_eq!(authorizer(SERVICE, &off), None, "{word}");
    }
    let service = format!("{SERVICE}[route_settings.\"$connect\"]\nauthorization = \"iam\"\n");
    let text = mistakes(&service, "");
    assert!(text.starts_with("stages/service.toml:12:17: "), "{text}");
    let custom = "[route_settings.\"$connect\"]\nauthorization = \"custom\"";
    let off = format!("{custom}\n[authorizer]\nenabled = false");
    assert_eq!(
        mistakes(SERVICE, &off),
        "stages/alpha.toml:3:17: the authorization of `$connect` is `custom`, but no authorizer is on (set up [authorizer], or leave it out)"
    );
    let elsewhere = "[route_settings.join]\nauthorization = \"custom\"";
    let text = mistakes(SERVICE, elsewhere);
    assert!(text.contains("not at the route `join`"), "{text}");
}

#[test]
fn identity_sources_have_legal_forms_and_can_be_there() {
    let stage = "[authorizer]\nidentity_sources = [\"route.request.querystring.token\", \"method.request.header.Auth\"]";
    assert_eq!(
        mistakes(SERVICE, stage),
        "stages/alpha.toml:3:56: `method.request.header.Auth` is no identity source of a WebSocket API (write route.request.header.<name>, route.request.querystring.<name>, context.<variable> or stageVariables.<name>)"
    );
    let variable = "[authorizer]\nidentity_sources = [\"stageVariables.realm\"]";
    assert_eq!(
        mistakes(SERVICE, variable),
        "stages/alpha.toml:3:20: nobody could connect: the stage has no variable `realm`, which is an identity source (set it under [api_stage] variables, or remove the source)"
    );
    let set = format!("{variable}\n[api_stage]\nvariables = {{ realm = \"r\" }}");
    assert_eq!(authorizer(SERVICE, &set), gate(&["stageVariables.realm"]));
}

#[test]
fn without_the_route_there_is_nothing_to_decide() {
    let service = SERVICE.replace("\"$connect\" = \"room\"\n", "");
    assert_eq!(
        mistakes(&service, ""),
        "stages/service.toml:7:2: an authorizer is asked at `$connect`, and no function serves that route (add \"$connect\" under [routes])"
    );
    let off = "[authorizer]\nenabled = false";
    assert_eq!(authorizer(&service, off), None);
}
