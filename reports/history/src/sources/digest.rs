//! Digest of what a run was to do: two runs with the same can be compared.

use std::fs;
use std::path::Path;

use reports::folder::INPUTS;
use toml::{Table, Value};
use xxhash_rust::xxh3::Xxh3;

/// Keys that do not change what is measured.
const ASIDE: [&str; 4] = ["name", "description", "seed", "thresholds"];

/// Characters of a digest.
const LENGTH: usize = 12;

/// Of the scenario as run, without what only describes or judges it, and of the files that it names. Order and layout do not
/// matter. `None` where the scenario is not kept, or no TOML.
pub(super) fn digest(folder: &Path, scenario: &str) -> Option<String> {
    let mut keys: Table = scenario.parse().ok()?;
    if keys.is_empty() {
        return None;
    }
    for key in ASIDE {
        keys.remove(key);
    }
    let mut hash = Xxh3::new();
    // Tables are sorted by key.
    hash.update(Value::Table(keys).to_string().as_bytes());
    let mut inputs: Vec<_> = fs::read_dir(folder.join(INPUTS)).into_iter().flatten().flatten().collect();
    inputs.sort_by_key(fs::DirEntry::file_name);
    for input in inputs {
        hash.update(input.file_name().as_encoded_bytes());
        hash.update(&fs::read(input.path()).unwrap_or_default());
    }
    Some(short(&hash))
}

/// The first characters in hexadecimal.
pub(super) fn short(hash: &Xxh3) -> String {
    let mut text = format!("{:032x}", hash.digest128());
    text.truncate(LENGTH);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_measured_counts() {
        let nowhere = Path::new("/nowhere");
        let of = |text: &str| digest(nowhere, text);
        let one = of("name = \"a\"\nseed = 1\nplayers = 5\n[auth]\nmode = \"none\"\n");
        assert_eq!(one.as_ref().map(String::len), Some(12));
        assert_eq!(one, of("# again\nplayers = 5\nauth = { mode = \"none\" }\nseed = 9\nthresholds = []\n"));
        assert_ne!(one, of("players = 6\n[auth]\nmode = \"none\"\n"));
        assert_eq!(of(""), None);
        assert_eq!(of("no toml"), None);
    }

    #[test]
    fn the_files_that_it_names_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let without = digest(folder.path(), "players = 5");
        fs::create_dir(folder.path().join(INPUTS)).expect("a folder");
        fs::write(folder.path().join(INPUTS).join("profile.toml"), "base = \"instant\"").expect("a file");
        let with = digest(folder.path(), "players = 5");
        assert_ne!(with, without);
    }
}
