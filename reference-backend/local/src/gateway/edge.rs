//! What every part of the gateway shares.

use super::event::Api;
use super::faults::Faults;
use super::limits::Limits;
use super::meters::Meters;
use super::profile::GatewayProfile;
use crate::metrics::Metrics;

/// One API: its names, its limits, its faults and its metrics.
pub(super) struct Edge {
    pub(super) api: Api,
    pub(super) profile: GatewayProfile,
    pub(super) limits: Limits,
    pub(super) faults: Faults,
    pub(super) meters: Meters,
}

impl Edge {
    /// Those of a new API; `seed` draws its faults.
    pub(super) fn new(api: Api, profile: GatewayProfile, metrics: &Metrics, seed: u64) -> Self {
        let (limits, faults) = (Limits::new(&profile), Faults::new(&profile, seed));
        let meters = Meters::new(metrics, &api);
        Self { api, profile, limits, faults, meters }
    }
}
