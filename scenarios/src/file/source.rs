//! Where a scenario's text comes from: a file, standard input, or this very program.

use std::io::{self, Read};
use std::path::Path;

use documents::Mistakes;
use documents::form::nearest;

use super::shipped;

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
            let (name, mut bytes) = ("<stdin>".to_owned(), Vec::new());
            io::stdin().read_to_end(&mut bytes).map_err(|error| unreadable(Path::new(&name), &error))?;
            return Ok(Self { text: decode(&name, bytes)?, name });
        }
        match (std::fs::read(path), shipped::scenario(&name)) {
            (Ok(bytes), _) => Ok(Self { text: decode(&name, bytes)?, name }),
            (Err(error), Some(shipped)) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { name, text: shipped.text.into() })
            }
            (Err(error), _) => Err(unreadable(path, &error)),
        }
    }
}

/// A scenario's text from its bytes, whatever they were read from; `file` names it in messages.
///
/// # Errors
/// It is not text.
pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, Mistakes> {
    documents::text::decode(bytes).map_err(|error| {
        Mistakes::one(format!("{file}:{}:1", error.line), "", error.problem, documents::text::REMEDY)
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Mistakes {
    let remedy = match meant(path).filter(|_| error.kind() == io::ErrorKind::NotFound) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "give a scenario file, `-` for standard input, or the name of one that ships: `loadgen scenario list`".into(),
    };
    Mistakes::one(path.display().to_string(), "", format!("cannot be read: {error}"), remedy)
}

/// What the path of a file that is not there may stand for: the same with its ending, or one that ships.
fn meant(path: &Path) -> Option<String> {
    let file = path.with_added_extension("toml");
    if file.is_file() {
        return Some(file.display().to_string());
    }
    let name = path.file_stem()?.to_str()?;
    let shipped: Vec<_> = shipped::SCENARIOS.iter().map(|shipped| shipped.name).collect();
    nearest(name, &shipped).map(str::to_owned)
}
