//! Counts by error class.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::class::Class;
use super::tally::Tally;

/// Error classes counted separately in one map, since a target may invent them; further ones count as `other`.
pub(super) const MOST_CLASSES: usize = 200;
/// Class of what came after the classes were full.
pub(super) static OTHER: Class = Class::fixed("other");

/// Counts by error class.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Classes(HashMap<Class, u64>);

impl Classes {
    /// Counts one.
    pub fn count(&mut self, class: &Class) {
        self.add(class, 1);
    }

    /// Counts several.
    pub fn add(&mut self, class: &Class, count: u64) {
        if let Some(counted) = self.0.get_mut(class) {
            *counted += count;
            return;
        }
        let class = if self.0.len() >= MOST_CLASSES { &OTHER } else { class };
        *self.0.entry(class.clone()).or_default() += count;
    }

    /// Each class with its count, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(class, count)| (class.as_ref(), *count))
    }
}

impl Tally for Classes {
    fn merge(&mut self, other: &Self) {
        for (class, count) in &other.0 {
            self.add(class, *count);
        }
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
