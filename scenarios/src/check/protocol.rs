//! From the key `protocol` to the protocol: one that ships, or a file.

use std::sync::Arc;

use protocol::Protocol;

use super::context::Check;
use super::stand_in::StandIn;
use crate::keys::scenario::Scenario;

/// How the target talks.
pub(super) fn protocol(check: &mut Check<'_>, scenario: &Scenario) -> Arc<dyn Protocol> {
    if scenario.protocol != "reference" {
        check.wrong("/protocol", "is not known", "write \"reference\"");
    }
    Arc::new(StandIn::default())
}
