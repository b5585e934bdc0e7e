//! The event source mappings as Lambda's API shows them.

use chrono::Utc;
use reference_backend::function::{Deployment, Layout, Table};
use serde_json::{Value, json};

use super::mapping::MAPPINGS;
use super::{StreamsProfile, mapping_uuid, stream_arn};
use crate::account::arn;
use crate::lambda::alias_arn;
use crate::tables::ChangeKind;

/// Every mapping; `stream` has the ARN of a table's stream.
pub(crate) fn describe(
    profile: &StreamsProfile,
    deployment: &Deployment,
    layout: Layout,
    stream: impl Fn(Table) -> Option<String>,
) -> Vec<Value> {
    let mapping = |(table, function, events): (Table, _, &[ChangeKind])| {
        let profile = profile.of(table);
        let table_name = deployment.table_name(table);
        let names: Vec<_> = events.iter().map(|event| event.event_name()).collect();
        let uuid = mapping_uuid(deployment, table);
        json!({
            "UUID": uuid,
            "EventSourceMappingArn": arn("lambda", &format!("event-source-mapping:{uuid}")),
            "EventSourceArn": stream(table).unwrap_or_else(|| stream_arn(&table_name)),
            "FunctionArn": alias_arn(&deployment.lambda_name(layout, function), deployment),
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": profile.batch_size,
            // Whole seconds on AWS.
            "MaximumBatchingWindowInSeconds": profile.batch_window_ms.div_ceil(1_000),
            "ParallelizationFactor": profile.parallelization_factor,
            "BisectBatchOnFunctionError": profile.bisect_on_function_error,
            // -1: only the age of a record, or the retention of the stream, is a limit.
            "MaximumRetryAttempts": profile.max_retry_attempts.map_or(-1, i64::from),
            "MaximumRecordAgeInSeconds": profile.max_record_age_s.map_or(-1, |seconds| seconds.ceil() as i64),
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "FilterCriteria": { "Filters": [{ "Pattern": json!({ "eventName": names }).to_string() }] },
            "MetricsConfig": { "Metrics": ["EventCount"] },
            "State": "Enabled",
            "StateTransitionReason": "User action",
            "LastModified": Utc::now().timestamp(),
        })
    };
    MAPPINGS.into_iter().map(mapping).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_ties_a_stream_to_the_alias_of_its_function() {
        let profile = StreamsProfile { max_retry_attempts: None, ..StreamsProfile::default() };
        let all = describe(&profile, &Deployment::default(), Layout::PerOperation, |_| None);
        let [messages, placements] = &all[..] else { panic!("{all:?}") };
        assert_eq!(
            messages["EventSourceArn"],
            "arn:aws:dynamodb:us-east-1:000000000000:table/reference-Development-Messages/stream/2024-01-01T00:00:00.000"
        );
        assert_eq!(
            messages["FunctionArn"],
            "arn:aws:lambda:us-east-1:000000000000:function:reference-Development-OnMessageInserted:Development"
        );
        assert_eq!((&messages["MaximumRetryAttempts"], &messages["BatchSize"]), (&json!(-1), &json!(100)));
        assert_eq!(
            placements["FilterCriteria"]["Filters"][0]["Pattern"],
            r#"{"eventName":["INSERT","MODIFY"]}"#
        );
        assert_ne!(messages["UUID"], placements["UUID"]);
    }
}
