//! The lines: `REPORT` and `INIT_REPORT` as text, `platform.report` and `platform.initReport` as JSON.

use jiff::Timestamp;
use serde::Deserialize;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Line {
    /// An invocation ended.
    Invocation(Invocation),
    /// An environment did not come up.
    FailedInit,
}

/// An invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Invocation {
    pub(super) duration_ms: f64,
    pub(super) billed_ms: Option<f64>,
    /// How long its environment took to start; `None`: it was there.
    pub(super) init_ms: Option<f64>,
    pub(super) memory_mb: Option<f64>,
    pub(super) used_mb: Option<f64>,
}

#[derive(Deserialize)]
struct Platform {
    time: Option<Timestamp>,
    #[serde(rename = "type")]
    kind: String,
    record: Record,
}

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    status: String,
    #[serde(default)]
    metrics: Metrics,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metrics {
    duration_ms: Option<f64>,
    billed_duration_ms: Option<f64>,
    init_duration_ms: Option<f64>,
    #[serde(rename = "memorySizeMB")]
    memory_size_mb: Option<f64>,
    #[serde(rename = "maxMemoryUsedMB")]
    max_memory_used_mb: Option<f64>,
}

impl Line {
    /// What a line says, and when it was written if it says so itself; `None`: nothing of this kind.
    pub(super) fn parse(message: &str) -> Option<(Self, Option<Timestamp>)> {
        let message = message.trim();
        if message.starts_with('{') {
            return json(message);
        }
        if let Some(rest) = message.strip_prefix("INIT_REPORT ") {
            let failed = matches!(value(rest, "Status"), Some("timeout" | "error"));
            return failed.then_some((Self::FailedInit, None));
        }
        let rest = message.strip_prefix("REPORT ")?;
        Some((
            Self::Invocation(Invocation {
                duration_ms: amount(rest, "Duration")?,
                billed_ms: amount(rest, "Billed Duration"),
                init_ms: amount(rest, "Init Duration"),
                memory_mb: amount(rest, "Memory Size"),
                used_mb: amount(rest, "Max Memory Used"),
            }),
            None,
        ))
    }
}

fn json(message: &str) -> Option<(Line, Option<Timestamp>)> {
    let Platform { time, kind, record: Record { status, metrics } } = serde_json::from_str(message).ok()?;
    let line = match kind.as_str() {
        "platform.report" => Line::Invocation(Invocation {
            duration_ms: metrics.duration_ms?,
            billed_ms: metrics.billed_duration_ms,
            init_ms: metrics.init_duration_ms,
            memory_mb: metrics.memory_size_mb,
            used_mb: metrics.max_memory_used_mb,
        }),
        "platform.initReport" if status != "success" => Line::FailedInit,
        _ => return None,
    };
    Some((line, time))
}

/// The value of a key among `Key: value`, which tabs part.
fn value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    line.split('\t').find_map(|part| part.trim().strip_prefix(key)?.strip_prefix(": ")).map(str::trim)
}

/// The number of `976.25 ms` or `128 MB`.
fn amount(line: &str, key: &str) -> Option<f64> {
    value(line, key)?
        .split(' ')
        .next()?
        .parse()
        .ok()
        .filter(|amount: &f64| amount.is_finite() && *amount >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_report_say_the_same() {
        let text = "REPORT RequestId: 8f5e\tDuration: 976.25 ms\tBilled Duration: 977 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB\t\
                    Init Duration: 430.47 ms\t\n";
        let json = r#"{"time":"2026-03-14T12:00:20.500Z","type":"platform.report","record":{"requestId":"8f5e","metrics":
            {"durationMs":976.25,"billedDurationMs":977,"memorySizeMB":128,"maxMemoryUsedMB":90,"initDurationMs":430.47},"status":"success"}}"#;
        let expected = Line::Invocation(Invocation {
            duration_ms: 976.25,
            billed_ms: Some(977.0),
            init_ms: Some(430.47),
            memory_mb: Some(128.0),
            used_mb: Some(90.0),
        });
        assert_eq!(Line::parse(text), Some((expected, None)));
        let written = "2026-03-14T12:00:20.5Z".parse().unwrap();
        assert_eq!(Line::parse(json), Some((expected, Some(written))));
        let warm = "REPORT RequestId: 8f5e\tDuration: 3.10 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB";
        let Some((Line::Invocation(warm), _)) = Line::parse(warm) else { panic!("a report") };
        assert_eq!((warm.init_ms, warm.duration_ms), (None, 3.1));
    }

    #[test]
    fn environments_that_did_not_come_up_are_known_and_other_lines_are_none() {
        let failed = "INIT_REPORT Init Duration: 9999.10 ms\tPhase: init\tStatus: timeout";
        assert_eq!(Line::parse(failed), Some((Line::FailedInit, None)));
        let failed = r#"{"time":"2026-03-14T12:00:20Z","type":"platform.initReport","record":{"status":"error","metrics":{"durationMs":10}}}"#;
        assert_eq!(Line::parse(failed).map(|(line, _)| line), Some(Line::FailedInit));
        for other in [
            "INIT_REPORT Init Duration: 12.00 ms\tPhase: init\tStatus: success",
            r#"{"time":"2026-03-14T12:00:20Z","type":"platform.initReport","record":{"status":"success"}}"#,
            r#"{"level":"INFO","message":"REPORT RequestId: no"}"#,
            "START RequestId: 8f5e Version: $LATEST",
            "REPORT RequestId: 8f5e\tDuration: NaN ms",
            "REPORT RequestId: 8f5e\tDuration: -1 ms",
            "{",
            "",
        ] {
            assert_eq!(Line::parse(other), None, "{other}");
        }
    }
}
