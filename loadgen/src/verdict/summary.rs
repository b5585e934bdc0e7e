//! The summary of a run: its figures, whether they are valid, and which thresholds hold.

use reports::format::{Summary, Verdict};
use scenarios::Plan;

use super::totals::Totals;
use super::validity::Validity;
use super::{figures, hops, observe, thresholds};
use crate::health::machine;

/// Puts the figures and the verdict together; `summary` brings the run's identity.
#[must_use]
pub fn summarize(plan: &Plan, summary: Summary, totals: &Totals<'_>) -> Summary {
    let Totals { tally: total, peak_open, watched, workers, ending } = *totals;
    let limit = machine::descriptor_limit();
    let Validity { invalid_reasons, warnings } = Validity::of(plan, total, watched, workers.iter(), limit);
    let unchecked = plan.way.trust.insecure.then(|| "certificates were not checked (--insecure)".to_owned());
    let warnings = warnings.into_iter().chain(unread(plan)).chain(unchecked).collect();
    let mut summary = Summary {
        schema_version: summary.schema_version,
        run: summary.run,
        churn: figures::churn(plan, plan.leaving(), &total.disruptions.churn),
        disruptions: figures::client_faults(&total.disruptions),
        hops: hops::hops(plan, total),
        generator: figures::generator(totals, !invalid_reasons.is_empty()),
        ..figures::for_thresholds(plan, total, &total.measured, peak_open)
    };
    let invalid_reasons: Vec<_> = misfit(plan, &summary).into_iter().chain(invalid_reasons).collect();
    summary.thresholds = thresholds::evaluate_all(plan, &summary, totals);
    let metrics: Vec<_> = plan.thresholds.iter().map(|threshold| &threshold.metric).collect();
    let length = summary.run.ended_at.duration_since(summary.run.started_at).as_secs_f64();
    summary.verdict = Verdict {
        status: None,
        exit_code: None,
        valid: invalid_reasons.is_empty(),
        invalid_reasons,
        warnings,
        thresholds_passed: summary.thresholds.iter().all(|threshold| threshold.passed),
        not_judged: observe::not_judged(&metrics, &summary),
        ended_early: ending.ended_early(plan, length),
    };
    summary.conclude(summary.status_in(ending.state()));
    summary
}

/// Why nothing may be concluded from what players received, where the protocol does not fit.
fn misfit(plan: &Plan, summary: &Summary) -> Option<String> {
    let frames = summary.frames.as_ref().filter(|frames| !frames.fit())?;
    let most = frames.shapes.iter().max_by_key(|(_, count)| **count).map_or("", |(shape, _)| shape);
    Some(format!(
        "{} of {} frames arrived but were not understood (most of them: {most}): the protocol `{}` does not fit what the target \
         sends, so answers and pushes may be missing that came; see errors.jsonl for samples, and `loadgen protocol try`",
        frames.unclassified,
        frames.received,
        plan.protocol.outline().name
    ))
}

/// What a reader should know where players read slowly or not at all.
fn unread(plan: &Plan) -> Option<String> {
    let slow = plan.disruptions.slow.as_ref().map_or(0, |slow| slow.share.size());
    let silent = plan.disruptions.half_open.as_ref().map_or(0, |silent| silent.share.size());
    (slow + silent > 0).then(|| {
        format!(
            "{} players read slowly or not at all, as the scenario has it: what was sent to them is in no delivery's count \
             or time, and bytes that wait for them in the kernel are no fault",
            slow + silent
        )
    })
}
