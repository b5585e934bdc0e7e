//! Why a text is no template.

use super::filter::Filter;

/// Why a text is no template; `at` is the byte where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `${` without its `}`.
    #[error("`${{` at byte {at} is not closed")]
    Unclosed {
        /// Where.
        at: usize,
    },
    /// A name that nothing here has.
    #[error("`${{{name}}}` stands for nothing here")]
    UnknownName {
        /// The name.
        name: String,
        /// The one that was perhaps meant.
        near: Option<String>,
        /// All that there are.
        known: Vec<String>,
        /// Where.
        at: usize,
    },
    /// A filter that there is not.
    #[error("`|{filter}` is no filter")]
    UnknownFilter {
        /// The filter.
        filter: String,
        /// Where.
        at: usize,
    },
    /// A text that stands in JSON outside of quotes.
    #[error("`${{{place}}}` is a text, and stands in JSON outside of quotes")]
    OutsideQuotes {
        /// What stands between the braces.
        place: String,
        /// Where.
        at: usize,
    },
    /// It begins like JSON and is none.
    #[error("it begins like JSON and is none: {problem}")]
    NoJson {
        /// What is wrong with it.
        problem: String,
        /// Where.
        at: usize,
    },
}

impl TemplateError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unclosed { .. } => "close it with `}`, or write `$${` for a literal `${`".to_owned(),
            Self::UnknownName { near: Some(near), .. } => format!("`${{{near}}}` is meant?"),
            Self::UnknownName { known, .. } if known.is_empty() => {
                "no place may stand here; write `$${` for a literal `${`".to_owned()
            }
            Self::UnknownName { known, .. } => format!("one of {}", known.join(", ")),
            Self::UnknownFilter { .. } => {
                format!("one of {}", Filter::NAMES.map(|(name, _)| name).join(", "))
            }
            Self::OutsideQuotes { place, .. } => format!("write \"${{{place}}}\""),
            Self::NoJson { .. } => {
                "with its places filled it must parse; a place in quotes is escaped, others are JSON values"
                    .to_owned()
            }
        }
    }

    /// The byte of the text where it stands.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Self::Unclosed { at }
            | Self::UnknownName { at, .. }
            | Self::UnknownFilter { at, .. }
            | Self::OutsideQuotes { at, .. }
            | Self::NoJson { at, .. } => *at,
        }
    }
}
