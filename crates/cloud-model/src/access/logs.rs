//! CloudWatch Logs: an action for each operation, on the group's streams; on the group
//! itself for its tags.

use super::Need;
use crate::Settings;
use crate::wire::members::Members;

pub(super) fn needs(operation: &str, members: &Members, settings: &Settings) -> Vec<Need> {
    let text = |name: &str| members.text(name).ok().flatten();
    let group_arn = |group: &str| {
        let (region, account) = (&settings.region, &settings.account_id);
        format!("arn:aws:logs:{region}:{account}:log-group:{group}")
    };
    let action = format!("logs:{operation}");
    if let Some(arn) = text("resourceArn") {
        return vec![Need::new(action, arn)];
    }
    if let Some(arns) = members.texts("logGroupIdentifiers").ok().flatten() {
        let need = |arn| Need::new(action.clone(), arn);
        return arns.into_iter().map(need).collect();
    }
    let named = text("logGroupName").or_else(|| text("logGroupIdentifier"));
    let group = named.unwrap_or_default();
    let group = group.rsplit("log-group:").next().unwrap_or_default();
    let stream = text("logStreamName").unwrap_or_default();
    // With empty names where a call is about no group or no stream, as refusals show it.
    let resource = format!("{}:log-stream:{stream}", group_arn(group));
    let mut needs = vec![Need::new(action, resource)];
    if operation == "CreateLogGroup" && members.says_something("tags") {
        needs.push(Need::new("logs:TagResource", group_arn(group)));
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_with_its_streams_but_for_its_tags() {
        let settings = crate::access::tests::settings();
        let of = |operation: &str, body: &str| {
            let members = Members::parse(body.as_bytes()).expect("an object");
            let needs = needs(operation, &members, &settings);
            let shown = needs
                .iter()
                .map(|it| format!("{} {}", it.action, it.resource));
            shown.collect::<Vec<_>>()
        };
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:";
        assert_eq!(
            of("CreateLogGroup", r#"{"logGroupName":"g","tags":{"a":"b"}}"#),
            [
                format!("logs:CreateLogGroup {arn}g:log-stream:"),
                format!("logs:TagResource {arn}g")
            ]
        );
        assert_eq!(
            of(
                "CreateLogStream",
                r#"{"logGroupName":"g","logStreamName":"s"}"#
            ),
            [format!("logs:CreateLogStream {arn}g:log-stream:s")]
        );
        assert_eq!(
            of("StartLiveTail", r#"{"logGroupIdentifiers":["a","b"]}"#),
            ["logs:StartLiveTail a", "logs:StartLiveTail b"]
        );
        assert_eq!(
            of("DescribeLogGroups", "{}"),
            [format!("logs:DescribeLogGroups {arn}:log-stream:")]
        );
    }
}
