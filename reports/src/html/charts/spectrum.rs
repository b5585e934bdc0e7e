//! The percentile spectrum: the whole distribution on an axis that gives every further nine the same room.

use hdrhistogram::Histogram;
use maud::Markup;

use super::axis::{Axis, nines, quantile};
use super::draw::{Layers, Shade, Size, Stroke};
use super::figure::{Figure, LegendEntry};
use super::ink::Ink;
use super::unit::Unit;
use crate::html::error::RenderError;
use crate::html::table::Table;
use crate::human::{self, WEAK, WEAK_BELOW};

/// Points of one line.
const POINTS: u32 = 120;
/// Beyond seven nines a run would have to record more than ten million samples.
const MOST_NINES: f64 = 7.0;
/// The percentiles of the data table.
const TABLED: [f64; 10] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999, 1.0];

/// One histogram of a spectrum, in microseconds and not empty.
pub(in crate::html) struct Sweep<'a> {
    pub(in crate::html) name: &'a str,
    pub(in crate::html) ink: Ink,
    pub(in crate::html) histogram: &'a Histogram<u64>,
}

/// A chart of percentiles by their number of nines.
pub(in crate::html) struct Spectrum<'a> {
    /// Unique in the page.
    pub(in crate::html) id: String,
    pub(in crate::html) title: String,
    /// At least one.
    pub(in crate::html) sweeps: Vec<Sweep<'a>>,
}

impl Spectrum<'_> {
    /// # Errors
    /// [`RenderError::Chart`] when plotters refuses.
    pub(in crate::html) fn render(&self) -> Result<Markup, RenderError> {
        let counts = || self.sweeps.iter().map(|sweep| sweep.histogram.len());
        let largest = counts().max().unwrap_or(1) as f64;
        let smallest = counts().min().unwrap_or(1) as f64;
        let end = largest.log10().clamp(1.0, MOST_NINES);
        let weak_from = (smallest / WEAK_BELOW as f64).log10().clamp(0.0, end);
        let values = || self.sweeps.iter().map(|sweep| sweep.histogram);
        let low = values().map(|h| h.value_at_quantile(0.0)).min().unwrap_or(1) as f64;
        let high = values().map(Histogram::max).max().unwrap_or(1) as f64;
        let layers = Layers {
            title: &self.title,
            size: Size::Half,
            x: Axis::nines(end),
            y: Axis::log(low, high, Unit::Duration),
            shades: vec![Shade { from: weak_from, to: end, ink: Ink::Weak }],
            marks: Vec::new(),
            flags: Vec::new(),
            strokes: self.sweeps.iter().map(|sweep| stroke(sweep, end)).collect(),
        };
        let figure = Figure {
            id: &self.id,
            title: &self.title,
            description: &self.description(),
            how: None,
            size: Size::Half,
            keys: self
                .sweeps
                .iter()
                .map(|sweep| LegendEntry { ink: sweep.ink, dots: false, name: sweep.name })
                .collect(),
            drawing: layers.draw()?,
            data: None,
            table: self.table(),
        };
        Ok(figure.render())
    }

    fn description(&self) -> String {
        let ends: Vec<String> = self
            .sweeps
            .iter()
            .map(|sweep| {
                let at = |q| human::duration(sweep.histogram.value_at_quantile(q) as f64);
                format!(
                    "{}: {} samples, half below {}, 99 % below {}, largest {}",
                    sweep.name,
                    human::count(sweep.histogram.len()),
                    at(0.5),
                    at(0.99),
                    human::duration(sweep.histogram.max() as f64)
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
                let value = human::plain(sweep.histogram.value_at_quantile(q) as f64 / 1e3, 3);
                let beyond = sweep.histogram.len() as f64 * (1.0 - q);
                let weak = q < 1.0 && beyond + 1e-6 < WEAK_BELOW as f64;
                if weak { format!("{WEAK}{value}") } else { value }
            }));
            table.plain(cells);
        }
        let counts: Vec<String> = self
            .sweeps
            .iter()
            .map(|sweep| format!("{}: {} samples", sweep.name, human::count(sweep.histogram.len())))
            .collect();
        table.note(format!("{}. The last row is the largest sample.", counts.join(", ")));
        table
    }
}

fn stroke(sweep: &Sweep<'_>, end: f64) -> Stroke {
    // With n samples there are log10(n) nines: beyond, every percentile is the largest sample.
    let own_end = nines(1.0 - 1.0 / sweep.histogram.len().max(2) as f64).min(end);
    let points = (0..=POINTS)
        .map(|index| own_end * f64::from(index) / f64::from(POINTS))
        .map(|place| (place, sweep.histogram.value_at_quantile(quantile(place)) as f64))
        .collect();
    Stroke { ink: sweep.ink, pieces: vec![points], dots: false }
}
