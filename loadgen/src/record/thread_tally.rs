//! What one thread recorded since the last merge.

use scenarios::plan::ledger::Ledger;
use serde::{Deserialize, Serialize};

use super::disruptions::DisruptionsTally;
use super::latencies::Latencies;
use super::measures::{FrameTally, Measures, MeteredTally, SocketTally};
use super::samples::Samples;
use super::tally::{Tally, tally};

tally! {
    /// What one thread recorded since the last merge.
    ThreadTally {
        /// Arrivals of measured phases.
        measured: Measures,
        /// Arrivals of warm-up phases.
        warm_up: Measures,
        /// Arrivals of the phases that thresholds look at; as long as it has not been [folded](ThreadTally::fold_phases),
        /// they are not among the measured ones.
        phases: Vec<Measures>,
        /// Sockets.
        sockets: SocketTally,
        /// Received messages, whatever the phase.
        frames: FrameTally,
        /// What API Gateway meters, whatever the phase.
        metered: MeteredTally,
        /// Churn and disruptions.
        disruptions: DisruptionsTally,
        /// First samples of each error class.
        samples: Samples,
        /// From a push's receipt in another worker until it was matched in this one.
        relay_lag: Latencies,
    }
}

impl ThreadTally {
    /// The measures that an arrival counts for. Each is recorded once, whatever looks at it.
    pub fn measures(&mut self, ledger: Ledger) -> &mut Measures {
        match ledger.phase() {
            None if ledger.is_measured() => &mut self.measured,
            None => &mut self.warm_up,
            Some(phase) => {
                if self.phases.len() <= phase {
                    self.phases.resize_with(phase + 1, Measures::default);
                }
                &mut self.phases[phase]
            }
        }
    }

    /// Adds the phases to what is measured: once, when a second's records are complete.
    pub fn fold_phases(&mut self) {
        self.phases.iter().for_each(|phase| self.measured.merge(phase));
    }
}
