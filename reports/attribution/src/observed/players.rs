//! What players felt, second by second, of one operation or delivery.

use reports::folder::Tag;
use reports::format::{DeliverySecond, OperationSecond, SeriesLine};

use super::{Run, classes};

/// Whose seconds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Player {
    /// An operation, by its name.
    Operation(String),
    /// A delivery, by its name.
    Delivery(String),
}

/// One second of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PlayerSecond<'a> {
    /// Of an operation.
    Operation(&'a OperationSecond),
    /// Of a delivery.
    Delivery(&'a DeliverySecond),
}

/// How many of something there were in one second, and how many of them broke the promise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Broken {
    /// Start of the second.
    pub(crate) at_s: f64,
    /// The broken ones.
    pub(crate) part: u64,
    /// All.
    pub(crate) whole: u64,
}

impl Player {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Operation(name) | Self::Delivery(name) => name,
        }
    }

    /// The histogram of its time: from the intended instant to the answer, or from the send to each recipient.
    pub(crate) fn tag(&self) -> String {
        match self {
            Self::Operation(name) => Tag::Response(name).to_string(),
            Self::Delivery(name) => Tag::Each(name).to_string(),
        }
    }

    /// Its seconds, each with the line that it is from.
    pub(crate) fn seconds<'a>(
        &'a self,
        run: &Run<'a>,
    ) -> impl Iterator<Item = (&'a SeriesLine, PlayerSecond<'a>)> {
        run.lines().filter_map(move |line| {
            let second = match self {
                Self::Operation(name) => PlayerSecond::Operation(line.operations.get(name)?),
                Self::Delivery(name) => PlayerSecond::Delivery(line.deliveries.get(name)?),
            };
            Some((line, second))
        })
    }

    /// Second by second what was tried, and what of it was refused, answered wrongly or not at all by the target, or did not
    /// come in time. `connect` has the handshakes of players that come back as well.
    pub(crate) fn broken(&self, run: &Run<'_>) -> Vec<Broken> {
        let of_line = |line: &SeriesLine| {
            let (part, whole) = match self {
                Self::Operation(name) => {
                    let own = line.operations.get(name).map(of_operation);
                    let back = (name == "connect").then(|| of_reconnects(line));
                    let sum = |a: (u64, u64), b: (u64, u64)| (a.0 + b.0, a.1 + b.1);
                    sum(own.unwrap_or_default(), back.unwrap_or_default())
                }
                Self::Delivery(name) => line.deliveries.get(name).map(of_delivery).unwrap_or_default(),
            };
            Broken { at_s: line.t as f64, part, whole }
        };
        run.lines().map(of_line).filter(|second| second.part + second.whole > 0).collect()
    }

    /// Its failures of the classes that `keep` takes, second by second, with the start of each.
    pub(crate) fn failures(&self, run: &Run<'_>, keep: impl Fn(&str) -> bool) -> Vec<(f64, f64)> {
        let Self::Operation(name) = self else { return Vec::new() };
        let of_line = |line: &SeriesLine| {
            let own = line.operations.get(name).map(|second| &second.errors);
            let back = (name == "connect").then(|| came_back(line)).into_iter().flatten();
            let classes = own.into_iter().chain(back).flatten();
            let count: u64 = classes
                .filter(|(class, _)| classes::is_targets(class) && keep(class))
                .map(|(_, count)| count)
                .sum();
            (line.t as f64, count as f64)
        };
        run.lines().map(of_line).filter(|(_, count)| *count > 0.0).collect()
    }
}

fn of_operation(second: &OperationSecond) -> (u64, u64) {
    (classes::of_target(&second.errors), second.sent)
}

fn of_delivery(second: &DeliverySecond) -> (u64, u64) {
    (second.lost + second.late, second.expected)
}

/// Classes of the handshakes of players that come back and were refused.
fn came_back(line: &SeriesLine) -> impl Iterator<Item = &std::collections::BTreeMap<String, u64>> {
    let reconnects = line.reconnects.as_ref().map(|reconnects| &reconnects.errors);
    let churn = line.churn.as_ref().map(|churn| &churn.refused);
    reconnects.into_iter().chain(churn)
}

fn of_reconnects(line: &SeriesLine) -> (u64, u64) {
    let refused: u64 = came_back(line).map(classes::of_target).sum();
    let reconnects = line.reconnects.as_ref().map_or(0, |reconnects| reconnects.attempts);
    let churn = line.churn.as_ref().map_or(0, |churn| churn.returned + churn.refused.values().sum::<u64>());
    (refused, reconnects + churn)
}
