//! A chart of measured points over the load.

use maud::{Markup, html};

use super::axis::Axis;
use super::draw::{Layers, Shade, Stroke};
use super::figure::{Figure, LegendEntry};
use super::ink::Ink;
use super::unit::Unit;
use crate::html::error::RenderError;
use crate::html::table::Table;
use crate::human;

/// One series: points by ascending x.
pub(in crate::html) struct Cloud {
    pub(in crate::html) name: String,
    pub(in crate::html) ink: Ink,
    pub(in crate::html) points: Vec<(f64, f64)>,
}

/// A chart of points.
pub(in crate::html) struct Scatter {
    /// Unique in the page.
    pub(in crate::html) id: String,
    pub(in crate::html) title: String,
    pub(in crate::html) x: Unit,
    pub(in crate::html) y: Unit,
    /// Whether the y axis is logarithmic.
    pub(in crate::html) log: bool,
    /// A stretch of the load that matters.
    pub(in crate::html) shade: Option<(f64, f64)>,
    pub(in crate::html) clouds: Vec<Cloud>,
}

impl Scatter {
    /// The figure, or a sentence when there are no samples.
    ///
    /// # Errors
    /// [`RenderError::Chart`] when plotters refuses.
    pub(in crate::html) fn render(&self) -> Result<Markup, RenderError> {
        let points = || self.clouds.iter().flat_map(|cloud| cloud.points.iter().copied());
        let Some(right) = points().map(|(x, _)| x).reduce(f64::max) else {
            return Ok(html! { p.nothing { (self.title) ": no samples." } });
        };
        let high = points().map(|(_, y)| y).fold(0.0, f64::max);
        let low = points().map(|(_, y)| y).filter(|y| *y > 0.0).fold(high, f64::min);
        let mut x = Axis::linear(right, self.x, 5);
        x.title = format!("load, {}", x.title);
        let layers = Layers {
            title: &self.title,
            x,
            y: if self.log { Axis::log(low, high, self.y) } else { Axis::linear(high, self.y, 5) },
            shades: self
                .shade
                .iter()
                .map(|(from, to)| Shade { from: *from, to: *to, ink: Ink::Weak })
                .collect(),
            marks: Vec::new(),
            flags: Vec::new(),
            bounds: Vec::new(),
            heat: None,
            strokes: self.clouds.iter().flat_map(strokes).collect(),
            ends: None,
        };
        let figure = Figure {
            id: &self.id,
            title: &self.title,
            description: &self.description(),
            how: None,
            keys: self
                .clouds
                .iter()
                .map(|cloud| LegendEntry { ink: cloud.ink, dots: false, name: &cloud.name })
                .collect(),
            drawing: layers.draw()?,
            data: None,
            recomputed: None,
            scale: None,
            table: self.table(),
        };
        Ok(figure.render())
    }

    fn description(&self) -> String {
        let ends = self.clouds.iter().filter_map(|cloud| {
            let ((first, from), (last, to)) = (*cloud.points.first()?, *cloud.points.last()?);
            let (x, y) = (|value| self.x.show(value), |value| self.y.show(value));
            Some(format!("{}: {} at {}, {} at {}", cloud.name, y(from), x(first), y(to), x(last)))
        });
        format!("{}.", ends.collect::<Vec<_>>().join("; "))
    }

    fn table(&self) -> Table {
        let ((x_unit, _), (y_unit, divisor)) = (self.x.column(), self.y.column());
        let named = |name: &str, unit: &str| {
            if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") }
        };
        let mut header = vec![named("load", x_unit)];
        header.extend(self.clouds.iter().map(|cloud| named(&cloud.name, y_unit)));
        let mut table = Table::new(format!("Data of {}", self.title), header);
        let rows = self.clouds.iter().map(|cloud| cloud.points.len()).max().unwrap_or(0);
        for row in 0..rows {
            let x = self.clouds.iter().find_map(|cloud| cloud.points.get(row)).map_or(0.0, |(x, _)| *x);
            let mut cells = vec![human::plain(x, 5)];
            cells.extend(self.clouds.iter().map(|cloud| {
                let y = cloud.points.get(row).map(|(_, y)| *y);
                y.map_or(human::NOTHING.to_owned(), |y| human::plain(y / divisor, 3))
            }));
            table.plain(cells);
        }
        table
    }
}

/// A line through the median at each x, and a dot for every point. Percentiles among them, so nothing is averaged: of two in
/// the middle the higher one counts.
fn strokes(cloud: &Cloud) -> [Stroke; 2] {
    let median = |at: &[(f64, f64)]| {
        let mut values: Vec<f64> = at.iter().map(|(_, y)| *y).collect();
        values.sort_by(f64::total_cmp);
        (at[0].0, values[values.len() / 2])
    };
    let line = cloud.points.chunk_by(|a, b| a.0 == b.0).map(median).collect();
    let stroke = |points, dots: bool| Stroke {
        ink: cloud.ink,
        label: (!dots).then(|| cloud.name.clone()),
        pieces: vec![points],
        dots,
    };
    [stroke(cloud.points.clone(), true), stroke(line, false)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_through_the_median_of_each_load() {
        let points = vec![(1.0, 5.0), (2.0, 9.0), (2.0, 1.0), (2.0, 3.0), (3.0, 4.0), (3.0, 8.0)];
        let cloud = Cloud { name: String::new(), ink: Ink::Series(0), points: points.clone() };
        let [dots, line] = strokes(&cloud);
        assert_eq!(dots.pieces, [points]);
        assert_eq!(line.pieces, [[(1.0, 5.0), (2.0, 3.0), (3.0, 8.0)]]);
    }
}
