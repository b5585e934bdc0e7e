//! Which executable runs which function.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reference_backend::function::{Function, Layout};

/// Name of the Lambda that runs all operations.
pub(super) const SINGLE: &str = "Backend";

/// A function has no executable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no executable for {function} at {}; give one executable for all functions, or a directory with \
     {function}, {function}/bootstrap or {function}Function/bootstrap (`cargo lambda build`, `sam build`)", path.display()
)]
pub struct MissingExecutable {
    function: &'static str,
    path: PathBuf,
}

/// The executable of every Lambda of a layout.
#[derive(Debug)]
pub(super) struct Executables(BTreeMap<Option<Function>, PathBuf>);

impl Executables {
    /// Finds them at a path: a file is used for every function, a directory has one by the name of each.
    pub(super) fn find(path: &Path, layout: Layout) -> Result<Self, MissingExecutable> {
        // Absolute, because the working directory may change.
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let lambdas: Vec<_> = match layout {
            Layout::Single => vec![None],
            Layout::PerOperation => Function::ALL.iter().copied().map(Some).collect(),
        };
        let found = lambdas.into_iter().map(|lambda| {
            let name = lambda.map_or(SINGLE, Function::short_name);
            let missing = || MissingExecutable { function: name, path: path.clone() };
            let executable = if path.is_file() { Some(path.clone()) } else { inside(path, name) };
            Ok((lambda, executable.ok_or_else(missing)?))
        });
        found.collect::<Result<_, _>>().map(Self)
    }

    /// The executable of one Lambda.
    pub(super) fn of(&self, lambda: Option<Function>) -> &Path {
        self.0.get(&lambda).map_or(Path::new(""), PathBuf::as_path)
    }
}

/// The executable of that name in a directory, in the layouts of the build tools.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let kebab: String = name
        .char_indices()
        .flat_map(|(at, c)| {
            let hyphen = (c.is_ascii_uppercase() && at > 0).then_some('-');
            hyphen.into_iter().chain(std::iter::once(c.to_ascii_lowercase()))
        })
        .collect();
    let names = [name.to_owned(), kebab.clone(), kebab.replace('-', "_"), format!("{name}Function")];
    names
        .iter()
        .flat_map(|name| [folder.join(name), folder.join(name).join("bootstrap")])
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_runs_everything_and_a_directory_is_searched() {
        let folder = tempfile::tempdir().unwrap();
        let error = Executables::find(folder.path(), Layout::PerOperation).unwrap_err().to_string();
        assert!(error.contains("Authorizer") && error.contains("bootstrap"), "{error}");

        let forms = ["Authorizer", "connect", "disconnect/bootstrap", "DefaultFunction/bootstrap"];
        let more = ["send-message", "session_placement_request", "OnMessageInserted/bootstrap"];
        let rest =
            ["OnPlacementEvent", "on-placement-updated/bootstrap", "placements_rest/bootstrap", "Backend"];
        for name in forms.iter().chain(&more).chain(&rest) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = Executables::find(folder.path(), Layout::PerOperation).unwrap();
        assert_eq!(found.of(Some(Function::SendMessage)), folder.path().join("send-message"));
        assert_eq!(found.of(Some(Function::Default)), folder.path().join("DefaultFunction/bootstrap"));

        let file = folder.path().join("Backend");
        let one = Executables::find(&file, Layout::PerOperation).unwrap();
        assert!(Function::ALL.iter().all(|&function| one.of(Some(function)) == file));
        let single = Executables::find(folder.path(), Layout::Single).unwrap();
        assert_eq!(single.of(None), file);
    }
}
