//! Hunter as published: what `statistics::changes` is held against.
//!
//! Written from the paper (M. Fleming et al. 2023) and the documentation of Apache Otava, its successor; a test compares it with what
//! Otava finds in the series of its own tests.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Its settings.
#[derive(Debug, Clone, Copy)]
pub struct Hunter {
    /// Points that are searched at once.
    pub window: usize,
    /// Highest probability of a change.
    pub p: f64,
    /// Least change, as a share of the mean before.
    pub min_effect: f64,
}

impl Default for Hunter {
    /// Those of Otava.
    fn default() -> Self {
        Self { window: 50, p: 0.001, min_effect: 0.0 }
    }
}

/// The places that Hunter finds.
#[must_use]
pub fn hunter(values: &[f64], settings: Hunter) -> Vec<usize> {
    let mut at: Vec<usize> = Vec::new();
    let mut start = 0;
    while start < values.len() {
        let end = (start + settings.window).min(values.len());
        let found = window(&values[start..end], settings.p * 10.0);
        let last = found.last().map_or(0, |last| start + last);
        at.extend(found.into_iter().map(|place| start + place));
        start = last.max(start + settings.window / 2);
    }
    at.sort_unstable();
    at.dedup();
    merge(values, at, settings)
}

/// The weak points of a window: the candidate of the greatest divergence, for as long as it is significant.
fn window(values: &[f64], p: f64) -> Vec<usize> {
    let mut at: Vec<usize> = Vec::new();
    loop {
        let bounds: Vec<usize> = [0].into_iter().chain(at.iter().copied()).chain([values.len()]).collect();
        let best = bounds.windows(2).filter_map(|stretch| candidate(values, stretch[0], stretch[1]));
        let Some((place, _)) = best.max_by(|a, b| a.1.total_cmp(&b.1)) else { return at };
        let (before, after) = neighbours(&at, place, values.len());
        if t_test(&values[before..place], &values[place..after]) > p {
            return at;
        }
        at.push(place);
        at.sort_unstable();
    }
}

/// The split of a stretch with the greatest divergence.
fn candidate(values: &[f64], start: usize, end: usize) -> Option<(usize, f64)> {
    let splits = (start + 1..end).flat_map(|at| (at + 1..=end).map(move |until| (at, until)));
    let of = |(at, until): (usize, usize)| (at, divergence(&values[start..at], &values[at..until]));
    splits.map(of).max_by(|a, b| a.1.total_cmp(&b.1))
}

fn divergence(left: &[f64], right: &[f64]) -> f64 {
    let (n, m) = (left.len() as f64, right.len() as f64);
    let distances =
        |a: &[f64], b: &[f64]| a.iter().map(|x| b.iter().map(|y| (x - y).abs()).sum::<f64>()).sum::<f64>();
    let within = |part: &[f64], n: f64| if n > 1.0 { distances(part, part) / (n * (n - 1.0)) } else { 0.0 };
    n * m / (n + m) * (2.0 * distances(left, right) / (n * m) - within(left, n) - within(right, m))
}

/// Takes the least significant, then the smallest change away, until all that is left is significant and large enough.
fn merge(values: &[f64], mut at: Vec<usize>, settings: Hunter) -> Vec<usize> {
    loop {
        let judged: Vec<(usize, f64, f64)> = at
            .iter()
            .map(|&place| {
                let (before, after) = neighbours(&at, place, values.len());
                let (left, right) = (&values[before..place], &values[place..after]);
                let (before, after) = (mean(left), mean(right));
                let effect = (after / before - 1.0).abs().max((before / after - 1.0).abs());
                (place, t_test(left, right), effect)
            })
            .collect();
        let least = judged.iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|weak| weak.1 >= settings.p);
        let smallest =
            judged.iter().min_by(|a, b| a.2.total_cmp(&b.2)).filter(|weak| weak.2 <= settings.min_effect);
        match least.or(smallest) {
            Some((place, ..)) => at.retain(|other| other != place),
            None => return at,
        }
    }
}

/// The ends of the stretches on both sides of a place.
fn neighbours(at: &[usize], place: usize, length: usize) -> (usize, usize) {
    let before = at.iter().copied().filter(|other| *other < place).max().unwrap_or(0);
    let after = at.iter().copied().filter(|other| *other > place).min().unwrap_or(length);
    (before, after)
}

/// Two-sided probability of Student's t-test.
fn t_test(left: &[f64], right: &[f64]) -> f64 {
    let (n, m) = (left.len() as f64, right.len() as f64);
    let freedom = n + m - 2.0;
    // As Otava has it: from the deviations over n, not over n - 1.
    let deviation = |values: &[f64]| {
        let (n, mean) = (values.len() as f64, mean(values));
        (n - 1.0) * values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n
    };
    let variance = (deviation(left) + deviation(right)) / freedom;
    let difference = (mean(left) - mean(right)).abs();
    if freedom < 1.0 || difference == 0.0 {
        return 1.0;
    }
    if variance <= 0.0 {
        return 0.0;
    }
    let t = difference / (variance * (1.0 / n + 1.0 / m)).sqrt();
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |students| 2.0 * students.sf(t))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Tigerbeetle {
        values: Vec<f64>,
        otava_p_1e_4: Vec<usize>,
        otava_p_1e_5: Vec<usize>,
        otava_p_1e_2_by_5_percent: Vec<usize>,
    }

    /// At p = 0.001 Otava keeps one more, at 260: once its right neighbour is gone, its own probability is 0.0027, but Otava renews
    /// only those of the neighbours to the right of what it takes away.
    #[test]
    fn it_finds_what_otava_finds() {
        let series: Tigerbeetle =
            serde_json::from_str(include_str!("../../changes/tigerbeetle.json")).expect("as kept");
        for (p, min_effect, otava) in [
            (1e-4, 0.0, series.otava_p_1e_4),
            (1e-5, 0.0, series.otava_p_1e_5),
            (1e-2, 0.05, series.otava_p_1e_2_by_5_percent),
        ] {
            assert_eq!(hunter(&series.values, Hunter { window: 30, p, min_effect }), otava, "{p}");
        }
    }
}
