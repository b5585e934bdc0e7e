//! Metrics of each invocation by the second: one line in the embedded metric format, which CloudWatch makes custom metrics
//! of (`StorageResolution` 1). They are off by default, because they cost as custom metrics do.
#![allow(clippy::disallowed_methods, reason = "standard output is the function's log")]

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// Namespace of the metrics.
const NAMESPACE: &str = "ReferenceBackend";
/// What Lambda calls the function's name.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// The metrics of one environment.
#[derive(Debug)]
pub(crate) struct SecondMetrics {
    function_name: String,
    /// Whether it has handled no event yet.
    cold: AtomicBool,
}

impl SecondMetrics {
    /// Those of this environment.
    pub(crate) fn new() -> Self {
        let function_name = std::env::var(FUNCTION_NAME).unwrap_or_default();
        Self { function_name, cold: AtomicBool::new(true) }
    }

    /// Writes the line of an invocation. What cannot be written is lost: the runtime may have closed its side.
    pub(crate) fn write(&self, payload: &str, took: Duration, succeeded: bool) {
        let line = format!("{}\n", self.line(SystemTime::now(), payload, took, succeeded));
        let _ = io::stdout().lock().write_all(line.as_bytes());
    }

    fn line(&self, now: SystemTime, payload: &str, took: Duration, succeeded: bool) -> Value {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let metric = |name: &str, unit: &str| json!({ "Name": name, "Unit": unit, "StorageResolution": 1 });
        let mut metrics =
            vec![metric("Duration", "Milliseconds"), metric("ColdStart", "Count"), metric("Errors", "Count")];
        let mut line = json!({
            "level": "INFO",
            "FunctionName": self.function_name,
            "Duration": took.as_secs_f64() * 1_000.0,
            "ColdStart": u8::from(self.cold.swap(false, Relaxed)),
            "Errors": u8::from(!succeeded),
        });
        if let Some(records) = records(payload) {
            metrics.push(metric("BatchSize", "Count"));
            line["BatchSize"] = records.into();
        }
        line["_aws"] = json!({
            "Timestamp": since.as_millis() as u64,
            "CloudWatchMetrics": [
                { "Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": metrics },
            ],
        });
        line
    }
}

/// Number of records in a batch of a stream or of a topic; other events are none.
fn records(payload: &str) -> Option<usize> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Batch {
        records: Vec<IgnoredAny>,
    }
    serde_json::from_str::<Batch>(payload).ok().map(|batch| batch.records.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_declares_every_metric_that_it_has_at_one_second() {
        let metrics = SecondMetrics { function_name: "f".into(), cold: AtomicBool::new(true) };
        let now = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let took = Duration::from_micros(2_500);
        let batch = metrics.line(now, r#"{"Records":[{},{"a":[1]}]}"#, took, true);
        let declared = &batch["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Dimensions"], json!([["FunctionName"]]));
        let names: Vec<_> =
            declared["Metrics"].as_array().unwrap().iter().map(|metric| &metric["Name"]).collect();
        assert_eq!(names, ["Duration", "ColdStart", "Errors", "BatchSize"]);
        assert!(
            declared["Metrics"].as_array().unwrap().iter().all(|metric| metric["StorageResolution"] == 1)
        );
        assert_eq!(batch["_aws"]["Timestamp"], 1_700_000_000_123_u64);
        let values = ["Duration", "ColdStart", "Errors", "BatchSize"].map(|name| batch[name].as_f64());
        assert_eq!(values, [Some(2.5), Some(1.0), Some(0.0), Some(2.0)]);

        let next = metrics.line(now, r#"{"requestContext":{}}"#, took, false);
        assert_eq!(
            (&next["ColdStart"], &next["Errors"], next.get("BatchSize")),
            (&json!(0), &json!(1), None)
        );
    }
}
