//! What a stage's functions and its API have done in the last hour, by CloudWatch's
//! metrics, and the last error that a function has logged.
//!
//! Metric names, namespaces and dimensions: Lambda's developer guide ("Types of metrics
//! for Lambda functions") and API Gateway's ("Monitor WebSocket API execution with
//! CloudWatch metrics"). Deliberately absent: connections open now, which AWS publishes
//! nowhere: connects less disconnects is no count.

use crate::error::CloudError;
use crate::logs::{LogEvent, LogPage};
use deployer_core::names::{ApiId, FunctionName, LogGroupName};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is looked back at, in seconds.
pub const HOUR: i64 = 3_600;
/// The period of sums, in seconds: whatever a period begins with, minutes are whole.
const MINUTE: i64 = 60;
/// Metrics of one call (AWS's quota).
const QUERIES: usize = 500;
/// Pages of a function's errors that are read for the last of them.
const ERROR_PAGES: usize = 10;
/// What functions, and Lambda about them, log of errors. Words of any case would find more
/// than errors. Quotes within a term are in no document, so that a timeout is not found in
/// a log of JSON.
pub const ERROR_PATTERN: &str =
    r#"?ERROR ?"Task timed out" ?"Status: error" ?"Status: timeout" ?errorType"#;

/// A metric, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricQuery {
    /// E.g. `AWS/Lambda`.
    pub namespace: &'static str,
    /// E.g. `Duration`.
    pub name: &'static str,
    /// Names and values.
    pub dimensions: Vec<(&'static str, String)>,
    /// E.g. `Sum` or `p50`.
    pub statistic: &'static str,
    /// Seconds.
    pub period: i64,
}

/// Where figures are read from.
pub trait FigureReader: Send + Sync {
    /// The points of each query, from one second (inclusive) to another (exclusive), whole
    /// minutes both.
    ///
    /// # Errors
    /// When the service refuses or doesn't answer.
    fn get_metrics(
        &self,
        queries: &[MetricQuery],
        from: i64,
        to: i64,
    ) -> impl Future<Output = Result<Vec<Vec<f64>>, CloudError>> + Send;

    /// Events of a group in which a pattern is found, from a time on (milliseconds since
    /// 1970), oldest first. A group that isn't there has none.
    ///
    /// # Errors
    /// When the service refuses or doesn't answer.
    fn matching_page(
        &self,
        log_group: &LogGroupName,
        pattern: &str,
        from_ms: i64,
        token: Option<String>,
    ) -> impl Future<Output = Result<LogPage, CloudError>> + Send;
}

/// What a function has done in an hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FunctionFigures {
    /// Events that it had,
    pub invocations: u64,
    /// that ended in an error,
    pub errors: u64,
    /// and that it wasn't given.
    pub throttles: u64,
    /// How long half of them took at most, in ms; `None`: there were none.
    pub p50_ms: Option<f64>,
    /// How long the longest took, in ms.
    pub max_ms: Option<f64>,
}

/// What an API stage has done in an hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GatewayFigures {
    /// Handshakes that reached `$connect`'s function.
    pub connects: u64,
    /// Messages from clients and to them.
    pub messages: u64,
    /// What was refused before any function was asked.
    pub client_errors: u64,
    /// What functions answered with an error.
    pub integration_errors: u64,
    /// What couldn't be handed to a function.
    pub execution_errors: u64,
}

/// What a stage has done in an hour.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// By function.
    pub functions: BTreeMap<FunctionName, FunctionFigures>,
    /// `None`: there is no API.
    pub gateway: Option<GatewayFigures>,
}

const OF_FUNCTION: [(&str, &str, i64); 5] = [
    ("Invocations", "Sum", MINUTE),
    ("Errors", "Sum", MINUTE),
    ("Throttles", "Sum", MINUTE),
    ("Duration", "p50", HOUR),
    ("Duration", "Maximum", MINUTE),
];
const OF_GATEWAY: [&str; 5] = [
    "ConnectCount",
    "MessageCount",
    "ClientError",
    "IntegrationError",
    "ExecutionError",
];

