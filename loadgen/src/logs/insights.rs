//! CloudWatch Logs Insights: the lines of a stretch of time, in windows that no answer cuts off.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use reports::format::CloudWatchSeries;
use serde::Deserialize;
use serde_json::json;

use super::rebuild;
use super::report::Line;
use crate::aws::{Api, Call, Refusal, Service};

/// Rows that a query returns at most.
const MOST_ROWS: usize = 10_000;
/// Rows for which a window is planned: estimates err.
const PLANNED_ROWS: f64 = 6_000.0;
/// Log groups that a query takes.
const GROUPS: usize = 50;
/// How often a query is asked whether it is done, and how long it may take.
const POLL: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(300);
const QUERY: &str = "fields @timestamp, @message, @log \
                     | filter @type = \"REPORT\" or @message like /INIT_REPORT|platform.report|platform.initReport/ \
                     | sort @timestamp asc | limit 10000";

/// What is read: of which functions, from when to when.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// Log group → function.
    pub(crate) groups: BTreeMap<String, String>,
    /// In seconds since the epoch.
    pub(crate) from: i64,
    /// Exclusive.
    pub(crate) to: i64,
    /// Invocations of all functions: start of a period in seconds since the epoch, its length, how many.
    pub(crate) load: Vec<(i64, i64, f64)>,
    /// Zero of the axis.
    pub(crate) zero: Timestamp,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// What the lines tell of every second.
    pub(crate) series: Vec<CloudWatchSeries>,
    /// Bytes that the queries scanned.
    pub(crate) scanned_bytes: u64,
    /// What could not be read.
    pub(crate) problems: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    query_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    status: String,
    #[serde(default)]
    results: Vec<Vec<Field>>,
    #[serde(default)]
    statistics: Statistics,
}

#[derive(Deserialize)]
struct Field {
    #[serde(default)]
    field: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Statistics {
    bytes_scanned: f64,
    records_matched: f64,
}

/// A row: log group, time in milliseconds since the epoch, message. Windows share their ends, so rows are kept once.
type Row = (String, i64, String);

/// Reads the lines. What could not be read is in the problems; one failure does not discard the rest.
pub(crate) async fn read(api: &Api, reading: &Reading) -> Read {
    let mut read = Read::default();
    let mut rows: BTreeSet<Row> = BTreeSet::new();
    let groups: Vec<&str> = reading.groups.keys().map(String::as_str).collect();
    for groups in groups.chunks(GROUPS) {
        let mut windows = windows(reading);
        windows.reverse();
        while let Some((from, to)) = windows.pop() {
            match query(api, groups, from, to).await {
                Ok(Results { results, statistics, .. }) => {
                    read.scanned_bytes += statistics.bytes_scanned.max(0.0) as u64;
                    let cut = results.len() >= MOST_ROWS || statistics.records_matched > results.len() as f64;
                    if cut && to - from > 1 {
                        let middle = from + (to - from) / 2;
                        windows.extend([(middle, to), (from, middle)]);
                        continue;
                    }
                    if cut {
                        let at = Timestamp::from_second(from).unwrap_or_default();
                        read.problems.push(format!(
                            "more than {MOST_ROWS} lines in the second of {at}: some are missing"
                        ));
                    }
                    rows.extend(results.iter().filter_map(|fields| row(fields)));
                }
                Err(refusal) => {
                    let problem = told(&refusal);
                    if !read.problems.contains(&problem) {
                        read.problems.push(problem);
                    }
                    if refusal == Refusal::Denied || refusal == Refusal::NotImplemented {
                        return read;
                    }
                }
            }
        }
    }
    read.series = series(rows, reading);
    read
}

fn series(rows: BTreeSet<Row>, reading: &Reading) -> Vec<CloudWatchSeries> {
    let zero = reading.zero.as_microsecond() as f64 / 1e6;
    let mut functions: BTreeMap<&str, Vec<(f64, Line)>> = BTreeMap::new();
    for (group, stamp_ms, message) in rows {
        let Some(function) = reading.groups.get(&group) else { continue };
        let Some((line, written)) = Line::parse(&message) else { continue };
        let at = written.map_or(stamp_ms as f64 / 1e3, |written| written.as_microsecond() as f64 / 1e6);
        functions.entry(function).or_default().push((at - zero, line));
    }
    functions.into_iter().flat_map(|(function, lines)| rebuild::series(function, &lines)).collect()
}

fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Denied => {
            "the credentials lack logs:StartQuery or logs:GetQueryResults; allow them (docs/cloudwatch.md has the policy)".into()
        }
        Refusal::Absent => "a log group of the functions does not exist; their lines are missing".into(),
        other => format!("Logs Insights: {other}"),
    }
}

