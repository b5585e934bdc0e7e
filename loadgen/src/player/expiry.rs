//! What is overdue is given up, and at the end of the run everything that is still awaited.

use scenarios::threshold::Kind;

use super::shared::Play;
use crate::delivery::{Expired, GivenUp, Missing, PlacementPush, Receipt};

impl Play {
    /// What is still awaited: answers and pushes.
    pub(crate) fn awaited(&self) -> u64 {
        self.players.awaited() + self.messages.outstanding() + self.placements.outstanding()
    }

    /// Gives up what is overdue.
    pub(crate) fn sweep(&self) {
        let now = self.clock.now();
        self.players.wake_overdue(now);
        // Not before the receipts of other workers up to then are known.
        let known = self.relay.as_ref().map_or(now, |relay| now.min(relay.horizon()));
        let was_away = |player, sent| self.players.was_away(player, sent);
        let messages = self.messages.expire_but(known, was_away);
        self.count_firsts(&messages);
        let (placements, unexpected) = self.placements.expire_but(now, was_away);
        for (kind, lost) in [(Kind::Message, messages.lost), (Kind::Placement, placements)] {
            if lost.all() > 0 {
                self.recorder.with(|tally| {
                    for (ledger, GivenUp { lost, away }) in lost.each() {
                        let delivery = tally.measures(ledger).delivery_mut(kind);
                        delivery.lost += lost;
                        delivery.away += away;
                    }
                });
                for missing in lost.missing {
                    self.sample(missing.recipient, kind.word(), &"lost".into(), || {
                        self.lost_in_words(kind, &missing)
                    });
                }
            }
        }
        for PlacementPush { player, at, .. } in unexpected {
            self.received(player, Kind::Placement, Receipt::Unexpected, at);
        }
    }

    /// Counts the first receipts of fan-outs that stay incomplete.
    fn count_firsts(&self, expired: &Expired) {
        if !expired.firsts.is_empty() {
            self.recorder.with(|tally| {
                for &(latency, measured) in &expired.firsts {
                    tally.measures(measured).delivery_mut(Kind::Message).first.record(latency);
                }
            });
        }
    }

    fn lost_in_words(&self, kind: Kind, missing: &Missing) -> String {
        let sent = missing.sent as f64 / 1e6;
        format!(
            "{}, sent by {} at {sent:.3} s, was not received within {} s",
            missing.what,
            self.plan.player_id(missing.sender),
            self.plan.lost_after(kind).as_secs_f64()
        )
    }

    /// The run is over: what is still awaited is called off, since nobody will hear it.
    pub(crate) fn abandon(&self) {
        let messages = self.messages.expire(u64::MAX);
        self.count_firsts(&messages);
        let off = [(Kind::Message, messages.lost), (Kind::Placement, self.placements.expire(u64::MAX).0)];
        for (kind, open) in off {
            self.recorder.with(|tally| {
                for (ledger, GivenUp { lost, .. }) in open.each() {
                    tally.measures(ledger).delivery_mut(kind).withdrawn += lost;
                }
            });
        }
    }
}
