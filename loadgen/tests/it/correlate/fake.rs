//! CloudWatch on good and bad days: `GetMetricData` and `ListMetrics` in Smithy RPC v2 CBOR, as the SDK speaks it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::{Json, Router};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ciborium::Value;
use parking_lot::Mutex;
use serde_json::json;

/// What it knows; each has ten invocations a minute.
pub(super) const FUNCTIONS: [&str; 3] = ["game-Send", "game-Inserted", "game-Connect"];

/// How long a run lasts, in whole minutes; after it nothing happens.
const RUN_S: i64 = 360;

/// How it is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// A value for every period of the window.
    Complete,
    /// `PartialData` and only the first half of the periods, without a page that follows.
    Partial,
    /// `InternalError`, a message and no values for every second series.
    Internal,
    /// `Forbidden`, a message and no values for all.
    Forbidden,
    /// `Complete`, but the last three periods are not there yet.
    Late,
    /// `Complete` and nothing at all.
    Silent,
    /// What AWS keeps: minutes for 15 days, 5 minutes for 63 days, hours for 455 days, and nothing finer.
    Aged,
    /// Every call is refused: the credentials have ended.
    Expired,
    /// One value a page; every page but the last is `PartialData`.
    Paged,
    /// Complete in the end: sums grow with each of so many calls.
    Growing(u32),
    /// What was recorded in a file of `answers/`, and nothing else.
    Recorded(&'static str),
}

/// What was asked of it.
#[derive(Debug, Default, Clone)]
pub(super) struct Asked {
    /// Calls of `GetMetricData`, refused ones too.
    pub(super) calls: u32,
    /// The period of the last query.
    pub(super) period: i64,
}

struct Inner {
    day: Day,
    /// Log lines: milliseconds since the epoch, function, message.
    lines: Vec<(i64, String, String)>,
    /// The windows that were asked for, each with a query's number.
    windows: Vec<(i64, i64)>,
    /// Calls that are refused with `Throttling` before the next one is answered.
    throttled: u32,
    asked: Asked,
}

/// A running one; it lives as long as the test's process.
#[derive(Clone)]
pub(super) struct Fake {
    inner: Arc<Mutex<Inner>>,
    pub(super) address: SocketAddr,
}

impl Fake {
    pub(super) fn start(day: Day) -> Self {
        let inner = Arc::new(Mutex::new(Inner { day, lines: Vec::new(), windows: Vec::new(), throttled: 0, asked: Asked::default() }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/service/GraniteServiceVersion20100801/operation/{operation}", post(answer))
            .route("/", post(logs))
            .with_state(Arc::clone(&inner));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, app).await.unwrap();
            });
        });
        Self { inner, address }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn is(&self, day: Day) {
        self.inner.lock().day = day;
    }

    pub(super) fn throttles(&self, calls: u32) {
        self.inner.lock().throttled = calls;
    }

    /// Has log lines: milliseconds since the epoch, function, message.
    pub(super) fn logs(&self, lines: Vec<(i64, String, String)>) {
        self.inner.lock().lines = lines;
    }

    /// The windows of the queries for logs, in whole seconds.
    pub(super) fn windows(&self) -> Vec<(i64, i64)> {
        self.inner.lock().windows.clone()
    }

    pub(super) fn asked(&self) -> Asked {
        self.inner.lock().asked.clone()
    }
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    Path(operation): Path<String>,
    body: Bytes,
) -> Response {
    let mut inner = inner.lock();
    let data = operation == "GetMetricData";
    inner.asked.calls += u32::from(data);
    if data && inner.throttled > 0 {
        inner.throttled -= 1;
        let refusal = map([("__type", text("Throttling")), ("message", text("Rate exceeded"))]);
        return respond(StatusCode::BAD_REQUEST, &refusal, "Throttling;Sender");
    }
    if inner.day == Day::Expired {
        let refusal = map([
            ("__type", text("ExpiredTokenException")),
            ("message", text("The security token is expired")),
        ]);
        return respond(StatusCode::BAD_REQUEST, &refusal, "ExpiredTokenException;Sender");
    }
    let request: Value = ciborium::from_reader(&body[..]).unwrap();
    let answer = match operation.as_str() {
        "ListMetrics" => list_metrics(&request),
        "GetMetricData" => get_metric_data(inner.day, &request, &mut inner.asked),
        other => panic!("{other} is never asked"),
    };
    respond(StatusCode::OK, &answer, "")
}

