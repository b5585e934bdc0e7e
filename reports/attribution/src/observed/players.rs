//! What players felt, second by second, of one operation or delivery.

use reports::folder::RunFolder;
use reports::format::{DeliverySecond, OperationSecond, SeriesLine};

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

impl Player {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Operation(name) | Self::Delivery(name) => name,
        }
    }

    /// Its seconds, each with the line that it is from.
    pub(crate) fn seconds<'a>(
        &'a self,
        folder: &'a RunFolder,
    ) -> impl Iterator<Item = (&'a SeriesLine, PlayerSecond<'a>)> {
        folder.series.iter().filter_map(move |line| {
            let second = match self {
                Self::Operation(name) => PlayerSecond::Operation(line.operations.get(name)?),
                Self::Delivery(name) => PlayerSecond::Delivery(line.deliveries.get(name)?),
            };
            Some((line, second))
        })
    }
}
