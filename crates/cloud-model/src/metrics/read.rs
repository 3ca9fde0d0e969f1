//! GetMetricData.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Metrics;
use super::series::{Name, Statistic};
use crate::assumptions::{METRIC_REFUSED, METRIC_TOKEN_UNKNOWN};
use crate::error::{Failure, unsupported};
use crate::limits::{METRIC_DATAPOINTS, METRIC_QUERIES, METRIC_WINDOW_SECONDS};
use crate::wire::members::{Members, present};

const MINUTE: i64 = 60;
const UNITS: &[&str] = &[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// One metric that is asked for.
struct Query {
    id: String,
    label: Option<String>,
    name: Name,
    period: i64,
    statistic: Statistic,
    unit: Option<String>,
    returned: bool,
}

impl Metrics {
    pub(super) fn get_metric_data(&self, members: &Members) -> Result<Value, Failure> {
        let queries = members.objects("MetricDataQueries")?;
        let queries = queries.ok_or_else(|| missing("MetricDataQueries"))?;
        if queries.len() > METRIC_QUERIES {
            return Err(refused(format!(
                "The collection MetricDataQueries must not have a size greater than {METRIC_QUERIES}."
            )));
        }
        let time = |name: &str| members.number(name)?.ok_or_else(|| missing(name));
        let (from, to) = (time("StartTime")?, time("EndTime")?);
        if from >= to {
            return Err(refused(
                "The parameter StartTime must be less than the parameter EndTime.",
            ));
        }
        let (from, to) = (whole_minute(from.floor()), whole_minute(to.ceil() + 59.0));
        if to - from > METRIC_WINDOW_SECONDS {
            return Err(refused(unsupported("more than a day of metrics at once")));
        }
        let newest_first = match members.text("ScanBy")?.as_deref() {
            None | Some("TimestampDescending") => true,
            Some("TimestampAscending") => false,
            Some(_) => return Err(refused("The parameter ScanBy is not one of its values.")),
        };
        if members.has("LabelOptions") {
            return Err(refused(unsupported("LabelOptions")));
        }
        let read: Result<Vec<Query>, Failure> = queries.iter().map(query).collect();
        let read = read?;
        let mut ids = BTreeSet::new();
        for Query { id, .. } in &read {
            if !ids.insert(id) {
                return Err(refused(format!(
                    "The values for parameter Id are not unique: {id}"
                )));
            }
        }
        let wanted: Vec<&Query> = read.iter().filter(|query| query.returned).collect();
        let first = match members.text("NextToken")? {
            None => 0,
            // Its own tokens are places in the list of what is asked for.
            Some(token) => token
                .parse()
                .ok()
                .filter(|place| (1..wanted.len()).contains(place))
                .ok_or_else(|| Failure::new(400, "InvalidNextToken", METRIC_TOKEN_UNKNOWN))?,
        };
        let most = members.integer("MaxDatapoints")?;
        let most = most.and_then(|most| usize::try_from(most).ok());
        let most = most.unwrap_or(METRIC_DATAPOINTS).min(METRIC_DATAPOINTS);
        let (mut results, mut points, mut next) = (Vec::new(), 0, None);
        for (place, query) in wanted.iter().enumerate().skip(first) {
            let (result, count) = self.result(query, from, to, newest_first);
            if !results.is_empty() && points + count > most {
                next = Some(place.to_string());
                break;
            }
            points += count;
            results.push(result);
        }
        Ok(present(json!({
            "MetricDataResults": results,
            "Messages": [],
            "NextToken": next,
        })))
    }

    /// A metric's points, and how many they are.
    fn result(&self, query: &Query, from: i64, to: i64, newest_first: bool) -> (Value, usize) {
        let series = self.all.get(&query.name);
        let unit = query.unit.as_deref();
        let series = series.filter(|_| unit.is_none_or(|unit| unit == query.name.unit()));
        let (mut timestamps, mut values) = (Vec::new(), Vec::new());
        let mut begin = from;
        while let (Some(series), true) = (series, begin < to) {
            let end = (begin + query.period).min(to);
            if let Some(summary) = series.between(begin, end) {
                timestamps.push(begin);
                values.push(summary.get(query.statistic));
            }
            begin += query.period;
        }
        if newest_first {
            timestamps.reverse();
            values.reverse();
        }
        let label = query.label.as_deref();
        let count = values.len();
        let result = json!({
            "Id": query.id,
            "Label": label.unwrap_or_else(|| query.name.name()),
            "Timestamps": timestamps,
            "Values": values,
            "StatusCode": "Complete",
        });
        (result, count)
    }
}

fn query(members: &Members) -> Result<Query, Failure> {
    let id = members.text("Id")?.ok_or_else(|| missing("Id"))?;
    length("Id", &id, 255)?;
    let mut letters = id.chars();
    let first = letters
        .next()
        .is_some_and(|letter| letter.is_ascii_lowercase());
    if !first || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Err(refused(format!(
            "The value {id} for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    for what in ["Expression", "AccountId", "Period"] {
        if members.has(what) {
            return Err(refused(unsupported(&format!("{what} of a query"))));
        }
    }
    let stat = members.object("MetricStat")?;
    let stat = stat.ok_or_else(|| missing("MetricStat"))?;
    let metric = stat.object("Metric")?.ok_or_else(|| missing("Metric"))?;
    let period = stat.integer("Period")?.ok_or_else(|| missing("Period"))?;
    if period < 1 || period % MINUTE != 0 {
        return Err(refused(match period {
            1 | 5 | 10 | 20 | 30 => unsupported("periods below a minute"),
            _ => format!("The parameter Period must be a multiple of 60: {period}"),
        }));
    }
    let named = stat.text("Stat")?.ok_or_else(|| missing("Stat"))?;
    let statistic = Statistic::find(&named)
        .ok_or_else(|| refused(unsupported(&format!("the statistic {named}"))))?;
    let unit = stat.text("Unit")?;
    if let Some(unit) = unit.as_deref().filter(|unit| !UNITS.contains(unit)) {
        return Err(refused(format!("The parameter Unit has no value {unit}.")));
    }
    Ok(Query {
        id,
        label: members.text("Label")?,
        name: name(&metric)?,
        period,
        statistic,
        unit,
        returned: members.boolean("ReturnData")?.unwrap_or(true),
    })
}

fn name(metric: &Members) -> Result<Name, Failure> {
    let text = |of: &Members, name: &str, most: usize| {
        let value = of.text(name)?.ok_or_else(|| missing(name))?;
        length(name, &value, most)?;
        Ok::<String, Failure>(value)
    };
    let namespace = text(metric, "Namespace", 255)?;
    if namespace.starts_with(':') {
        return Err(refused(
            "The parameter Namespace must not begin with a colon.",
        ));
    }
    let name = text(metric, "MetricName", 255)?;
    let dimensions = metric.objects("Dimensions")?.unwrap_or_default();
    if dimensions.len() > 30 {
        return Err(refused(
            "The collection Dimensions must not have a size greater than 30.",
        ));
    }
    let mut pairs = Vec::new();
    for dimension in &dimensions {
        pairs.push((
            text(dimension, "Name", 255)?,
            text(dimension, "Value", 1_024)?,
        ));
    }
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    Ok(Name::new(&namespace, &name, &pairs))
}

/// A second's minute; CloudWatch rounds the beginning of what is asked for down.
fn whole_minute(second: f64) -> i64 {
    (second as i64).div_euclid(MINUTE) * MINUTE
}

fn length(name: &str, value: &str, most: usize) -> Result<(), Failure> {
    match (1..=most).contains(&value.chars().count()) {
        true => Ok(()),
        false => Err(refused(format!(
            "The parameter {name} must have from 1 to {most} characters."
        ))),
    }
}

fn missing(name: &str) -> Failure {
    Failure::new(
        400,
        "MissingParameter",
        format!("The parameter {name} is required."),
    )
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(400, METRIC_REFUSED, message)
}
