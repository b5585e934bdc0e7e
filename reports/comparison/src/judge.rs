//! Verdicts over all measures of a comparison.
//!
//! A measure has regressed or improved where its difference lies beyond the margin, surely enough among all that were looked at (Benjamini and
//! Hochberg); it is unchanged where its whole interval lies within the margin; everything else is undecided.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reports::format::comparison::{
    Change, Effect, EffectKind, Measure, Method, NotCompared, Scale, Shift, ShiftPoint, Subject,
};
use statistics::effect::{cliffs_delta, cohens_h};
use statistics::several::benjamini_hochberg;

use crate::contrast::Contrast;
use crate::counted::Counted;
use crate::resample;
use crate::side::{Difference, Side};
use crate::timed::{Distribution, Timed};

/// Confidence of the intervals.
const CONFIDENCE: f64 = 0.95;
/// Bound of the adjusted probability.
const LEVEL: f64 = 0.05;
/// Differences of a time below this do not matter, in microseconds: a receipt waits about as long for the generator's own event loop.
const FINEST_US: f64 = 100.0;
/// The percentiles that are judged.
const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
/// The quantiles of a shift.
const SHIFTS: [f64; 13] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999];
/// Its intervals are looked at, not judged: fewer resamples do.
const SHIFT_RESAMPLES: u32 = 300;

/// What a comparison is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Differences up to this share of the base do not matter.
    pub margin: f64,
    /// Differences of shares up to this do not matter.
    pub share_margin: f64,
    /// Compare runs that are not comparable.
    pub force: bool,
    /// Resamples for each measure.
    pub resamples: u32,
    /// Seed of the resamples.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { margin: 0.025, share_margin: 0.001, force: false, resamples: 1_000, seed: 1 }
    }
}

impl Options {
    /// How a comparison with these options is computed.
    #[must_use]
    pub fn method(&self, repeats: bool) -> Method {
        Method {
            margin: self.margin,
            share_margin: self.share_margin,
            finest_us: FINEST_US,
            confidence: CONFIDENCE,
            level: LEVEL,
            resamples: self.resamples,
            seed: self.seed,
            repeats,
        }
    }

    /// Each measure has dice of its own, so that it comes out the same beside whichever others.
    fn dice(&self, name: &str) -> StdRng {
        let hash = name.bytes().fold(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        StdRng::seed_from_u64(hash)
    }
}

/// What was observed of one thing, by run, in both sides.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// Times, of which percentiles are judged. Less is better.
    Times {
        /// The runs of the base.
        base: Vec<Timed>,
        /// The runs of the candidate.
        candidate: Vec<Timed>,
    },
    /// Ratios, compared as shares of the base.
    Ratios {
        /// The runs of the base.
        base: Vec<Counted>,
        /// The runs of the candidate.
        candidate: Vec<Counted>,
        /// Unit of a ratio.
        scale: Scale,
        /// Whether more is better.
        more_is_better: bool,
    },
    /// Shares of what should not be, compared by their difference. Less is better.
    Shares {
        /// The runs of the base.
        base: Vec<Counted>,
        /// The runs of the candidate.
        candidate: Vec<Counted>,
    },
}

/// Something that is compared. Its two sides may be of different operations, as of a push and of a poll that brings the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Name of its measure; of times a percentile is added.
    pub name: String,
    /// What it is of.
    pub subject: Subject,
    /// The operation, push or function.
    pub of: String,
    /// What was observed.
    pub observed: Observed,
}

/// The answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// In the order of the questions.
    pub measures: Vec<Measure>,
    /// Of the times among them.
    pub shifts: Vec<Shift>,
    /// What could not be told.
    pub not_compared: Vec<NotCompared>,
}

