//! A small drawing of a series inside of a table's cell: its course over the run, the highest value told beside it.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use super::ink::Ink;
use super::timeline::{Fold, Grid};

/// Size of the drawing, which is stretched to its cell.
const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 30.0;

/// A series from zero to its highest value.
pub(in crate::html) struct Spark<'a> {
    pub(in crate::html) grid: Grid,
    pub(in crate::html) values: &'a [Option<f64>],
    /// A value that is drawn as a line across, where the values come near.
    pub(in crate::html) bound: Option<f64>,
    /// Where the time axis begins and ends, in seconds.
    pub(in crate::html) from_s: f64,
    pub(in crate::html) to_s: f64,
    pub(in crate::html) ink: Ink,
}

impl Spark<'_> {
    /// The highest value.
    pub(in crate::html) fn highest(&self) -> Option<f64> {
        self.values.iter().copied().flatten().max_by(f64::total_cmp)
    }

    /// Nothing where there is no value.
    pub(in crate::html) fn render(&self) -> Markup {
        let Some(highest) = self.highest() else { return html! {} };
        let bound = self.bound.filter(|bound| *bound <= highest * 3.0 && *bound > 0.0);
        let top = bound.map_or(highest, |bound| bound.max(highest)).max(f64::MIN_POSITIVE);
        let y = |value: f64| HEIGHT - 1.0 - (value / top * (HEIGHT - 2.0)).clamp(0.0, HEIGHT);
        html! {
            svg.spark viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" aria-hidden="true" {
                line.i-grid x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
                @if let Some(bound) = bound {
                    line.i-bound x1="0" y1=(format!("{:.1}", y(bound))) x2=(WIDTH) y2=(format!("{:.1}", y(bound))) {}
                }
                path class=(format!("course {}", self.ink.class())) d=(PreEscaped(self.path(y))) {}
            }
        }
    }

    /// Each value holds for its stretch of time; a gap is a gap.
    fn path(&self, y: impl Fn(f64) -> f64) -> String {
        let span = (self.to_s - self.from_s).max(1.0);
        let per = ((span / self.grid.step) / WIDTH).ceil().max(1.0) as usize;
        let x = |seconds: f64| ((seconds - self.from_s) / span * WIDTH).clamp(0.0, WIDTH);
        let mut path = String::new();
        let mut down = false;
        for (index, value) in Fold::Max.groups(self.values, per).into_iter().enumerate() {
            let begin = self.grid.start + (index * per) as f64 * self.grid.step;
            let end = begin + per as f64 * self.grid.step;
            let Some(value) = value.filter(|_| end > self.from_s && begin < self.to_s) else {
                down = false;
                continue;
            };
            let (left, right, height) = (x(begin), x(end), y(value));
            let command = if down { 'L' } else { 'M' };
            let _ = write!(path, "{command}{left:.0} {height:.0}H{right:.0}");
            down = true;
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_spans_the_axis_and_leaves_gaps() {
        let values = [Some(0.0), Some(10.0), None, Some(5.0)];
        let spark = Spark {
            grid: Grid { start: 0.0, step: 1.0 },
            values: &values,
            bound: None,
            from_s: 0.0,
            to_s: 4.0,
            ink: Ink::Series(0),
        };
        let drawn = spark.render().into_string();
        assert!(drawn.contains("d=\"M0 29H40L40 1H80M120 15H160\""), "{drawn}");
        assert_eq!(spark.highest(), Some(10.0));
        let none = Spark { values: &[None], ..spark };
        assert_eq!(none.render().into_string(), "");
    }
}