/// Logs Insights: a query is done when it is asked for the second time, and gives 10,000 rows at most. The end of its window
/// is in it.
async fn logs(State(inner): State<Arc<Mutex<Inner>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = inner.lock();
    let request: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target {
        "Logs_20140328.StartQuery" => {
            let second = |key: &str| request[key].as_i64().unwrap();
            inner.windows.push((second("startTime"), second("endTime")));
            Json(json!({ "queryId": format!("{}", inner.windows.len() * 2) })).into_response()
        }
        "Logs_20140328.GetQueryResults" => {
            let number: usize = request["queryId"].as_str().unwrap().parse().unwrap();
            let (from, to) = inner.windows[number / 2 - 1];
            let within = inner.lines.iter().filter(|(at, ..)| (from * 1_000..=to * 1_000).contains(at));
            let rows: Vec<_> = within.map(|(at, function, message)| row(*at, function, message)).collect();
            let matched = rows.len();
            let rows: Vec<_> = rows.into_iter().take(10_000).collect();
            let statistics = json!({ "bytesScanned": matched * 100, "recordsMatched": matched });
            Json(json!({ "status": "Complete", "results": rows, "statistics": statistics })).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, Json(json!({ "__type": "UnknownOperationException" }))).into_response(),
    }
}

fn row(at: i64, function: &str, message: &str) -> serde_json::Value {
    let at = jiff::Timestamp::from_millisecond(at).unwrap().strftime("%Y-%m-%d %H:%M:%S.%3f").to_string();
    json!([
        { "field": "@timestamp", "value": at },
        { "field": "@message", "value": message },
        { "field": "@log", "value": format!("123456789012:/aws/lambda/{function}") },
        { "field": "@ptr", "value": "x" },
    ])
}

fn respond(status: StatusCode, content: &Value, error: &str) -> Response {
    let mut body = Vec::new();
    ciborium::into_writer(content, &mut body).unwrap();
    let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
    if error.is_empty() {
        (status, headers, body).into_response()
    } else {
        (status, headers, [("x-amzn-query-error", error)], body).into_response()
    }
}

fn list_metrics(request: &Value) -> Value {
    let name = find(request, "MetricName").and_then(Value::as_text);
    if word(request, "Namespace") != "AWS/Lambda" || name != Some("Invocations") {
        return map([("Metrics", Value::Array(Vec::new()))]);
    }
    let metric = |name: &&str| {
        let dimension = map([("Name", text("FunctionName")), ("Value", text(name))]);
        map([
            ("Namespace", text("AWS/Lambda")),
            ("MetricName", text("Invocations")),
            ("Dimensions", Value::Array(vec![dimension])),
        ])
    };
    map([("Metrics", Value::Array(FUNCTIONS.iter().map(metric).collect()))])
}

