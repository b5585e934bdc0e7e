//! Is it slower than before, and is that real? Two sides of runs, measure by measure, as a pure function of their folders.
//!
//! ```text
//! RunFolder ─▶ axis: the measured seconds, phase by phase ─▶ timed: histograms of each second; counted: counts of each second
//!    ─▶ questions: one for each operation, push and function that both sides have
//!    ─▶ resample: seconds in blocks, histograms merged ─▶ side: value, variance, degrees of freedom, of each side
//!    ─▶ contrast: difference and interval ─▶ judge: all measures together, a verdict for each ─▶ Comparison
//! ```
//!
//! | module | does |
//! |---|---|
//! | [`comparable`] | why runs must not be compared |
//! | [`settings`] | what they were set up differently by |
//! | [`axis`] | which seconds count, and which of them are alike |
//! | [`timed`], [`counted`] | what was observed in each second |
//! | [`resample`] | how a percentile or a ratio varies |
//! | [`side`], [`contrast`] | one side's value, and the difference of two |
//! | [`judge`] | verdicts over all measures of a comparison; also of operations with different names |
//! | [`questions`] | which measures two sides of folders have |
//!
//! The method stands in `docs/comparing.md`; tests and bounds are those of the crate `statistics`.

mod axis;
mod comparable;
mod contrast;
mod counted;
mod judge;
mod questions;
mod resample;
mod settings;
mod side;
mod timed;

use reports::folder::{FolderError, RunFolder};
use reports::format::comparison::{Change, ComparedRun, Comparison, SCHEMA_VERSION};

pub use counted::Counted;
pub use judge::{Judged, Observed, Options, Question, judge};
pub use timed::{Recorded, Timed};

/// Compares the runs of two sides. Runs that are not comparable are compared only if `options` say so; otherwise the
/// comparison has objections and no measure.
///
/// # Errors
/// [`FolderError`] where the interval log of a run cannot be read.
pub fn compare(
    base: &[RunFolder],
    candidate: &[RunFolder],
    options: &Options,
) -> Result<Comparison, FolderError> {
    let objections = comparable::objections(base, candidate);
    let mut comparison = Comparison {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        base: base.iter().map(identity).collect(),
        candidate: candidate.iter().map(identity).collect(),
        forced: options.force && !objections.is_empty(),
        method: options.method(base.len().max(candidate.len()) > 1),
        configuration: settings::differences(base, candidate),
        objections,
        ..Comparison::default()
    };
    if !comparison.objections.is_empty() && !options.force {
        return Ok(comparison);
    }
    let asked = questions::of(base, candidate)?;
    let Judged { measures, shifts, not_compared } = judge(&asked.questions, options);
    comparison.verdict = overall(measures.iter().map(|measure| measure.verdict));
    comparison.measures = measures;
    comparison.shifts = shifts;
    comparison.not_compared = asked.not_compared.into_iter().chain(not_compared).collect();
    Ok(comparison)
}

/// What several verdicts come to.
#[must_use]
pub fn overall(verdicts: impl Iterator<Item = Change> + Clone) -> Change {
    let any = |change| verdicts.clone().any(|verdict| verdict == change);
    if any(Change::Regressed) {
        Change::Regressed
    } else if any(Change::Improved) {
        Change::Improved
    } else if any(Change::Unchanged) && verdicts.clone().all(|verdict| verdict == Change::Unchanged) {
        Change::Unchanged
    } else {
        Change::Undecided
    }
}

fn identity(folder: &RunFolder) -> ComparedRun {
    let manifest = &folder.manifest;
    ComparedRun {
        id: manifest.run.id.clone(),
        name: manifest.run.name.clone(),
        folder: folder.dir.clone(),
        target: manifest.run.target.clone(),
        started_at: manifest.run.started_at,
        commit: manifest.commit.clone(),
        version: manifest.run.version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_regression_is_enough_and_all_must_be_unchanged() {
        use Change::{Improved, Regressed, Unchanged, Undecided};
        let of = |verdicts: &[Change]| overall(verdicts.iter().copied());
        assert_eq!(of(&[Unchanged, Regressed, Improved]), Regressed);
        assert_eq!(of(&[Unchanged, Undecided, Improved]), Improved);
        assert_eq!(of(&[Unchanged, Unchanged]), Unchanged);
        assert_eq!(of(&[Unchanged, Undecided]), Undecided);
        assert_eq!(of(&[]), Undecided);
    }
}
