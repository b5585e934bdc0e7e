//! A shift plot: by how much each quantile of one distribution differs from that of another.

use maud::Markup;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{Axis, nines};
use super::draw::{Drawing, SIZE};
use super::figure::{Figure, LegendEntry};
use super::ink::{self, Ink};
use crate::format::comparison::{Scale, Shift};
use crate::html::error::RenderError;
use crate::html::table::{Cell, Table};
use crate::human;
use crate::text::comparison::difference;

/// Units of the drawing per CSS pixel.
const SCALE: i32 = 2;
/// Plotters draws text at 1/1.24 of the size that it is asked for; this gives 11 CSS pixels.
const TEXT_SIZE: f64 = 11.0 * 1.24 * SCALE as f64;

/// The differences of two distributions, with the band of their intervals, and the margin within which they do not matter.
pub(in crate::html) struct ShiftPlot<'a> {
    /// Unique in the page.
    pub(in crate::html) id: String,
    pub(in crate::html) shift: &'a Shift,
    /// A share of the base.
    pub(in crate::html) margin: f64,
}

impl ShiftPlot<'_> {
    /// # Errors
    /// [`RenderError::Chart`] when plotters refuses.
    pub(in crate::html) fn render(&self) -> Result<Markup, RenderError> {
        let figure = Figure {
            id: &self.id,
            title: &self.shift.name,
            description: &self.description(),
            how: None,
            keys: vec![
                LegendEntry { ink: Ink::Series(0), dots: false, name: "difference" },
                LegendEntry { ink: Ink::Weak, dots: true, name: "95 % interval" },
                LegendEntry { ink: Ink::Reference, dots: false, name: "margin" },
            ],
            drawing: self.drawing()?,
            data: None,
            recomputed: None,
            scale: None,
            table: self.table(),
        };
        Ok(figure.render())
    }

    fn description(&self) -> String {
        let each = self.shift.points.iter().map(|point| {
            let shown = |value| difference(Scale::Number, value);
            format!(
                "p{}: {} ({} to {})",
                human::plain(point.quantile * 100.0, 4),
                shown(point.difference),
                shown(point.low),
                shown(point.high)
            )
        });
        format!("Difference of the candidate from the base. {}.", each.collect::<Vec<_>>().join("; "))
    }

    fn table(&self) -> Table {
        let header = ["percentile", "base (ms)", "candidate (ms)", "difference (%)", "from (%)", "to (%)"];
        let mut table = Table::new(format!("Data of {}", self.shift.name), header);
        for point in &self.shift.points {
            let number = |value: f64| Cell::quantity(human::plain(value, 4), value);
            table.row([
                number(point.quantile * 100.0),
                number(point.base_us / 1e3),
                number(point.candidate_us / 1e3),
                number(point.difference * 100.0),
                number(point.low * 100.0),
                number(point.high * 100.0),
            ]);
        }
        table
    }

    fn drawing(&self) -> Result<Drawing, RenderError> {
        let (width, height) = SIZE;
        let view = (width * SCALE as u32, height * SCALE as u32);
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, view).into_drawing_area();
        let plot = self
            .draw_on(&area)
            .map_err(|e| RenderError::Chart { chart: self.shift.name.clone(), reason: e.to_string() })?;
        drop(area);
        let body = svg.split_once('>').map_or("", |(_, body)| body).trim_end().trim_end_matches("</svg>");
        Ok(Drawing { body: ink::to_classes(body), view, plot })
    }

    fn draw_on<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, plotters::coord::Shift>,
    ) -> Result<[i32; 4], DrawingAreaErrorKind<DB::ErrorType>> {
        let points = &self.shift.points;
        let of = |value: fn(&crate::format::comparison::ShiftPoint) -> f64| {
            points.iter().map(move |point| (nines(point.quantile), value(point) * 100.0)).collect::<Vec<_>>()
        };
        let (line, low, high) = (of(|point| point.difference), of(|point| point.low), of(|point| point.high));
        let margin = self.margin * 100.0;
        // A tail that nobody knows must not flatten what is known.
        let widest = line.iter().map(|(_, y)| y.abs()).fold(margin, f64::max) * 2.0;
        let least = low.iter().map(|(_, y)| *y).fold(-margin, f64::min).max(-widest);
        let most = high.iter().map(|(_, y)| *y).fold(margin, f64::max).min(widest);
        let last = line.last().map_or(1.0, |(x, _)| *x);
        let x = Axis::nines(last.max(1.0));
        let y = Axis::signed(least, most, "difference, %");
        let (right, titles) = (x.range.end, [y.title.clone(), x.title.clone()]);
        let mut chart = ChartBuilder::on(area)
            .margin_top(23 * SCALE)
            .margin_right(18 * SCALE)
            .y_label_area_size(54 * SCALE)
            .x_label_area_size(34 * SCALE)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(Ink::Grid.stroke())
            .axis_style(Ink::Axis.stroke())
            .set_all_tick_mark_size(4 * SCALE)
            .label_style(text(Ink::Text))
            .draw()?;
        let band: Vec<(f64, f64)> = low.into_iter().chain(high.into_iter().rev()).collect();
        chart.draw_series([Polygon::new(band, Ink::Weak.fill())])?;
        let across = |y: f64| vec![(0.0, y), (right, y)];
        chart.draw_series([PathElement::new(across(0.0), Ink::Axis.stroke())])?;
        for bound in [-margin, margin] {
            chart.draw_series([PathElement::new(across(bound), Ink::Reference.stroke())])?;
        }
        chart.draw_series(LineSeries::new(line.iter().copied(), Ink::Series(0).stroke()))?;
        chart.draw_series(line.iter().map(|point| Circle::new(*point, 2 * SCALE, Ink::Series(0).fill())))?;
        let pixels = chart.plotting_area().get_pixel_range();
        let plot = [pixels.0.start, pixels.1.start, pixels.0.end, pixels.1.end];
        let title = |h, v| text(Ink::Text).pos(Pos::new(h, v));
        let below = area.dim_in_pixel().1 as i32 - 2 * SCALE;
        let [of_y, of_x] = titles;
        area.draw(&Text::new(of_y, (SCALE, 3 * SCALE), title(HPos::Left, VPos::Top)))?;
        area.draw(&Text::new(of_x, (plot[2], below), title(HPos::Right, VPos::Bottom)))?;
        area.present()?;
        Ok(plot)
    }
}

fn text(ink: Ink) -> TextStyle<'static> {
    ("sans-serif", TEXT_SIZE).into_font().color(&ink.color())
}
