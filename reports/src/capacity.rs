//! A search for the highest load, for whoever makes one: the document, how it reads and its page, in one place.

pub use crate::folder::{CAPACITY, CAPACITY_PAGE as PAGE, read_capacity as read};
pub use crate::format::capacity::{Capacity, Ended, Knee, Level, Outcome, SCHEMA_VERSION, Step, Vary};
pub use crate::format::wilson;
pub use crate::html::{render_capacity as render, write_capacity as write};
pub use crate::text::capacity::{headline, level, text};
