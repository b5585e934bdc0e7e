//! When a run ends before its plan is carried out: nobody can connect, or a threshold with `abort` has failed. Checked
//! once a second, over all workers, where the seconds are written.

use std::sync::Arc;
use std::time::Duration;

use reports::format::Threshold as Judged;
use scenarios::Plan;
use scenarios::plan::disruptions::Policy;
use scenarios::plan::operation::Operation;
use scenarios::plan::threshold::Abort;

use crate::record::ThreadTally;
use crate::verdict::ending::EarlyEnd;
use crate::verdict::thresholds::evaluate_so_far;

/// Failed handshakes after which all that are still to come are taken to fail.
const HANDSHAKES: u64 = 50;
/// For how many seconds handshakes must have failed: a deployment or a cold start is over sooner.
const SECONDS: u64 = 5;

/// Checks after each second whether the run should go on.
#[derive(Debug)]
pub struct EarlyEndCheck {
    plan: Arc<Plan>,
    /// The second in which a handshake had first failed.
    first_failure: Option<u64>,
    /// Of each threshold, the second in which it first had something to judge.
    first_judged: Vec<Option<u64>>,
    /// Most sockets open at the end of a second.
    peak_open: u64,
}

impl EarlyEndCheck {
    /// For a run of the plan.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let first_judged = vec![None; plan.thresholds.len()];
        Self { plan, first_failure: None, first_judged, peak_open: 0 }
    }

    /// Why the run should end after this second, at whose end `open` sockets were open; `total` is everything recorded up
    /// to it. `None` once no arrival is due any more: nothing would be saved.
    pub fn after(&mut self, second: u64, open: u64, total: &ThreadTally) -> Option<EarlyEnd> {
        self.peak_open = self.peak_open.max(open);
        if Duration::from_secs(second + 1) >= self.plan.end() {
            return None;
        }
        self.nobody_connects(second, total).or_else(|| self.threshold(second, total))
    }

    /// No socket has opened, and none will: every player has been refused and does not try again; or so many were, for so
    /// long, that the others will be too.
    fn nobody_connects(&mut self, second: u64, total: &ThreadTally) -> Option<EarlyEnd> {
        if total.sockets.opened > 0 {
            return None;
        }
        let (mut failed, mut over) = (0, 0);
        for measures in [&total.measured, &total.warm_up] {
            let connect = measures.operation(Operation::CONNECT);
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
        // With churn, a player connects again for its next session.
        let churns = disruptions.churn.is_some();
        let reconnects = disruptions.reconnect.policy != Policy::None;
        let reason = if churns || (reconnects && (over < players || tries.gave_up < tries.wanted)) {
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
        Some(EarlyEnd { reason, threshold: None })
    }

    /// A threshold with `abort` has failed after its grace.
    fn threshold(&mut self, second: u64, total: &ThreadTally) -> Option<EarlyEnd> {
        for (position, threshold) in self.plan.thresholds.iter().enumerate() {
            let Some(Abort { grace }) = threshold.abort else { continue };
            let judged = evaluate_so_far(threshold, &self.plan, total, self.peak_open);
            if judged.observed.is_none() {
                continue;
            }
            let since = *self.first_judged[position].get_or_insert(second);
            if !judged.passed && Duration::from_secs(second - since) >= grace {
                let judged = Judged { aborted: true, ..judged };
                let rule = reports::verdict::rule(&judged);
                let reason = format!("the threshold `{rule}` failed, and has `abort`");
                return Some(EarlyEnd { reason, threshold: Some((position, judged)) });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use scenarios::plan::ledger::Ledger;

    use super::*;

    fn check(more: &str) -> EarlyEndCheck {
        let text = format!(
            "name = \"x\"\nplayers = 1000\n{more}\n[sockets]\nconnect_rate = 50.0\n[[phases]]\nkind = \"hold\"\nduration = \
             \"60s\"\n[operations.send_message]\nrate = 10.0\n"
        );
        let checked = scenarios::check("x.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        EarlyEndCheck::new(Arc::new(checked.plan))
    }

    fn refused(count: u64) -> ThreadTally {
        let mut total = ThreadTally::default();
        total.measured.operation_mut(Operation::CONNECT).failed = count;
        total
    }

    #[test]
    fn nobody_gets_in_once_it_is_certain_or_has_lasted() {
        let mut check = check("");
        assert_eq!(check.after(0, 0, &ThreadTally::default()), None);
        assert_eq!(check.after(1, 0, &refused(49)), None);
        assert_eq!(check.after(5, 0, &refused(200)), None, "not for five seconds");
        let early = check.after(6, 0, &refused(250)).unwrap();
        assert!(early.reason.contains("first 250 handshakes have failed over 5 s"), "{early:?}");
        assert_eq!(check.after(6, 0, &refused(49)), None, "too few to tell");
        let early = check.after(2, 0, &refused(1_000)).unwrap();
        assert!(early.reason.contains("none of 1000 players"), "{early:?}");
        let mut opened = refused(999);
        opened.sockets.opened = 1;
        assert_eq!(check.after(60, 0, &opened), None, "one got in");
        assert_eq!(check.after(81, 0, &refused(1_000)), None, "the plan is over");
    }

    #[test]
    fn as_long_as_players_try_again_they_may_get_in() {
        let mut check = check("reconnect = { policy = \"constant\", base = \"1s\", max_attempts = 2 }");
        assert_eq!(check.after(1, 0, &refused(100)), None);
        assert_eq!(check.after(20, 0, &refused(999)), None);
        let mut tried = refused(1_000);
        tried.disruptions.reconnects.wanted = 1_000;
        tried.disruptions.reconnects.gave_up = 999;
        assert_eq!(check.after(22, 0, &tried), None);
        tried.disruptions.reconnects.gave_up = 1_000;
        assert!(check.after(22, 0, &tried).is_some());
        let churn = "churn = { session = \"5s\", pause = \"1s\" }";
        assert_eq!(self::check(churn).after(22, 0, &refused(1_000)), None, "another life is another try");
    }

    #[test]
    fn a_threshold_ends_the_run_after_its_grace_and_only_with_abort() {
        let rules = "thresholds = [\"send_message.failed == 0\", { expression = \"send_message.error_rate < 10%\", abort = true, \
                     grace = \"3s\" }]";
        let mut check = check(rules);
        let so_far = |sent, failed| {
            let mut total = ThreadTally::default();
            let tally = total.measures(Ledger::MEASURED).operation_mut(Operation::of(1));
            (tally.offered, tally.sent, tally.failed) = (sent, sent, failed);
            total
        };
        assert_eq!(check.after(30, 0, &so_far(0, 0)), None, "nothing to judge");
        assert_eq!(check.after(31, 0, &so_far(10, 5)), None, "the grace begins");
        assert_eq!(check.after(33, 0, &so_far(30, 5)), None);
        assert_eq!(check.after(34, 0, &so_far(60, 5)), None, "it holds by now");
        let early = check.after(35, 0, &so_far(60, 15)).unwrap();
        let (position, judged) = early.threshold.unwrap();
        assert_eq!((position, judged.observed, judged.aborted, judged.passed), (1, Some(25.0), true, false));
        assert!(early.reason.contains("`send_message.error_rate < 10%` failed"), "{}", early.reason);
    }
}
