//! The stamps of a push: when the stages of its way through the backend began.
//!
//! They are read by a matcher of their own, and only where a run is traced: what every other message costs does not depend on
//! how many stamps a protocol has.

use crate::keys::stamp::Unit;
use crate::matching::{Matcher, Slot};

/// Reads the stamps of one push.
#[derive(Debug)]
pub(crate) struct Stamps {
    pub(crate) matcher: Matcher,
    /// Where each stands, and in which unit.
    pub(crate) places: Vec<(Slot, Unit)>,
}

impl Stamps {
    /// All of them in epoch microseconds; `None` where one is missing or is no whole number.
    pub(crate) fn of(&self, message: &str) -> Option<Vec<i64>> {
        let view = self.matcher.view(message);
        let stamp = |(slot, unit): &(Slot, Unit)| unit.micros(view.number(*slot)?);
        self.places.iter().map(stamp).collect()
    }
}
