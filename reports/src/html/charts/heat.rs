//! A heat map: how often each value was seen in each stretch of time, drawn as strokes of one ink that lie upon each other.
//!
//! Each level is a path of its own over all cells that have at least so many samples; the style sheet draws each faintly, so that they
//! add up, in light, dark and print alike. Cells beside each other become one stroke, which keeps the drawing small.

use std::fmt::Write as _;

/// So many shades can be told apart.
pub(in crate::html) const LEVELS: usize = 5;
/// Rows of cells for each power of ten, where the axis is logarithmic.
const ROWS_A_DECADE: f64 = 12.0;

/// Counts by time and value.
#[derive(Debug, Clone, Default)]
pub(in crate::html) struct Heat {
    /// Begin and length of the columns, in values of the x axis.
    pub(in crate::html) start: f64,
    pub(in crate::html) step: f64,
    /// For each column the count of each row that has any, by ascending row: see [`row`].
    pub(in crate::html) columns: Vec<Vec<(i32, u64)>>,
}

/// The row of a value: rows are equally high on a logarithmic axis.
pub(in crate::html) fn row(value: f64) -> i32 {
    (value.max(1.0).log10() * ROWS_A_DECADE).floor() as i32
}

/// The smallest value of a row.
fn lowest(row: i32) -> f64 {
    10.0_f64.powf(f64::from(row) / ROWS_A_DECADE)
}

impl Heat {
    /// The smallest and the largest value of all rows.
    pub(in crate::html) fn extent(&self) -> Option<(f64, f64)> {
        let rows = || self.columns.iter().flatten().map(|(row, _)| *row);
        Some((lowest(rows().min()?), lowest(rows().max()? + 1)))
    }

    /// The least count of each level: powers of the highest, as counts differ by orders of magnitude.
    fn thresholds(&self) -> [u64; LEVELS] {
        let most = self.columns.iter().flatten().map(|(_, count)| *count).max().unwrap_or(1) as f64;
        std::array::from_fn(|level| most.powf(level as f64 / LEVELS as f64).ceil().max(1.0) as u64)
    }

    /// The paths; `place` gives the pixel of a point of the chart.
    pub(super) fn svg(&self, place: impl Fn(f64, f64) -> (i32, i32)) -> String {
        let mut svg = String::from("<g class=\"heat\">");
        let thresholds = self.thresholds();
        for (level, least) in thresholds.iter().enumerate() {
            if level > 0 && *least == thresholds[level - 1] {
                continue;
            }
            let mut path = String::new();
            let rows = self.columns.iter().flatten().map(|(row, _)| *row);
            let Some((first, last)) = rows.clone().min().zip(rows.max()) else { break };
            let mut height = 0;
            for row in first..=last {
                let (low, high) = (place(self.start, lowest(row)).1, place(self.start, lowest(row + 1)).1);
                height = height.max(low - high);
                for (from, to) in self.runs(row, *least) {
                    let x = |column: usize| place(self.start + column as f64 * self.step, lowest(row)).0;
                    let (left, right) = (x(from), x(to));
                    let _ = write!(path, "M{left} {}h{}", i32::midpoint(low, high), (right - left).max(1));
                }
            }
            if !path.is_empty() {
                let _ = write!(svg, "<path stroke-width=\"{height}\" d=\"{path}\"/>");
            }
        }
        svg.push_str("</g>");
        svg
    }

    /// Columns beside each other of which a row has at least so many samples.
    fn runs(&self, row: i32, least: u64) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let count = column.binary_search_by_key(&row, |(row, _)| *row).map_or(0, |at| column[at].1);
            if count < least {
                continue;
            }
            match runs.last_mut() {
                Some((_, end)) if *end == index => *end = index + 1,
                _ => runs.push((index, index + 1)),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_beside_each_other_are_one_stroke_and_levels_lie_upon_each_other() {
        let heat = Heat {
            start: 0.0,
            step: 1.0,
            columns: vec![vec![(24, 1), (36, 1)], vec![(24, 100)], vec![], vec![(24, 1)]],
        };
        assert_eq!(heat.runs(24, 1), [(0, 2), (3, 4)]);
        assert_eq!(heat.thresholds(), [1, 3, 7, 16, 40]);
        let (low, high) = heat.extent().expect("cells");
        assert!((low - 100.0).abs() < 1e-9 && high > 1_000.0);
        let svg = heat.svg(|x, y| ((x * 10.0) as i32, 100 - (y.log10() * 12.0).round() as i32));
        assert_eq!(
            svg,
            "<g class=\"heat\"><path stroke-width=\"1\" d=\"M0 75h20M30 75h10M0 63h10\"/>\
             <path stroke-width=\"1\" d=\"M10 75h10\"/><path stroke-width=\"1\" d=\"M10 75h10\"/>\
             <path stroke-width=\"1\" d=\"M10 75h10\"/><path stroke-width=\"1\" d=\"M10 75h10\"/></g>"
        );
    }

    #[test]
    fn a_value_is_in_the_row_that_begins_below_it() {
        for value in [1.0, 99.0, 101.0, 12_345.0, 9e8] {
            assert!(lowest(row(value)) <= value && value < lowest(row(value) + 1), "{value}");
        }
        assert_eq!(row(0.0), 0);
    }
}
