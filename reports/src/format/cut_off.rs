//! What the end of a run cut off: counted, so that every arrival of the plan is accounted for, and in no rate, since
//! neither the target nor the generator has done anything about it.

use std::collections::BTreeMap;

use super::{Operation, OperationSecond, Summary};

/// Class of arrivals that an interrupted run did not come to.
pub const UNSENT_INTERRUPTED: &str = "unsent_interrupted";
/// Class of arrivals that a run which ended itself early did not come to.
pub const UNSENT_ENDED_EARLY: &str = "unsent_ended_early";
/// Class of arrivals that had been handed to a player when the run ended.
pub const UNSENT_RUN_ENDED: &str = "unsent_run_ended";
/// Class of requests and handshakes whose answer the run did not wait for.
pub const INTERRUPTED: &str = "interrupted";

fn of(errors: &BTreeMap<String, u64>, classes: &[&str]) -> u64 {
    classes.iter().filter_map(|class| errors.get(*class)).sum()
}

/// Arrivals that were not sent because the run was over.
fn not_run(errors: &BTreeMap<String, u64>) -> u64 {
    of(errors, &[UNSENT_INTERRUPTED, UNSENT_ENDED_EARLY, UNSENT_RUN_ENDED])
}

/// Arrivals that were sent, and whose answer nobody waited for.
fn not_awaited(errors: &BTreeMap<String, u64>) -> u64 {
    of(errors, &[INTERRUPTED])
}

/// Counts of which a part was cut off.
macro_rules! cut_off {
    ($($counts:ident),+) => {$(
        impl $counts {
            /// Arrivals that the plan called for until the run ended.
            #[must_use]
            pub fn called_for(&self) -> u64 {
                self.offered.saturating_sub(not_run(&self.errors))
            }

            /// Of these, those that could not be sent.
            #[must_use]
            pub fn could_not_be_sent(&self) -> u64 {
                self.unsent.saturating_sub(not_run(&self.errors))
            }

            /// Answered wrongly, or the socket broke before the answer.
            #[must_use]
            pub fn went_wrong(&self) -> u64 {
                self.failed.saturating_sub(not_awaited(&self.errors))
            }

            /// All that did not complete although there was time.
            #[must_use]
            pub fn errors(&self) -> u64 {
                self.went_wrong() + self.timed_out + self.could_not_be_sent()
            }

            /// Arrivals that had the time to complete: what the errors are a share of.
            #[must_use]
            pub fn judged(&self) -> u64 {
                self.called_for().saturating_sub(not_awaited(&self.errors))
            }
        }
    )+};
}

cut_off!(Operation, OperationSecond);

impl Summary {
    /// Arrivals of the plan that the run did not come to.
    #[must_use]
    pub fn not_run(&self) -> u64 {
        self.operations.values().map(|operation| not_run(&operation.errors)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_run_is_in_no_share() {
        // 31 s at 100/s, ended after 14 s with ten under way; one was answered wrongly.
        let errors =
            [(UNSENT_INTERRUPTED, 1_690), (UNSENT_RUN_ENDED, 10), (INTERRUPTED, 10), ("status_500", 1)];
        let operation = Operation {
            offered: 3_100,
            sent: 1_400,
            unsent: 1_700,
            completed: 1_389,
            failed: 11,
            errors: errors.map(|(class, count)| (class.to_owned(), count)).into(),
            ..Operation::default()
        };
        assert_eq!((operation.called_for(), operation.judged()), (1_400, 1_390));
        assert_eq!((operation.errors(), operation.could_not_be_sent()), (1, 0));
        let summary =
            Summary { operations: [("send_message".into(), operation)].into(), ..Summary::default() };
        assert_eq!(summary.not_run(), 1_700);
    }
}
