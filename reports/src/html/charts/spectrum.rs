//! The percentile spectrum: the whole distribution on an axis that gives every further nine the same room.

use hdrhistogram::Histogram;
use maud::Markup;

use super::axis::{Axis, nines, quantile};
use super::draw::{Bound, Layers, Shade, Stroke};
use super::figure::{Figure, LegendEntry};
use super::ink::Ink;
use super::unit::Unit;
use crate::digest::Distribution;
use crate::html::error::RenderError;
use crate::html::table::Table;
use crate::human::{self, WEAK, WEAK_BELOW};

/// Points of one line.
const POINTS: u32 = 120;
/// Beyond seven nines a run would have to record more than ten million samples.
const MOST_NINES: f64 = 7.0;
/// The percentiles of the data table.
const TABLED: [f64; 10] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999, 1.0];

/// The quantiles of a distribution in microseconds: 0 to 1 in, its value out.
type Quantiles<'a> = Box<dyn Fn(f64) -> u64 + 'a>;

/// One distribution of a spectrum, in microseconds and not empty.
pub(in crate::html) struct Sweep<'a> {
    pub(in crate::html) name: &'a str,
    pub(in crate::html) ink: Ink,
    /// Where its figures are in what a window recomputes, as a JSON Pointer.
    pointer: Option<String>,
    count: u64,
    max: u64,
    at: Quantiles<'a>,
}

impl<'a> Sweep<'a> {
    /// Of a histogram.
    pub(in crate::html) fn of(name: &'a str, ink: Ink, histogram: &'a Histogram<u64>) -> Self {
        let at: Quantiles<'a> = Box::new(|quantile| histogram.value_at_quantile(quantile));
        Self { name, ink, pointer: None, count: histogram.len(), max: histogram.max(), at }
    }

    /// With the place of its figures in what a window recomputes.
    pub(in crate::html) fn recomputed(mut self, pointer: String) -> Self {
        self.pointer = Some(pointer);
        self
    }

    /// Of a part of the run, to compare with.
    pub(in crate::html) fn of_part(name: &'a str, distribution: &'a Distribution) -> Self {
        let at: Quantiles<'a> = Box::new(|quantile| distribution.quantile(quantile));
        let (count, max) = (distribution.count(), distribution.max());
        Self { name, ink: Ink::Reference, pointer: None, count, max, at }
    }

    /// Values at the percentiles of the data table, with the largest sample last.
    fn value(&self, quantile: f64) -> u64 {
        if quantile < 1.0 { (self.at)(quantile) } else { self.max }
    }
}

/// A chart of percentiles by their number of nines.
pub(in crate::html) struct Spectrum<'a> {
    /// Unique in the page.
    pub(in crate::html) id: String,
    pub(in crate::html) title: String,
    /// At least one.
    pub(in crate::html) sweeps: Vec<Sweep<'a>>,
    /// Thresholds: quantile (0 to 1), bound in microseconds, and the rule.
    pub(in crate::html) bounds: Vec<(f64, f64, String)>,
}

