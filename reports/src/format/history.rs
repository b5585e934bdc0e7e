//! Trends: how each measure went over the runs, benches and searches that a history keeps, and where it changed.
//!
//! What `loadgen history show --json` prints; a history itself is a database (see `docs/history.md`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// Trends of everything that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Version of the format by which this document was written.
    pub schema_version: u32,
    /// Version of loadgen.
    pub version: String,
    /// When the trends were made.
    pub made_at: Timestamp,
    /// Entries that the trends are made of.
    pub entries: u64,
    /// Entries that are left out because they are not valid.
    pub left_out: u64,
    /// Branches of the entries, where there is more than one.
    pub branches: Vec<String>,
    /// Probability of any false change in all trends together, 0 to 1.
    pub alpha: f64,
    /// Least change that is told, as a share of the level before.
    pub min_effect: f64,
    /// What can be compared, side by side.
    pub groups: Vec<Group>,
}

impl History {
    /// Every change with its group and trend, the latest first.
    #[must_use]
    pub fn changes(&self) -> Vec<(&Group, &Trend, &Change)> {
        let trends =
            self.groups.iter().flat_map(|group| group.trends.iter().map(move |trend| (group, trend)));
        let mut all: Vec<_> = trends
            .flat_map(|(group, trend)| trend.changes.iter().map(move |change| (group, trend, change)))
            .collect();
        all.sort_by_key(|(_, _, change)| std::cmp::Reverse(change.began));
        all
    }

    /// How many trends there are.
    #[must_use]
    pub fn trends(&self) -> usize {
        self.groups.iter().map(|group| group.trends.len()).sum()
    }
}

/// What an entry is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// A run of a scenario.
    Run,
    /// A search for the highest load.
    Capacity,
    /// A criterion bench.
    Bench,
}

impl Kind {
    /// The word in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// Entries that can be compared with each other: the same scenario, search or bench, on machines of the same class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What they are.
    pub kind: Kind,
    /// The scenario's name; of benches, their criterion group.
    pub name: String,
    /// Digest of what was to be done; absent where it is not known, and for benches.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Class of the machine.
    pub host: String,
    /// `embedded`, or the target's URL without query and credentials; empty for benches.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub target: String,
    /// Its measures.
    pub trends: Vec<Trend>,
}

/// What a measure counts in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Unit {
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
    /// Seconds of CPU time.
    CpuSeconds,
    /// Events a second.
    PerSecond,
    /// A share, 0 to 1.
    Share,
    /// Bytes.
    Bytes,
    /// Players.
    Players,
}

impl Unit {
    /// The word in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// Which way a measure is better.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Better {
    /// Times, errors, costs.
    Lower,
    /// Throughput, capacity.
    Higher,
}

impl Better {
    /// The word in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// How one measure went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// The measure, e.g. `send_message.response_time.p99`.
    pub measure: String,
    /// What it counts in.
    pub unit: Unit,
    /// Which way it is better.
    pub better: Better,
    /// Every value, by time.
    pub points: Vec<Point>,
    /// The levels between the changes.
    pub levels: Vec<Level>,
    /// Where it changed, by time.
    pub changes: Vec<Change>,
    /// Standard deviation of the values around their levels, in the unit; absent with too few of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub noise: Option<f64>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it was measured.
    pub at: Timestamp,
    /// The commit that was measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// The value, in the trend's unit.
    pub value: f64,
}

/// A stretch without change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Index of its first point.
    pub from: usize,
    /// Index after its last point.
    pub to: usize,
    /// Mean of its values.
    pub mean: f64,
}

/// Whether a change is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum News {
    /// The measure is worse than before.
    Worse,
    /// It is better.
    Better,
}

impl News {
    /// The word in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// A place at which the level changed and stayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Index of the first point of the new level.
    pub at: usize,
    /// When that point was measured.
    pub began: Timestamp,
    /// The commit at which it began, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// The commit of the point before: what changed lies between the two.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_commit: Option<String>,
    /// Mean of the level before.
    pub before: f64,
    /// Mean of the level from here on.
    pub after: f64,
    /// The change as a share of the level before; absent where that was 0.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effect: Option<f64>,
    /// One minus the probability of such a change by noise anywhere in all trends, 0 to 1.
    pub confidence: f64,
    /// Whether it is good news.
    pub news: News,
}

impl Change {
    /// Whether the same commit was measured before and after: then it is not the code that changed.
    #[must_use]
    pub fn is_of_one_commit(&self) -> bool {
        self.commit.is_some() && self.commit == self.previous_commit
    }
}
