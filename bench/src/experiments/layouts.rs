//! One function for each operation, or a single one: how far a slow authorizer spreads.

use hdrhistogram::Histogram;
use reports::folder::Tag;
use reports::format::experiment::{ExperimentRow, ExperimentTable, ExperimentUnit, Measured};

use super::arm::{Arm, Setup};
use super::experiment::{Experiment, Outcome};
use super::figures::{self, Window, highest, histogram, points, quantile, ratio, row};
use super::runs::{Group, Run};
use crate::planted::Settings;

const HEALTHY: &str = "healthy";
const SLOW: &str = "slow provider";
const AUTHORIZER: &str = "Authorizer";
const SINGLE: &str = "Backend";
/// Environments that the backend has for all of its functions.
const ENVIRONMENTS: u32 = 16;
/// The account has more, but other functions keep the rest busy: 100 must stay unreserved.
const ACCOUNT: u32 = 120;
/// Those of the authorizer, where it has its own.
const OWN: u32 = 4;
/// The functions' operations, in the order of the tables.
const OPERATIONS: [&str; 2] = ["send_message", "placement_request"];
const DELIVERIES: [&str; 2] = ["message", "placement"];

pub(super) fn experiment() -> Experiment {
    Experiment {
        setup: Setup {
            name: "layouts",
            scenario: include_str!("../../experiments/layouts.toml"),
            arms: vec![
                arm("single function", "One function does everything, with 16 environments.", |profile| {
                    profile
                        .set("lambda.layout", "\"single\"")
                        .set("lambda.reserved_concurrency", ENVIRONMENTS);
                }),
                arm(
                    "function per operation",
                    "A function for each operation; all of them share the 16 environments that the account has left.",
                    |_| (),
                ),
                arm(
                    "own limit for the authorizer",
                    "A function for each operation; 4 of the 16 environments are reserved for the authorizer, which may have no more.",
                    |profile| {
                        profile.set(format!("lambda.functions.{AUTHORIZER}.reserved_concurrency"), OWN);
                    },
                ),
            ],
        },
        question: "How far does a slow identity provider spread where one function does everything, and where each operation has its own?",
        of: "Response time of send_message while the provider is slow",
        evaluate,
    }
}

fn arm(name: &'static str, about: &'static str, keys: impl FnOnce(&mut Settings)) -> Arm {
    let mut profile = Settings::default();
    profile.set("base", "\"instant\"");
    profile.set("lambda.account_concurrency", ACCOUNT);
    profile.set("lambda.foreign_concurrency", ACCOUNT - ENVIRONMENTS);
    profile.set("lambda.init", "{ p50_ms = 20, p99_ms = 30 }");
    profile.set("lambda.duration", "{ p50_ms = 6, p99_ms = 15 }");
    profile.set("gamelift.placement", "{ p50_ms = 200, p99_ms = 500 }");
    // On the stack's axis, which begins before the run's: players connect for five seconds, then come five of warm-up and twenty
    // healthy ones. Two later every handshake that was begun in the healthy phase is done.
    profile.set(
        "identity.latency",
        "{ p50_ms = 5, p99_ms = 10, fault = { from_s = 32, p50_ms = 2000, p99_ms = 2600 } }",
    );
    keys(&mut profile);
    Arm { name, about, scenario: Settings::default(), profile }
}

fn response(run: &Run, operation: &str, phase: &str) -> Histogram<u64> {
    histogram(run, Tag::Response(operation), phase)
}

/// Failed of all that were to be done in a phase.
fn failed(run: &Run, operation: &str, phase: &str) -> Option<(f64, f64)> {
    let window = Window::of_phase(run, phase)?;
    let (failed, all) = window.seconds(run).filter_map(|line| line.operations.get(operation)).fold(
        (0, 0),
        |(failed, all), second| {
            let lost = second.failed + second.timed_out;
            (failed + lost, all + lost + second.completed)
        },
    );
    Some((failed as f64, all as f64))
}

/// Refused of all handshakes of a phase.
fn refused(run: &Run, phase: &str) -> Option<(f64, f64)> {
    let window = Window::of_phase(run, phase)?;
    let sockets = window.seconds(run).filter_map(|line| line.sockets.as_ref());
    let (refused, all) = sockets.fold((0, 0), |(refused, all), second| {
        (refused + second.rejected, all + second.opened + second.rejected)
    });
    Some((refused as f64, all as f64))
}

/// Lost or late of all that were expected in a phase.
fn lost(run: &Run, delivery: &str, phase: &str) -> Option<(f64, f64)> {
    let window = Window::of_phase(run, phase)?;
    let (lost, all) = window
        .seconds(run)
        .filter_map(|line| line.deliveries.get(delivery))
        .fold((0, 0), |(lost, all), second| {
            (lost + second.lost + second.late, all + second.lost + second.received)
        });
    Some((lost as f64, all as f64))
}

