//! Pushes that did not come in time.

use scenarios::plan::ledger::Ledger;

use crate::clock::Micros;

/// Missing recipients that are named at a time; the rest is only counted.
const NAMED: usize = 3;

/// A recipient whose push did not come within its time-out and the grace.
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
    /// A few of the recipients of what is lost.
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
    pub(super) fn add(&mut self, missing: u64, away: u64, measured: Ledger) {
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

    pub(super) fn name(&mut self, missing: impl Iterator<Item = Missing>) {
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
