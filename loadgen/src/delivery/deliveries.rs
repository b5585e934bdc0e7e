//! All pushes under way: of every kind, and of other workers' sends.

use std::sync::Arc;

use protocol::outline::Tie;
use scenarios::Plan;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::{Kind, Operation};

use super::by_player::ByPlayer;
use super::correlation::Correlation;
use super::fan_outs::FanOuts;
use super::kept::Kept;
use super::lost::{Expired, GivenUp, Lost};
use super::receipt::{Receipt, ReceivedPush};
use super::relay::{ForwardedReceipt, Relay};
use super::sent::{Addressees, Sent};
use super::terms::Terms;
use crate::clock::Micros;

/// What was sent and is to be pushed, and the way to the workers whose sends are received here.
#[derive(Debug)]
pub struct Deliveries {
    run: u32,
    kinds: Vec<Pushes>,
    relay: Option<Arc<Relay>>,
}

/// Pushes of one kind that are under way.
#[derive(Debug)]
struct Pushes {
    kind: Kind,
    /// The operation that leads to them, if the plan has it.
    operation: Option<Operation>,
    table: Table,
}

/// By what ties a push to its send.
#[derive(Debug)]
enum Table {
    Marker(Box<FanOuts>),
    Kept(Box<Kept>),
    Player(Box<ByPlayer>),
}

/// What a sweep gave up.
#[derive(Debug, Default)]
pub struct Swept {
    /// By kind, pushes that did not come.
    pub lost: Vec<(Kind, Lost)>,
    /// By kind, first receipts of what did not reach every recipient: the latency, and where the send is booked. Kinds of
    /// which there are none are left out.
    pub firsts: Vec<(Kind, Vec<(Micros, Ledger)>)>,
    /// What was pushed and belongs to no request.
    pub unexpected: Vec<(Kind, ReceivedPush)>,
}

impl Deliveries {
    /// Nothing is under way. `run` distinguishes this run's messages from others'; `relay` leads to the other workers.
    #[must_use]
    pub fn new(plan: &Plan, run: u32, relay: Option<Arc<Relay>>) -> Self {
        Self::by_terms(Terms::of(plan), run, relay)
    }

    /// Nothing is under way. Terms stand in the order of the kinds' numbers.
    pub(super) fn by_terms(terms: Vec<Terms>, run: u32, relay: Option<Arc<Relay>>) -> Self {
        let pushes = |terms: Terms| Pushes {
            kind: terms.kind,
            operation: terms.operation,
            table: match terms.tie {
                Tie::Marker => Table::Marker(FanOuts::new(terms).into()),
                Tie::Kept(_) => Table::Kept(Kept::new(terms).into()),
                Tie::Player => Table::Player(ByPlayer::new(terms).into()),
            },
        };
        Self { run, kinds: terms.into_iter().map(pushes).collect(), relay }
    }

    /// What leads to the other workers, if there are any.
    #[must_use]
    pub const fn relay(&self) -> Option<&Arc<Relay>> {
        self.relay.as_ref()
    }

    /// The correlation of an operation's arrival.
    #[must_use]
    pub const fn correlation(&self, operation: Operation, index: u64) -> Correlation {
        Correlation::new(self.run, number(operation), index)
    }

    /// The send of this run whose marker stands in a received message.
    #[must_use]
    pub fn find(&self, message: &str) -> Option<Correlation> {
        Correlation::find(message, self.run)
    }

    /// Expects pushes of a send that is about to leave; returns how many. Those that are tied by what the answer names are
    /// expected [from then on](Self::expect_kept), and those that are tied by their player, of the sender.
    pub fn expect(&self, kind: Kind, sent: Sent, to: Addressees) -> u64 {
        match self.table(kind) {
            Table::Marker(fan_outs) => fan_outs.expect(sent, to),
            Table::Kept(_) => 0,
            Table::Player(by_player) => {
                by_player.expect(sent);
                1
            }
        }
    }

    /// Expects the push of a request whose answer has just named the value that ties them; returns those that were faster
    /// than the answer, with their receipts. Of a kind that is tied otherwise nothing is expected.
    pub fn expect_kept(&self, kind: Kind, value: &str, sent: Sent) -> Vec<(ReceivedPush, Receipt)> {
        match self.table(kind) {
            Table::Kept(kept) => kept.expect(value, sent),
            Table::Marker(_) | Table::Player(_) => Vec::new(),
        }
    }

    /// Expects nothing of what is pushed under a value, whatever its kind: a player asks for it instead.
    pub fn set_aside(&self, value: &str) {
        for pushes in &self.kinds {
            if let Table::Kept(kept) = &pushes.table {
                kept.set_aside(value);
            }
        }
    }

