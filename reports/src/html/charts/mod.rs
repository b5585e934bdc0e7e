//! Charts as inline SVG, each in a figure with legend, reading aid and data table.

mod axis;
mod draw;
mod figure;
mod ink;
mod scatter;
mod shift;
mod spectrum;
mod time;
mod timeline;
mod unit;

pub(super) use draw::Size;
pub(super) use ink::{Ink, SERIES};
pub(super) use scatter::{Cloud, Scatter};
pub(super) use shift::ShiftPlot;
pub(super) use spectrum::{Spectrum, Sweep};
pub(super) use time::{Line, TimeChart, extent};
pub(super) use timeline::{Fold, Grid, MAX_POINTS, Timeline};
pub(super) use unit::Unit;
