//! What is awaited in a step of the opening.

use super::keep::Keep;
use crate::matching::{RuleNumber, View};
use crate::protocol::Meaning;

/// The error class of a step that failed.
const OPENING_FAILED: &str = "opening_failed";

/// What is awaited in a step of the opening.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) number: usize,
    pub(crate) failed: Vec<RuleNumber>,
    pub(crate) awaited: Vec<(RuleNumber, Keep)>,
}

impl Step {
    /// What the message says, if it is awaited in this step.
    pub(crate) fn of<'m>(&self, view: &View<'m>) -> Option<Meaning<'m>> {
        if let Some(rule) = self.failed.iter().find(|rule| view.holds(**rule)) {
            let failed = Some(OPENING_FAILED.into());
            return Some(Meaning::Opened { step: self.number, id: view.id(*rule), failed, keep: Vec::new() });
        }
        let (rule, keep) = self.awaited.iter().find(|(rule, _)| view.holds(*rule))?;
        Some(Meaning::Opened { step: self.number, id: view.id(*rule), failed: None, keep: keep.of(view) })
    }
}
