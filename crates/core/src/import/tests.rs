//! APIs as CDK, Serverless and people make them.

use super::*;
use crate::api_details::{AuthorizerDetails, IntegrationDetails, RouteDetails};
use crate::observed::ApiStageState;
use crate::stage_settings::{AccessLog, ApiSettings, Rate, RouteSettings, StageSettings};

fn account() -> Account {
    Account {
        caller_arn: String::new(),
        partition: "aws".into(),
        account_id: "123456789012".into(),
        region: "eu-central-1".into(),
    }
}

fn integration(id: &str, function: &str) -> IntegrationDetails {
    let arn = format!("arn:aws:lambda:eu-central-1:123456789012:function:{function}");
    IntegrationDetails {
        integration_id: id.into(),
        integration_type: "AWS_PROXY".into(),
        uri: Some(account().invocation_uri(&arn)),
        method: Some("POST".into()),
        credentials_arn: None,
        description: None,
        connection_type: None,
        connection_id: None,
        content_handling: None,
        passthrough_behavior: None,
        payload_format_version: None,
        request_parameters: BTreeMap::new(),
        request_templates: BTreeMap::new(),
        template_selection_expression: None,
        timeout_ms: Some(29_000),
        responses: Vec::new(),
    }
}

fn route(key: &str, integration: &str) -> RouteDetails {
    RouteDetails {
        route_id: key.into(),
        route_key: key.to_owned(),
        target: Some(format!("integrations/{integration}")),
        authorization: "NONE".into(),
        authorizer_id: None,
        api_key_required: false,
        operation_name: None,
        model_selection_expression: None,
        request_models: BTreeMap::new(),
        request_parameters: BTreeMap::new(),
        route_response_selection_expression: None,
        responses: Vec::new(),
    }
}

fn stage(name: &str) -> StageDetails {
    StageDetails {
        state: ApiStageState {
            name: name.to_owned(),
            deployment_id: Some("d1".into()),
            auto_deploy: true,
            tags: BTreeMap::new(),
            settings: StageSettings::default(),
        },
        description: None,
        client_certificate_id: None,
    }
}

fn cdk() -> ApiDetails {
    let mut connect = route("$connect", "i1");
    connect.authorization = "CUSTOM".into();
    connect.authorizer_id = Some("a1".into());
    ApiDetails {
        api_id: "abc123".into(),
        name: "Chat".into(),
        protocol: "WEBSOCKET".into(),
        route_selection_expression: "$request.body.action".into(),
        settings: ApiSettings::default(),
        routes: vec![
            connect,
            route("join", "i2"),
            route("send-it", "i3"),
            route("leave", "i4"),
        ],
        integrations: vec![
            integration("i1", "ChatStack-Connect4F2A-Xy12Za"),
            integration("i2", "ChatStack-Room9B-Qw34Er"),
            integration("i3", "ChatStack-Room9B-Qw34Er"),
            integration("i4", "leaver:live"),
        ],
        authorizers: vec![AuthorizerDetails {
            authorizer_id: "a1".into(),
            name: "ChatAuthorizer".into(),
            authorizer_type: "REQUEST".into(),
            uri: integration("", "ChatStack-Auth-Ab12").uri,
            credentials_arn: None,
            identity_sources: vec!["route.request.querystring.token".into()],
        }],
        stages: vec![stage("alpha")],
        ..ApiDetails::default()
    }
}

fn imported(api: &ApiDetails, service_file: Option<&str>) -> Result<Imported, NotImportable> {
    let place = Place::Aws {
        region: None,
        profile: Some("me".into()),
    };
    import(&Request {
        api,
        stage: None,
        service: "chat",
        account: &account(),
        place: &place,
        service_file: service_file.map(|text| FileText {
            path: "stages/service.toml",
            text,
        }),
    })
}

fn said(imported: &Imported) -> String {
    let lines = |kind: &str, all: &[String]| {
        let lines = all.iter().map(|it| format!("{kind}: {it}\n"));
        lines.collect::<String>()
    };
    format!(
        "{}---\n{}---\n{}{}",
        imported.service_file.as_deref().unwrap_or("there\n"),
        imported.stage_file,
        lines("loss", &imported.losses),
        lines("note", &imported.notes)
    )
}

