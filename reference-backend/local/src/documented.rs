//! `GET /limits`: the limits that AWS documents and that no API of its own tells, with the profile's values.
//!
//! A client that reads limits would take AWS's documented numbers for them, which are wrong of a profile that sets others.
//! A limit that the profile switches off is absent.

use serde::Serialize;

use super::profile::Profile;

/// The limits; names as in `cloudwatch.json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Documented {
    /// Invocations per second for each unit of concurrency.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_concurrency: Option<u32>,
    /// Environments that a function may start in ten seconds.
    scaling_environments: f64,
    /// Write units per second of one partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_write_units: Option<u32>,
    /// Read units per second of one partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_read_units: Option<u32>,
    /// Calls per second of GameLift.
    #[serde(skip_serializing_if = "Option::is_none")]
    gamelift_requests_per_second: Option<u32>,
}

impl Documented {
    /// Those of a profile.
    pub(super) fn new(profile: &Profile) -> Self {
        let on = |limit: u32| (limit > 0).then_some(limit);
        let lambda = &profile.lambda;
        Self {
            requests_per_concurrency: on(lambda.requests_per_concurrency),
            scaling_environments: f64::from(lambda.scaling_environments) * 10.0 / lambda.scaling_period_s,
            partition_write_units: on(profile.tables.partition_write_units),
            partition_read_units: on(profile.tables.partition_read_units),
            gamelift_requests_per_second: on(profile.gamelift.requests_per_second),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_limit_that_is_off_is_absent() {
        let of = |profile: &Profile| serde_json::to_value(Documented::new(profile)).unwrap();
        assert_eq!(of(&Profile::default()), serde_json::json!({ "scaling_environments": 1_000.0 }));
        let aws_like = of(&Profile::load(Path::new("aws-like")).unwrap());
        assert_eq!(aws_like["scaling_environments"], 1_000.0);
        assert_eq!(aws_like["partition_write_units"], 1_000);
        assert_eq!(aws_like["partition_read_units"], 3_000);
        assert_eq!(aws_like["gamelift_requests_per_second"], 75);
    }
}
