//! Journeys in sentences, for people.

use crate::plan::journey::{Journey, Step, Until};
use crate::plan::{Plan, PlannedOperation};

/// One sentence for each journey.
#[must_use]
pub(super) fn sentences(plan: &Plan) -> Vec<String> {
    let journeys = plan.journeys.shares().map(|(share, journey)| {
        let size = share.size();
        let players = if size == 1 { "1 player".into() } else { format!("{size} players") };
        let steps: Vec<_> = journey.steps.iter().map(|step| words(plan, step)).collect();
        let again = if journey.repeats { ", and from the start again" } else { ", once" };
        let name = plan.name(journey.operation);
        format!("The journey `{name}` of {players}: {}{again}.", steps.join(", then "))
    });
    journeys.collect()
}

fn words(plan: &Plan, step: &Step) -> String {
    match step {
        Step::Do { operation, until, times, pause } => {
            let until = match until {
                Until::Answer => "its answer".into(),
                Until::Push { kind, .. } => format!("the push `{}`", plan.push_name(*kind)),
            };
            let often = if *times.bounds().end() == 1 { String::new() } else { format!(" {times} times") };
            let between = pause.filter(|_| !often.is_empty());
            let between = between.map_or_else(String::new, |pause| format!(", with pauses of {pause}"));
            format!("{} until {until}{often}{between}", plan.name(*operation))
        }
        Step::Pause(length) => format!("a pause ({length})"),
        Step::Leave(length) => format!("leaving for a while ({length})"),
    }
}

/// Whether an operation has no arrivals of its own, and journeys do it.
pub(super) fn only_by_journeys(plan: &Plan, planned: &PlannedOperation) -> bool {
    let does = |journey: &Journey| journey.mean_times(planned.operation) > 0.0;
    planned.arrivals() == 0 && plan.journeys.shares().any(|(_, journey)| does(journey))
}
