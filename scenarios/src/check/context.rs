//! What every check of a table uses: where mistakes are reported, files are found and kept, and lengths and URLs are read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use documents::form::nearest;
use documents::{Document, Findings, Mistake};
use url::Url;

use super::inputs::{self, Content, Input};
use crate::file::beside::beside;
use crate::file::sheet::BadLine;
use crate::keys::duration::Span;

/// Checks a profile of the embedded backend, which this crate does not know: every mistake in the file.
pub type ProfileCheck = fn(&Path) -> Vec<Mistake>;

/// Gathers the mistakes while the plan is put together.
pub(crate) struct Check<'d> {
    pub(crate) findings: Findings<'d>,
    pub(super) profile: ProfileCheck,
    /// Files to keep with the run.
    pub(crate) inputs: Vec<Input>,
    /// What the kept scenario says instead of a file's name, by pointer.
    pub(crate) kept: Vec<(String, String)>,
}

impl<'d> Check<'d> {
    /// `refused` and `doubtful` tell whose values are not the author's own: keys of mistakes, and pointers.
    pub(crate) fn new(
        document: &'d Document,
        refused: &[Mistake],
        doubtful: &[String],
        profile: ProfileCheck,
    ) -> Self {
        let findings = Findings::new(document, refused, doubtful);
        Self { findings, profile, inputs: Vec::new(), kept: Vec::new() }
    }

    /// Reports a mistake, unless one was reported already for this value or one within it.
    pub(crate) fn wrong(&mut self, pointer: &str, problem: impl Into<String>, remedy: &str) {
        self.findings.wrong(pointer, problem, remedy);
    }

    /// Reports a mistake between one key and others, unless one was reported already for one of them.
    pub(crate) fn wrong_beside(
        &mut self,
        pointer: &str,
        others: &[&str],
        problem: impl Into<String>,
        remedy: &str,
    ) {
        self.findings.wrong_beside(pointer, others, problem, remedy);
    }

    /// Reports a mistake in a line of a file that the scenario names at `pointer`: it is there, not in the scenario.
    pub(super) fn wrong_in_file(&mut self, pointer: &str, file: &str, bad: BadLine, remedy: &str) {
        let BadLine { line, problem } = bad;
        let place = if line > 0 { format!("{file}:{line}") } else { file.to_owned() };
        self.findings.wrong_elsewhere(pointer, place, problem, remedy);
    }

    /// From here on nothing is concluded from the value at `pointer`.
    pub(super) fn doubt(&mut self, pointer: &str) {
        self.findings.doubt(pointer);
    }

    /// Keeps a file with the run, and calls it by its name there.
    pub(crate) fn keep_file(&mut self, pointer: &str, path: &Path) {
        self.keep(pointer, path, Content::File(path.to_owned()));
    }

    /// Keeps a text in a file's place.
    pub(crate) fn keep(&mut self, pointer: &str, path: &Path, content: Content) {
        let name = inputs::add(&mut self.inputs, path, content);
        self.kept.push((pointer.into(), name));
    }

    /// Says where a file lies that is not kept.
    pub(crate) fn keep_place(&mut self, pointer: &str, path: &Path) {
        if let Ok(path) = std::path::absolute(path) {
            self.kept.push((pointer.into(), path.display().to_string()));
        }
    }

    /// A file that the scenario names: beside it, or at a path from the working directory.
    pub(crate) fn beside(&self, file: &str) -> Option<PathBuf> {
        beside(self.findings.document(), file)
    }

    /// The same, or a mistake at `pointer`.
    pub(crate) fn named_file(&mut self, pointer: &str, name: &str, remedy: &str) -> Option<PathBuf> {
        let found = self.beside(name);
        if found.is_none() {
            self.wrong(pointer, format!("there is no file `{name}`"), remedy);
        }
        found
    }

    pub(crate) fn positive(&mut self, pointer: &str, span: Span) -> Duration {
        self.findings.positive(pointer, span)
    }

    /// A span that may be nothing.
    pub(crate) fn within_a_day(&mut self, pointer: &str, span: Span) -> Duration {
        self.findings.within_a_day(pointer, span)
    }

    pub(crate) fn url(&mut self, pointer: &str, text: &str, schemes: &[&str], remedy: &str) -> Option<Url> {
        let problem = match Url::parse(text) {
            Ok(url) if !schemes.contains(&url.scheme()) => {
                format!("must begin with {}://", schemes.join(":// or "))
            }
            Ok(url) if url.host_str().is_none_or(str::is_empty) => "has no host".into(),
            Ok(url) if url.fragment().is_some() => "has a fragment (`#…`), which a server never sees".into(),
            Ok(url) => return Some(url),
            Err(error) => format!("is not a URL: {error}"),
        };
        self.wrong(pointer, problem, remedy);
        None
    }
}

/// What to write instead of a name that nothing has.
pub(super) fn instead(name: &str, known: &[&str]) -> String {
    let shown = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`? It has {shown}"),
        None if known.is_empty() => "it has none".into(),
        None => format!("it has {shown}"),
    }
}
