//! The run folder's format, and everything that is made from it.
//!
//! A run folder is the product of a run; every report is a pure filter over it and can be made again at any
//! time. This crate knows nothing of sockets, plans or AWS.
//!
//! | module | does |
//! |---|---|
//! | [`mod@format`] | the data contract: what every file of a run folder holds |
//! | [`folder`] | writes a run folder while the run goes on, and reads it back |
//! | [`server`] | sums up CloudWatch's series by function |
//! | [`text`] | the terminal summary |
//! | [`capacity`] | what a search for the highest load found, and its page |
//! | [`printable`] | foreign text that stays text: no escape of a terminal, no hidden direction |
//! | [`verdict`] | the verdict in words |
//! | [`html`] | the self-contained HTML report |

mod exit;
pub mod folder;
pub mod format;
pub mod html;
pub mod printable;
pub mod server;
pub mod text;
pub mod verdict;

pub mod human;

pub use format::capacity;
pub use html::write_report;
