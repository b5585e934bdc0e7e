//! One form of an operation's answer: how it is known, which request it belongs to, how that ended.

use super::keep::Keep;
use crate::class::Class;
use crate::marker;
use crate::matching::{RuleNumber, Slot, View};
use crate::protocol::{Meaning, Outcome, Request};

/// One form of an operation's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) operation: usize,
    pub(crate) to: To,
    /// What must hold whatever it says.
    pub(crate) when: Option<RuleNumber>,
    pub(crate) ignore: Vec<RuleNumber>,
    pub(crate) failed: Vec<(RuleNumber, Class)>,
    pub(crate) ok: Vec<(RuleNumber, Keep)>,
    pub(crate) otherwise: Otherwise,
}

/// How the request is found.
#[derive(Debug)]
pub(crate) enum To {
    /// By the number at a place.
    Id(Slot),
    /// By the number where a rule says `${id}`.
    IdIn(RuleNumber),
    /// By the value at a place.
    Field(Slot),
    /// By the marker in it.
    Echo,
    /// It is the oldest.
    Oldest,
}

/// What becomes of a request whose answer is neither good nor bad.
#[derive(Debug)]
pub(crate) enum Otherwise {
    /// It is good.
    Ok(Keep),
    /// It is bad.
    Failed(Class),
    /// This is no answer to it.
    Unanswered,
}

impl Answer {
    /// What the message says, if it is such an answer.
    pub(crate) fn of<'v>(&'v self, view: &'v View<'_>) -> Option<Meaning<'v>> {
        if !self.when.is_none_or(|when| view.holds(when)) {
            return None;
        }
        let to = match &self.to {
            To::Id(slot) => Request::Id(view.number(*slot)?),
            To::IdIn(rule) => Request::Id(view.id(*rule)?),
            To::Field(slot) => Request::Field(view.text(*slot)?),
            To::Echo => {
                marker::find(view.message())?;
                Request::Echo
            }
            To::Oldest => Request::Oldest,
        };
        let mut keep = Vec::new();
        let outcome = if self.ignore.iter().any(|rule| view.holds(*rule)) {
            Outcome::Pending
        } else if let Some((_, class)) = self.failed.iter().find(|(rule, _)| view.holds(*rule)) {
            Outcome::Failed(class.of(view))
        } else if let Some((_, kept)) = self.ok.iter().find(|(rule, _)| view.holds(*rule)) {
            keep = kept.of(view);
            Outcome::Ok
        } else {
            match &self.otherwise {
                Otherwise::Ok(kept) => {
                    keep = kept.of(view);
                    Outcome::Ok
                }
                Otherwise::Failed(class) => Outcome::Failed(class.of(view)),
                Otherwise::Unanswered => return None,
            }
        };
        Some(Meaning::Answer { operation: self.operation, to, outcome, keep })
    }
}
