//! Silence: what had to be heard of in a symptom's time, and was not.
//!
//! A function that is not asked has no `Invocations`, no `Errors` and no `Throttles`: no counter accuses anybody, and faults that take
//! events away are the ones that are overlooked. So it is said. A point that lacks looks the same, wherefore nobody is named.

use reports::format::CloudWatchSeries;

use crate::felt::Felt;
use crate::observed::{Function, Points, Run, Stage, Trigger};

/// What of a symptom's path was silent in its time, each in a sentence without its end. Nothing where no function was heard of then: that
/// is a fetch without points.
pub(crate) fn on_the_path_of(run: &Run<'_>, felt: &Felt) -> Vec<String> {
    let when = (felt.symptom.from_s, felt.symptom.to_s);
    if !run.backend.functions.iter().any(|function| is_heard(run, &function.full, when)) {
        return Vec::new();
    }
    let silent = run.path(&felt.player).iter().filter_map(|stage| match stage {
        Stage::Function(full) if !is_heard(run, full, when) => run.backend.function(full),
        _ => None,
    });
    silent.map(|function| says(run, function, when)).collect()
}

/// Whether any counter of a function says that it was asked.
fn is_heard(run: &Run<'_>, full: &str, when: (f64, f64)) -> bool {
    ["Invocations", "Throttles", "Errors"].into_iter().any(|name| {
        let of_function = |series: &&CloudWatchSeries| {
            series.metric == name && series.dimensions.get("FunctionName").is_some_and(|own| own == full)
        };
        run.server.all().filter(of_function).any(|series| is_above_zero(&run.server.spread_of(series), when))
    })
}

fn is_above_zero(points: &Points, (from_s, to_s): (f64, f64)) -> bool {
    points.within(from_s, to_s).sum().is_some_and(|sum| sum > 0.0)
}

fn says(run: &Run<'_>, function: &Function, when: (f64, f64)) -> String {
    let name = &function.short;
    let (from_s, to_s) = when;
    let who = match &function.trigger {
        Trigger::Stream { uuid, .. } => {
            let polled = run.server.events("PolledEventCount", uuid);
            let is_polled = polled.is_some_and(|polled| is_above_zero(&polled, when));
            let what = if is_polled { "read records and handed none over" } else { "read no record either" };
            format!("its event source mapping {what}: look whether it is enabled, and what it filters out")
        }
        Trigger::Topic(_) => "look whether the topic has it as a subscriber, and may invoke it".to_owned(),
        _ => "look whether its route has an integration that may invoke it".to_owned(),
    };
    format!(
        "why {name} was not invoked from {from_s:.0} s to {to_s:.0} s, neither with success nor without: {who}; or its points lack"
    )
}
