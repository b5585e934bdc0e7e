//! The answers of an operation that is polled over REST.

use super::keep::Keep;
use crate::class::Class;
use crate::matching::{Matcher, RuleNumber};
use crate::protocol::{Outcome, Polled};

/// The answers of an operation that is polled.
#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) matcher: Matcher,
    pub(crate) keep: Keep,
    pub(crate) last: Vec<RuleNumber>,
    pub(crate) failed: Vec<(RuleNumber, Class)>,
    pub(crate) pending: Vec<RuleNumber>,
    pub(crate) otherwise: Otherwise,
}

/// What an answer says that no rule knows.
#[derive(Debug)]
pub(crate) enum Otherwise {
    /// It is asked again.
    Pending,
    /// It has failed.
    Failed(Class),
    /// Nothing.
    Unknown,
}

impl Poll {
    /// What an answer says; one that lacks what is to be kept says nothing.
    pub(crate) fn of<'f>(&'f self, body: &'f str) -> Option<Polled<'f>> {
        let view = self.matcher.view(body);
        let keep = self.keep.of(&view);
        if keep.len() < self.keep.0.len() {
            return None;
        }
        let any = |rules: &[RuleNumber]| rules.iter().any(|rule| view.holds(*rule));
        let outcome = if any(&self.last) {
            Outcome::Ok
        } else if let Some((_, class)) = self.failed.iter().find(|(rule, _)| view.holds(*rule)) {
            Outcome::Failed(class.text(&view).into())
        } else if any(&self.pending) {
            Outcome::Pending
        } else {
            match &self.otherwise {
                Otherwise::Pending => Outcome::Pending,
                Otherwise::Failed(class) => Outcome::Failed(class.text(&view).into()),
                Otherwise::Unknown => return None,
            }
        };
        Some(Polled { outcome, keep })
    }
}
