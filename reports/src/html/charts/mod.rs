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

pub(super) use crate::digest::MAX_BINS as MAX_POINTS;
pub(super) use draw::Size;
pub(super) use ink::{Ink, SERIES};
pub(super) use scatter::{Cloud, Scatter};
pub(super) use shift::ShiftPlot;
pub(super) use spectrum::{Spectrum, Sweep};
pub(super) use time::{Line, TimeChart, extent};
pub(super) use timeline::{Fold, Grid, Timeline};
pub(super) use unit::Unit;
