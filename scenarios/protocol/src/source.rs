//! Where a protocol comes from: a program's own code, a file that ships, or a file of the user's.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use documents::form::nearest;
use documents::{Mistakes, text};

use crate::check::check;
use crate::protocol::Protocol;
use crate::shipped;

/// Protocols in Rust, which the program has added to those that ship.
static REGISTERED: Mutex<Vec<Arc<dyn Protocol>>> = Mutex::new(Vec::new());

/// Adds a protocol in Rust: scenarios find it by its name, before a shipped one of the same name. To be called before
/// anything is run.
pub fn register(protocol: Arc<dyn Protocol>) {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner).push(protocol);
}

/// The one that was registered last under a name.
fn registered(name: &str) -> Option<Arc<dyn Protocol>> {
    let all = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().rev().find(|protocol| protocol.outline().name == name).map(Arc::clone)
}

/// All that a scenario can name: those that are registered and those that ship, by name.
///
/// # Errors
/// All mistakes of one that ships, which its tests exclude.
pub fn all() -> Result<Vec<Arc<dyn Protocol>>, Mistakes> {
    let own = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut names: Vec<String> = own.iter().map(|protocol| protocol.outline().name.clone()).collect();
    drop(own);
    names.extend(shipped::names().map(str::to_owned));
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| load_named(name)).collect()
}

/// Where a protocol was found.
#[derive(Debug, Clone)]
pub enum Source {
    /// In the program.
    Registered(Arc<dyn Protocol>),
    /// Among those that ship: name and text.
    Shipped(&'static str, &'static str),
    /// In a file: its path and its text.
    File(PathBuf, String),
}

impl Source {
    /// Finds what a scenario calls a protocol: the name of one that is registered or ships, or the path of a file, from the
    /// folder `beside` or from the working directory.
    ///
    /// # Errors
    /// There is none, or its file cannot be read.
    pub fn find(name: &str, beside: &Path) -> Result<Self, Mistakes> {
        if let Some(registered) = registered(name) {
            return Ok(Self::Registered(registered));
        }
        let ships = shipped::names().find(|ships| *ships == name);
        if let Some((name, text)) = ships.and_then(|name| Some((name, shipped::text(name)?))) {
            return Ok(Self::Shipped(name, text));
        }
        let path = beside.join(name);
        let path = if path.is_file() { path } else { PathBuf::from(name) };
        let shown = path.display().to_string();
        let bytes = std::fs::read(&path).map_err(|error| unreadable(name, &error))?;
        let text = text::decode(bytes).map_err(|error| {
            Mistakes::one(format!("{shown}:{}:1", error.line), "", error.problem, text::REMEDY)
        })?;
        Ok(Self::File(path, text))
    }

    /// The protocol.
    ///
    /// # Errors
    /// All mistakes of its file at once.
    pub fn load(&self) -> Result<Arc<dyn Protocol>, Mistakes> {
        Ok(match self {
            Self::Registered(protocol) => Arc::clone(protocol),
            Self::Shipped(name, text) => Arc::new(check(&format!("{name}.toml"), text)?),
            Self::File(path, text) => Arc::new(check(&path.display().to_string(), text)?),
        })
    }
}

/// The protocol of this name, registered or shipped.
///
/// # Errors
/// There is none.
pub fn load_named(name: &str) -> Result<Arc<dyn Protocol>, Mistakes> {
    named_or_path(name, Path::new(""))
}

/// The protocol of this name, or that of the file at this path, from the folder `beside` or from the working directory.
///
/// # Errors
/// There is none, its file cannot be read, or all its mistakes at once.
pub fn named_or_path(name: &str, beside: &Path) -> Result<Arc<dyn Protocol>, Mistakes> {
    Source::find(name, beside)?.load()
}

fn unreadable(name: &str, error: &io::Error) -> Mistakes {
    let ships: Vec<_> = shipped::names().collect();
    let is_name = !name.contains(['/', '\\', '.']);
    let problem = if is_name && error.kind() == io::ErrorKind::NotFound {
        "there is no protocol of this name".to_owned()
    } else {
        format!("cannot be read: {error}")
    };
    let remedy = match nearest(name, &ships) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("give the path of a protocol file, or one of {}", ships.join(", ")),
    };
    Mistakes::one(name, "", problem, remedy)
}
