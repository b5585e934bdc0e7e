//! Where a scenario's text comes from: a file, standard input, or this very program.

use std::io::Read;
use std::path::Path;

use crate::mistakes::Mistakes;
use crate::{Checked, Override, shipped};

/// Stands for standard input where a scenario's path is asked for.
pub const STDIN: &str = "-";

/// A scenario's text, and its name in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as given, `<stdin>`, or the name of one that ships. Files that the scenario names stand beside it.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// Reads what `path` stands for: `-` standard input, which can be read once; else the file; else, if there is none, the
    /// scenario of that name that ships.
    ///
    /// # Errors
    /// There is neither, or it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Mistakes> {
        let name = path.display().to_string();
        if name == STDIN {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Mistakes::unreadable(Path::new("<stdin>"), &error))?;
            return Ok(Self { name: "<stdin>".into(), text });
        }
        match (std::fs::read_to_string(path), shipped::scenario(&name)) {
            (Ok(text), _) => Ok(Self { name, text }),
            (Err(error), Some(shipped)) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { name, text: shipped.text.into() })
            }
            (Err(error), _) => Err(Mistakes::unreadable(path, &error)),
        }
    }

    /// Applies the overrides and checks everything.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn check(&self, overrides: &[Override]) -> Result<Checked, Mistakes> {
        crate::check(&self.name, &self.text, overrides)
    }
}
