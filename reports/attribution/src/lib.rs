//! What gave way first: from a run folder to symptoms, suspects and headroom, offline.
//!
//! Nothing here is trained or tuned: every bound follows from a distribution, a limit or an identity, each named where it
//! stands (`docs/attribution.md` has the procedure in full). Correlation supports a suspect, it never makes one.
//!
//! ```text
//! RunFolder ─▶ observed: players per second, server series with known gaps, limits, the path of each operation
//!    ─▶ symptoms: which promise broke, when
//!    ─▶ suspects: refusals as accounts, queues as slopes, durations as changed hops ─▶ candidates
//!    ─▶ decide: path, order, share explained ─▶ Correlation
//! ```
//!
//! | module | does |
//! |---|---|
//! | [`observed`] | the run folder as series on one axis, a gap told from a zero |
//! | [`symptoms`] | the promises that broke |
//! | [`suspects`] | what may explain them, a module for each family |
//! | [`decide`] | keeps what explains at least half, in the order of path and time |
//! | [`lacking`] | what an answer would have needed |
//! | [`silence`] | what had to be heard of, and was not |
//! | [`words`] | what refutes and what helps each kind |
//! | [`compare`] | a symptom's time against an earlier one |
//! | [`bounds`] | identities that complete data keep |
//! | [`headroom`] | how far each limit was |
//! | [`correlate`] | declared pairs of series, partial to the offered load |
//!
//! The tests and bounds are those of the crate `statistics`.

mod bounds;
mod candidate;
mod compare;
mod correlate;
mod decide;
mod felt;
mod headroom;
mod interval;
mod lacking;
mod observed;
mod silence;
mod suspects;
mod symptoms;
mod words;

use reports::folder::RunFolder;
use reports::format::{Correlation, Outcome};

use crate::observed::Run;

/// What gave way first in the run of this folder.
#[must_use]
pub fn attribute(folder: &RunFolder) -> Correlation {
    let run = Run::of(folder);
    // What a late fetch brought replaces what the summary holds of an earlier one.
    let within = |fetched| reports::server::functions_within(fetched, &run.summary.run);
    let fetched = folder.cloudwatch.as_ref().map(within);
    let functions = fetched.filter(|functions| !functions.is_empty()).unwrap_or_else(|| folder.functions());
    let mut correlation = Correlation { functions, ..Correlation::default() };
    if !run.summary.verdict.valid {
        correlation.outcome = Some(Outcome::InvalidRun);
        correlation.notes = run.summary.verdict.invalid_reasons.clone();
        correlation.suspects = vec![suspects::generator::suspect(&run)];
        return correlation;
    }
    if let Some(doubt) = run.summary.frames.as_ref().and_then(|frames| frames.doubt()) {
        correlation.notes.push(doubt);
    }
    let felt = symptoms::find(&run);
    let candidates = suspects::candidates(&run, &felt);
    decide::decide(&run, felt, candidates, &mut correlation);
    correlation.notes.extend(bounds::notes(&run));
    correlation.headroom = headroom::of(&run);
    correlation.correlations = correlate::pairs(&run);
    correlation
}
