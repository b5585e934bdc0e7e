//! Identities that complete data keep: where they fail, points lack.

use crate::observed::{Metric, Run};

/// Notes on functions whose series contradict each other.
pub(crate) fn notes(run: &Run<'_>) -> Vec<String> {
    run.backend
        .functions
        .iter()
        .filter_map(|function| contradiction(run, &function.full, &function.short))
        .collect()
}

/// Invocations that began in a period ran, all of them, until its end plus the longest of them. In that time they took
/// `Invocations x Duration` together, and no more than the greatest `ConcurrentExecutions` ran at once. That is what is left of
/// Little's law without a mean concurrency.
fn contradiction(run: &Run<'_>, full: &str, short: &str) -> Option<String> {
    let most = run.server.gauge(Metric::lambda("ConcurrentExecutions", "Maximum"), full)?;
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), full)?;
    let mean = run.server.gauge(Metric::lambda("Duration", "Average"), full)?;
    let longest = run.server.gauge(Metric::lambda("Duration", "Maximum"), full)?;
    let (mut checked, mut broken) = (0_u32, Vec::new());
    for (at, invoked) in invocations.known() {
        let (Some(mean_ms), Some(longest_ms)) = (mean.at(at), longest.at(at)) else { continue };
        let end = at + invocations.period_s + longest_ms / 1e3;
        let Some(most) = most.greatest(at, end) else { continue };
        checked += 1;
        if invoked * mean_ms / 1e3 > most * (end - at) * (1.0 + 1e-6) {
            broken.push(at);
        }
    }
    let first = broken.first()?;
    Some(format!(
        "{short}: in {} of {checked} periods, first at {first:.0} s, its invocations took more time together than its \
         ConcurrentExecutions (Maximum) allow; points of it lack or are not final yet",
        broken.len()
    ))
}
