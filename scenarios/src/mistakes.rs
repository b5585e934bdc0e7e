//! Mistakes in a scenario, reported all at once.

use std::fmt;
use std::path::Path;

use crate::shipped::{self, Shipped};

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

/// Every mistake of one scenario; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    pub(crate) fn one(
        place: String,
        key: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self(vec![Mistake { place, key: key.into(), problem: problem.into(), remedy: remedy.into() }])
    }

    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::one(
            path.display().to_string(),
            "",
            format!("cannot be read: {error}"),
            match Self::meant(path).filter(|_| error.kind() == std::io::ErrorKind::NotFound) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "give a scenario file, `-` for standard input, or the name of one that ships: `loadgen scenario list`".into(),
            },
        )
    }
}

impl Mistakes {
    /// What the path of a file that is not there may stand for: the same with its ending, or one that ships.
    fn meant(path: &Path) -> Option<String> {
        let file = path.with_added_extension("toml");
        if file.is_file() {
            return Some(file.display().to_string());
        }
        let name = path.file_stem()?.to_str()?;
        let distance = |shipped: &Shipped| strsim::damerau_levenshtein(name, shipped.name);
        let nearest = shipped::SCENARIOS.into_iter().min_by_key(distance)?;
        (distance(&nearest) <= 2).then(|| nearest.name.to_owned())
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(
            f,
            "{count} mistake{} in the scenario; nothing was sent",
            if count == 1 { "" } else { "s" }
        )?;
        for mistake in &self.0 {
            writeln!(f, "  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
