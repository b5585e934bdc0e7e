//! Values that are kept: their names, before anything that may hold them is read.

use std::collections::BTreeMap;

use documents::child;

use super::context::Check;
use crate::keys::operation::Operation;
use crate::keys::protocol::Protocol;

/// An operation's answers with their pointers.
pub(super) fn answers<'k>(
    pointer: &str,
    keys: &'k Operation,
) -> Vec<(String, &'k crate::keys::operation::Answer)> {
    let one = keys.answer.iter().map(|answer| (format!("{pointer}/answer"), answer));
    let several = keys.answers.iter().flatten().enumerate();
    one.chain(several.map(|(index, answer)| (format!("{pointer}/answers/{index}"), answer))).collect()
}

impl Check<'_> {
    /// Numbers the names of all values that are kept, those of the opening first.
    pub(super) fn gather_kept(&mut self, keys: &Protocol) {
        for (index, step) in keys.opening.iter().enumerate() {
            self.gather(&format!("/opening/{index}/keep"), &step.keep);
        }
        for (name, operation) in &keys.operations {
            let pointer = child("/operations", name);
            for (answer, keys) in answers(&pointer, operation) {
                self.gather(&format!("{answer}/keep"), &keys.keep);
            }
            if let Some(poll) = &operation.poll {
                self.gather(&format!("{pointer}/poll/keep"), &poll.keep);
            }
        }
    }

    fn gather(&mut self, pointer: &str, keep: &BTreeMap<String, String>) {
        self.template_names(pointer, keep.keys());
        for name in keep.keys().filter(|name| !self.kept.contains(name)).cloned().collect::<Vec<_>>() {
            self.kept.push(name);
        }
    }
}
