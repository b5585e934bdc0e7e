//! The settings of `[tables]` that do not apply to a DynamoDB.

use reference_backend::function::Table;
use reference_backend_local::tables::{Latency, TablesProfile};

use super::error::DynamoDbError;

/// Refuses faults that DynamoDB cannot inject, because a test would rely on them. Latency and capacity only cause a
/// warning, because every profile has some.
pub(super) fn check(profile: &TablesProfile) -> Result<(), DynamoDbError> {
    let ideal = TablesProfile::default();
    let mut own = false;
    for profile in Table::ALL.map(|table| profile.of(table)) {
        if profile.throttle_rate != ideal.throttle_rate {
            return Err(DynamoDbError::Fault("throttle_rate"));
        }
        if profile.unprocessed_rate != ideal.unprocessed_rate {
            return Err(DynamoDbError::Fault("unprocessed_rate"));
        }
        own |= profile.latency != Latency::default()
            || profile.partition_read_units != 0
            || profile.partition_write_units != 0;
    }
    if own {
        tracing::warn!(
            "the profile's latency and capacity of tables do not apply: with --dynamodb they are DynamoDB's own"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_never_happen_are_refused_and_other_limits_are_not() {
        let check = |text: &str| check(&toml::from_str(text).expect("a profile"));
        assert!(check("latency.put = { p50_ms = 4 }\npartition_read_units = 3000\nttl_sweep_s = 60").is_ok());
        for (text, key) in [
            ("throttle_rate = 0.1", "throttle_rate"),
            ("[per_table.Messages]\nunprocessed_rate = 0.1", "unprocessed_rate"),
        ] {
            let error = check(text).expect_err(text);
            assert!(error.is_mistake() && error.to_string().contains(key), "{error}");
        }
    }
}
