//! What is generated and checked in: schemas, and blocks of the pages, so that what they quote of the programs stays true.
//!
//! A test generates each anew and compares; with a variable of the environment it writes it instead ([`generated_file`]).
//!
//! A block of a Markdown page stands between `<!-- generated: NAME -->` and `<!-- end: NAME -->`. The tests of this crate
//! write them with `UPDATE_DOCS=1`, those of other crates the schemas with `UPDATE_SCHEMA=1`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Compares a file with what was generated for it, or writes it where the environment has `variable`.
///
/// # Panics
/// If the file differs, or cannot be written.
pub fn generated_file(path: &Path, generated: &str, variable: &str) {
    if fs::read_to_string(path).unwrap_or_default() != generated {
        update(path, generated, variable, "the file");
    }
}

/// Writes what is out of date, where the environment has `variable`.
fn update(path: &Path, text: &str, variable: &str, what: &str) {
    assert!(
        std::env::var_os(variable).is_some(),
        "{what} is out of date in {}: run this test with {variable}=1 and commit it",
        path.display()
    );
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The names of all properties of a JSON Schema.
#[must_use]
pub fn property_names(schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    names.extend(properties.keys().cloned());
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    names
}

/// A Markdown page of this repository.
#[derive(Debug)]
pub struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    /// Reads a page by its path from the repository's root.
    ///
    /// # Panics
    /// If it cannot be read.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// The page's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Compares a block with what was generated for it, or writes it with `UPDATE_DOCS=1`.
    ///
    /// # Panics
    /// If the page has no such block, the block differs, or the page cannot be written.
    pub fn block(&mut self, name: &str, generated: &str) {
        let (start, end) = (format!("<!-- generated: {name} -->\n"), format!("<!-- end: {name} -->"));
        let missing = || panic!("{} has no `{}` … `{end}`", self.path.display(), start.trim_end());
        let from = self.text.find(&start).map_or_else(missing, |at| at + start.len());
        let to = self.text[from..].find(&end).map_or_else(missing, |at| from + at);
        let generated = format!("{}\n", generated.trim_end());
        if self.text[from..to] == generated {
            return;
        }
        self.text.replace_range(from..to, &generated);
        update(&self.path, &self.text, "UPDATE_DOCS", &format!("the block `{name}`, now `{generated}`,"));
    }

    /// The texts of all code blocks in this language.
    #[must_use]
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let start = format!("```{language}\n");
        let behind = |rest: &'_ str| rest.split_once("\n```").map(|(block, _)| format!("{block}\n"));
        self.text.split(start.as_str()).skip(1).filter_map(behind).collect()
    }

    /// The lines of all `sh` code blocks, without comments, `env` assignments and continuation marks: commands as a shell sees
    /// them.
    #[must_use]
    pub fn shell_commands(&self) -> Vec<String> {
        let mut commands = Vec::new();
        let mut shell = false;
        let mut continued = false;
        for line in self.text.lines() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                shell = !shell && (language == "sh" || language.is_empty());
                continue;
            }
            if !shell {
                continue;
            }
            let line = line.split(" # ").next().unwrap_or_default().trim();
            let ends = line.trim_end_matches('\\').trim_end();
            match commands.last_mut() {
                Some(last) if continued => *last = format!("{last} {ends}"),
                _ => commands.push(ends.to_owned()),
            }
            continued = line.ends_with('\\');
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "out of date")]
    fn a_file_that_differs_fails_a_test_that_does_not_write_it() {
        generated_file(Path::new("no-such.schema.json"), "{}", "LOADGEN_UPDATE_NOTHING");
    }

    #[test]
    fn properties_are_named_at_every_depth() {
        let inner = serde_json::json!({ "properties": { "b": {} } });
        let schema =
            serde_json::json!({ "properties": { "a": inner }, "anyOf": [{ "properties": { "c": {} } }] });
        assert_eq!(property_names(&schema).into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
