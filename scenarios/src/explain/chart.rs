//! A small chart for a terminal: one row of blocks, as high as the value in its stretch of time.

/// Eighths of a cell.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One row: each value as a block, the highest as a full one. What is above nothing is never shown as nothing.
#[must_use]
pub(crate) fn row(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let block = |value: &f64| {
        if *value <= 0.0 || most <= 0.0 {
            return BLOCKS[0];
        }
        let eighths = (value / most * 8.0).round().clamp(1.0, 8.0);
        BLOCKS[eighths as usize]
    };
    values.iter().map(block).collect()
}

/// The axis below rows of `width` cells: where the time begins, and where it ends.
#[must_use]
pub(crate) fn axis(width: usize, seconds: f64) -> String {
    let end = format!("{seconds:.0} s");
    format!("0 s{end:>rest$}", rest = width.saturating_sub(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_is_full_and_little_is_not_nothing() {
        assert_eq!(row(&[0.0, 0.001, 4.0, 8.0]), " ▁▄█");
        assert_eq!(row(&[0.0, 0.0]), "  ");
        assert_eq!(axis(10, 42.4), "0 s   42 s");
    }
}