/// Windows of whole seconds with few enough lines, as the load has it.
fn windows(reading: &Reading) -> Vec<(i64, i64)> {
    let Reading { from, to, load, .. } = reading;
    let mut expected = vec![0.0; usize::try_from(to - from).unwrap_or_default()];
    for (start, length, count) in load {
        let within = (start - from).max(0)..(start + length - from).min(to - from);
        for at in within {
            expected[at as usize] += count / *length as f64;
        }
    }
    let (mut windows, mut begun, mut rows) = (Vec::new(), *from, 0.0);
    for (at, next) in (*from..).zip(expected) {
        if at > begun && rows + next > PLANNED_ROWS {
            windows.push((begun, at));
            (begun, rows) = (at, 0.0);
        }
        rows += next;
    }
    if *to > begun {
        windows.push((begun, *to));
    }
    windows
}

async fn query(api: &Api, groups: &[&str], from: i64, to: i64) -> Result<Results, Refusal> {
    let parameters = json!({
        "logGroupNames": groups, "startTime": from, "endTime": to, "queryString": QUERY, "limit": MOST_ROWS,
    });
    let Started { query_id } = api.answer(&Call::json(Service::Logs, "StartQuery", &parameters)).await?;
    let ask = Call::json(Service::Logs, "GetQueryResults", &json!({ "queryId": query_id }));
    let asked = async {
        loop {
            let results: Results = api.answer(&ask).await?;
            match results.status.as_str() {
                "Complete" => return Ok(results),
                "Scheduled" | "Running" => tokio::time::sleep(POLL).await,
                ended => return Err(Refusal::Failed(format!("a query ended as {ended}"))),
            }
        }
    };
    let late = || Refusal::Failed(format!("a query took longer than {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(late()))
}

fn row(fields: &[Field]) -> Option<Row> {
    let value = |name: &str| fields.iter().find(|one| one.field == name).map(|one| one.value.as_str());
    // `2026-03-14 12:00:20.123`, in UTC.
    let stamp: Timestamp = format!("{}Z", value("@timestamp")?.replacen(' ', "T", 1)).parse().ok()?;
    // `123456789012:/aws/lambda/NAME`
    let group = value("@log")?.rsplit(':').next()?;
    Some((group.to_owned(), stamp.as_millisecond(), value("@message")?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_load() {
        let reading = |load: Vec<(i64, i64, f64)>| Reading {
            groups: BTreeMap::new(),
            from: 0,
            to: 180,
            load,
            zero: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(windows(&reading(vec![])), [(0, 180)]);
        // 100 lines a second in the first minute, 1,000 in the second, of two functions.
        let all = windows(&reading(vec![(0, 60, 6_000.0), (60, 60, 30_000.0), (60, 60, 30_000.0)]));
        assert_eq!(all[0], (0, 60));
        assert!(all[1..11].iter().all(|(from, to)| to - from == 6), "{all:?}");
        assert_eq!(all.last().unwrap().1, 180);
        assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0), "{all:?}");
        let dense = windows(&reading(vec![(0, 1, 50_000.0)]));
        assert_eq!(dense[0], (0, 1), "no window is shorter than a second");
    }

    #[test]
    fn rows_have_a_time_a_group_and_a_message() {
        let field = |field: &str, value: &str| Field { field: field.into(), value: value.into() };
        let fields = [
            field("@timestamp", "2026-03-14 12:00:20.123"),
            field("@message", "REPORT x"),
            field("@log", "123456789012:/aws/lambda/game-Send"),
            field("@ptr", "abc"),
        ];
        let (group, stamp, message) = row(&fields).unwrap();
        assert_eq!((group.as_str(), message.as_str()), ("/aws/lambda/game-Send", "REPORT x"));
        assert_eq!(stamp, "2026-03-14T12:00:20.123Z".parse::<Timestamp>().unwrap().as_millisecond());
        assert!(row(&fields[..2]).is_none());
    }
}
