//! Messages with places for values.
//!
//! ```text
//! text ─▶ Template::compile (names known, samples parse) ─▶ render(values): escaped where they stand
//! ```

mod error;
mod escape;
mod filter;
mod json;
mod name;
mod names;
mod part;
mod sample;
#[allow(clippy::module_inception)]
mod template;

pub use error::TemplateError;
pub use name::Name;
pub use names::{Names, ReceivedNames, SendNames, WORDS};
pub use sample::Sample;
pub use template::Template;
