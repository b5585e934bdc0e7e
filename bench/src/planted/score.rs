//! How good the answers were.

use std::collections::BTreeMap;

use reports::format::{Correlation, Outcome, SuspectKind};
use serde::Serialize;

use super::draw::{Draw, Expected};

/// What an answer was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Answer {
    /// The first suspect, or that there is none, is right.
    Right,
    /// A part of the backend is accused wrongly.
    Wrong,
    /// Not enough data, it says.
    Abstained,
    /// Nothing gave way, it says, and users felt it.
    Missed,
    /// The generator was disturbed by others on this machine: nothing is judged.
    Spoiled,
}

/// An answer, and what it was.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    /// What it was worth.
    pub answer: Answer,
    /// The outcome.
    pub outcome: &'static str,
    /// The first suspect's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<SuspectKind>,
    /// The first suspect's resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource: String,
}

impl Said {
    /// What attribution said of a draw of which users felt something, or did not.
    pub(super) fn of(correlation: &Correlation, draw: &Draw, felt: bool) -> Self {
        let outcome = correlation.outcome.unwrap_or(Outcome::NotEnoughData);
        let first = correlation.suspects.first();
        let answer = match (outcome, &draw.expected, first) {
            (Outcome::InvalidRun, Expected::InvalidRun, _) => Answer::Right,
            (Outcome::InvalidRun, ..) => Answer::Spoiled,
            (Outcome::Suspects, expected, Some(first)) if expected.takes(first) => Answer::Right,
            (Outcome::Suspects, ..) => Answer::Wrong,
            // Where nothing was felt, nothing is to be named.
            (_, expected, _) if *expected == Expected::NothingNamed || !felt => Answer::Right,
            (Outcome::NotEnoughData | Outcome::Unknown, ..) => Answer::Abstained,
            (Outcome::NothingGaveWay, ..) => Answer::Missed,
        };
        let resource = first.map(|first| first.resource.clone()).unwrap_or_default();
        Self { answer, outcome: outcome.into(), kind: first.map(|first| first.kind), resource }
    }

    /// In a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self.kind {
            Some(kind) => format!("{} {}", <&str>::from(kind), self.resource),
            None => self.outcome.to_owned(),
        }
    }
}

/// How many answers of each worth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally(BTreeMap<Answer, u32>);

impl Tally {
    /// Counts answers.
    #[must_use]
    pub fn of(answers: impl Iterator<Item = Answer>) -> Self {
        let mut tally = Self::default();
        answers.for_each(|answer| *tally.0.entry(answer).or_default() += 1);
        tally
    }

    /// How many of one worth.
    #[must_use]
    pub fn count(&self, answer: Answer) -> u32 {
        self.0.get(&answer).copied().unwrap_or(0)
    }

    /// All that were judged.
    #[must_use]
    pub fn judged(&self) -> u32 {
        self.0.iter().filter(|(answer, _)| **answer != Answer::Spoiled).map(|(_, count)| count).sum()
    }

    /// Wilson's 95 % interval of the share of an answer among those that were judged.
    #[must_use]
    pub fn interval(&self, answer: Answer) -> (f64, f64) {
        reports::format::wilson(self.count(answer), self.judged())
    }
}
