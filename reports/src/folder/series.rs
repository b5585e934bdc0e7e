//! The seconds of a run as a slice, for those who look at them again and again.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::OnceLock;

use super::lines::Lines;
use crate::format::SeriesLine;

/// All lines of `series.jsonl`, read when they are first looked at: a day has more of them than a report wants to hold.
///
/// [`RunFolder::read`](super::RunFolder::read) has found every line to be sound. Should the file have been cut or spoiled since, the
/// slice ends before the first line that cannot be read any more.
#[derive(Debug)]
pub struct Series {
    path: PathBuf,
    lines: OnceLock<Vec<SeriesLine>>,
}

impl Series {
    pub(super) const fn of(path: PathBuf) -> Self {
        Self { path, lines: OnceLock::new() }
    }

    /// Gives the memory of the lines back; they are read again when they are looked at again.
    pub fn forget(&mut self) {
        self.lines.take();
    }

    fn read(&self) -> Vec<SeriesLine> {
        // An error ends the slice, as the type says.
        let lines = Lines::of(&self.path).into_iter().flat_map(Lines::json);
        lines.map_while(Result::ok).collect()
    }
}

impl Deref for Series {
    type Target = [SeriesLine];

    fn deref(&self) -> &[SeriesLine] {
        self.lines.get_or_init(|| self.read())
    }
}

impl DerefMut for Series {
    fn deref_mut(&mut self) -> &mut [SeriesLine] {
        if self.lines.get().is_none() {
            let lines = self.read();
            self.lines = lines.into();
        }
        self.lines.get_mut().map_or(&mut [], Vec::as_mut_slice)
    }
}

impl<'a> IntoIterator for &'a Series {
    type Item = &'a SeriesLine;
    type IntoIter = std::slice::Iter<'a, SeriesLine>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
