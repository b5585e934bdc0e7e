//! Trends over the weeks, as their callers need them: the document, its text and its page in one place.

pub use crate::format::history::{
    Better, Change, Group, History, Kind, Level, News, Point, SCHEMA_VERSION, Trend, Unit,
};
pub use crate::html::render_history as render;
pub use crate::text::history::text;
