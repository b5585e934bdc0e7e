//! What CloudWatch knows of a bill's quantities, in the place of estimates.

use prices::{Basis, Bill, Item, Quantity};
use reports::format::{
    CloudWatch, CloudWatchSeries, Cost, FetchCost, FunctionSummary, LimitKind, SeriesStatus,
};
use scenarios::cost::assumptions::{INIT_SECONDS, MEMORY_GB};

use super::convert;

/// The bill of a run whose CloudWatch series are there now.
pub(crate) fn with_cloudwatch(cost: &Cost, fetched: &CloudWatch) -> Cost {
    let mut bill = convert::bill(cost);
    revise(&mut bill, fetched);
    convert::kept(bill, cost.basis)
}

/// Puts what CloudWatch has in the place of what was estimated. A series that is not complete changes nothing.
pub(super) fn revise(bill: &mut Bill, fetched: &CloudWatch) {
    // A folder of an older version says nothing of what reading it cost: each of its series was asked for, once at least.
    let FetchCost { metrics, scanned_bytes, .. } =
        fetched.cost.unwrap_or(FetchCost { metrics: fetched.series.len() as u64, ..FetchCost::default() });
    bill.revise(Item::MetricsRead, Quantity { amount: metrics as f64, basis: Basis::Counted });
    let scanned = Item::gigabytes(scanned_bytes as f64);
    bill.revise(Item::LogsScannedGb, Quantity { amount: scanned, basis: Basis::Counted });
    let sums = [
        (Item::LambdaRequests, "AWS/Lambda", "Invocations"),
        (Item::DynamodbWriteUnits, "AWS/DynamoDB", "ConsumedWriteCapacityUnits"),
        (Item::DynamodbReadUnits, "AWS/DynamoDB", "ConsumedReadCapacityUnits"),
        (Item::SnsPublishes, "AWS/SNS", "NumberOfMessagesPublished"),
    ];
    for (item, namespace, metric) in sums {
        if let Some(amount) = sum(fetched, namespace, metric) {
            bill.revise(item, Quantity { amount, basis: Basis::Cloudwatch });
        }
    }
    if let Some(bytes) = sum(fetched, "AWS/Logs", "IncomingBytes") {
        let amount = Item::gigabytes(bytes);
        bill.revise(Item::LogsIngestedGb, Quantity { amount, basis: Basis::Cloudwatch });
    }
    if sum(fetched, "AWS/Lambda", "Invocations").is_some() {
        let functions = reports::server::functions(fetched);
        let functions: Vec<_> = functions
            .iter()
            .filter(|function| function.invocations.is_some_and(|count| count > 0.0))
            .collect();
        let memory = |function: &FunctionSummary| memory_gb(fetched, &function.function);
        let told = functions.iter().all(|function| memory(function).is_some());
        let gigabytes = |function: &FunctionSummary| memory(function).unwrap_or(MEMORY_GB);
        let gb_seconds = |function: &FunctionSummary| {
            Some(function.invocations? * function.duration_avg_ms? / 1e3 * gigabytes(function))
        };
        if let Some(amount) = functions.iter().map(|function| gb_seconds(function)).sum() {
            let basis = if told { Basis::Cloudwatch } else { Basis::Estimated };
            bill.revise(Item::LambdaGbSeconds, Quantity { amount, basis });
        }
        // Duration is without initialisation. As many environments as ran at once were initialised, or more.
        let init = |function: &FunctionSummary| {
            Some(function.peak_concurrency? * INIT_SECONDS * gigabytes(function))
        };
        if let Some(amount) = functions.iter().map(|function| init(function)).sum() {
            bill.revise(Item::LambdaInitGbSeconds, Quantity { amount, basis: Basis::Estimated });
        }
    }
}

