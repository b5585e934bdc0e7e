//! CloudWatch Logs' API (AWS JSON 1.1) over the log groups of the functions: `DescribeLogGroups`, `FilterLogEvents`, and
//! queries of Logs Insights.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::insights::{MOST_ROWS, Query, QueryResult};
use super::pattern::Pattern;
use super::{LogGroup, Logs};
use crate::account::arn;
use crate::paging::{self, UnknownToken, page};
use crate::rpc::{Call, Malformed};

/// Name of the service on the wire.
pub(crate) const SERVICE: &str = "Logs_20140328";
/// AWS's page sizes: events, their bytes, groups.
const EVENTS_PAGE: usize = 10_000;
const EVENTS_BYTES: usize = 1_048_576;
const GROUPS_PAGE: usize = 50;
/// Results that are retained.
const QUERIES: usize = 100;

/// The log groups behind the API.
pub(crate) struct LogsApi {
    logs: Logs,
    /// Queries that were started, the oldest first.
    queries: Mutex<VecDeque<Started>>,
}

/// A query that was started. It is done at once, and said to be running when it is asked for the first time: a client has
/// to ask again on AWS, too.
struct Started {
    id: String,
    result: QueryResult,
    asked: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeLogGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilterLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    start_time: Option<u64>,
    end_time: Option<u64>,
    filter_pattern: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartQuery {
    log_group_name: Option<String>,
    #[serde(default)]
    log_group_names: Vec<String>,
    #[serde(default)]
    log_group_identifiers: Vec<String>,
    /// Epoch seconds, unlike all other times of this service.
    start_time: u64,
    end_time: u64,
    query_string: String,
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetQueryResults {
    query_id: String,
}

impl LogsApi {
    pub(crate) fn new(logs: Logs) -> Self {
        Self { logs, queries: Mutex::default() }
    }

    /// Answers one call of the API.
    pub(crate) fn answer(&self, call: &Call) -> Response {
        let answer = match call.operation.as_str() {
            "DescribeLogGroups" => self.describe(call),
            "FilterLogEvents" => self.filter(call),
            "StartQuery" => self.start(call),
            "GetQueryResults" => self.results(call),
            unknown => Err(LogsError::UnknownOperation(unknown.into())),
        };
        match answer {
            Ok(answer) => call.codec.answer(&answer),
            Err(error) => call.codec.refusal(StatusCode::BAD_REQUEST, error.code(), &error.to_string()),
        }
    }

    fn describe(&self, call: &Call) -> Result<Value, LogsError> {
        let request: DescribeLogGroups = call.parameters()?;
        let wanted = |group: &Arc<LogGroup>| {
            request.log_group_name_prefix.as_ref().is_none_or(|prefix| group.name.starts_with(prefix))
                && request.log_group_name_pattern.as_ref().is_none_or(|part| group.name.contains(part))
        };
        let shown = |group: Arc<LogGroup>| {
            let own = arn("logs", &format!("log-group:{}", group.name));
            json!({
                "logGroupName": group.name,
                "arn": format!("{own}:*"),
                "logGroupArn": own,
                "creationTime": group.created_ms,
                "metricFilterCount": 0,
                "storedBytes": group.stored_bytes(),
                "logGroupClass": "STANDARD",
            })
        };
        let all = self.logs.all().into_iter().filter(wanted).map(shown).collect();
        let limit = request.limit.unwrap_or(GROUPS_PAGE).min(GROUPS_PAGE);
        let (groups, next) = page(all, request.next_token.as_deref(), limit)?;
        let mut answer = json!({ "logGroups": groups });
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Ok(answer)
    }

    /// A page ends with its number of events, or with its size. The token is the number of the next event, so that events
    /// which come or go meanwhile move none.
    fn filter(&self, call: &Call) -> Result<Value, LogsError> {
        let request: FilterLogEvents = call.parameters()?;
        let name = request.log_group_name.or(request.log_group_identifier);
        let group =
            self.group(&name.ok_or(LogsError::Parameter("give logGroupName or logGroupIdentifier".into()))?)?;
        let text = request.filter_pattern.unwrap_or_default();
        let pattern = Pattern::parse(&text).ok_or_else(|| {
            LogsError::Parameter(format!(
                "the filter pattern {text:?} is not emulated; give terms, such as \"REPORT RequestId\" or ?REPORT \
                 ?INIT_REPORT, or for JSON logs {{ $.type = \"platform.report\" }}"
            ))
        })?;
        let limit = request.limit.unwrap_or(EVENTS_PAGE);
        if !(1..=EVENTS_PAGE).contains(&limit) {
            return Err(LogsError::Parameter(format!("limit must lie between 1 and {EVENTS_PAGE}")));
        }
        let first = paging::offset(request.next_token.as_deref())? as u64;
        let (from, to) = (request.start_time.unwrap_or(0), request.end_time.unwrap_or(u64::MAX));
        let (mut events, mut bytes, mut next) = (Vec::new(), 0, None);
        for event in group.between(from, to, first) {
            let message = group.message(&event.entry, event.at_ms);
            if !pattern.matches(&message) {
                continue;
            }
            if events.len() == limit || bytes + message.len() > EVENTS_BYTES {
                next = usize::try_from(event.number).ok().map(paging::token);
                break;
            }
            bytes += message.len();
            events.push(json!({
                "logStreamName": group.stream,
                "timestamp": event.at_ms,
                "ingestionTime": event.at_ms,
                "message": message,
                "eventId": format!("{:056}", event.number),
            }));
        }
        let mut answer = json!({ "events": events, "searchedLogStreams": [] });
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Ok(answer)
    }

    fn start(&self, call: &Call) -> Result<Value, LogsError> {
        let request: StartQuery = call.parameters()?;
        let names = request.log_group_name.into_iter().chain(request.log_group_names);
        let groups: Vec<_> = names
            .chain(request.log_group_identifiers)
            .map(|name| self.group(&name))
            .collect::<Result<_, _>>()?;
        if groups.is_empty() || request.start_time > request.end_time {
            return Err(LogsError::Parameter("give log groups, and a startTime before endTime".into()));
        }
        let mut query = Query::parse(&request.query_string)
            .ok_or_else(|| LogsError::Query(request.query_string.clone()))?;
        if let Some(limit) = request.limit {
            if !(1..=MOST_ROWS).contains(&limit) {
                return Err(LogsError::Parameter(format!("limit must lie between 1 and {MOST_ROWS}")));
            }
            query.limit_to(limit);
        }
        let (from, to) = (request.start_time.saturating_mul(1_000), request.end_time.saturating_mul(1_000));
        let result = query.run(&groups, from, to.saturating_add(999));
        let id = Uuid::new_v4().to_string();
        let mut queries = self.queries.lock();
        queries.push_back(Started { id: id.clone(), result, asked: false });
        if queries.len() > QUERIES {
            queries.pop_front();
        }
        Ok(json!({ "queryId": id }))
    }

    fn results(&self, call: &Call) -> Result<Value, LogsError> {
        let GetQueryResults { query_id: id } = call.parameters()?;
        let mut queries = self.queries.lock();
        let query = queries.iter_mut().find(|query| query.id == id).ok_or(LogsError::NoQuery(id))?;
        let nothing = QueryResult::default();
        let (status, result) = if std::mem::replace(&mut query.asked, true) {
            ("Complete", &query.result)
        } else {
            ("Running", &nothing)
        };
        Ok(json!({
            "queryLanguage": "CWLI",
            "status": status,
            "results": result.rows,
            "statistics": {
                "recordsMatched": result.matched as f64,
                "recordsScanned": result.scanned as f64,
                "bytesScanned": result.scanned_bytes as f64,
                "logGroupsScanned": result.groups as f64,
            },
        }))
    }

    /// The group of a name or an ARN.
    fn group(&self, name: &str) -> Result<Arc<LogGroup>, LogsError> {
        let name = name.rsplit_once("log-group:").map_or(name, |(_, name)| name).trim_end_matches(":*");
        self.logs.find(name).ok_or_else(|| LogsError::NoGroup(name.into()))
    }
}

/// Why a call fails; always a mistake of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum LogsError {
    #[error(
        "The specified log group does not exist: {0}; the local stack has those of its functions if its profile says \
         [logs] enabled = true"
    )]
    NoGroup(String),
    #[error("the query {0} is unknown, or too old")]
    NoQuery(String),
    #[error("{0}")]
    Parameter(String),
    #[error(
        "the query {0:?} is not emulated; the local stack understands filter FIELD = \"TEXT\", fields, sort @timestamp, \
         limit, joined by |"
    )]
    Query(String),
    #[error("the nextToken is none that this endpoint issued")]
    Token,
    #[error(transparent)]
    Serialization(#[from] Malformed),
    #[error(
        "the operation {0} is not emulated; the local stack answers DescribeLogGroups, FilterLogEvents, StartQuery and \
         GetQueryResults"
    )]
    UnknownOperation(String),
}

impl From<UnknownToken> for LogsError {
    fn from(_: UnknownToken) -> Self {
        Self::Token
    }
}

impl LogsError {
    const fn code(&self) -> &'static str {
        match self {
            Self::NoGroup(_) | Self::NoQuery(_) => "ResourceNotFoundException",
            Self::Parameter(_) | Self::Token => "InvalidParameterException",
            Self::Query(_) => "MalformedQueryException",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "UnknownOperationException",
        }
    }
}