impl Spectrum<'_> {
    /// # Errors
    /// [`RenderError::Chart`] when plotters refuses.
    pub(in crate::html) fn render(&self) -> Result<Markup, RenderError> {
        let counts = || self.sweeps.iter().map(|sweep| sweep.count);
        let largest = counts().max().unwrap_or(1) as f64;
        let smallest = counts().min().unwrap_or(1) as f64;
        let end = largest.log10().clamp(1.0, MOST_NINES);
        let weak_from = (smallest / WEAK_BELOW as f64).log10().clamp(0.0, end);
        let low = self.sweeps.iter().map(|sweep| sweep.value(0.0)).min().unwrap_or(1) as f64;
        let high = self.sweeps.iter().map(|sweep| sweep.max).max().unwrap_or(1) as f64;
        // A bound far away would press the lines into a corner: it is then told in the table of thresholds only.
        let near = |bound: &&(f64, f64, String)| (low / 10.0..=high * 10.0).contains(&bound.1);
        let bounds: Vec<&(f64, f64, String)> = self.bounds.iter().filter(near).collect();
        let low = bounds.iter().map(|bound| bound.1).fold(low, f64::min);
        let high = bounds.iter().map(|bound| bound.1).fold(high, f64::max);
        let layers = Layers {
            title: &self.title,
            x: Axis::nines(end),
            y: Axis::log(low, high, Unit::Duration),
            shades: vec![Shade { from: weak_from, to: end, ink: Ink::Weak }],
            marks: Vec::new(),
            flags: Vec::new(),
            bounds: bounds
                .iter()
                .map(|(quantile, at, name)| {
                    let x = nines(*quantile);
                    Bound { at: *at, x: (x <= end).then_some(x), name: name.clone() }
                })
                .collect(),
            heat: None,
            strokes: self.sweeps.iter().map(|sweep| stroke(sweep, end)).collect(),
            ends: None,
        };
        let figure = Figure {
            id: &self.id,
            title: &self.title,
            description: &self.description(),
            how: Some(&self.counts()),
            keys: self
                .sweeps
                .iter()
                .map(|sweep| LegendEntry { ink: sweep.ink, dots: false, name: sweep.name })
                .collect(),
            drawing: layers.draw()?,
            data: None,
            recomputed: self.pointers(),
            scale: Some(format!("0 {end} {}", layers.y.scale())),
            table: self.table(),
        };
        Ok(figure.render())
    }

    fn description(&self) -> String {
        let ends: Vec<String> = self
            .sweeps
            .iter()
            .map(|sweep| {
                let at = |q| human::duration(sweep.value(q) as f64);
                format!(
                    "{}: {} samples, half below {}, 99 % below {}, largest {}",
                    sweep.name,
                    human::count(sweep.count),
                    at(0.5),
                    at(0.99),
                    human::duration(sweep.max as f64)
                )
            })
            .collect();
        format!("Percentile spectrum. {}.", ends.join("; "))
    }

    fn table(&self) -> Table {
        let mut header = vec!["percentile".to_owned()];
        header.extend(self.sweeps.iter().map(|sweep| format!("{} (ms)", sweep.name)));
        let mut table = Table::new(format!("Data of {}", self.title), header);
        for q in TABLED {
            let mut cells = vec![human::plain(q * 100.0, 5)];
            cells.extend(self.sweeps.iter().map(|sweep| {
                let value = human::plain(sweep.value(q) as f64 / 1e3, 3);
                let beyond = sweep.count as f64 * (1.0 - q);
                let weak = q < 1.0 && beyond + 1e-6 < WEAK_BELOW as f64;
                if weak { format!("{WEAK}{value}") } else { value }
            }));
            table.plain(cells);
        }
        table.note("The last row is the largest sample.");
        table
    }

    /// How many samples each line stands for.
    fn counts(&self) -> String {
        let each = self.sweeps.iter().map(|sweep| format!("{} × {}", human::count(sweep.count), sweep.name));
        format!("Samples: {}.", each.collect::<Vec<_>>().join(", "))
    }

    /// Where a window's values of the first lines are, as JSON; what is compared with comes after these.
    fn pointers(&self) -> Option<(&'static str, String)> {
        let all: Vec<&str> = self.sweeps.iter().filter_map(|sweep| sweep.pointer.as_deref()).collect();
        (!all.is_empty()).then(|| serde_json::to_string(&all).ok().map(|list| ("data-spectrum", list)))?
    }
}

/// The line, which ends at the largest sample: with n samples there are log10(n) nines.
fn stroke(sweep: &Sweep<'_>, end: f64) -> Stroke {
    let own_end = nines(1.0 - 1.0 / sweep.count.max(2) as f64).min(end);
    let points = (0..POINTS)
        .map(|index| own_end * f64::from(index) / f64::from(POINTS))
        .map(|place| (place, sweep.value(quantile(place)) as f64))
        .chain([(own_end, sweep.max as f64)])
        .collect();
    let label = Some(sweep.name.split_whitespace().next().unwrap_or_default().to_owned());
    Stroke { ink: sweep.ink, label, pieces: vec![points], dots: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_the_largest_sample() {
        let mut histogram = Histogram::new(3).expect("three digits");
        for value in [1_000, 2_000, 28_000, 77_000] {
            histogram.record(value).expect("recordable");
        }
        let stroke = stroke(&Sweep::of("response time", Ink::Series(0), &histogram), 2.0);
        let (place, value) = *stroke.pieces[0].last().expect("points");
        assert!((place - 4.0_f64.log10()).abs() < 1e-9, "four samples have log10(4) nines: {place}");
        assert_eq!(value, histogram.max() as f64);
        assert!(value >= 77_000.0);
    }
}
