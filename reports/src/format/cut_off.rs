//! What the end of a run cut off. It is counted, so that every arrival of the plan is accounted for; rates leave it out,
//! since neither the target nor the generator is the cause.

use std::collections::BTreeMap;

/// Class of arrivals that an interrupted run did not come to.
pub const UNSENT_INTERRUPTED: &str = "unsent_interrupted";
/// Class of arrivals that a run which ended itself early did not come to.
pub const UNSENT_ENDED_EARLY: &str = "unsent_ended_early";
/// Class of arrivals that had been handed to a player when the run ended.
pub const UNSENT_RUN_ENDED: &str = "unsent_run_ended";
/// Class of requests and handshakes whose answer the run did not wait for.
pub const INTERRUPTED: &str = "interrupted";

fn of(errors: &BTreeMap<String, u64>, classes: &[&str]) -> u64 {
    classes.iter().filter_map(|class| errors.get(*class)).fold(0, |sum, count| sum.saturating_add(*count))
}

/// Arrivals that were not sent because the run was over.
pub(super) fn not_run(errors: &BTreeMap<String, u64>) -> u64 {
    of(errors, &[UNSENT_INTERRUPTED, UNSENT_ENDED_EARLY, UNSENT_RUN_ENDED])
}

/// Arrivals that were sent, but whose answers the run did not wait for.
pub(super) fn not_awaited(errors: &BTreeMap<String, u64>) -> u64 {
    of(errors, &[INTERRUPTED])
}

/// What the counts of an operation are without the part that the end of the run cut off, in a method each.
macro_rules! cut_off {
    ($counts:ident) => {
        impl $counts {
            /// Arrivals that the plan called for until the run ended.
            #[must_use]
            pub fn called_for(&self) -> u64 {
                self.offered.saturating_sub($crate::format::cut_off::not_run(&self.errors))
            }

            /// Of these, those that could not be sent.
            #[must_use]
            pub fn could_not_be_sent(&self) -> u64 {
                self.unsent.saturating_sub($crate::format::cut_off::not_run(&self.errors))
            }

            /// Answered wrongly, or the socket broke before the answer.
            #[must_use]
            pub fn went_wrong(&self) -> u64 {
                self.failed.saturating_sub($crate::format::cut_off::not_awaited(&self.errors))
            }

            /// All that did not complete although there was time.
            #[must_use]
            pub fn errors(&self) -> u64 {
                self.went_wrong().saturating_add(self.timed_out).saturating_add(self.could_not_be_sent())
            }

            /// Arrivals that had the time to complete: what the errors are a share of.
            #[must_use]
            pub fn judged(&self) -> u64 {
                self.called_for().saturating_sub($crate::format::cut_off::not_awaited(&self.errors))
            }
        }
    };
}

pub(super) use cut_off;
