//! What a template is made of.

use super::filter::Filter;
use super::name::Name;

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// What stands there as it is, and at which byte of the file's text.
    Literal { text: String, at: usize },
    /// A place for a value.
    Place(Place),
}

/// A place for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Whose value.
    pub(super) name: Name,
    /// What is made of it, in order.
    pub(super) filters: Vec<Filter>,
    /// How it stands there.
    pub(super) stands: Stands,
    /// What stands between the braces.
    pub(super) source: String,
    /// The byte of its `$`.
    pub(super) at: usize,
}

/// How a value stands in its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// As it is.
    Raw,
    /// As the inside of a JSON string.
    Quoted,
    /// As a JSON value.
    Json,
}

impl Part {
    pub(super) const fn at(&self) -> usize {
        match self {
            Self::Literal { at, .. } => *at,
            Self::Place(place) => place.at,
        }
    }
}

impl Place {
    /// The name alone.
    pub(super) fn name_as_written(&self) -> &str {
        self.source.split('|').next().unwrap_or_default()
    }

    /// Whether it is a text whatever its value.
    pub(super) fn is_text(&self) -> bool {
        self.name.is_text() || !self.filters.is_empty()
    }

    /// What may stand there as a JSON value; the two sets differ where values do.
    pub(super) fn json_sample(&self, set: usize) -> &'static str {
        match &self.name {
            _ if self.is_text() => "\"x\"",
            Name::Id | Name::NowMs => ["7", "18446744073709551615"][set],
            Name::Recipients => ["[]", "[\"x\",\"y\"]"][set],
            _ => ["7", "{\"x\":[\"y\"]}"][set],
        }
    }
}
