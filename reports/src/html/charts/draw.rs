//! Drawing with plotters: axes, phases and lines into SVG that the style sheet colours.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::heat::Heat;
use super::ink::{self, Ink};
use super::labels;
use crate::html::error::RenderError;

/// Units of the drawing per CSS pixel: positions are whole numbers, so this gives half pixels.
const SCALE: i32 = 2;
/// Plotters draws text at 1/1.24 of the size that it is asked for; this gives 11 CSS pixels.
const TEXT_SIZE: f64 = 11.0 * 1.24 * SCALE as f64;
/// Room to the right of the plot area, for the last tick's label and for the names of lines at their ends.
const RIGHT: i32 = 62;
/// Width of a letter at this size, about.
const LETTER: i32 = 6;

/// Width and height of a chart in CSS pixels, before it is fitted into its place.
pub(super) const SIZE: (u32, u32) = (528, 224);
/// As many steps a time axis has room for.
pub(super) const TIME_TICKS: usize = 6;

/// A stretch of the x axis with a background.
#[derive(Debug, Clone)]
pub(super) struct Shade {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ink: Ink,
}

/// A named instant of the x axis.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) name: String,
    /// Where the next one is: a name that does not fit before it is left out.
    pub(super) until: f64,
}

/// A short text above the plot area, at an instant of the x axis.
#[derive(Debug, Clone)]
pub(super) struct Flag {
    pub(super) at: f64,
    pub(super) text: String,
}

/// A value of the y axis that something is held against.
#[derive(Debug, Clone)]
pub(in crate::html) struct Bound {
    pub(in crate::html) at: f64,
    /// Where on the x axis it applies; `None`: everywhere.
    pub(in crate::html) x: Option<f64>,
    pub(in crate::html) name: String,
}

/// One series: pieces of connected points, in values of both axes.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub(super) ink: Ink,
    /// What stands at its end.
    pub(super) label: Option<String>,
    pub(super) pieces: Vec<Vec<(f64, f64)>>,
    /// Dots instead of lines.
    pub(super) dots: bool,
}

/// A drawing to be made.
pub(super) struct Layers<'a> {
    pub(super) title: &'a str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) shades: Vec<Shade>,
    pub(super) marks: Vec<Mark>,
    pub(super) flags: Vec<Flag>,
    /// Lines across that values are held against.
    pub(super) bounds: Vec<Bound>,
    /// How often each value was seen, beneath everything else.
    pub(super) heat: Option<&'a Heat>,
    pub(super) strokes: Vec<Stroke>,
    /// The x at which lines are named by their height; `None`: at their ends.
    pub(super) ends: Option<f64>,
}

/// A finished drawing.
pub(super) struct Drawing {
    /// The elements inside of the `svg` element.
    pub(super) body: String,
    /// Width and height of the view box.
    pub(super) view: (u32, u32),
    /// The plot area in it: left, top, right, bottom.
    pub(super) plot: [i32; 4],
}