fn metric(run: &Run, name: (&str, &str), function: Option<&str>, phase: &str) -> Option<f64> {
    let values = points(run, name, function, Window::of_phase(run, phase));
    values.into_iter().max_by(f64::total_cmp)
}

/// The sum of a counter, which has points where there is something to count.
fn counter(run: &Run, metric: &str, function: Option<&str>, phase: &str) -> Option<f64> {
    run.folder.cloudwatch.as_ref()?;
    Some(points(run, (metric, "Sum"), function, Window::of_phase(run, phase)).iter().sum())
}

fn evaluate(groups: &[Group]) -> Outcome {
    use ExperimentUnit::{Microseconds, Number, Share};
    let mut times = Vec::new();
    let mut losses = vec![row(format!("handshakes refused, {SLOW}"), Share, groups, |group| {
        ratio(group, |run| refused(run, SLOW))
    })];
    for operation in OPERATIONS {
        for phase in [HEALTHY, SLOW] {
            times.push(row(format!("{operation} p99, {phase}"), Microseconds, groups, |group| {
                quantile(group, 0.99, |run| response(run, operation, phase))
            }));
        }
        losses.push(row(format!("{operation} failed, {SLOW}"), Share, groups, |group| {
            ratio(group, |run| failed(run, operation, SLOW))
        }));
    }
    for delivery in DELIVERIES {
        losses.push(row(format!("{delivery} lost or late, {SLOW}"), Share, groups, |group| {
            ratio(group, |run| lost(run, delivery, SLOW))
        }));
    }
    let mut metrics = Vec::new();
    for function in [AUTHORIZER, SINGLE, "SendMessage"] {
        for phase in [HEALTHY, SLOW] {
            metrics.push(row(format!("{function} Duration p99, {phase}"), Microseconds, groups, |group| {
                highest(group, |run| {
                    metric(run, ("Duration", "p99"), Some(function), phase).map(|ms| ms * 1_000.0)
                })
            }));
        }
        metrics.push(row(
            format!("{function} ConcurrentExecutions Maximum, {SLOW}"),
            Number,
            groups,
            |group| {
                highest(group, |run| metric(run, ("ConcurrentExecutions", "Maximum"), Some(function), SLOW))
            },
        ));
    }
    metrics.push(row(format!("Throttles of all functions, {SLOW}"), Number, groups, |group| {
        highest(group, |run| counter(run, "Throttles", None, SLOW))
    }));
    let answers = answers(groups, &losses);
    let table = |title: &str, how: &str, rows| ExperimentTable { title: title.into(), how: how.into(), rows };
    Outcome {
        answers,
        tables: vec![
            table(
                "What players wait",
                "Response times of what was answered, before and while the provider is slow.",
                times,
            ),
            table(
                "What players lose",
                "Shares of all requests, and of all pushes that were called for.",
                losses,
            ),
            table(
                "What CloudWatch shows",
                "The highest of any second of any run. Where one function does everything, its Duration mixes all operations.",
                metrics,
            ),
        ],
        spreads: groups
            .iter()
            .map(|group| figures::merged(group, |run| response(run, "send_message", SLOW)))
            .collect(),
    }
}

fn answers(groups: &[Group], losses: &[ExperimentRow]) -> Vec<String> {
    let mut sentences = Vec::new();
    for (arm, group) in groups.iter().enumerate() {
        let parts: Vec<String> = losses
            .iter()
            .filter_map(|row| {
                let Measured { value, .. } = (*row.values.get(arm)?)?;
                let what = row.measure.trim_end_matches(SLOW).trim_end_matches(", ");
                Some(format!("{what} {}", row.unit.show(&Measured { value, low: value, high: value })))
            })
            .collect();
        sentences.push(format!("{}: {}; {}.", group.arm.name, parts.join(", "), named(group)));
    }
    sentences
}

/// What attribution says of the arm's runs.
fn named(group: &Group) -> String {
    let first = |run: &Run| {
        let correlation = run.folder.summary.as_ref()?.correlation.as_ref()?;
        correlation
            .suspects
            .first()
            .map(|suspect| format!("{} ({})", reports::findings::title(suspect.kind), suspect.resource))
    };
    let mut said: Vec<String> =
        group.runs.iter().map(|run| first(run).unwrap_or_else(|| "no suspect".to_owned())).collect();
    said.sort();
    said.dedup();
    format!("attribution names {}", said.join(", or "))
}
