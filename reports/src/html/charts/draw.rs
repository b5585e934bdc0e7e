//! Drawing with plotters: axes, phases and lines into SVG that the style sheet colours.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::ink::{self, Ink};
use crate::html::error::RenderError;

/// Units of the drawing per CSS pixel: positions are whole numbers, so this gives half pixels.
const SCALE: i32 = 2;
/// Plotters draws text at 1/1.24 of the size that it is asked for; this gives 11 CSS pixels.
const TEXT_SIZE: f64 = 11.0 * 1.24 * SCALE as f64;

/// The place a chart takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::html) enum Size {
    /// The page's width.
    Wide,
    /// Half of it.
    Half,
}

impl Size {
    pub(super) const fn pixels(self) -> (u32, u32) {
        match self {
            Self::Wide => (1080, 230),
            Self::Half => (528, 216),
        }
    }

    /// How many steps a time axis of this size has room for.
    pub(super) const fn time_ticks(self) -> usize {
        match self {
            Self::Wide => 12,
            Self::Half => 6,
        }
    }
}

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

/// One series: pieces of connected points, in values of both axes.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub(super) ink: Ink,
    pub(super) pieces: Vec<Vec<(f64, f64)>>,
    /// Dots instead of lines.
    pub(super) dots: bool,
}

/// A drawing to be made.
pub(super) struct Layers<'a> {
    pub(super) title: &'a str,
    pub(super) size: Size,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) shades: Vec<Shade>,
    pub(super) marks: Vec<Mark>,
    pub(super) flags: Vec<Flag>,
    pub(super) strokes: Vec<Stroke>,
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
        let (width, height) = self.size.pixels();
        let view = (width * SCALE as u32, height * SCALE as u32);
        let mut svg = String::new();
        let plot = self
            .draw_on(&SVGBackend::with_string(&mut svg, view).into_drawing_area())
            .map_err(|e| RenderError::Chart { chart: self.title.to_owned(), reason: e.to_string() })?;
        let body = svg.split_once('>').map_or("", |(_, body)| body).trim_end().trim_end_matches("</svg>");
        Ok(Drawing { body: ink::to_classes(body), view, plot })
    }

    fn draw_on<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<[i32; 4], DrawingAreaErrorKind<DB::ErrorType>> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(23 * SCALE)
            .margin_right(18 * SCALE)
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
        for mark in &self.marks {
            // At its start the axis itself is the boundary.
            if mark.at > self.x.range.start {
                let boundary = vec![(mark.at, bottom), (mark.at, top)];
                chart.draw_series([PathElement::new(boundary, Ink::Phase.stroke())])?;
            }
            let left = chart.backend_coord(&(mark.at, top)).0;
            let room = chart.backend_coord(&(mark.until, top)).0 - left;
            // Text is some six pixels a letter at this size.
            if room > (mark.name.chars().count() as i32 * 6 + 8) * SCALE {
                let style = text(Ink::Phase).pos(Pos::new(HPos::Left, VPos::Top));
                area.draw(&Text::new(mark.name.clone(), (left + 4 * SCALE, plot[1] + 3 * SCALE), style))?;
            }
        }
        for flag in &self.flags {
            let left = chart.backend_coord(&(flag.at, top)).0;
            let style = text(Ink::Suspect).pos(Pos::new(HPos::Left, VPos::Bottom));
            area.draw(&Text::new(flag.text.clone(), (left, plot[1] - 2 * SCALE), style))?;
        }
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
        let title = |h, v| text(Ink::Text).pos(Pos::new(h, v));
        let (right, low) = (plot[2], area.dim_in_pixel().1 as i32);
        area.draw(&Text::new(self.y.title.clone(), (SCALE, 3 * SCALE), title(HPos::Left, VPos::Top)))?;
        area.draw(&Text::new(
            self.x.title.clone(),
            (right, low - 2 * SCALE),
            title(HPos::Right, VPos::Bottom),
        ))?;
        area.present()?;
        Ok(plot)
    }
}

fn text(ink: Ink) -> TextStyle<'static> {
    ("sans-serif", TEXT_SIZE).into_font().color(&ink.color())
}
