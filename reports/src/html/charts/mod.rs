//! Charts as inline SVG, each in a figure with legend, reading aid and data table.

mod axis;
mod draw;
mod figure;
mod heat;
mod ink;
mod labels;
mod scatter;
mod shift;
mod spark;
mod spectrum;
mod time;
mod timeline;
mod trend;
mod unit;

pub(super) use heat::{Heat, row};
pub(super) use ink::{Ink, SERIES};
pub(super) use scatter::{Cloud, Scatter};
pub(super) use shift::ShiftPlot;
pub(super) use spark::Spark;
pub(super) use spectrum::{Spectrum, Sweep};
pub(super) use time::{Line, TimeChart, extent};
pub(super) use timeline::{Fold, Grid, Timeline};
pub(super) use trend::{Break, Step, TrendChart};
pub(super) use unit::Unit;
