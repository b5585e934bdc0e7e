//! What a reader should look at on the time axis: suspects, stalls, bursts of errors, throttles, streams that fall behind, and a
//! generator that was late or lost its cores.

use super::context::Context;
use crate::format::{SeriesLine, Suspect};
use crate::stalls::Stall;
use crate::{findings, human, limits, server};

/// A burst has at least so many errors in a bin, and they are at least this share of what was called for.
const BURST: (u64, f64) = (5, 0.05);
/// A stream whose records wait longer than this falls behind, in milliseconds.
const BEHIND_MS: f64 = 5_000.0;
/// Stretches of one kind closer than this many of their bins are one.
const APART: f64 = 2.0;
/// As many marks of one kind are told.
const MOST: usize = 3;

/// A stretch of the run that stands out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// In a few words.
    pub(super) says: String,
    pub(super) from_s: f64,
    pub(super) to_s: f64,
}

impl Mark {
    /// As whole seconds, a second at least.
    pub(super) fn window(&self) -> (u64, u64) {
        let from = self.from_s.max(0.0).floor() as u64;
        (from, (self.to_s.max(0.0).ceil() as u64).max(from + 1))
    }
}

/// The marks: suspects by their number, then everything else in the order of time.
pub(super) fn of(context: &Context<'_>) -> Vec<Mark> {
    let correlation = context.summary.correlation.as_ref();
    let suspects = correlation.map_or(&[][..], |found| &found.suspects);
    let mut marks: Vec<Mark> = suspects
        .iter()
        .take(MOST)
        .map(|suspect| Mark { says: suspect_in_words(suspect), from_s: suspect.from_s, to_s: suspect.to_s })
        .collect();
    let mut others = bursts(context);
    others.extend(of_functions(context));
    others.extend(of_generator(context));
    others.extend(stalls(context));
    others.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
    marks.extend(others);
    marks
}

fn suspect_in_words(suspect: &Suspect) -> String {
    let kind = findings::title(suspect.kind).to_lowercase();
    if suspect.resource == kind { kind } else { format!("{}: {kind}", suspect.resource) }
}

/// Stretches of bins that are marked: begin and end of each bin, and its weight, 0 for those that are not marked. Gives begin, end and
/// the sum of the weights of each stretch.
fn stretches(bins: impl Iterator<Item = (f64, f64, f64)>) -> Vec<(f64, f64, f64)> {
    let mut all: Vec<(f64, f64, f64)> = Vec::new();
    for (from, to, weight) in bins.filter(|(.., weight)| *weight > 0.0) {
        match all.last_mut() {
            Some((_, end, sum)) if from - *end <= APART * (to - from) => {
                *end = to;
                *sum += weight;
            }
            _ => all.push((from, to, weight)),
        }
    }
    all
}

/// The heaviest of them, in the order of time.
fn heaviest(mut all: Vec<(f64, f64, f64)>) -> Vec<(f64, f64, f64)> {
    all.sort_by(|a, b| b.2.total_cmp(&a.2));
    all.truncate(MOST);
    all
}

/// The longest stalls, each with the period of all of them.
fn stalls(context: &Context<'_>) -> Vec<Mark> {
    let found = context.digest.stalls();
    if found.sentence().is_none() {
        return Vec::new();
    }
    let period = found.period.map_or_else(String::new, |period| format!(", {}", period.in_words()));
    let mut longest: Vec<_> = found.stalls.iter().collect();
    longest.sort_by_key(|stall| std::cmp::Reverse(stall.longest_us));
    let mark = |stall: &Stall| Mark {
        says: format!("stall of {}{period}", human::duration(stall.longest_us as f64)),
        from_s: stall.from_s as f64,
        to_s: stall.to_s as f64,
    };
    longest.into_iter().take(MOST).map(mark).collect()
}

fn bursts(context: &Context<'_>) -> Vec<Mark> {
    let of = |name: &str| {
        let errors = |line: &SeriesLine| {
            let Some(second) = line.operations.get(name) else { return 0.0 };
            let (errors, called_for) = (second.errors(), second.called_for().max(second.sent));
            let many = errors >= BURST.0 && errors as f64 >= called_for as f64 * BURST.1;
            if many { errors as f64 } else { 0.0 }
        };
        stretches(context.bins().map(|(from, to, line)| (from, to, errors(line))))
    };
    let mut marks: Vec<(f64, Mark)> = Vec::new();
    for name in &context.operations {
        for (from_s, to_s, errors) in heaviest(of(name)) {
            let says = format!("{name}: {} errors", human::amount(errors));
            marks.push((errors, Mark { says, from_s, to_s }));
        }
    }
    marks.sort_by(|a, b| b.0.total_cmp(&a.0));
    marks.into_iter().take(MOST).map(|(_, mark)| mark).collect()
}

