//! A chart of one measure over its runs, with the levels between its changes.

use maud::{Markup, html};

use super::axis::Axis;
use super::draw::{Layers, Mark, Stroke};
use super::figure::{Figure, LegendEntry};
use super::ink::Ink;
use super::unit::Unit;
use crate::html::error::RenderError;
use crate::html::table::Table;

/// A level: the places from `from` to before `to` lie around `mean`.
pub(in crate::html) struct Step {
    pub(in crate::html) from: usize,
    pub(in crate::html) to: usize,
    pub(in crate::html) mean: f64,
}

/// A change before the place `at`, with the name of what brought it.
pub(in crate::html) struct Break {
    pub(in crate::html) at: usize,
    pub(in crate::html) name: String,
}

/// A chart of one value for each place.
pub(in crate::html) struct TrendChart<'a> {
    /// Unique in the page.
    pub(in crate::html) id: String,
    pub(in crate::html) title: &'a str,
    /// The trend in words.
    pub(in crate::html) description: String,
    pub(in crate::html) unit: Unit,
    pub(in crate::html) values: Vec<f64>,
    /// The name of each place on the axis.
    pub(in crate::html) labels: Vec<String>,
    pub(in crate::html) steps: Vec<Step>,
    pub(in crate::html) breaks: Vec<Break>,
    pub(in crate::html) table: Table,
}

impl TrendChart<'_> {
    /// The figure, or a sentence when there are no values.
    ///
    /// # Errors
    /// [`RenderError::Chart`] when plotters refuses.
    pub(in crate::html) fn render(self) -> Result<Markup, RenderError> {
        let extent = self.values.iter().fold(None, |extent: Option<(f64, f64)>, value| {
            let (low, high) = extent.unwrap_or((*value, *value));
            Some((low.min(*value), high.max(*value)))
        });
        let Some((low, high)) = extent else {
            return Ok(html! { p.nothing { (self.title) ": no values." } });
        };
        let place = |place: usize| place as f64;
        let values = self.values.iter().enumerate().map(|(index, value)| (place(index), *value)).collect();
        let level =
            |step: &Step| vec![(place(step.from) - 0.5, step.mean), (place(step.to) - 0.5, step.mean)];
        let mark = |(index, change): (usize, &Break)| Mark {
            at: place(change.at) - 0.5,
            name: change.name.clone(),
            until: self.breaks.get(index + 1).map_or(place(self.values.len()), |next| place(next.at)) - 0.5,
        };
        let layers = Layers {
            title: self.title,
            x: Axis::places(&self.labels, "measured on", 6),
            y: Axis::around(low, high, self.unit, 4),
            shades: Vec::new(),
            flags: Vec::new(),
            bounds: Vec::new(),
            heat: None,
            ends: None,
            marks: self.breaks.iter().enumerate().map(mark).collect(),
            strokes: vec![
                Stroke { ink: Ink::Series(0), pieces: vec![values], dots: true, label: None },
                Stroke {
                    ink: Ink::Reference,
                    pieces: self.steps.iter().map(level).collect(),
                    dots: false,
                    label: None,
                },
            ],
        };
        let figure = Figure {
            id: &self.id,
            title: self.title,
            description: &self.description,
            how: None,
            keys: vec![
                LegendEntry { ink: Ink::Series(0), dots: true, name: "measured" },
                LegendEntry { ink: Ink::Reference, dots: false, name: "level" },
            ],
            drawing: layers.draw()?,
            data: None,
            recomputed: None,
            scale: None,
            table: self.table,
        };
        Ok(figure.render())
    }
}