/// Compares both sides of every question, and judges all measures together.
#[must_use]
pub fn judge(questions: &[Question], options: &Options) -> Judged {
    let mut judged = Judged::default();
    let mut contrasts = Vec::new();
    for question in questions {
        for (name, asked) in asked(question, options, &mut judged.shifts) {
            match asked {
                Ok((measure, contrast, scale)) => {
                    judged.measures.push(Measure {
                        name,
                        subject: question.subject,
                        of: question.of.clone(),
                        ..measure
                    });
                    contrasts.push((contrast, scale));
                }
                Err(reason) => judged.not_compared.push(NotCompared { name, reason }),
            }
        }
    }
    let margins = judged.measures.iter().zip(&contrasts).map(|(one, (_, scale))| scale.margin(one.margin));
    let margins: Vec<f64> = margins.collect();
    let alone: Vec<f64> =
        contrasts.iter().zip(&margins).map(|((contrast, _), margin)| contrast.beyond(*margin)).collect();
    let adjusted = benjamini_hochberg(&alone);
    for (index, measure) in judged.measures.iter_mut().enumerate() {
        let (contrast, _) = &contrasts[index];
        measure.probability = adjusted[index];
        measure.verdict = verdict(contrast, margins[index], adjusted[index], measure.more_is_better);
    }
    judged
}

fn verdict(contrast: &Contrast, margin: f64, adjusted: f64, more_is_better: bool) -> Change {
    let (low, high) = contrast.interval(CONFIDENCE);
    if adjusted <= LEVEL {
        let better = (contrast.difference > 0.0) == more_is_better;
        if better { Change::Improved } else { Change::Regressed }
    } else if -margin <= low && high <= margin {
        Change::Unchanged
    } else {
        Change::Undecided
    }
}

type Asked = Result<(Measure, Contrast, Difference), String>;

/// The measures of a question, each with its name.
fn asked(question: &Question, options: &Options, shifts: &mut Vec<Shift>) -> Vec<(String, Asked)> {
    let name = &question.name;
    match &question.observed {
        Observed::Times { base, candidate } => {
            let times = Times::of(base, candidate, options, name);
            shifts.extend(times.shift());
            PERCENTILES.iter().map(|(word, q)| (format!("{name}.{word}"), times.measure(word, *q))).collect()
        }
        Observed::Ratios { base, candidate, scale, more_is_better } => {
            let mut dice = options.dice(name);
            let mut side =
                |runs: &[Counted]| resample::ratio(runs, Difference::Relative, options.resamples, &mut dice);
            let sides = both(side(base), side(candidate));
            let effect = cliffs_delta(&each_second(base), &each_second(candidate));
            let measure = sides.map(|(base, candidate)| {
                let effect = effect.map(|value| Effect { kind: EffectKind::CliffsDelta, value });
                measured(&base, &candidate, Difference::Relative, options.margin, effect)
            });
            vec![(
                name.clone(),
                measure.map(|(measure, contrast, difference)| {
                    (
                        Measure { scale: *scale, more_is_better: *more_is_better, ..measure },
                        contrast,
                        difference,
                    )
                }),
            )]
        }
        Observed::Shares { base, candidate } => {
            let mut dice = options.dice(name);
            let mut side = |runs: &[Counted]| resample::share(runs, options.resamples, &mut dice);
            let measure = both(side(base), side(candidate)).map(|(base, candidate)| {
                let value = cohens_h(base.value, candidate.value);
                let effect = Some(Effect { kind: EffectKind::CohensH, value });
                measured(&base, &candidate, Difference::Absolute, options.share_margin, effect)
            });
            vec![(
                name.clone(),
                measure.map(|(measure, contrast, difference)| {
                    (Measure { scale: Scale::Share, ..measure }, contrast, difference)
                }),
            )]
        }
    }
}

/// Both sides, or why one of them cannot be told.
fn both(base: Result<Side, String>, candidate: Result<Side, String>) -> Result<(Side, Side), String> {
    match (base, candidate) {
        (Ok(base), Ok(candidate)) => Ok((base, candidate)),
        (Err(of_base), Err(of_candidate)) if of_base == of_candidate => Err(format!("both sides: {of_base}")),
        (Err(of_base), Err(of_candidate)) => Err(format!("base: {of_base}; candidate: {of_candidate}")),
        (Err(reason), Ok(_)) => Err(format!("base: {reason}")),
        (Ok(_), Err(reason)) => Err(format!("candidate: {reason}")),
    }
}