/// The figures of the hour before `now` (seconds since 1970), up to the minute that has
/// begun.
///
/// # Errors
/// When the service refuses or doesn't answer.
pub async fn figures<R: FigureReader>(
    reader: &R,
    functions: &[FunctionName],
    api: Option<(&ApiId, &str)>,
    now: i64,
) -> Result<Figures, CloudError> {
    let to = (now.div_euclid(MINUTE) + 1) * MINUTE;
    let of_functions = functions.iter().flat_map(|function| {
        OF_FUNCTION.map(|(name, statistic, period)| MetricQuery {
            namespace: "AWS/Lambda",
            name,
            dimensions: vec![("FunctionName", function.to_string())],
            statistic,
            period,
        })
    });
    let of_api = api.into_iter().flat_map(|(api_id, stage)| {
        OF_GATEWAY.map(|name| MetricQuery {
            namespace: "AWS/ApiGateway",
            name,
            dimensions: vec![("ApiId", api_id.to_string()), ("Stage", stage.to_owned())],
            statistic: "Sum",
            period: MINUTE,
        })
    });
    let queries: Vec<MetricQuery> = of_functions.chain(of_api).collect();
    let mut points = Vec::new();
    for some in queries.chunks(QUERIES) {
        points.extend(reader.get_metrics(some, to - HOUR, to).await?);
    }
    let mut each = points.into_iter();
    let mut next = || each.next().unwrap_or_default();
    let mut all = Figures::default();
    for function in functions {
        let figures = FunctionFigures {
            invocations: sum(&next()),
            errors: sum(&next()),
            throttles: sum(&next()),
            // Where the hour is answered in two parts, the slower one's: half of all took
            // no longer.
            p50_ms: largest(&next()),
            max_ms: largest(&next()),
        };
        all.functions.insert(function.clone(), figures);
    }
    all.gateway = api.map(|_| GatewayFigures {
        connects: sum(&next()),
        messages: sum(&next()),
        client_errors: sum(&next()),
        integration_errors: sum(&next()),
        execution_errors: sum(&next()),
    });
    Ok(all)
}

/// The youngest error that a group has of the hour before `now_ms`, as far as a number of
/// pages leads.
///
/// # Errors
/// When the service refuses or doesn't answer.
pub async fn last_error<R: FigureReader>(
    reader: &R,
    log_group: &LogGroupName,
    now_ms: i64,
) -> Result<Option<LogEvent>, CloudError> {
    let (from_ms, mut token, mut last) = (now_ms - HOUR * 1_000, None, None);
    for _ in 0..ERROR_PAGES {
        let page = reader.matching_page(log_group, ERROR_PATTERN, from_ms, token);
        let LogPage { events, next_token } = page.await?;
        last = events
            .into_iter()
            .chain(last)
            .max_by_key(|event| event.timestamp_ms);
        token = next_token;
        if token.is_none() {
            break;
        }
    }
    Ok(last)
}

fn sum(points: &[f64]) -> u64 {
    points.iter().sum::<f64>().round() as u64
}

fn largest(points: &[f64]) -> Option<f64> {
    points.iter().copied().reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Answers each query with its place, in two points.
    #[derive(Default)]
    struct Asked(Mutex<Vec<(usize, i64, i64)>>);

    impl FigureReader for Asked {
        async fn get_metrics(
            &self,
            queries: &[MetricQuery],
            from: i64,
            to: i64,
        ) -> Result<Vec<Vec<f64>>, CloudError> {
            let mut asked = self.0.lock().unwrap();
            let before: usize = asked.iter().map(|(count, ..)| count).sum();
            asked.push((queries.len(), from, to));
            let points = |place| vec![f64::from(place), 0.0];
            let places = before..before + queries.len();
            Ok(places
                .map(|place| points(u32::try_from(place).unwrap()))
                .collect())
        }

        async fn matching_page(
            &self,
            log_group: &LogGroupName,
            _: &str,
            from_ms: i64,
            token: Option<String>,
        ) -> Result<LogPage, CloudError> {
            let event = |timestamp_ms| LogEvent {
                event_id: String::new(),
                log_group: log_group.clone(),
                log_stream: String::new(),
                timestamp_ms,
                ingested_ms: 0,
                message: String::new(),
            };
            let (events, next_token) = match token {
                None => (vec![event(from_ms + 5)], Some("on".to_owned())),
                Some(_) => (Vec::new(), None),
            };
            Ok(LogPage { events, next_token })
        }
    }

    #[tokio::test]
    async fn each_figure_is_its_metrics_of_the_whole_hour() {
        let reader = Asked::default();
        let functions = ["a", "b"].map(FunctionName::new);
        let api = ApiId::new("a1");
        let found = figures(&reader, &functions, Some((&api, "alpha")), 7_201)
            .await
            .unwrap();
        let b = &found.functions[&functions[1]];
        assert_eq!((b.invocations, b.errors, b.throttles), (5, 6, 7));
        assert_eq!((b.p50_ms, b.max_ms), (Some(8.0), Some(9.0)));
        assert_eq!(found.gateway.unwrap().execution_errors, 14);
        assert_eq!(*reader.0.lock().unwrap(), [(15, 3_660, 7_260)]);
    }

    #[tokio::test]
    async fn many_functions_are_asked_about_in_several_calls() {
        let reader = Asked::default();
        let functions: Vec<FunctionName> = (0..101)
            .map(|number| FunctionName::new(format!("f{number}")))
            .collect();
        let found = figures(&reader, &functions, None, 0).await.unwrap();
        assert_eq!(found.functions.len(), 101);
        assert_eq!(found.functions[&functions[100]].invocations, 500);
        let calls: Vec<usize> = reader.0.lock().unwrap().iter().map(|it| it.0).collect();
        assert_eq!(calls, [500, 5]);
    }

    #[tokio::test]
    async fn the_last_error_is_the_youngest_of_all_pages() {
        let group = LogGroupName::new("g");
        let found = last_error(&Asked::default(), &group, 3_600_000)
            .await
            .unwrap();
        assert_eq!(found.map(|event| event.timestamp_ms), Some(5));
    }
}
