//! Series that are named by more than one dimension, or under more than one namespace.

use std::collections::BTreeSet;

use reports::format::CloudWatchSeries;

use super::points::Points;
use super::server::Server;

/// Namespaces of GameLift: AWS writes both.
const GAMELIFT: [&str; 2] = ["AWS/GameLift", "GameLift"];

/// What an operation of a table took.
#[derive(Debug, Clone)]
pub(crate) struct Latency {
    /// E.g. `BatchWriteItem`.
    pub(crate) operation: String,
    /// Mean in milliseconds.
    pub(crate) mean: Points,
    /// Calls; absent where nobody fetched them.
    pub(crate) calls: Option<Points>,
}

impl<'a> Server<'a> {
    /// What each operation of a table took, as DynamoDB itself saw it.
    pub(crate) fn latencies(&self, table: &str) -> Vec<Latency> {
        let of = |statistic: &'static str| {
            self.all().filter(move |series| {
                series.namespace == "AWS/DynamoDB"
                    && series.metric == "SuccessfulRequestLatency"
                    && series.statistic == statistic
                    && series.dimensions.len() == 2
                    && series.dimensions.get("TableName").is_some_and(|name| name == table)
            })
        };
        let operation = |series: &CloudWatchSeries| series.dimensions.get("Operation").cloned();
        of("Average")
            .filter(|series| !series.points.is_empty())
            .filter_map(|series| {
                let operation_name = operation(series)?;
                let calls =
                    of("SampleCount").find(|other| operation(other).as_ref() == Some(&operation_name));
                Some(Latency {
                    operation: operation_name,
                    mean: self.spread_of(series),
                    calls: calls.map(|series| self.spread_of(series)),
                })
            })
            .collect()
    }

    /// The tables whose latency is known, by their full names.
    pub(crate) fn tables(&self) -> BTreeSet<&'a str> {
        self.all()
            .filter(|series| series.namespace == "AWS/DynamoDB")
            .filter_map(|series| series.dimensions.get("TableName").map(String::as_str))
            .collect()
    }

    /// A series of a placement queue, with its unit.
    pub(crate) fn of_queue(&self, queue: &str, metric: &str, statistic: &str) -> Option<(Points, &'a str)> {
        let series = self.all().find(|series| {
            GAMELIFT.contains(&series.namespace.as_str())
                && series.metric == metric
                && series.statistic == statistic
                && series.dimensions.len() == 1
                && series.dimensions.values().all(|name| name == queue)
                && !series.points.is_empty()
        })?;
        Some((self.spread_of(series), series.unit.as_str()))
    }
}
