//! What is awaited in a step of the opening.

use super::keep::Keep;
use crate::class::Class;
use crate::matching::{RuleNumber, View};
use crate::protocol::Meaning;

/// What is awaited in a step of the opening.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) number: usize,
    pub(crate) failed: Vec<(RuleNumber, Class)>,
    pub(crate) awaited: Vec<(RuleNumber, Keep)>,
}

impl Step {
    /// What the message says, if it is awaited in this step.
    pub(crate) fn of<'m>(&self, view: &View<'m>) -> Option<Meaning<'m>> {
        if let Some((rule, class)) = self.failed.iter().find(|(rule, _)| view.holds(*rule)) {
            let failed = Some(class.text(view));
            return Some(Meaning::Opened { step: self.number, id: view.id(*rule), failed, keep: Vec::new() });
        }
        let (rule, keep) = self.awaited.iter().find(|(rule, _)| view.holds(*rule))?;
        Some(Meaning::Opened { step: self.number, id: view.id(*rule), failed: None, keep: keep.of(view) })
    }
}
