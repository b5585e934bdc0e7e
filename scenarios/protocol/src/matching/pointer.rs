//! Where a value stands in a JSON message.

use std::fmt;

/// A JSON Pointer (RFC 6901) that may step into JSON within a string: `/data|json/t`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer {
    steps: Vec<Step>,
}

/// One step of a pointer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    /// To the member of an object of this name, or to the element of an array with this number.
    Into(String),
    /// Into the JSON that a string holds.
    Json,
}

/// Why a text is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It does not begin with `/`.
    #[error("`{0}` does not begin with `/`")]
    NoSlash(String),
    /// A `~` that is neither `~0` nor `~1`.
    #[error("`~` in `{0}` is neither `~0` (a `~`) nor `~1` (a `/`)")]
    Tilde(String),
    /// A filter other than `|json`.
    #[error("`|{0}` is no step of a pointer; only `|json` is, into JSON within a string")]
    Filter(String),
}

impl Pointer {
    /// Reads `/a/0/b` or `/data|json/t`.
    ///
    /// # Errors
    /// [`PointerError`] where the text is no pointer.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        let names = text.strip_prefix('/').ok_or_else(|| PointerError::NoSlash(text.to_owned()))?;
        let mut steps = Vec::new();
        for part in names.split('/') {
            let mut filters = part.split('|');
            let name = filters.next().unwrap_or_default();
            let tildes = name.matches('~').count();
            if tildes != name.matches("~0").count() + name.matches("~1").count() {
                return Err(PointerError::Tilde(text.to_owned()));
            }
            steps.push(Step::Into(name.replace("~1", "/").replace("~0", "~")));
            for filter in filters {
                if filter != "json" {
                    return Err(PointerError::Filter(filter.to_owned()));
                }
                steps.push(Step::Json);
            }
        }
        Ok(Self { steps })
    }

    /// Its steps, from the whole message inwards; at least one.
    #[must_use]
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| match step {
            Step::Into(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Json => f.write_str("|json"),
        })
    }
}