    /// Expects nothing more of a player's send that failed; returns how many pushes are no longer expected.
    pub fn withdraw(&self, kind: Kind, player: u32, send: u64) -> u64 {
        match self.table(kind) {
            Table::Marker(fan_outs) => fan_outs.withdraw(send),
            // Expected only once the request has been answered.
            Table::Kept(_) => 0,
            Table::Player(by_player) => by_player.withdraw(player, send),
        }
    }

    /// A push that is final or failed was received: in this message, with this value where one ties it. `None` where that
    /// is not known here: its answer has not come yet, or another worker sent it, to which the receipt is forwarded.
    pub fn received(
        &self,
        kind: Kind,
        value: Option<&str>,
        message: &str,
        push: &ReceivedPush,
    ) -> Option<Receipt> {
        let Pushes { operation, table, .. } = &self.kinds[kind.index()];
        match table {
            Table::Marker(fan_outs) => {
                let leads_here =
                    |sent: &Correlation| operation.is_some_and(|of| number(of) == sent.operation());
                let sent = self.find(message).filter(leads_here);
                let Some(correlation) = sent else { return Some(Receipt::Unexpected) };
                if let Some(relay) = self.relay.as_ref().filter(|relay| relay.is_elsewhere(correlation)) {
                    relay.forward(correlation, push);
                    return None;
                }
                Some(fan_outs.receive(correlation.send, push.player, push.at))
            }
            Table::Kept(kept) => match value {
                Some(value) => kept.receive(value, push),
                None => Some(Receipt::Unexpected),
            },
            Table::Player(by_player) => Some(by_player.receive(push.player, push.at)),
        }
    }

    /// Another worker's player received a push of this worker's send; `None` where no kind has such a push.
    pub fn received_elsewhere(&self, receipt: &ForwardedReceipt) -> Option<(Kind, Receipt)> {
        let pushes = self.marked(receipt.send)?;
        let Table::Marker(fan_outs) = &pushes.table else { return None };
        Some((pushes.kind, fan_outs.receive(receipt.send, receipt.recipient, receipt.at)))
    }

    /// Pushes that are awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.kinds.iter().map(|pushes| pushes.table.outstanding()).sum()
    }

    /// Gives up what is due at `now`. What a recipient misses that was away, by its own doing, since the send
    /// (`was_away(recipient, sent)`) is not lost.
    pub fn expire(&self, now: Micros, was_away: impl Fn(u32, Micros) -> bool) -> Swept {
        // Not before the receipts of other workers up to then are known.
        let known = self.relay.as_ref().map_or(now, |relay| now.min(relay.horizon()));
        self.sweep(known, now, was_away)
    }

    /// Gives up everything, since the players leave: what is lost by that is withdrawn.
    pub fn abandon(&self) -> Swept {
        let misdirected: Vec<_> = self
            .kinds
            .iter()
            .flat_map(|pushes| {
                match &pushes.table {
                    Table::Kept(kept) => kept.misdirected(),
                    Table::Marker(_) | Table::Player(_) => Vec::new(),
                }
                .into_iter()
                .map(|push| (pushes.kind, push))
            })
            .collect();
        // The answers to what else came early may have been on their way.
        Swept { unexpected: misdirected, ..self.sweep(Micros::MAX, Micros::MAX, |_, _| false) }
    }

    fn sweep(&self, known: Micros, now: Micros, was_away: impl Fn(u32, Micros) -> bool) -> Swept {
        let mut swept = Swept::default();
        for Pushes { kind, table, .. } in &self.kinds {
            let lost = match table {
                Table::Marker(fan_outs) => {
                    let Expired { lost, firsts } = fan_outs.expire(known, &was_away);
                    if !firsts.is_empty() {
                        swept.firsts.push((*kind, firsts));
                    }
                    lost
                }
                Table::Kept(kept) => {
                    let (lost, unexpected) = kept.expire(now, &was_away);
                    swept.unexpected.extend(unexpected.into_iter().map(|push| (*kind, push)));
                    lost
                }
                Table::Player(by_player) => by_player.expire(now, &was_away),
            };
            swept.lost.push((*kind, lost));
        }
        swept
    }

    fn table(&self, kind: Kind) -> &Table {
        &self.kinds[kind.index()].table
    }

    /// The pushes that a send with a marker leads to.
    fn marked(&self, send: u64) -> Option<&Pushes> {
        let operation = Correlation { run: self.run, send }.operation();
        self.kinds.iter().find(|pushes| pushes.operation.is_some_and(|of| number(of) == operation))
    }
}

impl Table {
    fn outstanding(&self) -> u64 {
        match self {
            Self::Marker(fan_outs) => fan_outs.outstanding(),
            Self::Kept(kept) => kept.outstanding(),
            Self::Player(by_player) => by_player.outstanding(),
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

/// An operation's number in a marker.
const fn number(operation: Operation) -> u8 {
    operation.index() as u8
}
