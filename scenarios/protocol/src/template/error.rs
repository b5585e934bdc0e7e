//! Why a text is no template.

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
    #[error("nothing here is called `{name}`")]
    UnknownName {
        /// The name.
        name: String,
        /// The one that was perhaps meant.
        near: Option<String>,
        /// Where.
        at: usize,
    },
}

impl TemplateError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        String::new()
    }

    /// The byte of the text where it stands.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Self::Unclosed { at } | Self::UnknownName { at, .. } => *at,
        }
    }
}