/// The sum of a metric over everything that has it: functions, topics, log groups, tables and their indexes. `None` where there is
/// no point, or not all of them came.
fn sum(fetched: &CloudWatch, namespace: &str, metric: &str) -> Option<f64> {
    let all = fetched.series.iter().filter(|series| {
        series.namespace == namespace
            && series.metric == metric
            && series.statistic == "Sum"
            && is_whole(series)
    });
    let mut points = 0.0;
    let mut total = None;
    for series in all {
        if series.status != SeriesStatus::Complete {
            return None;
        }
        points += series.points.iter().map(|(_, value)| value).sum::<f64>();
        total = (total.is_some() || !series.points.is_empty()).then_some(points);
    }
    total
}

/// Whether a series is of a whole thing, and not a part of what another series has: a table's index is on its own, one of a table's
/// operations is not.
fn is_whole(series: &CloudWatchSeries) -> bool {
    match series.dimensions.len() {
        1 => true,
        2 => series.dimensions.contains_key("GlobalSecondaryIndexName"),
        _ => false,
    }
}

/// A function's memory in gigabytes, where Lambda was asked for it.
fn memory_gb(fetched: &CloudWatch, function: &str) -> Option<f64> {
    let limit = fetched
        .limits
        .iter()
        .find(|limit| limit.kind == LimitKind::MemoryMb && limit.resource == function)?;
    Some(limit.value / 1_024.0)
}

#[cfg(test)]
mod tests {
    use prices::{PriceList, Usage};
    use reports::format::Limit;

    use super::*;

    fn series(
        name: &str,
        metric: &str,
        statistic: &str,
        of: &[(&str, &str)],
        values: &[f64],
    ) -> CloudWatchSeries {
        CloudWatchSeries {
            namespace: format!("AWS/{name}"),
            metric: metric.into(),
            statistic: statistic.into(),
            dimensions: of.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            points: values.iter().enumerate().map(|(minute, value)| (60.0 * minute as f64, *value)).collect(),
            ..CloudWatchSeries::default()
        }
    }

    /// Two minutes of two functions, a table with an index, a topic and a log group.
    fn fetched() -> CloudWatch {
        let lambda = |metric, statistic, of, values: &[f64]| {
            series("Lambda", metric, statistic, &[("FunctionName", of)], values)
        };
        let table = |of: &[(&str, &str)], values: &[f64]| {
            series("DynamoDB", "ConsumedWriteCapacityUnits", "Sum", of, values)
        };
        let series = vec![
            lambda("Invocations", "Sum", "Send", &[1_000.0, 3_000.0]),
            lambda("Duration", "Average", "Send", &[10.0, 20.0]),
            lambda("ConcurrentExecutions", "Maximum", "Send", &[4.0, 8.0]),
            lambda("Invocations", "Sum", "Connect", &[100.0]),
            lambda("Duration", "Average", "Connect", &[5.0]),
            lambda("ConcurrentExecutions", "Maximum", "Connect", &[2.0]),
            table(&[("TableName", "Messages")], &[5_000.0, 7_000.0]),
            table(&[("TableName", "Messages"), ("GlobalSecondaryIndexName", "ById")], &[4_000.0]),
            table(&[("TableName", "Messages"), ("Operation", "PutItem")], &[9.0]),
            series("SNS", "NumberOfMessagesPublished", "Sum", &[("TopicName", "Places")], &[12.0]),
            series(
                "Logs",
                "IncomingBytes",
                "Sum",
                &[("LogGroupName", "/aws/lambda/Send")],
                &[f64::from(1 << 29)],
            ),
        ];
        CloudWatch { series, period_s: 60, ..CloudWatch::default() }
    }

    fn estimated() -> Cost {
        let mut usage = Usage::none();
        usage.forget(Item::LambdaRequests);
        usage.set(Item::DynamodbReadUnits, 77.0, Basis::Estimated);
        let mut bill = Bill::of(&usage, PriceList::shipped());
        bill.divide("deliveries", 1e6, 500_000.0);
        convert::kept(bill, reports::format::CostBasis::OnAws)
    }

