//! Equal stretches of the run's time, few enough to draw and to send.

/// A run is shown in at most this many bins: more would not be seen, and would not fit into a mail.
pub const MAX_BINS: usize = 480;

/// Bins of whole seconds from the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Seconds of one bin.
    pub step_s: u64,
    /// How many bins there are up to the last second that was written.
    pub bins: usize,
}

impl Grid {
    /// Bins for a run that ends after so many seconds; none is filled yet.
    pub(super) fn until(end_s: f64) -> Self {
        Self { step_s: (end_s / MAX_BINS as f64).ceil().max(1.0) as u64, bins: 0 }
    }

    /// The bin of a second, or `None` where the bins do not reach so far; see [`widened`](Self::widened).
    pub(super) fn bin(&self, second: u64) -> Option<usize> {
        usize::try_from(second / self.step_s).ok().filter(|bin| *bin < MAX_BINS)
    }

    /// Bins of twice the length.
    pub(super) fn widened(self) -> Self {
        Self { step_s: self.step_s.saturating_mul(2), bins: self.bins.div_ceil(2) }
    }
}

/// Neighbouring bins as one each.
pub(super) fn pairs<T>(bins: &mut Vec<T>, add: impl Fn(&mut T, T)) {
    let mut pairs = Vec::with_capacity(bins.len().div_ceil(2));
    for (number, bin) in bins.drain(..).enumerate() {
        match pairs.last_mut() {
            Some(last) if number % 2 == 1 => add(last, bin),
            _ => pairs.push(bin),
        }
    }
    *bins = pairs;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_at_most_480_bins_of_whole_seconds() {
        for (end_s, step_s) in
            [(0.0, 1), (480.0, 1), (481.0, 2), (3_600.0, 8), (86_400.0, 180), (1e300, u64::MAX)]
        {
            assert_eq!(Grid::until(end_s).step_s, step_s, "{end_s}");
        }
        let hour = Grid::until(3_600.0);
        assert_eq!(
            (hour.bin(7), hour.bin(8), hour.bin(3_839), hour.bin(3_840)),
            (Some(0), Some(1), Some(479), None)
        );
        assert_eq!(Grid { bins: 5, ..hour }.widened(), Grid { step_s: 16, bins: 3 });
        let mut bins = vec![1, 2, 3, 4, 5];
        pairs(&mut bins, |sum, more| *sum += more);
        assert_eq!(bins, [3, 7, 5]);
    }
}
