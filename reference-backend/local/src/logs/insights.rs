//! Queries of Logs Insights, of the one shape that a client needs to read reports: a filter by type, fields, an order by
//! time, a limit, joined by `|`.
//!
//! As on AWS, `@duration` and its like are discovered in the lines of a text log, and dotted paths in the objects of a JSON
//! log.

use serde_json::{Value, json};
use winnow::Parser as _;
use winnow::ascii::{Caseless, dec_uint, multispace0, multispace1};
use winnow::combinator::{alt, delimited, preceded, separated};
use winnow::error::ContextError;
use winnow::token::take_while;

use super::report::milliseconds;
use super::{Entry, Event, LogFormat, LogGroup, instant};

/// Most rows of a result.
pub(super) const MOST_ROWS: usize = 10_000;

/// A query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    filter: Option<Filter>,
    fields: Vec<String>,
    ascending: bool,
    limit: usize,
}

/// What passes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Filter {
    /// A field has this text.
    Is(String, String),
    /// A field has one of these words somewhere.
    Like(String, Vec<String>),
}

/// One command of a query.
enum Command {
    Filter(Filter),
    Fields(Vec<String>),
    Sort { ascending: bool },
    Limit(usize),
}

/// The result of a query.
#[derive(Debug, Clone, Default)]
pub(super) struct QueryResult {
    pub(super) rows: Vec<Value>,
    pub(super) matched: usize,
    pub(super) scanned: usize,
    pub(super) scanned_bytes: u64,
    pub(super) groups: usize,
}

impl Query {
    /// Reads a query; none if this stack does not understand it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let commands: Vec<Command> = commands.parse(text.trim()).ok()?;
        let mut query = Self { filter: None, fields: Vec::new(), ascending: false, limit: MOST_ROWS };
        for command in commands {
            match command {
                // Two filters would both have to hold.
                Command::Filter(_) if query.filter.is_some() => return None,
                Command::Filter(filter) => query.filter = Some(filter),
                Command::Fields(fields) => query.fields.extend(fields),
                Command::Sort { ascending } => query.ascending = ascending,
                Command::Limit(limit) => query.limit = limit.min(MOST_ROWS),
            }
        }
        if query.fields.is_empty() {
            query.fields = vec!["@timestamp".into(), "@message".into()];
        }
        Some(query)
    }

    /// Returns no more rows than that.
    pub(super) fn limit_to(&mut self, rows: usize) {
        self.limit = self.limit.min(rows);
    }

    /// Runs it on the events in `from..=to` (epoch milliseconds) of some groups.
    pub(super) fn run(&self, groups: &[std::sync::Arc<LogGroup>], from: u64, to: u64) -> QueryResult {
        let mut result = QueryResult { groups: groups.len(), ..QueryResult::default() };
        let mut found = Vec::new();
        for group in groups {
            for event in group.between(from, to, 0) {
                result.scanned += 1;
                result.scanned_bytes += u64::from(event.bytes);
                if self.filter.as_ref().is_none_or(|filter| filter.passes(group, &event)) {
                    found.push((event, group));
                }
            }
        }
        result.matched = found.len();
        found.sort_by_key(|(event, _)| event.at_ms);
        if !self.ascending {
            found.reverse();
        }
        result.rows = found.iter().take(self.limit).map(|(event, group)| self.row(group, event)).collect();
        result
    }

    /// The fields that an event has; what it lacks is absent.
    fn row(&self, group: &LogGroup, event: &Event) -> Value {
        let field =
            |name: &String| value(group, event, name).map(|value| json!({ "field": name, "value": value }));
        let pointer = json!({ "field": "@ptr", "value": format!("{}:{}", group.name, event.number) });
        self.fields.iter().filter_map(field).chain([pointer]).collect()
    }
}

impl Filter {
    fn passes(&self, group: &LogGroup, event: &Event) -> bool {
        match self {
            Self::Is(field, text) => value(group, event, field).as_ref() == Some(text),
            Self::Like(field, words) => {
                value(group, event, field).is_some_and(|value| words.iter().any(|word| value.contains(word)))
            }
        }
    }
}

/// The value of a field of an event.
fn value(group: &LogGroup, event: &Event, field: &str) -> Option<String> {
    match field {
        "@timestamp" => Some(instant(event.at_ms).format("%Y-%m-%d %H:%M:%S%.3f").to_string()),
        "@message" => Some(group.message(&event.entry, event.at_ms)),
        "@logStream" => Some(group.stream.clone()),
        "@log" => Some(format!("{}:{}", crate::account::ACCOUNT_ID, group.name)),
        _ if group.format == LogFormat::Text => discovered(&event.entry, field),
        _ => {
            let object = event.entry.json(&instant(event.at_ms));
            match object.pointer(&format!("/{}", field.replace('.', "/")))? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        }
    }
}

/// What Insights discovers in a line. Memory is in bytes, at a million to the megabyte.
fn discovered(entry: &Entry, field: &str) -> Option<String> {
    let bytes = |megabytes: u64| (megabytes * 1_000_000).to_string();
    match (entry, field) {
        (_, "@type") => Some(entry.kind().into()),
        (Entry::Report(report), "@requestId") => Some(report.id.to_string()),
        (Entry::Report(report), "@duration") => Some(format!("{:.2}", milliseconds(report.duration))),
        (Entry::Report(report), "@billedDuration") => Some(report.billed_ms().to_string()),
        (Entry::Report(report), "@initDuration") => {
            report.init.map(|init| format!("{:.2}", milliseconds(init)))
        }
        (Entry::Report(report), "@memorySize") => Some(bytes(report.memory_mb.into())),
        (Entry::Report(report), "@maxMemoryUsed") => report.memory_used_mb.map(bytes),
        _ => None,
    }
}

