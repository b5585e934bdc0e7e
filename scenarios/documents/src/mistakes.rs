//! Mistakes in a file, reported all at once.

use std::fmt;

/// One thing that is wrong, where it stands, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// `FILE:LINE:COLUMN`, or `--set KEY=VALUE` for an override.
    pub place: String,
    /// Dotted path of the key, e.g. `operations.send_message.rate`; empty for the document itself.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        write!(f, "{}", self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, "\n    help: {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Every mistake of one document and of the files that it names; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// A single mistake.
    pub fn one(
        place: impl Into<String>,
        key: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self(vec![Mistake {
            place: place.into(),
            key: key.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(f, "{count} mistake{}; nothing was sent", if count == 1 { "" } else { "s" })?;
        for mistake in &self.0 {
            writeln!(f, "  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
