//! Identities that complete data keep: where they fail, points lack.

use crate::observed::{Function, Metric, Run};

/// How much later than it happened a line of a log may be stamped, in seconds: it is written when an invocation has ended.
const WRITTEN_S: f64 = 1.0;

/// Notes on functions whose series contradict each other.
pub(crate) fn notes(run: &Run<'_>) -> Vec<String> {
    let of_function = |function: &Function| {
        [contradiction(run, &function.full, &function.short), lines(run, &function.full, &function.short)]
    };
    run.backend.functions.iter().flat_map(of_function).flatten().collect()
}

/// Little's law where every execution is known: in the time in which the invocations that began in a period were done, as much was
/// executed as they took together, or more. Executions by the second are rebuilt from the lines of the function's log, so that lines lack
/// where it fails. (What else ran in that time makes it only more: no correction for the edges is needed.)
fn lines(run: &Run<'_>, full: &str, short: &str) -> Option<String> {
    let rebuilt = Metric {
        namespace: "Lambda/Reports",
        name: "ConcurrentExecutions",
        statistic: "Average",
        dimension: "FunctionName",
    };
    let executions = run.server.gauge(rebuilt, full)?;
    let (first, last) = executions
        .known()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), (at, _)| (first.min(at), last.max(at)));
    let room = |from_s: f64, to_s: f64| {
        let (from_s, to_s) = (from_s, to_s + WRITTEN_S);
        // Beyond its first and last line nothing ran that it knows of, and what ran before the run was not read.
        let known = from_s >= first && to_s <= last + executions.period_s;
        known.then(|| executions.within(from_s, to_s).sum().unwrap_or(0.0) * executions.period_s)
    };
    let (checked, broken) = broken(run, full, room)?;
    let first = broken.first()?;
    Some(format!(
        "{short}: in {} of {checked} periods, first at {first:.0} s, its invocations took more time together than the executions that \
         were rebuilt from its log; lines of it lack",
        broken.len()
    ))
}

/// In how many periods a function's invocations can be held against the room that there was for them, and in which of them they took more
/// time together. `room`: execution seconds in a time, `None` where that is not known.
fn broken(run: &Run<'_>, full: &str, room: impl Fn(f64, f64) -> Option<f64>) -> Option<(u32, Vec<f64>)> {
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), full)?;
    let mean = run.server.gauge(Metric::lambda("Duration", "Average"), full)?;
    let longest = run.server.gauge(Metric::lambda("Duration", "Maximum"), full)?;
    let (mut checked, mut broken) = (0_u32, Vec::new());
    for (at, invoked) in invocations.known() {
        let (Some(mean_ms), Some(longest_ms)) = (mean.at(at), longest.at(at)) else { continue };
        let Some(room) = room(at, at + invocations.period_s + longest_ms / 1e3) else { continue };
        checked += 1;
        if invoked * mean_ms / 1e3 > room * (1.0 + 1e-6) {
            broken.push(at);
        }
    }
    Some((checked, broken))
}

/// Invocations that began in a period ran, all of them, until its end plus the longest of them. In that time they took
/// `Invocations x Duration` together, and no more than the greatest `ConcurrentExecutions` ran at once. That is what is left of
/// Little's law without a mean concurrency.
fn contradiction(run: &Run<'_>, full: &str, short: &str) -> Option<String> {
    let most = run.server.gauge(Metric::lambda("ConcurrentExecutions", "Maximum"), full)?;
    let room = |from_s: f64, to_s: f64| most.greatest(from_s, to_s).map(|most| most * (to_s - from_s));
    let (checked, broken) = broken(run, full, room)?;
    let first = broken.first()?;
    Some(format!(
        "{short}: in {} of {checked} periods, first at {first:.0} s, its invocations took more time together than its \
         ConcurrentExecutions (Maximum) allow; points of it lack or are not final yet",
        broken.len()
    ))
}
