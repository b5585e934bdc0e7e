//! Commands about protocols: how backends talk.
//!
//! ```text
//! name or path ─▶ Source ─▶ Protocol ─▶ explained (sentences and samples) ─▶ show, check
//! ```

mod check;
mod execute;
mod explained;
mod list;
mod show;
mod trial;

pub(super) use execute::execute;
