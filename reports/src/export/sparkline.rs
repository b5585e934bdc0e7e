//! A tiny chart in Unicode: a character for each stretch of the run.

/// From low to high.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The values from 0 to their highest; a space where there is none. What is not zero is always higher than zero.
pub(super) fn sparkline(values: &[Option<f64>]) -> String {
    let top = values.iter().flatten().copied().fold(0.0, f64::max);
    let step = |value: f64| {
        let last = STEPS.len() - 1;
        if value <= 0.0 { 0 } else { ((value / top * last as f64).ceil() as usize).clamp(1, last) }
    };
    values.iter().map(|value| value.map_or(' ', |value| STEPS[step(value)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_lowest_the_top_highest_and_nothing_is_blank() {
        assert_eq!(sparkline(&[Some(0.0), Some(0.001), Some(3.5), None, Some(7.0)]), "▁▂▅ █");
        assert_eq!(sparkline(&[Some(0.0), None]), "▁ ");
        assert_eq!(sparkline(&[]), "");
    }
}
