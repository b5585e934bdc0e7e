//! One side of a measure: its value, and how much it would vary.

/// How a difference of two values is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// As a share of the base: the difference of logarithms.
    Relative,
    /// As it is.
    Absolute,
}

impl Difference {
    /// A value on the scale of the difference.
    pub(crate) fn place(self, value: f64) -> f64 {
        match self {
            Self::Relative => value.ln(),
            Self::Absolute => value,
        }
    }

    /// A difference on that scale as it reads: 0.05 is 5 % more, or 0.05 more.
    pub(crate) fn shown(self, difference: f64) -> f64 {
        match self {
            Self::Relative => difference.exp_m1(),
            Self::Absolute => difference,
        }
    }

    /// A margin on that scale.
    pub(crate) fn margin(self, margin: f64) -> f64 {
        match self {
            Self::Relative => margin.ln_1p(),
            Self::Absolute => margin,
        }
    }
}

/// The runs of one side, all together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Side {
    /// In its own unit.
    pub(crate) value: f64,
    /// Variance of its place on the scale of the difference, by the course of the runs themselves.
    pub(crate) within: f64,
    /// Degrees of freedom of that.
    pub(crate) freedom: f64,
    /// How much its runs differ.
    pub(crate) runs: Runs,
    /// How many samples there are.
    pub(crate) samples: u64,
    /// The longest block of the resamples, in seconds.
    pub(crate) block_s: f64,
}

/// How much the runs of a side differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Runs {
    /// Sum of the squares of their places' deviations from the mean place.
    pub(crate) squares: f64,
    /// Degrees of freedom of that: one fewer than there are runs.
    pub(crate) freedom: f64,
    /// Sum of the squares of each run's share of the whole: 1 of one run, a half of two of the same size.
    pub(crate) concentration: f64,
}

impl Runs {
    /// Of each run's place, and its share of the whole.
    pub(crate) fn of(runs: &[(f64, f64)]) -> Self {
        let count = runs.len().max(1) as f64;
        let whole: f64 = runs.iter().map(|(_, weight)| weight).sum();
        let mean = runs.iter().map(|(place, _)| place).sum::<f64>() / count;
        Self {
            squares: runs.iter().map(|(place, _)| (place - mean).powi(2)).sum(),
            freedom: count - 1.0,
            concentration: runs.iter().map(|(_, weight)| (weight / whole).powi(2)).sum(),
        }
    }
}
