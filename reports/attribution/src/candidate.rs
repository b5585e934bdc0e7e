//! What may explain a symptom, before path and order decide.

use reports::format::{Evidence, SuspectKind};

use crate::observed::Stage;

/// A stretch of time in seconds since the run's start. What happened at an instant within a period lies in the whole
/// period: with points of a minute an onset is known to a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    /// Its first instant.
    pub(crate) from_s: f64,
    /// Its end, exclusive.
    pub(crate) to_s: f64,
}

impl Interval {
    /// Whether all of it lies before the other.
    pub(crate) fn before(self, other: Self) -> bool {
        self.to_s <= other.from_s
    }
}

/// What may explain symptoms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    /// What kind of thing gave way.
    pub(crate) kind: SuspectKind,
    /// Where on the backend's path.
    pub(crate) stage: Stage,
    /// When it began: the period in which it shows first.
    pub(crate) onset: Interval,
    /// When it was over, in seconds since the run's start.
    pub(crate) end_s: f64,
    /// The limit that was hit.
    pub(crate) limit: Option<f64>,
    /// What was observed of it.
    pub(crate) observed: Option<f64>,
    /// The unit of both.
    pub(crate) unit: &'static str,
    /// The symptoms that it explains: their position, and the share of each.
    pub(crate) explains: Vec<(usize, f64)>,
    /// What it is a consequence of, by kind and place: where a candidate of these explains as much, this one is not the first.
    pub(crate) follows: Vec<(SuspectKind, Stage)>,
    /// What else it may be.
    pub(crate) or: Vec<String>,
    /// What speaks for it.
    pub(crate) evidence: Vec<Evidence>,
}

impl Candidate {
    /// One without a limit, that explains nothing yet.
    pub(crate) fn new(kind: SuspectKind, stage: Stage, onset: Interval, end_s: f64) -> Self {
        Self {
            kind,
            stage,
            onset,
            end_s,
            limit: None,
            observed: None,
            unit: "",
            explains: Vec::new(),
            follows: Vec::new(),
            or: Vec::new(),
            evidence: Vec::new(),
        }
    }
}