type Result<T> = winnow::Result<T, ContextError>;

fn name(input: &mut &str) -> Result<String> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '_');
    take_while(1.., part).map(str::to_owned).parse_next(input)
}

fn command(input: &mut &str) -> Result<Command> {
    let text = alt((
        delimited('"', take_while(0.., |c| c != '"'), '"'),
        delimited('\'', take_while(0.., |c| c != '\''), '\''),
    ));
    let equality = (name, preceded((multispace0, '=', multispace0), text.map(str::to_owned)));
    // A regular expression of words: a point stands for itself.
    let word =
        take_while(1.., |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ' ')).map(str::to_owned);
    let words = delimited('/', separated(1.., word, '|'), '/');
    let likeness = (name, preceded((multispace1, Caseless("like"), multispace1), words));
    let filter = alt((
        equality.map(|(field, text)| Filter::Is(field, text)),
        likeness.map(|(field, words)| Filter::Like(field, words)),
    ));
    let list = separated(1.., name, (multispace0, ',', multispace0));
    let order = alt((Caseless("asc").value(true), Caseless("desc").value(false)));
    alt((
        preceded((Caseless("filter"), multispace1), filter).map(Command::Filter),
        preceded((alt((Caseless("fields"), Caseless("display"))), multispace1), list).map(Command::Fields),
        preceded((Caseless("sort"), multispace1, "@timestamp", multispace1), order)
            .map(|ascending| Command::Sort { ascending }),
        preceded((Caseless("limit"), multispace1), dec_uint::<_, usize, _>).map(Command::Limit),
    ))
    .parse_next(input)
}

fn commands(input: &mut &str) -> Result<Vec<Command>> {
    separated(1.., command, (multispace0, '|', multispace0)).parse_next(input)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::logs::tests::logs;
    use crate::logs::{InitReport, Report, Status};

    const REPORTS: &str = "filter @type = \"REPORT\" | fields @timestamp, @requestId, @duration, @billedDuration, \
        @initDuration, @maxMemoryUsed, @memorySize | sort @timestamp asc | limit 10000";

    fn filled(format: LogFormat) -> std::sync::Arc<LogGroup> {
        let group = logs(format, 100).0.of_lambda("f").unwrap();
        let warm = Report {
            id: Uuid::from_u128(1),
            duration: Duration::from_micros(2_361),
            init: None,
            memory_mb: 128,
            memory_used_mb: Some(90),
            status: Status::Success,
        };
        group.write(Entry::Init(InitReport { duration: Duration::from_secs(1), status: Status::Error }));
        group.write(Entry::Report(Report { init: Some(Duration::from_micros(143_004)), ..warm }));
        group.write(Entry::Report(warm));
        group
    }

    fn field(row: &Value, name: &str) -> Option<String> {
        let found = row.as_array()?.iter().find(|field| field["field"] == name)?;
        found["value"].as_str().map(str::to_owned)
    }

    #[test]
    fn reports_are_read_with_what_is_discovered_in_their_lines() {
        let group = filled(LogFormat::Text);
        let result = Query::parse(REPORTS).unwrap().run(std::slice::from_ref(&group), 0, u64::MAX);
        assert_eq!((result.rows.len(), result.matched, result.scanned), (2, 2, 3));
        assert_eq!(result.scanned_bytes + 3 * 26, group.stored_bytes());
        let [cold, warm] = &result.rows[..] else { panic!("{result:?}") };
        for (name, value) in [
            ("@requestId", "00000000-0000-0000-0000-000000000001"),
            ("@duration", "2.36"),
            ("@billedDuration", "146"),
            ("@initDuration", "143.00"),
            ("@maxMemoryUsed", "90000000"),
            ("@memorySize", "128000000"),
        ] {
            assert_eq!(field(cold, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!((field(warm, "@initDuration"), field(warm, "@billedDuration")), (None, Some("3".into())));
        assert!(field(warm, "@timestamp").is_some_and(|text| text.len() == "2026-12-01 11:40:00.123".len()));
    }

    #[test]
    fn objects_are_read_by_their_paths() {
        let group = filled(LogFormat::Json);
        let text = "fields @timestamp, record.requestId, record.metrics.durationMs, record.metrics.initDurationMs\n\
            | filter type = 'platform.report' | limit 1";
        let result = Query::parse(text).unwrap().run(std::slice::from_ref(&group), 0, u64::MAX);
        assert_eq!((result.rows.len(), result.matched), (1, 2), "the newest comes first");
        let row = &result.rows[0];
        assert_eq!(field(row, "record.metrics.durationMs").as_deref(), Some("2.361"));
        assert_eq!(field(row, "record.metrics.initDurationMs"), None);
        let nothing = Query::parse(REPORTS).unwrap().run(&[group], 0, u64::MAX);
        assert_eq!((nothing.matched, nothing.scanned), (0, 3), "@type is not discovered in objects");
    }

    #[test]
    fn words_are_found_in_lines_of_either_form() {
        let text =
            "fields @message | filter @message like /INIT_REPORT|platform.initReport/ | sort @timestamp asc";
        for format in [LogFormat::Text, LogFormat::Json] {
            let result = Query::parse(text).unwrap().run(&[filled(format)], 0, u64::MAX);
            assert_eq!((result.matched, result.scanned), (1, 3), "{format:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_no_query() {
        for text in [
            "",
            "stats count(*) by bin(1s)",
            "filter @type = REPORT",
            "filter @type = \"A\" | filter @type = \"B\"",
            "fields @timestamp | sort @duration desc",
            "fields @timestamp |",
        ] {
            assert_eq!(Query::parse(text), None, "{text}");
        }
        assert_eq!(Query::parse("FIELDS @message | LIMIT 20000").map(|query| query.limit), Some(MOST_ROWS));
    }
}
