//! All pushes under way: of messages, of placements, and of other workers' sends.

use std::sync::Arc;

use scenarios::Plan;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::Kind;
use scenarios::plan::reference::Reference;

use super::correlation::Correlation;
use super::lost::{Expired, GivenUp, Lost};
use super::messages::Messages;
use super::placements::{PlacementPush, Placements};
use super::receipt::Receipt;
use super::relay::{ForwardedReceipt, Relay};
use crate::clock::{Micros, micros};

/// What was sent and is to be pushed, and the way to the workers whose sends are received here.
#[derive(Debug)]
pub struct Deliveries {
    /// Messages under way.
    pub messages: Messages,
    /// Placements under way.
    pub placements: Placements,
    relay: Option<Arc<Relay>>,
}

/// What a sweep gave up.
#[derive(Debug)]
pub struct Swept {
    /// By kind, pushes that did not come.
    pub lost: [(Kind, Lost); 2],
    /// First receipts of messages that did not reach every recipient.
    pub firsts: Vec<(Micros, Ledger)>,
    /// Placements that were pushed and belong to no request.
    pub unexpected: Vec<PlacementPush>,
}

impl Deliveries {
    /// Nothing is under way. `run` distinguishes this run's messages from others'; `relay` leads to the other workers.
    #[must_use]
    pub fn new(plan: &Plan, run: u32, relay: Option<Arc<Relay>>) -> Self {
        let timeout = |kind: Kind| micros(plan.pushes[kind.index()].timeout);
        Self {
            messages: Messages::new(run, timeout(Reference::MESSAGE), micros(plan.grace)),
            placements: Placements::new(timeout(Reference::PLACEMENT), micros(plan.grace)),
            relay,
        }
    }

    /// What leads to the other workers, if there are any.
    #[must_use]
    pub const fn relay(&self) -> Option<&Arc<Relay>> {
        self.relay.as_ref()
    }

    /// A message was pushed to `player` at `now`. `None` where another worker sent it: the receipt is forwarded.
    pub fn message_pushed(&self, player: u32, text: &str, now: Micros) -> Option<Receipt> {
        let Some(correlation) = Correlation::parse(text) else { return Some(Receipt::Unexpected) };
        if let Some(relay) = &self.relay
            && self.messages.is_ours(correlation)
            && relay.is_elsewhere(correlation.send)
        {
            relay.forward(correlation.send, player, now);
            return None;
        }
        Some(self.messages.receive(correlation, player, now))
    }

    /// Another worker's player received a push of this worker's send.
    pub fn received_elsewhere(&self, receipt: &ForwardedReceipt) -> Receipt {
        let ForwardedReceipt { send, recipient, at } = *receipt;
        self.messages.receive(self.messages.correlation(send), recipient, at)
    }

    /// Pushes that are awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.messages.outstanding() + self.placements.outstanding()
    }

    /// Gives up what is due at `now`. What a recipient misses that was away, by its own doing, since the send
    /// (`was_away(recipient, sent)`) is not lost.
    pub fn expire(&self, now: Micros, was_away: impl Fn(u32, Micros) -> bool) -> Swept {
        // Not before the receipts of other workers up to then are known.
        let known = self.relay.as_ref().map_or(now, |relay| now.min(relay.horizon()));
        let Expired { lost: messages, firsts } = self.messages.expire_except_away(known, &was_away);
        let (placements, unexpected) = self.placements.expire_except_away(now, &was_away);
        Swept {
            lost: [(Reference::MESSAGE, messages), (Reference::PLACEMENT, placements)],
            firsts,
            unexpected,
        }
    }

    /// Gives up everything, since the players leave: what is lost by that is withdrawn.
    pub fn abandon(&self) -> Swept {
        let Expired { lost: messages, firsts } = self.messages.expire(Micros::MAX);
        let (placements, _) = self.placements.expire(Micros::MAX);
        Swept {
            lost: [(Reference::MESSAGE, messages), (Reference::PLACEMENT, placements)],
            firsts,
            unexpected: Vec::new(),
        }
    }
}

impl Swept {
    /// Of each kind and ledger, what was given up; nothing for those of which nothing was.
    pub fn given_up(&self) -> impl Iterator<Item = (Kind, Ledger, GivenUp)> {
        self.lost
            .iter()
            .flat_map(|(kind, lost)| lost.each().map(|(ledger, given_up)| (*kind, ledger, given_up)))
    }
}
