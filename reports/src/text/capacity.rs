//! A search for the highest load in words.

use crate::format::capacity::{Capacity, Ended, Knee, Vary};
use crate::human;

/// A level with its unit.
#[must_use]
pub fn level(vary: Vary, level: f64) -> String {
    match vary {
        Vary::Rate => format!("{}/s", human::significant(level)),
        Vary::Players => format!("{} players", human::amount(level.round())),
    }
}

/// What came of the search, in a phrase.
#[must_use]
pub fn headline(capacity: &Capacity) -> String {
    sentences(capacity).0
}

/// The search for a terminal.
#[must_use]
pub fn text(capacity: &Capacity) -> String {
    let (headline, sentence) = sentences(capacity);
    format!("{headline}\n{sentence}\n")
}

/// What was found, and what it is worth, in a sentence each.
pub(crate) fn sentences(capacity: &Capacity) -> (String, String) {
    let show = |level: f64| self::level(capacity.vary, level);
    let interval =
        capacity.knee.map(|Knee { low, high, .. }| format!("{} held, {} did not", show(low), show(high)));
    let knee = capacity.knee.map_or_else(String::new, |knee| format!("Knee at {}", show(knee.estimate)));
    let held = capacity.held.map_or_else(|| "no load".into(), show);
    let so_far = || match &interval {
        Some(interval) => format!("So far {interval}."),
        None => format!("So far {held} held."),
    };
    match capacity.ended {
        Ended::Found => (
            format!("{knee}: {}", interval.unwrap_or_default()),
            format!(
                "The interval is {} % wide; {}.",
                human::significant(capacity.knee.map_or(0.0, |knee| (knee.high / knee.low - 1.0) * 100.0)),
                match capacity.repeats {
                    1 => "each bound rests on one run; raise --repeats".into(),
                    repeats => format!("each bound is the majority of up to {repeats} runs"),
                }
            ),
        ),
        Ended::NeverFailed => (
            format!("No knee up to {held}"),
            "The highest load tried passed its thresholds; raise --to to search further.".into(),
        ),
        Ended::NothingHeld => (
            "The lowest load already failed".into(),
            "Look at the first run's report: the thresholds may be stricter than an idle target can meet."
                .into(),
        ),
        Ended::GeneratorLimit => (
            match &interval {
                Some(interval) => {
                    format!("The generator reached its limit within the knee's interval: {interval}")
                }
                None => format!("The generator reached its limit, not the target: {held} held"),
            },
            format!(
                "{} The reports of the invalid runs name the cause and the remedy.",
                match capacity.held {
                    Some(_) => "The knee lies above what held.",
                    None => "The search says nothing about the target.",
                }
            ),
        ),
        Ended::OutOfTime => ("Time ran out before the knee was found".into(), so_far()),
        Ended::Interrupted => ("Interrupted before the knee was found".into(), so_far()),
        Ended::Unfinished => ("The search is not finished".into(), so_far()),
    }
}
