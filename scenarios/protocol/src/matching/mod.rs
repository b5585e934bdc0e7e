//! Rules that recognise a received message, and the values that are read from it.
//!
//! ```text
//! Rule (tests of pointers and of the text) ─▶ Compiler ─▶ Matcher ─ view(message) ─▶ View: which rules hold, values
//! ```
//!
//! A [`Matcher`] reads a message once, without building a document of it: only what the rules ask for is looked at.

mod bits;
mod compiler;
mod found;
mod matcher;
mod overlap;
mod pattern;
mod pointer;
mod rule;
mod slot;
mod test;
mod tree;
mod value;

pub use compiler::Compiler;
pub use matcher::{Matcher, View};
pub use overlap::overlap;
pub use pattern::{Pattern, PatternError};
pub use pointer::{Pointer, PointerError};
pub use rule::{Rule, RuleMistake, TextTest};
pub use slot::{RuleNumber, Slot};
pub use test::{Scalar, Test};
