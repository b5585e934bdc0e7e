//! Values from files for what players send: columns of `[[feeders]]`, and which row a send takes them from.
//!
//! A row is a pure function of the plan and the send, so that the same file and seed send the same values. All columns of
//! one file come from the same row of it.

use std::path::PathBuf;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::file::table::Table;
pub use crate::keys::feeders::Pick;
use crate::plan::operation::What;

/// A file's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The file.
    pub file: PathBuf,
    /// Which row a send takes.
    pub pick: Pick,
    pub(crate) table: Table,
}

/// A column of a plan's feeders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    feeder: usize,
    column: usize,
}

/// A send, as far as it decides which row it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occasion {
    /// Who sends.
    pub player: u32,
    /// What is sent.
    pub what: What,
    /// Number of the send among the operation's.
    pub index: u64,
}

impl Columns {
    /// The columns' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.table.names()
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// The row that a send takes.
    fn row(&self, seed: u64, at: Occasion) -> usize {
        let rows = self.rows() as u64;
        let row = match self.pick {
            Pick::Player => u64::from(at.player) % rows,
            Pick::Cycle => at.index % rows,
            Pick::Random => {
                // Each operation, and each file, has draws of its own.
                let salt = at.what.salt() << 56 ^ rows;
                let place = at.index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                SmallRng::seed_from_u64(seed ^ salt ^ place).random_range(0..rows)
            }
        };
        row as usize
    }
}

/// All feeders of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feeders {
    files: Vec<Columns>,
}

impl Feeders {
    pub(crate) const fn new(files: Vec<Columns>) -> Self {
        Self { files }
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &[Columns] {
        &self.files
    }

    /// The column of a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<Column> {
        self.files.iter().enumerate().find_map(|(feeder, columns)| {
            let column = columns.names().iter().position(|other| other == name)?;
            Some(Column { feeder, column })
        })
    }

    /// What a column holds for a send.
    #[must_use]
    pub fn value(&self, column: Column, seed: u64, at: Occasion) -> &str {
        let Some(columns) = self.files.get(column.feeder) else { return "" };
        columns.table.cell(columns.row(seed, at), column.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::auth::FeederFormat;

    fn feeders(pick: Pick, rows: u32) -> Feeders {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let lines: String = (0..rows).map(|row| format!("a{row},b{row}\n")).collect();
        std::fs::write(&file, format!("a,b\n{lines}")).unwrap();
        let table = Table::read(&file, FeederFormat::Csv).unwrap();
        Feeders::new(vec![Columns { file, pick, table }])
    }

    fn at(player: u32, operation: usize, index: u64) -> Occasion {
        Occasion { player, what: What::Request(operation), index }
    }

    #[test]
    fn rows_are_picked_by_player_by_number_or_at_random() {
        let value = |feeders: &Feeders, occasion| {
            let pair =
                ["a", "b"].map(|name| feeders.value(feeders.column(name).unwrap(), 7, occasion).to_owned());
            assert_eq!(pair[0][1..], pair[1][1..], "one row gives both");
            pair[0].clone()
        };
        let by_player = feeders(Pick::Player, 3);
        assert_eq!(
            [0, 1, 2, 3, 7].map(|player| value(&by_player, at(player, 1, 99))),
            ["a0", "a1", "a2", "a0", "a1"]
        );
        let cycled = feeders(Pick::Cycle, 3);
        assert_eq!(
            [0, 1, 2, 3, 7].map(|index| value(&cycled, at(99, 1, index))),
            ["a0", "a1", "a2", "a0", "a1"]
        );
        let drawn = feeders(Pick::Random, 10);
        let all =
            |operation| (0..1_000).map(|index| value(&drawn, at(5, operation, index))).collect::<Vec<_>>();
        assert_eq!(all(1), all(1), "the same send has the same row");
        assert_ne!(all(1), all(2), "operations draw by themselves");
        for row in 0..10 {
            let times = all(1).iter().filter(|value| **value == format!("a{row}")).count();
            assert!((60..=140).contains(&times), "row {row}: {times} of 1,000");
        }
        assert_eq!(drawn.column("c"), None);
    }
}
