//! The promises to the players that broke: per operation and delivery, what and when.

use reports::format::Symptom;

use crate::observed::Run;

/// Every symptom of the run.
pub(crate) fn find(_run: &Run<'_>) -> Vec<Symptom> {
    Vec::new()
}