fn of_functions(context: &Context<'_>) -> Vec<Mark> {
    let Some(cloudwatch) = &context.folder.cloudwatch else { return Vec::new() };
    let functions = context.folder.functions();
    let mut marks: Vec<(f64, Mark)> = Vec::new();
    for (metric, statistic, least, what) in
        [("Throttles", "Sum", 0.0, "throttles"), ("IteratorAge", "Maximum", BEHIND_MS, "iterator age")]
    {
        for (name, series) in server::metric(cloudwatch, metric, statistic) {
            let Some(function) = functions.iter().find(|function| function.function == name) else {
                continue;
            };
            let short = super::functions::short_name(function, &functions);
            let period = series.period_s.unwrap_or(cloudwatch.period_s).max(1) as f64;
            let bins = series
                .points
                .iter()
                .filter(|(at, _)| *at + period > 0.0 && *at < context.timeline.end_s)
                .map(|(at, value)| (*at, at + period, if *value > least { *value } else { 0.0 }));
            for (from_s, to_s, sum) in heaviest(stretches(bins)) {
                let says = match metric {
                    "Throttles" => format!("{short}: {} {what}", human::amount(sum)),
                    _ => format!("{short}: {what} above {}", human::duration(BEHIND_MS * 1e3)),
                };
                marks.push((sum, Mark { says, from_s, to_s }));
            }
        }
    }
    marks.sort_by(|a, b| b.0.total_cmp(&a.0));
    marks.into_iter().take(2 * MOST).map(|(_, mark)| mark).collect()
}

fn of_generator(context: &Context<'_>) -> Vec<Mark> {
    /// What stands out of a second, as a weight; 0: nothing.
    type Weight = fn(&SeriesLine) -> f64;
    let kinds: [(&str, Weight); 3] = [
        ("generator late", |line| {
            let p99 = line.generator.dispatch_delay_us.p99.max(line.generator.event_loop_lag_us.p99);
            if p99 > limits::DISPATCH_DELAY_P99_US { p99 as f64 } else { 0.0 }
        }),
        ("generator waited for a core", |line| {
            let waited = line.generator.run_delay_percent;
            if waited > limits::RUN_DELAY_PERCENT { waited } else { 0.0 }
        }),
        ("cores taken by the hypervisor", |line| {
            let stolen = line.generator.steal_percent;
            if stolen > limits::STEAL_PERCENT { stolen } else { 0.0 }
        }),
    ];
    let of = |(says, weight): (&str, Weight)| {
        let all = stretches(context.bins().map(|(from, to, line)| (from, to, weight(line))));
        let longest = all.iter().map(|(from, to, _)| to - from).fold(0.0, f64::max);
        let count = all.len();
        let (from_s, to_s, _) = all.into_iter().find(|(from, to, _)| (to - from - longest).abs() < 1e-9)?;
        let more = if count > 1 { format!(", longest of {count} times") } else { String::new() };
        Some(Mark { says: format!("{says}{more}"), from_s, to_s })
    };
    kinds.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_bins_close_to_each_other_are_one_stretch() {
        let weights = [0.0, 3.0, 0.0, 4.0, 0.0, 0.0, 0.0, 1.0];
        let bins = weights.iter().enumerate().map(|(at, weight)| (at as f64, at as f64 + 1.0, *weight));
        assert_eq!(stretches(bins), [(1.0, 4.0, 7.0), (7.0, 8.0, 1.0)]);
    }

    #[test]
    fn a_window_is_of_whole_seconds_and_never_empty() {
        let mark = |from_s, to_s| Mark { says: String::new(), from_s, to_s }.window();
        assert_eq!(mark(12.4, 12.9), (12, 13));
        assert_eq!(mark(5.0, 5.0), (5, 6));
        assert_eq!(mark(-3.0, 2.2), (0, 3));
    }
}
