//! Environments that had to start: what an init adds is in no `Duration`.
//!
//! A share `s` of invocations with an init can lift only quantiles above `1 - s`. So a slow p99 needs at least one init in a
//! hundred invocations, and a slow median one in two.

use reports::format::{SuspectKind, SymptomKind};

use super::evidence;
use super::hops::functions_of;
use crate::candidate::{Candidate, HALF};
use crate::compare::Compared;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Metric, Points, Run, Stage, quantile};

/// Inits of a function, and how long they took.
struct Inits {
    count: Points,
    mean_ms: Points,
}

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (position, one) in felt.iter().enumerate().filter(|(_, one)| one.symptom.what == SymptomKind::Slower)
    {
        let Some(compared) = Compared::of(run, one) else { continue };
        let functions = functions_of(run, &one.player);
        found.extend(functions.iter().filter_map(|full| of_function(run, position, one, &compared, full)));
    }
    found
}

fn of_function(
    run: &Run<'_>,
    position: usize,
    felt: &Felt,
    compared: &Compared,
    full: &str,
) -> Option<Candidate> {
    let inits = inits(run, full)?;
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), full)?;
    let total = |points: &Points| compared.during.of(points).iter().map(|(_, count)| count).sum::<f64>();
    let (started, invoked) = (total(&inits.count), total(&invocations));
    let took_ms = compared.mean_during(&inits.mean_ms, Some(&inits.count))?;
    if started == 0.0 || invoked == 0.0 {
        return None;
    }
    let share = (started / invoked).min(1.0);
    let lifts = quantile(&felt.symptom.statistic).is_none_or(|quantile| share > 1.0 - quantile);
    // Each init has to be long enough to carry an answer over the bound, or most of the way.
    let long_enough =
        took_ms * 1e3 >= HALF * (felt.symptom.reference - compared.before_us.unwrap_or(0.0)).max(0.0);
    if !lifts || !long_enough {
        return None;
    }
    // A batch's init delays each of its records.
    let each = (compared.count / invoked).max(1.0);
    let near = |at: f64| compared_starts(&inits.count, at, felt.lag_s + took_ms / 1e3);
    let explained: f64 = felt.affected.iter().map(|(at, affected)| affected.min(near(*at) * each)).sum();
    let explained = explained / felt.count().max(1.0);
    if explained < HALF {
        return None;
    }
    let stage = Stage::Function(full.to_owned());
    let name = run.backend.resource(&stage);
    let first = inits
        .count
        .known()
        .find(|(at, count)| *count > 0.0 && compared.during.takes(*at, inits.count.period_s));
    let from_s = first.map_or(felt.symptom.from_s, |(at, _)| at);
    let onset = Interval { from_s, to_s: from_s + inits.count.period_s };
    let mut candidate = Candidate::new(SuspectKind::ColdStarts, stage, onset, felt.symptom.to_s);
    candidate.observed = Some(took_ms);
    candidate.unit = "ms";
    candidate.explains.push((position, explained));
    candidate.evidence.push(evidence::of(
        format!("inits of {name}"),
        format!(
            "{started:.0} of {invoked:.0} invocations started an environment ({:.1} %), {took_ms:.0} ms each: that can lift quantiles above {:.1} %",
            100.0 * share,
            100.0 * (1.0 - share)
        ),
        &inits.count,
        f64::NEG_INFINITY,
        felt.symptom.to_s,
    ));
    Some(candidate)
}

/// Inits in the periods that end in what is affected at an instant.
fn compared_starts(count: &Points, at_s: f64, lag_s: f64) -> f64 {
    count.within(at_s - lag_s, at_s + 1.0).sum().unwrap_or(0.0)
}

/// The finest count of inits that there is: rebuilt from logs, else of Lambda Insights.
fn inits(run: &Run<'_>, full: &str) -> Option<Inits> {
    let logs =
        |name, statistic| Metric { namespace: "Lambda/Reports", name, statistic, dimension: "FunctionName" };
    let insights = |statistic| Metric {
        namespace: "LambdaInsights",
        name: "init_duration",
        statistic,
        dimension: "function_name",
    };
    let pair = |count, mean| {
        Some(Inits { count: run.server.gauge(count, full)?, mean_ms: run.server.gauge(mean, full)? })
    };
    pair(logs("ColdStarts", "Sum"), logs("InitDuration", "Average"))
        .or_else(|| pair(logs("ColdStarts", "Sum"), insights("Average")))
        .or_else(|| pair(insights("SampleCount"), insights("Average")))
}
