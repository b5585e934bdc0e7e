//! The verdict in words, the same in every report: what makes the other figures unusable comes first.

use crate::format::{EndedEarly, Status, Summary, Threshold};
use crate::human;

/// What stands for the operation beside messages that arrived but were not understood.
pub(crate) const NOT_UNDERSTOOD: &str = "arrived but not understood";

/// The verdict in one word group and a few sentences.
pub(crate) struct Statement {
    pub(crate) status: Status,
    pub(crate) headline: &'static str,
    pub(crate) sentence: String,
    /// Further reasons why the run is not valid: the sentence has the first.
    pub(crate) reasons: Vec<String>,
}

/// Judges a summary.
pub(crate) fn of(summary: &Summary) -> Statement {
    let status = summary.status();
    let mut reasons = summary.verdict.invalid_reasons.clone();
    let mut unusable = || {
        let first = if reasons.is_empty() { "no reason was given".into() } else { reasons.remove(0) };
        format!("Do not use this run's numbers: {first}.")
    };
    let (headline, sentence) = match status {
        Status::Passed => ("Valid, thresholds passed", thresholds(summary)),
        Status::NotJudged => ("Valid, nothing judged", thresholds(summary)),
        Status::ThresholdsFailed => ("Valid, thresholds failed", thresholds(summary)),
        Status::Invalid => ("Not valid", unusable()),
        Status::Unfinished => ("Not finished", unusable()),
        Status::Failed => ("Failed", "An error ended the run, or not everything could be written.".into()),
        Status::NothingConnected => ("Nobody connected", nobody_connected(summary)),
        Status::Interrupted => ("Interrupted", interrupted(summary)),
    };
    let early = summary.verdict.ended_early.as_ref().filter(|_| status != Status::Interrupted);
    let sentence = early.map_or_else(
        || sentence.clone(),
        |early| format!("{sentence} {}{}", ended_early(early), not_run(summary)),
    );
    Statement { status, headline, sentence, reasons }
}

/// The sentence on the thresholds of a valid run.
fn thresholds(summary: &Summary) -> String {
    let thresholds = &summary.thresholds;
    let failed: Vec<&Threshold> = thresholds.iter().filter(|threshold| !threshold.passed).collect();
    match (failed.first(), thresholds.len()) {
        (Some(first), all) => {
            format!("{} of {all} thresholds failed, first {}.", failed.len(), explained(first))
        }
        (None, _) if !summary.verdict.thresholds_passed => "The thresholds failed as a whole.".into(),
        (None, 0) => {
            "The generator sent on schedule; the scenario has no thresholds, so nothing was judged.".into()
        }
        (None, 1) => "The generator sent on schedule, and the threshold passed.".into(),
        (None, all) => format!("The generator sent on schedule, and all {all} thresholds passed."),
    }
}

fn nobody_connected(summary: &Summary) -> String {
    format!(
        "None of {} handshakes succeeded ({}): the run says nothing about how the target serves players.",
        human::count(summary.sockets.attempted),
        connect_failures(summary)
    )
}

/// The classes of the handshakes' errors, e.g. `refused × 50`.
#[must_use]
pub fn connect_failures(summary: &Summary) -> String {
    let errors = summary.operations.get("connect").map(|connect| &connect.errors);
    let classes = errors.into_iter().flatten().map(|(class, count)| format!("{class} × {count}"));
    classes.collect::<Vec<_>>().join(", ")
}

fn interrupted(summary: &Summary) -> String {
    let when = summary.verdict.ended_early.as_ref().map_or_else(String::new, |early| {
        format!(" {} into a plan of {}", human::clock(early.at_s), human::clock(early.planned_s))
    });
    let figures = if summary.status_at_end() == Status::NothingConnected {
        nobody_connected(summary)
    } else if !summary.verdict.valid {
        "Do not use this run's numbers.".into()
    } else if let Some(first) = summary.thresholds.iter().find(|threshold| !threshold.passed) {
        format!("Until then a threshold failed: {}.", explained(first))
    } else {
        "The figures are those until then.".into()
    };
    format!("The run was interrupted{when}. {figures}{}", not_run(summary))
}

fn ended_early(early: &EndedEarly) -> String {
    format!(
        "The run ended early, {} into a plan of {}: {}.",
        human::clock(early.at_s),
        human::clock(early.planned_s),
        early.reason
    )
}

fn not_run(summary: &Summary) -> String {
    match summary.not_run() {
        0 => String::new(),
        left => format!(" {} planned arrivals were not run; rates leave them out.", human::count(left)),
    }
}

/// A rule with its phase, where it has one.
#[must_use]
pub fn rule(threshold: &Threshold) -> String {
    match &threshold.phase {
        Some(phase) => format!("{} in {phase}", threshold.expression),
        None => threshold.expression.clone(),
    }
}

/// The verdict in a line.
#[must_use]
pub fn in_a_line(summary: &Summary) -> String {
    let Statement { headline, sentence, .. } = of(summary);
    format!("{headline}: {sentence}")
}

/// A threshold with its observed value, e.g. `error_rate < 1%: observed 3.5 %`.
#[must_use]
pub fn explained(threshold: &Threshold) -> String {
    match threshold.observed {
        Some(_) => format!("{}: observed {}", rule(threshold), observed(threshold)),
        None => format!("{}: not judged, {}", rule(threshold), observed(threshold)),
    }
}

