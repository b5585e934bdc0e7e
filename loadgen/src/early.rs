//! Ending a run before its plan is carried out, because going on would tell nothing more: nobody gets in, or a
//! threshold with `abort` has failed. Looked at once a second, where the seconds are written down; with workers, over
//! all of them.

use std::sync::Arc;
use std::time::Duration;

use reports::format::{EndedEarly, Threshold as Judged};
use scenarios::Plan;
use scenarios::disruptions::planned::Policy;
use scenarios::threshold::{Abort, Operation};

use crate::record::ThreadTally;
use crate::verdict;

/// So many handshakes must have failed before it is believed that all will, as long as some are still to come.
const HANDSHAKES: u64 = 50;
/// And for so many seconds: a target that is being deployed, or a function's cold start, is over sooner.
const SECONDS: u64 = 5;

/// How a run came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Its plan was carried out.
    Finished,
    /// By somebody outside.
    Interrupted,
    /// By itself.
    Early(Early),
}

/// Why a run ended itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Early {
    /// In a sentence without its full stop.
    pub reason: String,
    /// The threshold that did it: its place among the plan's, and what it had seen.
    pub threshold: Option<(usize, Judged)>,
}

impl Ending {
    /// What the manifest says.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Early(_) => "ended_early",
        }
    }

    /// What the summary says of it, of a run that was `at_s` seconds into its plan.
    #[must_use]
    pub fn told(&self, plan: &Plan, at_s: f64) -> Option<EndedEarly> {
        let reason = match self {
            Self::Finished => return None,
            Self::Interrupted => "interrupted by Ctrl-C or SIGTERM".into(),
            Self::Early(early) => early.reason.clone(),
        };
        Some(EndedEarly { at_s, planned_s: plan.end().as_secs_f64(), reason })
    }
}

/// Looks after each second whether the run should go on.
#[derive(Debug)]
pub struct Watchman {
    plan: Arc<Plan>,
    /// The second in which a handshake had first failed.
    first_failure: Option<u64>,
    /// Of each threshold, the second in which it first had something to judge.
    first_judged: Vec<Option<u64>>,
    /// Most sockets open at the end of a second.
    peak_open: u64,
}

