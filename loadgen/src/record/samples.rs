//! A few samples of each error class; the rest is only counted.

use serde::{Deserialize, Serialize};

use super::class::Class;
use super::class_counts::MOST_CLASSES;
use super::tally::Tally;
use crate::clock::Micros;

/// Samples kept of each error class in one second.
const SAMPLES_PER_CLASS: usize = 3;

/// One error as seen by one player.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: Micros,
    /// The operation's or the push's name, or `socket`.
    pub operation: String,
    /// Its class.
    pub class: Class,
    /// The player's number.
    pub player: u32,
    /// What was seen.
    pub detail: String,
}

/// A few samples of each error class; the rest is only counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Keeps the sample, if its class still has room; `sample` is only called then.
    pub fn offer(&mut self, operation: &str, class: &str, sample: impl FnOnce() -> Sample) {
        let same = self.0.iter().filter(|kept| kept.operation == operation && *kept.class == *class).count();
        if same < SAMPLES_PER_CLASS && self.0.len() < SAMPLES_PER_CLASS * MOST_CLASSES {
            self.0.push(sample());
        }
    }

    /// The samples kept.
    pub fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter()
    }
}

impl Tally for Samples {
    fn merge(&mut self, other: &Self) {
        for sample in &other.0 {
            self.offer(&sample.operation, &sample.class, || sample.clone());
        }
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
