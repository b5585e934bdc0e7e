//! Which function does the work of which operation, where nobody declared it: the one whose invocations follow the operation's sends.
//!
//! A route's function is invoked once for each send. So over periods in which the load varies, invocations and sends are the same but
//! for what lies across a period's edge, and their ranks agree. Only what fits exactly one operation counts; at a steady load
//! everything fits everything, and nothing is found. What runs behind the answer in batches follows no count: a delivery gets a path
//! only where a single function reads a stream.

use std::collections::BTreeMap;

use reports::folder::RunFolder;

use super::backend::{Function, Stage, Trigger};
use super::points::Points;
use super::server::{Metric, Server};
use statistics::ranks::spearman;

/// Fewest periods that both have.
const FEWEST: usize = 8;
/// Share by which the sums of invocations and sends may differ, and their counts period by period: what lies across an edge.
const NEAR: f64 = 0.1;
/// Least rank correlation: nearly the same order.
const SAME_ORDER: f64 = 0.9;

/// Paths by operation and delivery.
pub(super) type Paths = BTreeMap<String, Vec<Stage>>;

/// The paths of operations, and of deliveries.
pub(super) fn discover(folder: &RunFolder, server: &Server<'_>, functions: &[Function]) -> (Paths, Paths) {
    let awaited = functions.iter().filter(|function| function.trigger.is_awaited());
    let invoked: Vec<(&str, Points)> = awaited
        .filter_map(|function| {
            let points = server.gauge(Metric::lambda("Invocations", "Sum"), &function.full)?;
            Some((function.full.as_str(), points))
        })
        .collect();
    let names = folder.series.iter().flat_map(|line| line.operations.keys());
    let operations: std::collections::BTreeSet<&String> = names.collect();
    let mut fits: Vec<(&String, &str)> = Vec::new();
    for &operation in &operations {
        let sent: Vec<(f64, f64)> = folder
            .series
            .iter()
            .map(|line| {
                (line.t as f64, line.operations.get(operation).map_or(0.0, |second| second.sent as f64))
            })
            .collect();
        fits.extend(
            invoked.iter().filter(|(_, points)| follows(&sent, points)).map(|(full, _)| (operation, *full)),
        );
    }
    let alone = |&&(operation, full): &&(&String, &str)| {
        fits.iter().filter(|(other, name)| *other == operation || *name == full).count() == 1
    };
    let paths: Paths = fits
        .iter()
        .filter(alone)
        .map(|(operation, full)| {
            ((*operation).clone(), vec![Stage::Gateway, Stage::Function((*full).to_owned())])
        })
        .collect();
    (paths, deliveries(folder, functions))
}

/// The path of the only delivery behind the only function that reads a stream.
fn deliveries(folder: &RunFolder, functions: &[Function]) -> Paths {
    let names: std::collections::BTreeSet<&String> =
        folder.series.iter().flat_map(|line| line.deliveries.keys()).collect();
    let readers: Vec<(&Function, &String)> = functions
        .iter()
        .filter_map(|function| match &function.trigger {
            Trigger::Stream { table, .. } => Some((function, table)),
            _ => None,
        })
        .collect();
    let names: Vec<&&String> = names.iter().collect();
    let ([name], [(function, table)]) = (names.as_slice(), readers.as_slice()) else { return Paths::new() };
    let stream = (!table.is_empty()).then(|| Stage::Stream((*table).clone()));
    let path = [Some(Stage::Gateway), stream, Some(Stage::Function(function.full.clone()))];
    [((**name).clone(), path.into_iter().flatten().collect())].into()
}

/// Whether a function's invocations are an operation's sends, period by period.
fn follows(sent: &[(f64, f64)], invoked: &Points) -> bool {
    let sums: Vec<(f64, f64)> = invoked
        .known()
        .map(|(at, count)| {
            let from = sent.partition_point(|(second, _)| *second < at.floor());
            let within = sent[from..].iter().take_while(|(second, _)| second + 0.5 < at + invoked.period_s);
            (within.map(|(_, sent)| sent).sum(), count)
        })
        .collect();
    let sends: Vec<f64> = sums.iter().map(|(sends, _)| *sends).collect();
    let counts: Vec<f64> = sums.iter().map(|(_, count)| *count).collect();
    let total: f64 = sends.iter().sum();
    let apart: f64 = sums.iter().map(|(sends, count)| (sends - count).abs()).sum();
    sums.len() >= FEWEST
        && total > 0.0
        && (counts.iter().sum::<f64>() - total).abs() <= NEAR * total
        && apart <= 2.0 * NEAR * total
        && spearman(&sends, &counts).is_some_and(|same| same >= SAME_ORDER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Point;

    fn points(values: &[f64]) -> Points {
        let point = |(n, value): (usize, &f64)| Point { at_s: n as f64, value: Some(*value) };
        Points { period_s: 1.0, points: values.iter().enumerate().map(point).collect() }
    }

    fn sends(values: &[f64]) -> Vec<(f64, f64)> {
        values.iter().enumerate().map(|(n, value)| (n as f64, *value)).collect()
    }

    #[test]
    fn invocations_follow_what_is_sent() {
        let load: Vec<f64> = (0..20).map(|n| 20.0 + 10.0 * f64::from(n)).collect();
        assert!(follows(&sends(&load), &points(&load)));
        let edge: Vec<f64> =
            load.iter().enumerate().map(|(n, v)| if n % 2 == 0 { v + 2.0 } else { v - 2.0 }).collect();
        assert!(follows(&sends(&load), &points(&edge)), "a few lie across an edge");
        let twice: Vec<f64> = load.iter().map(|value| 2.0 * value).collect();
        assert!(!follows(&sends(&load), &points(&twice)));
        let reversed: Vec<f64> = load.iter().rev().copied().collect();
        assert!(!follows(&sends(&load), &points(&reversed)));
    }

    #[test]
    fn a_steady_load_tells_nothing() {
        assert!(!follows(&sends(&[20.0; 30]), &points(&[20.0; 30])));
        assert!(!follows(&sends(&[1.0, 2.0, 3.0]), &points(&[1.0, 2.0, 3.0])), "too few periods");
    }
}