impl Layers<'_> {
    pub(super) fn draw(&self) -> Result<Drawing, RenderError> {
        let (width, height) = SIZE;
        let view = (width * SCALE as u32, height * SCALE as u32);
        let mut svg = String::new();
        let (plot, heat) = self
            .draw_on(&SVGBackend::with_string(&mut svg, view).into_drawing_area())
            .map_err(|e| RenderError::Chart { chart: self.title.to_owned(), reason: e.to_string() })?;
        let body = svg.split_once('>').map_or("", |(_, body)| body).trim_end().trim_end_matches("</svg>");
        Ok(Drawing { body: format!("{heat}{}", ink::to_classes(body)), view, plot })
    }

    /// Gives the plot area, and the heat map as SVG.
    fn draw_on<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<([i32; 4], String), DrawingAreaErrorKind<DB::ErrorType>> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(31 * SCALE)
            .margin_right(RIGHT * SCALE)
            .y_label_area_size(54 * SCALE)
            .x_label_area_size(34 * SCALE)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let (bottom, top) = (self.y.range.start, self.y.range.end);
        for shade in &self.shades {
            let corners = [(shade.from, bottom), (shade.to, top)];
            chart.draw_series([Rectangle::new(corners, shade.ink.fill())])?;
        }
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(Ink::Grid.stroke())
            .axis_style(Ink::Axis.stroke())
            .set_all_tick_mark_size(4 * SCALE)
            .label_style(text(Ink::Text))
            .draw()?;
        let pixels = chart.plotting_area().get_pixel_range();
        let plot = [pixels.0.start, pixels.1.start, pixels.0.end, pixels.1.end];
        self.draw_marks(area, &mut chart, plot)?;
        let heat = self.heat.map_or_else(String::new, |heat| heat.svg(|x, y| chart.backend_coord(&(x, y))));
        self.draw_strokes(area, &mut chart, plot)?;
        let title = |ink, h, v| text(ink).pos(Pos::new(h, v));
        let (right, low) = (plot[2], area.dim_in_pixel().1 as i32);
        area.draw(&Text::new(
            self.y.title.clone(),
            (SCALE, 3 * SCALE),
            title(Ink::Text, HPos::Left, VPos::Top),
        ))?;
        area.draw(&Text::new(
            self.x.title.clone(),
            (right, low - 2 * SCALE),
            title(Ink::Title, HPos::Right, VPos::Bottom),
        ))?;
        area.present()?;
        Ok((plot, heat))
    }

    /// Phases, suspects and bounds.
    fn draw_marks<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        chart: &mut Chart<'_, DB>,
        plot: [i32; 4],
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let (bottom, top) = (self.y.range.start, self.y.range.end);
        for mark in &self.marks {
            // At its start the axis itself is the boundary.
            if mark.at > self.x.range.start {
                let boundary = vec![(mark.at, bottom), (mark.at, top)];
                chart.draw_series([PathElement::new(boundary, Ink::Phase.stroke())])?;
            }
            let left = chart.backend_coord(&(mark.at, top)).0;
            let room = chart.backend_coord(&(mark.until, top)).0 - left;
            if room > (mark.name.chars().count() as i32 * LETTER + 8) * SCALE {
                let style = text(Ink::Phase).pos(Pos::new(HPos::Left, VPos::Top));
                area.draw(&Text::new(mark.name.clone(), (left + 4 * SCALE, plot[1] + 3 * SCALE), style))?;
            }
        }
        for flag in &self.flags {
            let left = chart.backend_coord(&(flag.at, top)).0;
            let style = text(Ink::Suspect).pos(Pos::new(HPos::Left, VPos::Bottom));
            area.draw(&Text::new(flag.text.clone(), (left, plot[1] - 2 * SCALE), style))?;
        }
        for bound in &self.bounds {
            let across = vec![(self.x.range.start, bound.at), (self.x.range.end, bound.at)];
            chart.draw_series([PathElement::new(across, Ink::Bound.stroke())])?;
            if let Some(x) = bound.x {
                chart.draw_series([PathElement::new(vec![(x, bottom), (x, top)], Ink::Bound.stroke())])?;
            }
            let (left, y) = chart.backend_coord(&(self.x.range.start, bound.at));
            let style = text(Ink::Bound).pos(Pos::new(HPos::Left, VPos::Bottom));
            area.draw(&Text::new(bound.name.clone(), (left + 4 * SCALE, y - SCALE), style))?;
        }
        Ok(())
    }

    /// The series, and their names where they end.
    fn draw_strokes<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        chart: &mut Chart<'_, DB>,
        plot: [i32; 4],
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        // Dots lie beneath lines: there are many of them.
        let (dots, lines): (Vec<_>, Vec<_>) = self.strokes.iter().partition(|stroke| stroke.dots);
        for stroke in dots.into_iter().chain(lines) {
            for piece in &stroke.pieces {
                if stroke.dots || piece.len() == 1 {
                    let dot = |point| Circle::new(point, 2 * SCALE, stroke.ink.fill());
                    chart.draw_series(piece.iter().copied().map(dot))?;
                } else {
                    chart.draw_series(LineSeries::new(piece.iter().copied(), stroke.ink.stroke()))?;
                }
            }
        }
        let named = self.strokes.iter().filter_map(|stroke| {
            let label = stroke.label.as_deref()?;
            // Beside the plot, at the height that the line had before everything ebbs away.
            let until = self.ends.unwrap_or(self.x.range.end);
            let points = || stroke.pieces.iter().flatten();
            let end = points().rfind(|(x, _)| *x <= until).or_else(|| points().next_back())?;
            Some(((plot[2], chart.backend_coord(end).1), label))
        });
        let ends = labels::placed(named, [plot[1], plot[3]], 12 * SCALE);
        for ((x, y), label) in ends {
            let style = text(Ink::Label).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(label, (x + 4 * SCALE, y), style))?;
        }
        Ok(())
    }
}

/// A chart of two axes.
type Chart<'a, DB> = ChartContext<'a, DB, Cartesian2d<Axis, Axis>>;

fn text(ink: Ink) -> TextStyle<'static> {
    ("sans-serif", TEXT_SIZE).into_font().color(&ink.color())
}