fn get_metric_data(day: Day, request: &Value, asked: &mut Asked) -> Value {
    let (start, end) = (number(at(request, "StartTime")), number(at(request, "EndTime")));
    let page = find(request, "NextToken").map_or(0, |token| token.as_text().unwrap().parse().unwrap());
    let mut last = 0;
    let queries = at(request, "MetricDataQueries").as_array().unwrap();
    let results = queries.iter().enumerate().map(|(number_of, query)| {
        let stat = at(query, "MetricStat");
        let metric = at(stat, "Metric");
        let (name, statistic) = (word(metric, "MetricName"), word(stat, "Stat"));
        let period = number(at(stat, "Period"));
        asked.period = period;
        let dimensions = at(metric, "Dimensions").as_array().unwrap();
        let function = dimensions.first().map_or("", |dimension| word(dimension, "Value"));
        let known = FUNCTIONS.contains(&function);
        let value = value(name, statistic, period).filter(|_| known && day != Day::Silent);
        let mut times: Vec<i64> = match value {
            Some(_) => {
                let start = start.div_euclid(period) * period;
                (start..end.min(start + RUN_S)).step_by(period as usize).collect()
            }
            None => Vec::new(),
        };
        let value = match day {
            Day::Growing(until) => value.map(|value| value * f64::from(asked.calls.min(until))),
            _ => value,
        };
        if let Day::Recorded(answers) = day {
            return recorded(answers, at(query, "Id"), (name, statistic, function), start);
        }
        let (mut status, mut message) = ("Complete", None);
        match day {
            Day::Complete | Day::Silent | Day::Expired | Day::Growing(_) | Day::Recorded(_) => {}
            Day::Partial => {
                times.truncate(times.len() / 2);
                status = "PartialData";
            }
            Day::Internal if number_of % 2 == 1 => {
                times.clear();
                (status, message) = ("InternalError", Some("Something went wrong inside"));
            }
            Day::Internal => {}
            Day::Forbidden => {
                times.clear();
                (status, message) = ("Forbidden", Some("Not authorized to read this metric"));
            }
            Day::Late => times.truncate(times.len().saturating_sub(3)),
            Day::Aged => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
                let days = (now - start) / 86_400;
                let least = [(15, 60), (63, 300), (455, 3_600)].into_iter().find(|(until, _)| days < *until);
                times.retain(|_| least.is_some_and(|(_, least)| period >= least));
            }
            Day::Paged => {
                last = last.max(times.len().saturating_sub(1));
                if page + 1 < times.len() {
                    status = "PartialData";
                }
                times = times.get(page).copied().into_iter().collect();
            }
        }
        let mut result = BTreeMap::from([
            ("Id", at(query, "Id").clone()),
            ("Label", text(name)),
            ("StatusCode", text(status)),
            ("Values", Value::Array(times.iter().map(|_| Value::Float(value.unwrap())).collect())),
        ]);
        let stamp = |at: &i64| Value::Tag(1, Box::new(Value::Float(*at as f64)));
        result.insert("Timestamps", Value::Array(times.iter().map(stamp).collect()));
        if let Some(message) = message {
            let message = map([("Code", text("ArchitectureError")), ("Value", text(message))]);
            result.insert("Messages", Value::Array(vec![message]));
        }
        map(result)
    });
    let results = results.collect();
    let mut answer = BTreeMap::from([("MetricDataResults", Value::Array(results))]);
    if day == Day::Paged && page < last {
        answer.insert("NextToken", text(&(page + 1).to_string()));
    }
    map(answer)
}

/// The result of a query as it was recorded, its minutes put into the window that begins at `start`.
fn recorded(answers: &str, id: &Value, of: (&str, &str, &str), start: i64) -> Value {
    let answers: serde_json::Value = serde_json::from_str(answers).unwrap();
    let is_of = |one: &&serde_json::Value| {
        let word = |key: &str| one[key].as_str().unwrap_or_default();
        (word("metric"), word("statistic"), word("function")) == of
    };
    let found = answers["series"].as_array().unwrap().iter().find(is_of).cloned().unwrap_or_default();
    let list = |key: &str| found[key].as_array().cloned().unwrap_or_default();
    let stamp = |point: &serde_json::Value| {
        Value::Tag(1, Box::new(Value::Integer((start + point[0].as_i64().unwrap() * 60).into())))
    };
    let message = |message: &serde_json::Value| {
        let word = |index: usize| text(message[index].as_str().unwrap());
        map([("Code", word(0)), ("Value", word(1))])
    };
    map([
        ("Id", id.clone()),
        ("Label", text(of.0)),
        ("StatusCode", text(found["status"].as_str().unwrap_or("Complete"))),
        ("Messages", Value::Array(list("messages").iter().map(message).collect())),
        ("Timestamps", Value::Array(list("points").iter().map(stamp).collect())),
        ("Values", Value::Array(list("points").iter().map(|point| Value::Float(point[1].as_f64().unwrap())).collect())),
    ])
}

fn value(metric: &str, statistic: &str, period: i64) -> Option<f64> {
    match (metric, statistic) {
        ("Invocations", "Sum") => Some(10.0 * period as f64 / 60.0),
        ("ConcurrentExecutions", "Maximum") => Some(4.0),
        ("Duration", "Average") => Some(20.0),
        ("Duration", "Maximum") => Some(45.0),
        ("Throttles" | "Errors", "Sum") => Some(0.0),
        _ => None,
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (text(key), value)).collect())
}

/// A number of the request, a time stamp perhaps.
fn number(value: &Value) -> i64 {
    match value {
        Value::Tag(_, inner) => number(inner),
        Value::Integer(integer) => i64::try_from(*integer).unwrap(),
        Value::Float(float) => *float as i64,
        other => panic!("no number: {other:?}"),
    }
}

fn find<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.as_map().unwrap().iter().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
}

fn at<'v>(value: &'v Value, key: &str) -> &'v Value {
    find(value, key).unwrap_or_else(|| panic!("no {key} in {value:?}"))
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    at(value, key).as_text().unwrap()
}