/// The observed value of a threshold in the unit of its expression; else why there is none.
pub(crate) fn observed(threshold: &Threshold) -> String {
    let Some(value) = threshold.observed else {
        return threshold.not_judged.clone().unwrap_or_else(|| "no samples".to_owned());
    };
    let expression = threshold.expression.trim_end();
    let bound = expression.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let unit = &expression[bound.len()..];
    // A bound without a number is a name, as in `errors == none`: it has no unit.
    if unit.is_empty() || !bound.trim_end().ends_with(|c: char| c.is_ascii_digit()) {
        human::amount(value)
    } else if let Some(us) = micros(unit) {
        // As every other time, and so the same value everywhere.
        human::duration(value * us)
    } else {
        format!("{} {unit}", human::amount(value))
    }
}

/// A rule in its parts, e.g. `send_message.response_time.p99`, 250 and `ms`; `None` where its bound is no number.
pub(crate) fn parts(expression: &str) -> Option<(&str, f64, &str)> {
    let (metric, rest) = expression.split_at(expression.find(['<', '>', '='])?);
    let bound = rest.trim_start_matches(['<', '>', '=']).trim();
    let (number, unit) =
        bound.split_at(bound.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(bound.len()));
    Some((metric.trim(), number.parse().ok()?, unit.trim()))
}

/// Microseconds of a unit of time.
pub(crate) fn micros(unit: &str) -> Option<f64> {
    Some(match unit {
        "us" | "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" | "min" => 60e6,
        "h" => 3_600e6,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(expression: &str, observed: Option<f64>, passed: bool) -> Threshold {
        Threshold { expression: expression.into(), observed, passed, ..Threshold::default() }
    }

    #[test]
    fn the_observed_value_takes_the_unit_of_the_bound() {
        let shown = |expression| observed(&threshold(expression, Some(180.25), true));
        assert_eq!(shown("send_message.response_time.p99 < 250ms"), "180 ms");
        assert_eq!(observed(&threshold("a.p99 < 1s", Some(0.0529), true)), "52.9 ms");
        assert_eq!(shown("deliveries.message.lost < 0.1 %"), "180 %");
        assert_eq!(shown("sockets.dropped <= 200"), "180");
        assert_eq!(observed(&threshold("a < 1ms", None, false)), "no samples");
        let broken = threshold("error_rate < 1%", Some(3.5), false);
        assert_eq!(explained(&broken), "error_rate < 1%: observed 3.50 %");
        let peak = Threshold { phase: Some("peak".into()), ..broken };
        assert_eq!(explained(&peak), "error_rate < 1% in peak: observed 3.50 %");
    }

    #[test]
    fn a_rule_has_a_metric_a_bound_and_a_unit() {
        assert_eq!(parts("send.response_time.p99 <= 1.5s"), Some(("send.response_time.p99", 1.5, "s")));
        assert_eq!(parts("error_rate<1 %"), Some(("error_rate", 1.0, "%")));
        assert_eq!(parts("sockets.dropped == 0"), Some(("sockets.dropped", 0.0, "")));
        assert_eq!(parts("errors == none"), None);
        assert_eq!(parts("nothing"), None);
    }

    #[test]
    fn an_invalid_run_is_invalid_before_anything_else() {
        let mut summary =
            Summary { thresholds: vec![threshold("a < 1", Some(2.0), false)], ..Summary::default() };
        summary.verdict.invalid_reasons.push("the generator was saturated".into());
        let verdict = of(&summary);
        assert_eq!((verdict.status, verdict.headline), (Status::Invalid, "Not valid"));
        assert!(verdict.sentence.contains("the generator was saturated"), "{}", verdict.sentence);
        assert!(verdict.reasons.is_empty(), "said once");
        summary.verdict.valid = true;
        assert_eq!(of(&summary).headline, "Valid, thresholds failed");
        summary.thresholds.clear();
        summary.verdict.thresholds_passed = true;
        assert_eq!(of(&summary).headline, "Valid, nothing judged");
    }

    #[test]
    fn an_early_end_is_reported_first_and_with_what_was_not_run() {
        let mut summary = Summary::default();
        summary.verdict.valid = true;
        summary.verdict.thresholds_passed = true;
        let connect = crate::format::Operation {
            errors: [("http_403".to_owned(), 60)].into(),
            ..crate::format::Operation::default()
        };
        let send = crate::format::Operation {
            errors: [("unsent_ended_early".to_owned(), 600)].into(),
            ..crate::format::Operation::default()
        };
        summary.operations = [("connect".into(), connect), ("send_message".into(), send)].into();
        summary.sockets.attempted = 60;
        let reason = "all 60 players were refused".to_owned();
        summary.verdict.ended_early = Some(EndedEarly { at_s: 2.0, planned_s: 31.0, reason });
        let verdict = of(&summary);
        assert_eq!((verdict.status, verdict.headline), (Status::NothingConnected, "Nobody connected"));
        for told in [
            "60 handshakes",
            "http_403 × 60",
            "0:02 into a plan of 0:31",
            "all 60 players",
            "600 planned arrivals",
        ] {
            assert!(verdict.sentence.contains(told), "{told}: {}", verdict.sentence);
        }
        summary.verdict.status = Some(Status::Interrupted);
        summary.sockets.opened = 60;
        let verdict = of(&summary);
        assert_eq!(verdict.headline, "Interrupted");
        assert!(
            verdict.sentence.contains("0:02 into a plan of 0:31. The figures are"),
            "{}",
            verdict.sentence
        );
    }
}
