//! Delivery matching: which push answers which send, and what is lost, doubled or out of order.
//!
//! A *message* carries its correlation in its text ([`Correlation`]), so each push names the send it belongs
//! to. It is expected from the send on, once per recipient whose socket was open then. A *placement* is named
//! by the backend in the request's answer, so it is expected from that answer on; a push that overtakes the
//! answer is kept until then.
//!
//! An entry stays until its time-out and a grace even when complete: a second copy is a duplicate, not a surprise. What
//! comes after the time-out, but within the grace, is late: a slow backend is not one that loses. What is missing at
//! the end of the grace is lost. Out of order means: to this recipient a later send of the same sender was received
//! first; pairs are remembered for one to two such spans, longer than any push is awaited.
//!
//! The first and the last of a fan-out are known when it is complete: receipts need not be matched in the order of
//! their instants, since those of another worker's players take their time. Of one that stays incomplete the first
//! is known at the end of the grace, and there is no last.

mod messages;
mod placements;
pub mod presence;
pub mod relay;
#[cfg(test)]
mod tests;

pub use messages::Messages;
pub use placements::{PlacementPush, Placements};

use scenarios::ledger::Ledger;

use crate::clock::Micros;

/// Missing recipients that are named at a time; the rest is only counted.
const NAMED: usize = 3;

/// What a message's text begins with: which run, which send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correlation {
    /// Tells this run's messages from those of other runs against the same backend.
    pub run: u32,
    /// Number of the send among this run's sends.
    pub send: u64,
}

impl Correlation {
    const MARK: &'static str = "lg1:";
    /// Bytes that the correlation takes of a message's text.
    pub const LENGTH: usize = 4 + 8 + 1 + 16 + 1;

    /// A message text of `size` bytes (at least [`LENGTH`](Self::LENGTH)).
    #[must_use]
    pub fn text(&self, size: usize) -> String {
        let mut text = format!("{}{:08x}:{:016x}:", Self::MARK, self.run, self.send);
        text.extend(std::iter::repeat_n('.', size.saturating_sub(text.len())));
        text
    }

    /// Reads the correlation back from a pushed text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(Self::MARK)?;
        let (run, rest) = rest.split_once(':')?;
        let (send, _) = rest.split_once(':')?;
        Some(Self { run: u32::from_str_radix(run, 16).ok()?, send: u64::from_str_radix(send, 16).ok()? })
    }
}

/// What a received push turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The first copy.
    Received {
        /// Microseconds since the send.
        latency: Micros,
        /// Where this completes the fan-out: the latencies of its first and its last receipt.
        complete: Option<(Micros, Micros)>,
        /// A later send of the same sender was received before.
        out_of_order: bool,
        /// It came after its time-out, within the grace.
        late: bool,
        /// Where the send is booked.
        measured: Ledger,
    },
    /// A further copy.
    Duplicate {
        /// Where the send is booked.
        measured: Ledger,
    },
    /// Of this run, but after its grace: already counted as lost.
    TooLate,
    /// Nothing sent in this run accounts for it.
    Unexpected,
    /// Of a placement that its player polls.
    Aside,
}

/// Someone whose push did not come within its time-out and the grace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The recipient.
    pub recipient: u32,
    /// Who had sent it; the recipient itself for a placement.
    pub sender: u32,
    /// When it had been sent.
    pub sent: Micros,
    /// The message's number, or the placement's id.
    pub what: String,
}

/// Pushes given up at the end of their grace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost {
    /// By where their sends are booked; few, so that looking one up is quick.
    given_up: Vec<(Ledger, GivenUp)>,
    /// A few of those who miss what is lost.
    pub missing: Vec<Missing>,
}

/// What became of pushes that are no longer awaited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// Not received.
    pub lost: u64,
    /// Neither received nor lost: the recipient was away by its own doing.
    pub away: u64,
}

impl Lost {
    /// Adds what is missing of a send, of which `away` recipients were away.
    fn add_but(&mut self, missing: u64, away: u64, measured: Ledger) {
        if missing == 0 {
            return;
        }
        let position =
            self.given_up.iter().position(|(ledger, _)| *ledger == measured).unwrap_or_else(|| {
                self.given_up.push((measured, GivenUp::default()));
                self.given_up.len() - 1
            });
        let given_up = &mut self.given_up[position].1;
        given_up.lost += missing.saturating_sub(away);
        given_up.away += away;
    }

    /// What became of those of each ledger.
    pub fn each(&self) -> impl Iterator<Item = (Ledger, GivenUp)> {
        self.given_up.iter().copied()
    }

    /// What became of those of one ledger.
    #[must_use]
    pub fn of(&self, ledger: Ledger) -> GivenUp {
        self.each().find(|(other, _)| *other == ledger).map(|(_, given_up)| given_up).unwrap_or_default()
    }

    fn name(&mut self, missing: impl Iterator<Item = Missing>) {
        let room = NAMED.saturating_sub(self.missing.len());
        self.missing.extend(missing.take(room));
    }

    /// All pushes that are no longer awaited, lost or not.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.given_up.iter().map(|(_, GivenUp { lost, away })| lost + away).sum()
    }
}

/// What the time-outs brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired {
    /// Pushes given up.
    pub lost: Lost,
    /// Of each fan-out that stays incomplete and reached somebody: the latency of its first receipt, and where the
    /// send is booked.
    pub firsts: Vec<(Micros, Ledger)>,
}
