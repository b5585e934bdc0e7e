//! One draw of a case: what runs, what is planted, and what may be named.

use reports::format::{Suspect, SuspectKind};

use super::settings::Settings;

/// A first suspect that counts as right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its kind.
    pub kind: SuspectKind,
    /// Its resource; empty: any.
    pub resource: &'static str,
    /// Whether it must say what else it may be, since the two cannot be told apart from outside.
    pub doubtful: bool,
}

impl Accepted {
    /// A kind and its resource.
    #[must_use]
    pub const fn new(kind: SuspectKind, resource: &'static str) -> Self {
        Self { kind, resource, doubtful: false }
    }

    /// The same where the suspect says what else it may be: what it calls, or what a limit that is not known would tell.
    #[must_use]
    pub const fn with_an_or(kind: SuspectKind, resource: &'static str) -> Self {
        Self { kind, resource, doubtful: true }
    }

    fn takes(&self, suspect: &Suspect) -> bool {
        suspect.kind == self.kind
            && (self.resource.is_empty() || suspect.resource == self.resource)
            && (!self.doubtful || !suspect.or.is_empty())
    }
}

/// What attribution may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// One of these, first.
    FirstSuspect(Vec<Accepted>),
    /// That the run is invalid.
    InvalidRun,
    /// No suspect.
    NothingNamed,
}

impl Expected {
    /// Whether a first suspect is right.
    #[must_use]
    pub fn takes(&self, suspect: &Suspect) -> bool {
        matches!(self, Self::FirstSuspect(accepted) if accepted.iter().any(|accepted| accepted.takes(suspect)))
    }
}

/// A change of the profile, and what it is.
#[derive(Debug, Clone)]
pub struct Change {
    /// In a few words.
    pub what: &'static str,
    /// The keys.
    pub settings: Settings,
}

impl Change {
    /// Without a key yet.
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, settings: Settings::default() }
    }
}

/// One draw of a case.
#[derive(Debug, Clone)]
pub struct Draw {
    /// The case, e.g. `P1`.
    pub case: &'static str,
    /// Which draw of it.
    pub seed: u64,
    /// What is planted, or what is hard about it, with the drawn values.
    pub what: String,
    /// The scenario.
    pub scenario: Settings,
    /// The backend's profile, without the fault.
    pub profile: Settings,
    /// What the fault changes in the profile; empty where there is none.
    pub fault: Settings,
    /// Whether the generator shares one core with busy loops.
    pub starved: bool,
    /// What may be named.
    pub expected: Expected,
    /// Raises the accused limit, or removes what is slow: the symptom has to go.
    pub cure: Option<Change>,
    /// Raises others: the symptom has to stay.
    pub placebo: Option<Change>,
}

impl Draw {
    /// E.g. `P1-3`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.case, self.seed)
    }

    /// Whether something is planted.
    #[must_use]
    pub fn is_planted(&self) -> bool {
        self.expected != Expected::NothingNamed
    }
}
