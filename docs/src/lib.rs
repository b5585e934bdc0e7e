//! Pages with generated blocks, so that what they quote of the programs stays true.
//!
//! A block of a Markdown page stands between `<!-- generated: NAME -->` and `<!-- end: NAME -->`. The tests of this crate
//! generate each block anew and compare; with `UPDATE_DOCS=1` in the environment they write it into the page instead.

use std::fs;
use std::path::PathBuf;

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
        assert!(
            std::env::var_os("UPDATE_DOCS").is_some(),
            "the block `{name}` of {} is out of date; UPDATE_DOCS=1 writes it. It should be:\n{generated}",
            self.path.display()
        );
        self.text.replace_range(from..to, &generated);
        fs::write(&self.path, &self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
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