/// A measure without its name and verdict.
fn measured(
    base: &Side,
    candidate: &Side,
    scale: Difference,
    margin: f64,
    effect: Option<Effect>,
) -> (Measure, Contrast, Difference) {
    let contrast = Contrast::of(base, candidate, scale);
    let (low, high) = contrast.interval(CONFIDENCE);
    let measure = Measure {
        base: base.value,
        candidate: candidate.value,
        base_samples: base.samples,
        candidate_samples: candidate.samples,
        difference: scale.shown(contrast.difference),
        low: scale.shown(low),
        high: scale.shown(high),
        margin,
        effect,
        block_s: base.block_s.max(candidate.block_s),
        ..Measure::default()
    };
    (measure, contrast, scale)
}

/// The ratios of all points in thousandths, ascending, each with its number.
fn each_second(runs: &[Counted]) -> Vec<(u64, u64)> {
    let points = runs.iter().flat_map(|run| run.points()).filter(|(_, whole)| *whole > 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and not negative")]
    let mut values: Vec<u64> =
        points.map(|(part, whole)| (part / whole * 1e3).max(0.0).round() as u64).collect();
    values.sort_unstable();
    values.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len() as u64)).collect()
}

/// Times of one side.
struct TimesSide<'a> {
    runs: &'a [Timed],
    all: Distribution,
    each: Vec<Distribution>,
}

impl<'a> TimesSide<'a> {
    fn of(runs: &'a [Timed]) -> Self {
        let each = runs.iter().map(|run| Distribution::of([run])).collect();
        Self { runs, all: Distribution::of(runs), each }
    }
}

/// Times of both sides.
struct Times<'a> {
    base: TimesSide<'a>,
    candidate: TimesSide<'a>,
    options: &'a Options,
    name: &'a str,
    effect: Option<Effect>,
}

impl<'a> Times<'a> {
    fn of(base: &'a [Timed], candidate: &'a [Timed], options: &'a Options, name: &'a str) -> Self {
        let [base, candidate] = [base, candidate].map(TimesSide::of);
        let effect = cliffs_delta(&base.all.counted(), &candidate.all.counted())
            .map(|value| Effect { kind: EffectKind::CliffsDelta, value });
        Self { base, candidate, options, name, effect }
    }

    fn sides(&self, q: f64, resamples: u32, dice: &mut StdRng) -> Result<(Side, Side), String> {
        let mut side =
            |side: &TimesSide<'_>| resample::quantile(side.runs, (&side.all, &side.each), q, resamples, dice);
        both(side(&self.base), side(&self.candidate))
    }

    fn measure(&self, word: &str, q: f64) -> Asked {
        let mut dice = self.options.dice(&format!("{}.{word}", self.name));
        let (base, candidate) = self.sides(q, self.options.resamples, &mut dice)?;
        let margin = self.options.margin.max(FINEST_US / base.value);
        let (measure, contrast, scale) =
            measured(&base, &candidate, Difference::Relative, margin, self.effect);
        Ok((Measure { scale: Scale::Microseconds, ..measure }, contrast, scale))
    }

