//! Counts of churn and disruptions: what ended sockets, who came back and when, what became of each provocation.

use scenarios::disruptions::planned::ClientFault;
use serde::{Deserialize, Serialize};

use super::{Class, Classes, Tally};

tally! {
    /// Churn and disruptions over the whole run.
    DisruptionsTally {
        /// Sockets that ended although nobody on the player's side wanted it, by class; their sum is `dropped`.
        ends: Classes,
        /// By [`ClientFault`].
        faults: [FaultTally; ClientFault::ALL.len()],
        /// Messages that slow readers have read.
        slow_reads: u64,
        /// Coming back.
        reconnects: ReconnectTally,
        /// Players that leave and come back.
        churn: ChurnTally,
    }
}

impl DisruptionsTally {
    /// One kind of trouble, to record into.
    pub const fn fault_mut(&mut self, kind: ClientFault) -> &mut FaultTally {
        &mut self.faults[kind as usize]
    }
}

tally! {
    /// One kind of trouble: each case has exactly one outcome.
    FaultTally {
        /// Cases.
        made: u64,
        /// What became of them.
        outcomes: Classes,
    }
}

tally! {
    /// Coming back after a lost socket or a refused handshake. `wanted = succeeded + gave_up + unfinished`.
    ReconnectTally {
        /// Sockets lost and first handshakes refused after which a player tried to come back.
        wanted: u64,
        /// Handshakes begun for it.
        attempts: u64,
        /// Players that came back.
        succeeded: u64,
        /// Players that gave up.
        gave_up: u64,
        /// Players that the end of the run found still trying.
        unfinished: u64,
        /// Attempts that failed, by class.
        errors: Classes,
    }
}

tally! {
    /// Players that leave and come back.
    ChurnTally {
        /// Sockets closed because a life was over.
        left: u64,
        /// Sockets opened for a further life.
        returned: u64,
        /// Handshakes for a further life that failed, by class.
        refused: Classes,
        /// Lives that got a game session.
        placed: u64,
        /// Lives that left without one although they had asked.
        unplaced: u64,
    }
}

impl FaultTally {
    /// Counts what became of a case.
    pub fn became(&mut self, outcome: impl Into<Class>) {
        self.outcomes.count(outcome.into());
    }
}
