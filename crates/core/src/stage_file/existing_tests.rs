//! `existing` functions and the API to adopt.

use super::{FileText, StageDefinition, read};

const SERVICE: &str = r#"
service = "chat"
[functions.join]
memory_mb = 256
[functions.room]
[routes]
join = "join"
"$default" = "room"
"#;

fn definition(service: &str, stage: &str) -> Result<StageDefinition, String> {
    let stage = format!("target = \"aws\"\n{stage}");
    read(
        "alpha",
        FileText {
            path: "stages/service.toml",
            text: service,
        },
        FileText {
            path: "stages/alpha.toml",
            text: &stage,
        },
    )
    .map_err(|problems| {
        let problems = problems.iter().map(ToString::to_string);
        problems.collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn a_function_that_exists_is_invoked_and_not_built() {
    let stage = "[functions.join]\nexisting = \"Stack-Join-1A2B:live\"\n[api]\nadopt = \"abc123\"";
    let definition = definition(SERVICE, stage).unwrap();
    let built: Vec<&str> = definition
        .functions
        .keys()
        .map(|key| key.as_str())
        .collect();
    assert_eq!(built, ["room"]);
    let join = &definition.existing[&"join".into()];
    assert_eq!(join.to_string(), "Stack-Join-1A2B:live");
    assert_eq!(definition.api.adopt, Some("abc123".into()));
}

#[test]
fn what_cant_be_said_of_a_function_that_exists_is_pointed_at() {
    let stage = "template = true\n[functions.join]\nexisting = \"what is this\"\ntimeout_seconds = 3\n[api]\nadopt = \"abc123\"";
    let service = format!("{SERVICE}[api]\nadopt = \"abc123\"\n");
    insta::assert_snapshot!(definition(&service, stage).unwrap_err());
}

#[test]
fn one_function_has_one_name() {
    let stage =
        "[functions.join]\nexisting = \"Stack-Room\"\n[functions.room]\nexisting = \"Stack-Room\"";
    let error = definition(SERVICE, stage).unwrap_err();
    assert!(
        error.contains("`join` and `room` are the same function, Stack-Room"),
        "{error}"
    );
    let versions = stage.replacen("Stack-Room", "Stack-Room:7", 1);
    assert!(definition(SERVICE, &versions).is_ok());
}

#[test]
fn a_service_may_say_it_of_all_stages() {
    let service = SERVICE.replace("memory_mb = 256", "existing = \"join\"");
    let read = definition(&service, "").unwrap();
    assert!(read.existing.contains_key(&"join".into()));
    let stage = "[functions.join]\nmemory_mb = 512";
    let error = definition(&service, stage).unwrap_err();
    assert!(error.contains("`memory_mb` can't be said of it"), "{error}");
    let other = definition(&service, "[functions.join]\nexisting = \"beta-join\"").unwrap();
    assert_eq!(other.existing[&"join".into()].to_string(), "beta-join");
}
