//! One push: how it is known, what links it to its send, and whether it is the awaited one.

use crate::class::Class;
use crate::matching::{RuleNumber, Slot, View};
use crate::protocol::{Meaning, PushOutcome};

/// One push.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) number: usize,
    pub(crate) when: RuleNumber,
    /// Where the value stands that the answer brought, if that is what links it.
    pub(crate) tie: Option<Slot>,
    /// The one that is awaited; empty: every one.
    pub(crate) last: Vec<RuleNumber>,
    pub(crate) failed: Vec<(RuleNumber, Class)>,
    /// What is said of those that are neither; `None`: the awaited one will follow.
    pub(crate) otherwise: Option<Class>,
}

impl Push {
    /// What the message says, if it is this push.
    pub(crate) fn of<'v>(&'v self, view: &'v View<'_>) -> Option<Meaning<'v>> {
        if !view.holds(self.when) {
            return None;
        }
        let tie = match self.tie {
            Some(slot) => Some(view.text(slot)?),
            None => None,
        };
        let outcome = if let Some((_, class)) = self.failed.iter().find(|(rule, _)| view.holds(*rule)) {
            PushOutcome::Failed(class.of(view))
        } else if self.last.is_empty() || self.last.iter().any(|rule| view.holds(*rule)) {
            PushOutcome::Final
        } else {
            self.otherwise.as_ref().map_or(PushOutcome::Progress, |class| PushOutcome::Failed(class.of(view)))
        };
        Some(Meaning::Push { push: self.number, tie, outcome })
    }
}