#[test]
fn an_api_of_cdk_becomes_files_that_name_what_is_there() {
    insta::assert_snapshot!(said(&imported(&cdk(), None).unwrap()));
}

#[test]
fn settings_are_written_and_what_cant_be_said_is_told() {
    let mut api = cdk();
    api.description = Some("Our \"chat\"".into());
    api.settings.disable_execute_api_endpoint = true;
    api.tags = BTreeMap::from([
        ("team".to_owned(), "chat".to_owned()),
        (
            "aws:cloudformation:stack-name".to_owned(),
            "ChatStack".to_owned(),
        ),
    ]);
    api.routes[1].api_key_required = true;
    api.routes[2].route_response_selection_expression = Some("$default".into());
    api.integrations[3].timeout_ms = Some(5000);
    let http = IntegrationDetails {
        integration_type: "HTTP_PROXY".into(),
        uri: Some("https://example.com".into()),
        ..integration("i5", "x")
    };
    api.integrations.push(http);
    api.integrations.push(integration("i6", "nobody"));
    api.routes.push(route("old", "i5"));
    api.routes.push(route("nothing", "none"));
    let settings = &mut api.stages[0].state.settings;
    settings.variables = BTreeMap::from([("colour".to_owned(), "blue".to_owned())]);
    settings.default_route.burst_limit = 200;
    settings.default_route.rate_limit = Rate(500.0);
    settings.access_log = Some(AccessLog {
        destination_arn: "arn:aws:logs:eu-central-1:123456789012:log-group:mine".into(),
        format: "$context.requestId".into(),
    });
    let own = RouteSettings {
        metrics: true,
        ..settings.default_route.clone()
    };
    settings.routes.insert("join".into(), own);
    api.stages.push(stage("beta"));
    insta::assert_snapshot!(said(&imported_of(&api, "alpha").unwrap()));
}

fn imported_of(api: &ApiDetails, stage: &str) -> Option<Imported> {
    let place = Place::Local { port: 9200 };
    let request = Request {
        api,
        stage: Some(stage),
        service: "chat",
        account: &account(),
        place: &place,
        service_file: None,
    };
    import(&request).ok()
}

#[test]
fn a_services_file_that_agrees_is_taken_and_one_that_doesnt_is_told() {
    let agrees = r#"
service = "chat"
[functions.hello]
[functions.room]
[functions.leave]
[functions.authorize]
[authorizer]
function = "authorize"
[routes]
"$connect" = "hello"
join = "room"
send-it = "room"
leave = "leave"
"#;
    let found = imported(&cdk(), Some(agrees)).unwrap();
    assert_eq!(found.service_file, None);
    assert!(
        found
            .stage_file
            .contains("[functions.hello]\nexisting = \"ChatStack-Connect4F2A-Xy12Za\"")
    );
    let gated = agrees
        .replace("authorize]", "gate]")
        .replace("\"authorize\"", "\"gate\"");
    let found = imported(&cdk(), Some(&gated)).unwrap();
    assert!(
        found
            .stage_file
            .contains("[functions.gate]\nexisting = \"ChatStack-Auth-Ab12\""),
        "{}",
        found.stage_file
    );
    let disagrees = agrees
        .replace("leave = \"leave\"", "leave = \"room\"\nextra = \"leave\"")
        .replace(
            "service = \"chat\"",
            "service = \"chat\"\nroute_selection_expression = \"$request.body.do\"",
        );
    insta::assert_snapshot!(imported(&cdk(), Some(&disagrees)).unwrap_err());
}

#[test]
fn what_cant_be_imported_says_why() {
    let mut said = Vec::new();
    let mut refused = |change: &dyn Fn(&mut ApiDetails)| {
        let mut api = cdk();
        change(&mut api);
        said.push(imported(&api, None).unwrap_err().to_string());
    };
    refused(&|api| api.protocol = "HTTP".into());
    refused(&|api| api.stages.clear());
    refused(&|api| api.stages.push(stage("beta")));
    refused(&|api| api.stages[0].state.name = "2nd".into());
    refused(&|api| api.routes.clear());
    refused(&|api| {
        api.tags = crate::tags::ownership(&crate::names::StageIdentity {
            service: "chat".into(),
            stage: "beta".into(),
        });
    });
    insta::assert_snapshot!(said.join("\n"));
}
