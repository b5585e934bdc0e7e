//! Columns for a terminal: the first ones left-aligned, numbers right-aligned, two spaces between.

/// Rows under a header that names the table in its first cell.
pub(super) struct Columns {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Columns {
    pub(super) fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { left: 1, rows: vec![header.map(str::to_owned).to_vec()] }
    }

    /// Left-aligns the first `columns`.
    pub(super) fn left(mut self, columns: usize) -> Self {
        self.left = columns;
        self
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table with a line end after each row, or nothing at all when it has no rows.
    pub(super) fn finish(self) -> String {
        if self.rows.len() == 1 {
            return String::new();
        }
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let line: Vec<String> =
                row.iter()
                    .zip(&widths)
                    .enumerate()
                    .map(|(column, (cell, &width))| {
                        if column < self.left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                    })
                    .collect();
            out.push_str(line.join("  ").trim_end());
            out.push('\n');
        }
        out
    }
}

/// A quantity without the space before its unit: a terminal has few columns.
pub(super) fn compact(quantity: &str) -> String {
    quantity.replace(' ', "")
}
