//! The verdict in words, for every report alike: validity before performance.

use crate::format::{Summary, Threshold};
use crate::human;

/// How a run ended up, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The generator could not keep its promise: no performance statement holds.
    Invalid,
    /// Valid, and at least one threshold failed.
    Failed,
    /// Valid, and the scenario's thresholds passed.
    Passed,
    /// Valid, and the scenario asked for nothing.
    Unjudged,
}

/// The verdict in one word group and one sentence.
pub(crate) struct Verdict {
    pub(crate) standing: Standing,
    pub(crate) headline: &'static str,
    pub(crate) sentence: String,
}

/// Judges a summary.
pub(crate) fn of(summary: &Summary) -> Verdict {
    let thresholds = &summary.thresholds;
    let failed: Vec<&Threshold> = thresholds.iter().filter(|threshold| !threshold.passed).collect();
    let (standing, headline, sentence) = if !summary.verdict.valid {
        let reason = summary.verdict.invalid_reasons.first().map_or("no reason was given", String::as_str);
        let sentence = format!("No performance statement holds: {reason}.");
        (Standing::Invalid, "Not valid", sentence)
    } else if let Some(first) = failed.first() {
        let sentence = format!(
            "{} of {} thresholds failed, first {}.",
            failed.len(),
            thresholds.len(),
            explained(first),
        );
        (Standing::Failed, "Valid, thresholds failed", sentence)
    } else if !summary.verdict.thresholds_passed {
        (Standing::Failed, "Valid, thresholds failed", "The thresholds failed as a whole.".to_owned())
    } else if thresholds.is_empty() {
        let sentence = "The generator kept its plan; the scenario sets no thresholds.".to_owned();
        (Standing::Unjudged, "Valid", sentence)
    } else {
        let sentence = match thresholds.len() {
            1 => "The generator kept its plan, and the threshold passed.".to_owned(),
            n => format!("The generator kept its plan, and all {n} thresholds passed."),
        };
        (Standing::Passed, "Valid, thresholds passed", sentence)
    };
    Verdict { standing, headline, sentence }
}

/// The verdict in a line.
#[must_use]
pub fn in_a_line(summary: &Summary) -> String {
    let Verdict { headline, sentence, .. } = of(summary);
    format!("{headline}: {sentence}")
}

/// A threshold and what it saw, e.g. `error_rate < 1%: observed 3.5 %`.
#[must_use]
pub fn explained(threshold: &Threshold) -> String {
    format!("{}: observed {}", threshold.expression, observed(threshold))
}

/// What a threshold saw, in the unit that its expression ends with.
pub(crate) fn observed(threshold: &Threshold) -> String {
    let Some(value) = threshold.observed else {
        return "nothing measured".to_owned();
    };
    let expression = threshold.expression.trim_end();
    let bound = expression.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let unit = &expression[bound.len()..];
    // A bound without a number is a name, as in `errors == none`: it has no unit.
    if unit.is_empty() || !bound.trim_end().ends_with(|c: char| c.is_ascii_digit()) {
        human::amount(value)
    } else {
        format!("{} {unit}", human::amount(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(expression: &str, observed: Option<f64>, passed: bool) -> Threshold {
        Threshold { expression: expression.into(), observed, passed }
    }

    #[test]
    fn the_observed_value_takes_the_unit_of_the_bound() {
        let shown = |expression| observed(&threshold(expression, Some(180.25), true));
        assert_eq!(shown("send_message.response_time.p99 < 250ms"), "180 ms");
        assert_eq!(shown("deliveries.message.lost < 0.1 %"), "180 %");
        assert_eq!(shown("sockets.dropped <= 200"), "180");
        assert_eq!(observed(&threshold("a < 1ms", None, false)), "nothing measured");
        let broken = threshold("error_rate < 1%", Some(3.5), false);
        assert_eq!(explained(&broken), "error_rate < 1%: observed 3.50 %");
    }

    #[test]
    fn an_invalid_run_is_invalid_before_anything_else() {
        let mut summary =
            Summary { thresholds: vec![threshold("a < 1", Some(2.0), false)], ..Summary::default() };
        summary.verdict.invalid_reasons.push("the generator was saturated".into());
        let verdict = of(&summary);
        assert_eq!(verdict.standing, Standing::Invalid);
        assert!(verdict.sentence.contains("the generator was saturated"), "{}", verdict.sentence);
        summary.verdict.valid = true;
        assert_eq!(of(&summary).standing, Standing::Failed);
        summary.thresholds.clear();
        summary.verdict.thresholds_passed = true;
        assert_eq!(of(&summary).standing, Standing::Unjudged);
    }
}
