//! What an answer would have needed.

use std::collections::BTreeMap;

use reports::format::{LimitKind, SuspectKind};

use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::{Metric, Run, Server, Stage, classes};
use crate::silence;

/// What lacks to explain the symptoms that are `open`, each in a sentence without its end.
pub(crate) fn of(
    run: &Run<'_>,
    felt: &[Felt],
    open: &[usize],
    unproven: &[Candidate],
    missed: &[String],
) -> Vec<String> {
    let open: Vec<&Felt> = open.iter().filter_map(|&n| felt.get(n)).collect();
    let mut lacks: Vec<String> = missed
        .iter()
        .map(|rule| format!("the threshold `{rule}` failed, which attribution does not look at"))
        .collect();
    if open.is_empty() {
        return lacks;
    }
    if run.server.document().is_none() {
        lacks.push("CloudWatch was not fetched: `loadgen correlate RUN` does so".to_owned());
    } else if !run.server.is_known() {
        lacks.push("CloudWatch had no point in the run's time".to_owned());
    }
    lacks.extend(unproven.iter().map(|candidate| of_limit(run, candidate)));
    lacks.extend(incomplete(run, &open));
    if run.server.document().is_some() {
        lacks.extend(open.iter().filter_map(|felt| without_path(run, felt)));
        lacks.extend(open.iter().flat_map(|felt| unknown_timeouts(run, felt)));
        lacks.extend(open.iter().flat_map(|felt| silence::on_the_path_of(run, felt)));
        let problems = run.server.document().into_iter().flat_map(|document| &document.problems);
        lacks.extend(problems.cloned());
        lacks.extend(unsettled(run));
    }
    lacks.extend(open.iter().filter_map(|felt| of_classes(run, felt)));
    let mut known: Vec<String> = Vec::new();
    lacks.retain(|lack| {
        let is_new = !known.contains(lack);
        known.push(lack.clone());
        is_new
    });
    if lacks.is_empty() {
        lacks.extend(
            open.iter().map(|felt| {
                format!("no series that was fetched explains at least half of the {}", felt.name())
            }),
        );
    }
    lacks
}

/// A function was throttled, and no limit that is known was reached.
fn of_limit(run: &Run<'_>, candidate: &Candidate) -> String {
    let resource = run.backend.resource(&candidate.stage);
    let says = candidate
        .evidence
        .first()
        .map(|evidence| evidence.says.trim_end_matches('.').to_owned())
        .unwrap_or_default();
    let known = |kind| run.server.limits().any(|limit| limit.kind == kind);
    match candidate.kind {
        SuspectKind::ReservedConcurrency
            if !known(LimitKind::ReservedConcurrency) && !known(LimitKind::AccountConcurrency) =>
        {
            format!(
                "the concurrency limits of {resource} ({says}): lambda:GetFunctionConcurrency and lambda:GetAccountSettings tell them"
            )
        }
        _ => format!("which limit {resource} reached ({says}): none that is known was"),
    }
}

/// Series of functions on the paths that CloudWatch calls incomplete.
fn incomplete(run: &Run<'_>, open: &[&Felt]) -> Vec<String> {
    let mut by_status: BTreeMap<String, ()> = BTreeMap::new();
    for stage in open.iter().flat_map(|felt| run.path(&felt.player)) {
        let (Stage::Function(full) | Stage::Table(full) | Stage::Queue(full)) = stage else { continue };
        for series in run.server.all().filter(|series| series.dimensions.values().any(|value| value == full))
        {
            if !Server::is_complete(series) {
                let resource = run.backend.resource(stage);
                by_status.insert(format!("{} of {resource}: {:?}", series.metric, series.status), ());
            }
        }
    }
    by_status.into_keys().collect()
}

fn without_path(run: &Run<'_>, felt: &Felt) -> Option<String> {
    let is_empty = run.path(&felt.player).iter().all(|stage| *stage == Stage::Gateway);
    is_empty.then(|| {
        format!(
            "which functions do the work of {}: declare them in the protocol or the scenario (`functions`)",
            felt.player.name()
        )
    })
}

/// Functions on a path that failed, and of which nobody knows whether it was at their time-out.
fn unknown_timeouts(run: &Run<'_>, felt: &Felt) -> Vec<String> {
    let has_errors = |full: &str| {
        let errors = run.server.counter(Metric::lambda("Errors", "Sum"), full);
        let meanwhile =
            errors.map(|errors| errors.within(felt.symptom.from_s - felt.lag_s, felt.symptom.to_s));
        meanwhile.and_then(|errors| errors.sum()).is_some_and(|sum| sum > 0.0)
    };
    let of_stage = |stage: &Stage| match stage {
        Stage::Function(full)
            if run.server.limit(LimitKind::TimeoutS, full).is_none() && has_errors(full) =>
        {
            let name = run.backend.resource(stage);
            Some(format!(
                "the time-out of {name}, which had errors: lambda:GetFunctionConfiguration tells it"
            ))
        }
        _ => None,
    };
    run.path(&felt.player).iter().filter_map(of_stage).collect()
}

fn unsettled(run: &Run<'_>) -> Option<String> {
    let document = run.server.document()?;
    (document.settled == Some(false)).then(|| {
        "the newest minutes of CloudWatch may still grow: `loadgen correlate RUN --wait` reads until two reads agree".to_owned()
    })
}

/// The classes of failures that no counter matches, above all those of credentials, which are not the backend's.
fn of_classes(run: &Run<'_>, felt: &Felt) -> Option<String> {
    if !felt.is_failures() {
        return None;
    }
    let within = |(at, _): &(f64, f64)| *at >= felt.symptom.from_s && *at < felt.symptom.to_s;
    let sum = |keep: fn(&str) -> bool| -> f64 {
        felt.player.failures(run, keep).into_iter().filter(within).map(|(_, count)| count).sum()
    };
    let credentials = sum(classes::is_credentials);
    (credentials >= felt.count() / 2.0).then(|| {
        format!(
            "the target did not accept the credentials of {}: look at the scenario's tokens first",
            felt.player.name()
        )
    })
}
