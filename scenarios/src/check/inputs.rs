//! The files that a scenario names, as they are kept with the run: it can then run again from its folder.
//!
//! What holds secrets (keys, tokens) is never copied; the kept scenario says where it lies.

use std::path::{Path, PathBuf};

/// The folder of kept files, beside the kept scenario.
const FOLDER: &str = "inputs";

/// A file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its path from the kept scenario, e.g. `inputs/profile.toml`.
    pub name: String,
    /// What it holds.
    pub content: Content,
}

/// What a kept file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A copy of this file.
    File(PathBuf),
    /// This text.
    Text(String),
}

/// Adds a file that lay at `path`, and returns its name; the same file twice is one.
pub(crate) fn add(inputs: &mut Vec<Input>, path: &Path, content: Content) -> String {
    if let Some(known) = inputs.iter().find(|input| input.content == content) {
        return known.name.clone();
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let names =
        std::iter::once(format!("{FOLDER}/{file}")).chain((2..).map(|n| format!("{FOLDER}/{n}-{file}")));
    let name =
        names.into_iter().find(|name| inputs.iter().all(|input| input.name != *name)).unwrap_or_default();
    inputs.push(Input { name: name.clone(), content });
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_stay_apart_and_the_same_file_is_kept_once() {
        let mut inputs = Vec::new();
        let mut add = |path: &str| add(&mut inputs, Path::new(path), Content::File(path.into()));
        assert_eq!(
            [add("a/x.csv"), add("b/x.csv"), add("a/x.csv")],
            ["inputs/x.csv", "inputs/2-x.csv", "inputs/x.csv"]
        );
    }
}
