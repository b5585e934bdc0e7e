//! Thresholds as bullet bars: what was observed, against what it may be.

use maud::{Markup, html};

use crate::format::{Summary, Threshold};
use crate::html::bound::Bounded;
use crate::html::table::{Cell, Table};
use crate::verdict;

/// The bound stands at this share of the bar, so that what lies beyond it is seen.
const AT: f64 = 2.0 / 3.0;
/// Length of the bar in units of the drawing.
const LENGTH: f64 = 240.0;

pub(super) fn table(summary: &Summary) -> Table {
    let mut table = Table::new("Thresholds", ["rule", "observed", "verdict"]);
    for threshold in &summary.thresholds {
        let judged = match threshold {
            Threshold { passed: true, .. } => Cell::verdict("✓ passed", "words good"),
            Threshold { aborted: true, .. } => Cell::verdict("✕ failed, and ended the run", "words bad"),
            Threshold { observed: None, .. } => Cell::verdict("✕ not judged", "words bad"),
            Threshold { .. } => Cell::verdict("✕ failed", "words bad"),
        };
        let observed = verdict::observed(threshold);
        let observed = match (
            Bounded::of(threshold).and_then(|bounded| bar(&bounded, threshold.passed)),
            threshold.observed,
        ) {
            (Some(bar), value) => Cell::drawn(bar, observed, value),
            (None, Some(value)) => Cell::quantity(observed, value),
            (None, None) => Cell::text(observed),
        };
        table.row([Cell::text(verdict::rule(threshold)), observed, judged]);
    }
    table
}

/// From zero to half as much again as the bound; what is further away ends in an arrow.
fn bar(bounded: &Bounded, passed: bool) -> Option<Markup> {
    let observed = bounded.observed.filter(|_| bounded.bound > 0.0)?;
    let share = observed / bounded.bound * AT;
    let beyond = share > 1.0;
    let length = (share.clamp(0.0, 1.0) * LENGTH).round();
    let class = if passed { "b-good" } else { "b-bad" };
    let at = LENGTH * AT;
    Some(html! {
        svg.bullet viewBox="0 0 240 16" aria-hidden="true" {
            rect.b-track x="0" y="3" width="240" height="10" {}
            rect class=(class) x="0" y="3" width=(length.max(1.0)) height="10" {}
            line.b-bound x1=(at) y1="0" x2=(at) y2="16" {}
            @if beyond { path.b-beyond d="M232 3l8 5l-8 5z" {} }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_ends_where_the_value_is_and_never_beyond_the_drawing() {
        let drawn = |expression: &str, observed| {
            let threshold = Threshold { expression: expression.into(), observed, ..Threshold::default() };
            Bounded::of(&threshold).and_then(|bounded| bar(&bounded, true)).map(maud::PreEscaped::into_string)
        };
        let half = drawn("a.response_time.p99 < 200ms", Some(100.0)).expect("is judged");
        assert!(half.contains("width=\"80\"") && !half.contains("b-beyond"), "{half}");
        let far = drawn("a.response_time.p99 < 200ms", Some(9e9)).expect("is judged");
        assert!(far.contains("b-good\" x=\"0\" y=\"3\" width=\"240\"") && far.contains("b-beyond"), "{far}");
        assert_eq!(drawn("errors <= 0", Some(1.0)), None, "no share of nothing");
        assert_eq!(drawn("a.response_time.p99 < 200ms", None), None);
    }
}
