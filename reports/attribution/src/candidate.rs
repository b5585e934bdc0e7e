//! What may explain a symptom, before path and order decide.

use reports::format::{Evidence, SuspectKind};

use crate::interval::Interval;
use crate::observed::Stage;

/// Share of a symptom that a suspect explains at least: then no other can explain more of it.
pub(crate) const HALF: f64 = 0.5;

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
    /// What else it may be.
    pub(crate) or: Vec<String>,
    /// What speaks for it.
    pub(crate) evidence: Vec<Evidence>,
}

impl Candidate {
    /// A candidate of a kind and a stage, to be filled in.
    pub(crate) fn new(kind: SuspectKind, stage: Stage, onset: Interval, end_s: f64) -> Self {
        let (explains, or, evidence) = (Vec::new(), Vec::new(), Vec::new());
        Self { kind, stage, onset, end_s, limit: None, observed: None, unit: "", explains, or, evidence }
    }

    /// How much of a symptom it explains; 0 where it does not.
    pub(crate) fn share_of(&self, symptom: usize) -> f64 {
        self.explains.iter().find(|(n, _)| *n == symptom).map_or(0.0, |(_, share)| *share)
    }

    /// Takes in another one of the same kind and stage. Of a symptom that both explain it explains the greater share: two ways to look at
    /// one thing do not make more of it. Only where `adds` says so of a symptom are they different parts of it.
    fn take_in(&mut self, other: Self, adds: impl Fn(usize) -> bool) {
        for (symptom, share) in other.explains {
            match self.explains.iter_mut().find(|(n, _)| *n == symptom) {
                Some((_, known)) if adds(symptom) => *known = (*known + share).min(1.0),
                Some((_, known)) => *known = known.max(share),
                None => self.explains.push((symptom, share)),
            }
        }
        if other.onset.from_s < self.onset.from_s {
            self.onset = other.onset;
        }
        self.end_s = self.end_s.max(other.end_s);
        self.observed = self.observed.into_iter().chain(other.observed).max_by(f64::total_cmp);
        for or in other.or {
            if !self.or.contains(&or) {
                self.or.push(or);
            }
        }
        for evidence in other.evidence {
            if !self.evidence.contains(&evidence) {
                self.evidence.push(evidence);
            }
        }
    }

    /// Candidates of the same kind, stage and limit as one, which explains the greatest share of each symptom.
    pub(crate) fn merged(candidates: impl IntoIterator<Item = Self>) -> Vec<Self> {
        Self::added(candidates, |_| false)
    }

    /// As [`merged`](Self::merged), with the sum of the shares of those symptoms of which each of them explains another part.
    pub(crate) fn added(
        candidates: impl IntoIterator<Item = Self>,
        adds: impl Fn(usize) -> bool + Copy,
    ) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for candidate in candidates {
            let known = merged.iter_mut().find(|known| {
                (known.kind, &known.stage, known.limit) == (candidate.kind, &candidate.stage, candidate.limit)
            });
            match known {
                Some(known) => known.take_in(candidate, adds),
                None => merged.push(candidate),
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explaining(shares: &[(usize, f64)]) -> Candidate {
        let onset = Interval { from_s: 0.0, to_s: 1.0 };
        let explains = shares.to_vec();
        Candidate { explains, ..Candidate::new(SuspectKind::AccountConcurrency, Stage::Account, onset, 9.0) }
    }

    #[test]
    fn two_looks_at_one_thing_do_not_make_more_of_it() {
        let both = || [explaining(&[(0, 0.3), (1, 0.8)]), explaining(&[(0, 0.4), (1, 0.7), (2, 0.1)])];
        assert_eq!(Candidate::merged(both())[0].explains, [(0, 0.4), (1, 0.8), (2, 0.1)]);
        let parts = Candidate::added(both(), |symptom| symptom != 2);
        assert_eq!((parts.len(), parts[0].share_of(0), parts[0].share_of(1)), (1, 0.7, 1.0));
        assert_eq!(parts[0].share_of(2), 0.1, "never more than all of a symptom");
    }
}
