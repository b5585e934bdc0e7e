//! Declared pairs of a server's and a player's series: rank correlation partial to the offered load.

use reports::format::Association;

use crate::observed::Run;

/// Every declared pair.
pub(crate) fn pairs(_run: &Run<'_>) -> Vec<Association> {
    Vec::new()
}
