//! A search for the highest load, as its callers need it: the document, its text and its page in one place.

pub use crate::folder::{CAPACITY, CAPACITY_PAGE as PAGE, read_capacity as read};
pub use crate::format::capacity::{Capacity, Ended, Knee, Level, Outcome, SCHEMA_VERSION, Step, Vary};
pub use crate::format::wilson;
pub use crate::html::{render_capacity as render, write_capacity as write};
pub use crate::text::capacity::{headline, level, text};
