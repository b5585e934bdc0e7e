//! The run folder's format, and everything that is made from it.
//!
//! A run folder is the product of a run; every report is a pure filter over it and can be made again at any
//! time. This crate is independent of sockets, plans and AWS.
//!
//! | module | does |
//! |---|---|
//! | [`mod@format`] | the data contract: the content of every file of a run folder |
//! | [`folder`] | writes a run folder while the run goes on, and reads it back |
//! | [`digest`] | a run at the resolution of its page, made in one pass over its folder |
//! | [`server`] | sums up CloudWatch's series by function |
//! | [`findings`] | what gave way first, in words |
//! | [`stalls`] | moments in which nobody was answered, and their period |
//! | [`text`] | the terminal summary |
//! | [`export`] | the run for other programs: Markdown, JUnit, CSV, OpenMetrics, JSON |
//! | [`capacity`] | a search for the highest load: its document, its text and its page |
//! | [`history`] | trends over the weeks and where they changed: their document, their text and their page |
//! | [`printable`] | untrusted text, made safe to print: no terminal escapes, no hidden direction |
//! | [`limits`] | what the generator promises |
//! | [`verdict`] | the verdict in words |
//! | [`html`] | the self-contained HTML report |

pub mod capacity;
pub mod digest;
mod exit;
pub mod export;
pub mod findings;
pub mod folder;
pub mod format;
pub mod history;
pub mod html;
pub mod limits;
pub mod printable;
pub mod server;
pub mod stalls;
pub mod text;
pub mod verdict;

pub mod human;

pub use html::{save_report, save_report_to, write_report};
