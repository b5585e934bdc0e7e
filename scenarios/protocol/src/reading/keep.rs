//! Values of a received message that are kept for later messages.

use std::borrow::Cow;

use crate::matching::{RuleNumber, Slot, View};

/// Where a value is read that is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// At a place of the message.
    At(Slot),
    /// The number that stands where this rule says `${id}`.
    Id(RuleNumber),
}

/// Values that are kept of a message: number of the kept value, and where it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keep(pub(crate) Vec<(usize, Source)>);

impl Keep {
    pub(crate) fn of<'m>(&self, view: &View<'m>) -> Vec<(usize, Cow<'m, str>)> {
        let read = |source| match source {
            Source::At(slot) => view.text(slot),
            Source::Id(rule) => view.id(rule).map(|id| Cow::Owned(id.to_string())),
        };
        self.0.iter().filter_map(|(number, source)| Some((*number, read(*source)?))).collect()
    }
}