    #[test]
    fn what_cloudwatch_has_takes_the_place_of_estimates() {
        let cost = with_cloudwatch(&estimated(), &fetched());
        let bill = convert::bill(&cost);
        let of = |item| bill.item(item).map(|line| (line.quantity.unwrap(), line.basis.unwrap())).unwrap();
        assert_eq!(of(Item::LambdaRequests), (4_100.0, Basis::Cloudwatch));
        // (1,000 x 10 ms + 3,000 x 20 ms + 100 x 5 ms) x 0.25 GB.
        let (gb_seconds, basis) = of(Item::LambdaGbSeconds);
        assert!((gb_seconds - 70.5 * 0.25).abs() < 1e-9 && basis == Basis::Estimated, "{gb_seconds}");
        assert!((of(Item::LambdaInitGbSeconds).0 - 10.0 * 0.06 * 0.25).abs() < 1e-12);
        assert_eq!(
            of(Item::DynamodbWriteUnits),
            (16_000.0, Basis::Cloudwatch),
            "table and index, operations not again"
        );
        assert_eq!(of(Item::DynamodbReadUnits), (77.0, Basis::Estimated), "no series of it");
        assert_eq!(of(Item::SnsPublishes), (12.0, Basis::Cloudwatch));
        assert_eq!(of(Item::LogsIngestedGb), (0.5, Basis::Cloudwatch));
        assert_eq!(of(Item::MetricsRead), (11.0, Basis::Counted));
        assert!(cost.complete, "what was not known is now");
        assert!((cost.unit_costs[0].amount - cost.total * 2.0).abs() < 1e-12);
        assert_eq!(with_cloudwatch(&cost, &fetched()), cost, "and again changes nothing");
    }

    #[test]
    fn a_functions_memory_and_the_cost_of_reading_are_taken_as_they_were_told() {
        let memory = |function: &str, mb| Limit {
            kind: LimitKind::MemoryMb,
            resource: function.into(),
            value: mb,
            source: "lambda:GetFunctionConfiguration".into(),
        };
        let cost = FetchCost { metrics: 440, calls: 9, scanned_bytes: 1 << 28 };
        let mut fetched = CloudWatch { limits: vec![memory("Send", 512.0)], cost: Some(cost), ..fetched() };
        let of = |fetched: &CloudWatch, item| {
            let bill = convert::bill(&with_cloudwatch(&estimated(), fetched));
            bill.item(item).map(|line| (line.quantity.unwrap(), line.basis.unwrap())).unwrap()
        };
        // 70 s of 0.5 GB, half a second of the default.
        let (gb_seconds, basis) = of(&fetched, Item::LambdaGbSeconds);
        assert!(
            (gb_seconds - (70.0 * 0.5 + 0.5 * 0.25)).abs() < 1e-9 && basis == Basis::Estimated,
            "{gb_seconds}"
        );
        fetched.limits.push(memory("Connect", 128.0));
        let (gb_seconds, basis) = of(&fetched, Item::LambdaGbSeconds);
        assert!(
            (gb_seconds - (70.0 * 0.5 + 0.5 * 0.125)).abs() < 1e-9 && basis == Basis::Cloudwatch,
            "{gb_seconds}"
        );
        assert_eq!(of(&fetched, Item::MetricsRead), (440.0, Basis::Counted));
        assert_eq!(of(&fetched, Item::LogsScannedGb), (0.25, Basis::Counted));
    }

    #[test]
    fn what_did_not_come_whole_changes_nothing() {
        let mut fetched = fetched();
        fetched.series[0].status = SeriesStatus::PartialData;
        fetched.series.retain(|series| series.namespace == "AWS/Lambda");
        fetched.series.push(series(
            "SNS",
            "NumberOfMessagesPublished",
            "Sum",
            &[("TopicName", "Places")],
            &[],
        ));
        let before = estimated();
        let after = with_cloudwatch(&before, &fetched);
        assert!(!after.complete);
        for (before, after) in
            before.items.iter().zip(&after.items).filter(|(line, _)| line.item != "metrics_read")
        {
            assert_eq!(before, after);
        }
    }
}
