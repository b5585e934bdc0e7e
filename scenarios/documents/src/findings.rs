//! What is found wrong with the meaning of a document whose form has been checked.

use std::time::Duration;

use crate::document::{Document, dotted};
use crate::duration::Span;
use crate::mistakes::Mistake;

const DAY: Duration = Duration::from_secs(86_400);

/// Gathers mistakes of meaning. A value that was told to be wrong already is judged no further.
#[derive(Debug)]
pub struct Findings<'d> {
    document: &'d Document,
    /// Dotted keys whose value is not the author's own, since that was wrong.
    doubtful: Vec<String>,
    /// What was found.
    pub mistakes: Vec<Mistake>,
}

impl<'d> Findings<'d> {
    /// `refused` and `doubtful` tell whose values are not the author's own: keys of mistakes, and pointers.
    #[must_use]
    pub fn new(document: &'d Document, refused: &[Mistake], doubtful: &[String]) -> Self {
        let refused = refused.iter().map(|mistake| mistake.key.clone());
        let doubtful = doubtful.iter().map(|pointer| dotted(pointer)).chain(refused).collect();
        Self { document, doubtful, mistakes: Vec::new() }
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// Reports a mistake, unless one was reported already for this value or one within it.
    pub fn wrong(&mut self, pointer: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        let mistake = self.document.mistake(pointer, problem, remedy);
        if !self.doubts(&mistake.key) {
            self.mistakes.push(mistake);
        }
    }

    /// Reports a mistake between one key and others, unless one was reported already for one of them.
    pub fn wrong_beside(
        &mut self,
        pointer: &str,
        others: &[&str],
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if !others.iter().any(|other| self.doubts(&dotted(other))) {
            self.wrong(pointer, problem, remedy);
        }
    }

    /// Reports a mistake in another place, a file that the document names at `pointer`.
    pub fn wrong_elsewhere(
        &mut self,
        pointer: &str,
        place: String,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (problem, remedy) = (problem.into(), remedy.into());
        self.mistakes.push(Mistake { place, key: dotted(pointer), problem, remedy });
    }

    /// From here on nothing is concluded from the value at `pointer`.
    pub fn doubt(&mut self, pointer: &str) {
        self.doubtful.push(dotted(pointer));
    }

    /// A span above zero and of at most a day.
    pub fn positive(&mut self, pointer: &str, span: Span) -> Duration {
        if span.0.is_zero() || span.0 > DAY {
            self.wrong(pointer, "must be above zero and at most a day", "write e.g. \"30s\"");
        }
        span.0.min(DAY)
    }

    /// A span that may be nothing.
    pub fn within_a_day(&mut self, pointer: &str, span: Span) -> Duration {
        if span.0.is_zero() { Duration::ZERO } else { self.positive(pointer, span) }
    }

    fn doubts(&self, key: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.doubtful
            .iter()
            .any(|doubtful| within(key, doubtful) || (!key.is_empty() && within(doubtful, key)))
    }
}
