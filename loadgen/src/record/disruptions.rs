//! Counts of churn and disruptions: what ended sockets, who reconnected, what became of each client fault.

use scenarios::plan::disruptions::ClientFault;
use serde::{Deserialize, Serialize};

use super::class_counts::Classes;
use super::tally::{Tally, tally};

tally! {
    /// Churn and disruptions over the whole run.
    DisruptionsTally {
        /// Sockets that ended although the player's side did nothing to end them, by class; their sum is `dropped`.
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
    /// One client fault, to record into.
    pub const fn fault_mut(&mut self, kind: ClientFault) -> &mut FaultTally {
        &mut self.faults[kind as usize]
    }
}

tally! {
    /// One client fault: each case has exactly one outcome.
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
        /// Sockets closed because a session was over.
        left: u64,
        /// Sockets opened for a further session.
        returned: u64,
        /// Handshakes for a further session that failed, by class.
        refused: Classes,
    }
}
