//! What is overdue is given up, and at the end of the run everything that is still awaited.

use std::fmt;

use scenarios::Plan;
use scenarios::plan::operation::Kind;

use super::shared::Play;
use crate::delivery::{GivenUp, Missing, Receipt};
use crate::record::Event;

/// What is still awaited: answers and pushes.
pub fn awaited(play: &Play) -> u64 {
    play.players.awaited() + play.deliveries.outstanding()
}

/// Gives up what is overdue.
pub fn sweep(play: &Play) {
    let (now, observer) = (play.clock.now(), &play.observer);
    play.players.wake_overdue(now);
    let swept = play.deliveries.expire(now, |player, sent| play.players.was_away(player, sent));
    for (kind, firsts) in &swept.firsts {
        observer.observe(Event::FirstReceipts { kind: *kind, firsts });
    }
    for (kind, ledger, GivenUp { lost, away }) in swept.given_up() {
        observer.observe(Event::GivenUp { kind, ledger, lost, away });
    }
    for (kind, lost) in &swept.lost {
        for missing in &lost.missing {
            let detail = &LostPush { plan: &play.plan, kind: *kind, missing };
            observer.observe(Event::Lost { player: missing.recipient, kind: *kind, detail });
        }
    }
    for (kind, push) in &swept.unexpected {
        play.pushed(*kind, push, Receipt::Unexpected);
    }
}

/// The run is over: pushes that are still awaited are withdrawn, since the players leave.
pub fn abandon(play: &Play) {
    let swept = play.deliveries.abandon();
    for (kind, firsts) in &swept.firsts {
        play.observer.observe(Event::FirstReceipts { kind: *kind, firsts });
    }
    for (kind, ledger, GivenUp { lost: count, .. }) in swept.given_up() {
        play.observer.observe(Event::Withdrawn { kind, ledger, count });
    }
    for (kind, push) in &swept.unexpected {
        play.pushed(*kind, push, Receipt::Unexpected);
    }
}

/// A push that was lost, in words.
struct LostPush<'l> {
    plan: &'l Plan,
    kind: Kind,
    missing: &'l Missing,
}

impl fmt::Display for LostPush<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Missing { sender, sent, what, .. } = self.missing;
        write!(
            f,
            "{what}, sent by {} at {:.3} s, was not received within {} s",
            self.plan.player_id(*sender),
            *sent as f64 / 1e6,
            self.plan.lost_after(self.kind).as_secs_f64()
        )
    }
}