impl Watchman {
    /// For a run of the plan.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let first_judged = vec![None; plan.thresholds.len()];
        Self { plan, first_failure: None, first_judged, peak_open: 0 }
    }

    /// Why the run should end after this second, at whose end so many sockets were open; `total` is everything recorded up
    /// to it. Once no arrival is due any more, there is nothing to spare by it.
    pub fn look(&mut self, second: u64, open: u64, total: &ThreadTally) -> Option<Early> {
        self.peak_open = self.peak_open.max(open);
        if Duration::from_secs(second + 1) >= self.plan.end() {
            return None;
        }
        self.nobody_gets_in(second, total).or_else(|| self.threshold(second, total))
    }

    /// No socket has opened, and none will: every player has been refused and tries no more; or so many were, for so
    /// long, that the others will be.
    fn nobody_gets_in(&mut self, second: u64, total: &ThreadTally) -> Option<Early> {
        if total.sockets.opened > 0 {
            return None;
        }
        let (mut failed, mut over) = (0, 0);
        for measures in [&total.measured, &total.warm_up] {
            let connect = measures.operation(Operation::Connect);
            failed += connect.failed + connect.timed_out;
            over += connect.unsent;
        }
        over += failed;
        if failed == 0 {
            return None;
        }
        let since = *self.first_failure.get_or_insert(second);
        let players = u64::from(self.plan.players);
        let disruptions = &self.plan.disruptions;
        let tries = &total.disruptions.reconnects;
        // Who lives and leaves tries again with its next life.
        let patient = disruptions.churn.is_some();
        let persistent = disruptions.reconnect.policy != Policy::None;
        let reason = if patient || (persistent && (over < players || tries.gave_up < tries.wanted)) {
            return None;
        } else if over >= players {
            format!("none of {players} players could connect, and none tries again")
        } else if failed >= HANDSHAKES && second - since >= SECONDS {
            format!(
                "the first {failed} handshakes have failed over {} s, and no player tries again; \
                 `reconnect.policy` lets them",
                second - since
            )
        } else {
            return None;
        };
        Some(Early { reason, threshold: None })
    }

    /// A threshold with `abort` has failed after its grace.
    fn threshold(&mut self, second: u64, total: &ThreadTally) -> Option<Early> {
        for (place, threshold) in self.plan.thresholds.iter().enumerate() {
            let Some(Abort { grace }) = threshold.abort else { continue };
            let judged = verdict::evaluate_now(threshold, &self.plan, total, self.peak_open);
            if judged.observed.is_none() {
                continue;
            }
            let since = *self.first_judged[place].get_or_insert(second);
            if !judged.passed && Duration::from_secs(second - since) >= grace {
                let judged = Judged { aborted: true, ..judged };
                let rule = reports::verdict::rule(&judged);
                let reason = format!("the threshold `{rule}` failed, and has `abort`");
                return Some(Early { reason, threshold: Some((place, judged)) });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use scenarios::ledger::Ledger;

    use super::*;

    fn watchman(more: &str) -> Watchman {
        let text = format!(
            "name = \"x\"\nplayers = 1000\n{more}\n[sockets]\nconnect_rate = 50.0\n[[phases]]\nkind = \"hold\"\nduration = \
             \"60s\"\n[operations.send_message]\nrate = 10.0\n"
        );
        let checked = scenarios::check("x.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Watchman::new(Arc::new(checked.plan))
    }

    fn refused(count: u64) -> ThreadTally {
        let mut total = ThreadTally::default();
        total.measured.operation_mut(Operation::Connect).failed = count;
        total
    }

    #[test]
    fn nobody_gets_in_once_it_is_certain_or_has_lasted() {
        let mut watchman = watchman("");
        assert_eq!(watchman.look(0, 0, &ThreadTally::default()), None);
        assert_eq!(watchman.look(1, 0, &refused(49)), None);
        assert_eq!(watchman.look(5, 0, &refused(200)), None, "not for five seconds");
        let early = watchman.look(6, 0, &refused(250)).unwrap();
        assert!(early.reason.contains("first 250 handshakes have failed over 5 s"), "{early:?}");
        assert_eq!(watchman.look(6, 0, &refused(49)), None, "too few to tell");
        let early = watchman.look(2, 0, &refused(1_000)).unwrap();
        assert!(early.reason.contains("none of 1000 players"), "{early:?}");
        let mut opened = refused(999);
        opened.sockets.opened = 1;
        assert_eq!(watchman.look(60, 0, &opened), None, "one got in");
        assert_eq!(watchman.look(81, 0, &refused(1_000)), None, "the plan is over");
    }

    #[test]
    fn as_long_as_players_try_again_they_may_get_in() {
        let mut watchman = watchman("reconnect = { policy = \"constant\", base = \"1s\", max_attempts = 2 }");
        assert_eq!(watchman.look(1, 0, &refused(100)), None);
        assert_eq!(watchman.look(20, 0, &refused(999)), None);
        let mut tried = refused(1_000);
        tried.disruptions.reconnects.wanted = 1_000;
        tried.disruptions.reconnects.gave_up = 999;
        assert_eq!(watchman.look(22, 0, &tried), None);
        tried.disruptions.reconnects.gave_up = 1_000;
        assert!(watchman.look(22, 0, &tried).is_some());
        let churn = "churn = { session = \"5s\", pause = \"1s\" }";
        assert_eq!(self::watchman(churn).look(22, 0, &refused(1_000)), None, "another life is another try");
    }

    #[test]
    fn a_threshold_ends_the_run_after_its_grace_and_only_with_abort() {
        let rules = "thresholds = [\"send_message.failed == 0\", { expression = \"send_message.error_rate < 10%\", abort = true, \
                     grace = \"3s\" }]";
        let mut watchman = watchman(rules);
        let so_far = |sent, failed| {
            let mut total = ThreadTally::default();
            let tally = total.measures(Ledger::MEASURED).operation_mut(Operation::SendMessage);
            (tally.offered, tally.sent, tally.failed) = (sent, sent, failed);
            total
        };
        assert_eq!(watchman.look(30, 0, &so_far(0, 0)), None, "nothing to judge");
        assert_eq!(watchman.look(31, 0, &so_far(10, 5)), None, "the grace begins");
        assert_eq!(watchman.look(33, 0, &so_far(30, 5)), None);
        assert_eq!(watchman.look(34, 0, &so_far(60, 5)), None, "it holds by now");
        let early = watchman.look(35, 0, &so_far(60, 15)).unwrap();
        let (place, judged) = early.threshold.unwrap();
        assert_eq!((place, judged.observed, judged.aborted, judged.passed), (1, Some(25.0), true, false));
        assert!(early.reason.contains("`send_message.error_rate < 10%` failed"), "{}", early.reason);
    }
}