    /// The difference at every quantile that both sides carry; nothing where they carry none.
    fn shift(&self) -> Option<Shift> {
        let mut dice = self.options.dice(&format!("{}.shift", self.name));
        let resamples = self.options.resamples.min(SHIFT_RESAMPLES);
        let point = |quantile: &f64| {
            let (base, candidate) = self.sides(*quantile, resamples, &mut dice).ok()?;
            let contrast = Contrast::of(&base, &candidate, Difference::Relative);
            let (low, high) = contrast.interval(CONFIDENCE);
            let [difference, low, high] = [contrast.difference, low, high].map(f64::exp_m1);
            let (base_us, candidate_us) = (base.value, candidate.value);
            Some(ShiftPoint { quantile: *quantile, base_us, candidate_us, difference, low, high })
        };
        let points: Vec<ShiftPoint> = SHIFTS.iter().filter_map(point).collect();
        (!points.is_empty()).then(|| Shift { name: self.name.to_owned(), points })
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;
    use statistics::simulation::Draw;

    use super::*;

    /// A minute and a half of a hundred a second about 20 ms, each run at a level of its own.
    fn run(draw: &mut Draw, factor: f64) -> Timed {
        let seconds = (0..90).map(|_| {
            let mut histogram = Histogram::new(3).expect("a histogram");
            for _ in 0..100 {
                let us = 20_000.0 * (0.2 * draw.normal()).exp() * factor;
                histogram.record(us.round() as u64).expect("fits");
            }
            histogram
        });
        Timed::new(&seconds.collect::<Vec<_>>())
    }

    fn times(base: Vec<Timed>, candidate: Vec<Timed>) -> Judged {
        let question = Question {
            name: "chat.response_time".into(),
            subject: Subject::Operation,
            of: "chat".into(),
            observed: Observed::Times { base, candidate },
        };
        judge(&[question], &Options { resamples: 200, ..Options::default() })
    }

    fn verdict(judged: &Judged, name: &str) -> Change {
        judged.measures.iter().find(|one| one.name.ends_with(name)).expect("a measure").verdict
    }

    #[test]
    fn a_shift_is_found_and_none_is_not() {
        let mut draw = Draw(5);
        let [base, same, slower] = [1.0, 1.0, 1.1].map(|factor| run(&mut draw, factor));
        let judged = times(vec![base.clone()], vec![same]);
        assert_eq!(verdict(&judged, ".p50"), Change::Unchanged);
        assert!(
            judged.measures.iter().all(|one| matches!(one.verdict, Change::Unchanged | Change::Undecided))
        );
        let judged = times(vec![base.clone()], vec![slower.clone()]);
        assert_eq!(verdict(&judged, ".p50"), Change::Regressed);
        let median = &judged.measures[0];
        assert!((median.difference - 0.1).abs() < 0.02 && median.low > 0.025 && median.probability < 0.05);
        assert!(median.effect.is_some_and(|effect| effect.value > 0.1));
        assert!(
            judged.shifts[0]
                .points
                .iter()
                .all(|point| point.low <= point.difference && point.difference <= point.high)
        );
        assert_eq!(verdict(&times(vec![slower], vec![base]), ".p50"), Change::Improved);
    }

    #[test]
    fn runs_that_differ_by_themselves_make_a_difference_undecided() {
        let mut draw = Draw(6);
        let [low, high, candidate] = [0.93, 1.07, 1.08].map(|factor| run(&mut draw, factor));
        assert_eq!(verdict(&times(vec![low.clone()], vec![candidate.clone()]), ".p50"), Change::Regressed);
        assert_eq!(verdict(&times(vec![low, high], vec![candidate]), ".p50"), Change::Undecided);
    }

    #[test]
    fn what_cannot_be_told_has_a_reason() {
        let mut draw = Draw(7);
        let judged = times(vec![run(&mut draw, 1.0)], vec![Timed::default()]);
        assert!(judged.measures.is_empty() && judged.shifts.is_empty());
        assert_eq!(judged.not_compared.len(), 4);
        assert_eq!(judged.not_compared[0].reason, "candidate: a run has nothing of it");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn sides_exchanged_exchange_the_verdict(seed in any::<u64>(), part in 0_u32..30, more in 0_u32..30) {
            let mut draw = Draw(seed);
            let mut side = |part: u32| {
                let point = |_| (f64::from(part) * draw.next(), 100.0);
                vec![Counted::new((0..40).map(point).collect(), 1.0)]
            };
            let [a, b] = [side(part), side(part + more)];
            let ask = |base: &[Counted], candidate: &[Counted]| {
                let observed = Observed::Shares { base: base.to_vec(), candidate: candidate.to_vec() };
                let question =
                    Question { name: "x".into(), subject: Subject::Operation, of: "x".into(), observed };
                judge(&[question], &Options { resamples: 100, ..Options::default() }).measures.remove(0)
            };
            let (forth, back) = (ask(&a, &b), ask(&b, &a));
            prop_assert!((forth.difference + back.difference).abs() < 1e-12);
            prop_assert!(forth.low <= forth.difference && forth.difference <= forth.high);
            // Each direction has its own resamples, so what is near the margin may be told differently; never the opposite.
            prop_assert!(forth.verdict != Change::Regressed || back.verdict != Change::Regressed);
        }
    }
}
