//! Runs that are made up, with the noise that real ones have, and with or without a planted shift.

use comparison::{Counted, Observed, Question, Timed};
use hdrhistogram::Histogram;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution, Exp1, LogNormal, Pareto, Poisson, StandardNormal};
use reports::format::comparison::{Scale, Subject};
use strum::{EnumIter, IntoStaticStr};

/// Arrivals per second of the operation, and of the push that follows each.
pub const RATE: f64 = 400.0;
/// Seconds of a run.
pub const SECONDS: usize = 600;
/// Seconds of the candidate where lengths differ.
pub const SHORTER: usize = 420;
/// The median of a response, in microseconds.
const MEDIAN_US: f64 = 20_000.0;
/// The median of a delivery.
const DELIVERY_US: f64 = 45_000.0;
/// Share of the arrivals that fail, and of the pushes that are lost.
const FAILING: f64 = 0.002;

/// The noise of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Noise {
    /// Every response is independent of the others.
    #[strum(serialize = "independent")]
    Independent,
    /// The level of each second resembles that of the last: AR(1), φ 0.7, 4 % standard deviation.
    #[strum(serialize = "autocorrelated")]
    Autocorrelated,
    /// Every twenty seconds on average, for a second or two, everything is 1.3 times slower and fails ten times as often.
    #[strum(serialize = "bursts")]
    Bursts,
    /// One response in ten is of a Pareto tail with index 2.
    #[strum(serialize = "heavy tail")]
    HeavyTail,
    /// The candidate is shorter by 30 %; autocorrelated as above.
    #[strum(serialize = "unequal lengths")]
    UnequalLengths,
    /// The same bursts, five seconds long on average: how many of them a run has decides what its percentiles are.
    #[strum(serialize = "long bursts")]
    LongBursts,
    /// Ten times in a run, for five seconds on average, one response in three is three times slower: the tail is made of a few events.
    #[strum(serialize = "rare harsh bursts")]
    HarshBursts,
}

impl Noise {
    /// What it is, in words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Independent => "lognormal responses, independent of each other",
            Self::Autocorrelated => {
                "the level of a second is AR(1), φ = 0.7, with a standard deviation of 4 %"
            }
            Self::Bursts => {
                "every 20 s on average, for a second or two, everything is 1.3 times slower and fails ten times as often"
            }
            Self::HeavyTail => "one response in ten is of a Pareto tail with index 2",
            Self::UnequalLengths => "the candidate is shorter by 30 %; autocorrelated as above",
            Self::LongBursts => "the same bursts, five seconds long on average",
            Self::HarshBursts => {
                "ten times a run, for 5 s on average, one response in three is three times slower: the tail is a few events"
            }
        }
    }

    /// Whether a shift has to be found in it: where a few events make the percentile, runs of this length do not tell.
    #[must_use]
    pub fn is_demanded(self) -> bool {
        !matches!(self, Self::LongBursts | Self::HarshBursts)
    }

    /// Every so many seconds a burst begins on average, how long it is on average, which share of the responses is slower, and how many
    /// times.
    fn bursts(self) -> Option<(f64, f64, f64, f64)> {
        match self {
            Self::Bursts => Some((20.0, 1.0, 1.0, 1.3)),
            Self::LongBursts => Some((20.0, 5.0, 1.0, 1.3)),
            Self::HarshBursts => Some((60.0, 5.0, 1.0 / 3.0, 3.0)),
            _ => None,
        }
    }

    fn seconds(self, candidate: bool) -> usize {
        if self == Self::UnequalLengths && candidate { SHORTER } else { SECONDS }
    }
}

/// What is planted into the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
pub enum Shift {
    /// Nothing.
    #[strum(serialize = "none")]
    None,
    /// Every response takes 5 % longer.
    #[strum(serialize = "5 % of p50")]
    Median,
    /// Those beyond the 97th percentile take 10 % longer.
    #[strum(serialize = "10 % of p99")]
    Tail,
}

impl Shift {
    /// The percentile that has to be found.
    #[must_use]
    pub fn of_measure(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Median => Some("send_message.response_time.p50"),
            Self::Tail => Some("send_message.response_time.p99"),
        }
    }
}

/// A made-up pair of runs, as the questions that a folder would give.
#[must_use]
pub fn pair(noise: Noise, shift: Shift, seed: u64) -> Vec<Question> {
    let [base, candidate] = [Run::draw(noise, Shift::None, false, seed), Run::draw(noise, shift, true, seed)];
    let times = |name: &str, subject, base, candidate| Question {
        name: name.to_owned(),
        subject,
        of: name.to_owned(),
        observed: Observed::Times { base: vec![base], candidate: vec![candidate] },
    };
    let shares = |name: &str, subject, base, candidate| Question {
        name: name.to_owned(),
        subject,
        of: name.to_owned(),
        observed: Observed::Shares { base: vec![base], candidate: vec![candidate] },
    };
    vec![
        times("send_message.response_time", Subject::Operation, base.responses, candidate.responses),
        Question {
            name: "send_message.completed_per_s".to_owned(),
            subject: Subject::Operation,
            of: "send_message".to_owned(),
            observed: Observed::Ratios {
                base: vec![base.completed],
                candidate: vec![candidate.completed],
                scale: Scale::PerSecond,
                more_is_better: true,
            },
        },
        shares("send_message.error_rate", Subject::Operation, base.failed, candidate.failed),
        times("message.each", Subject::Delivery, base.deliveries, candidate.deliveries),
        shares("message.lost_rate", Subject::Delivery, base.lost, candidate.lost),
    ]
}

/// What was observed in one run.
struct Run {
    responses: Timed,
    deliveries: Timed,
    completed: Counted,
    failed: Counted,
    lost: Counted,
}

impl Run {
    fn draw(noise: Noise, shift: Shift, candidate: bool, seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed.wrapping_mul(2).wrapping_add(u64::from(candidate)));
        let seconds = noise.seconds(candidate);
        let level = Level::draw(noise, seconds, &mut dice);
        let arrivals = Poisson::new(RATE).expect("a rate");
        let counts: Vec<usize> = (0..seconds).map(|_| whole(arrivals.sample(&mut dice))).collect();
        let times = |median_us: f64, shift: Shift, dice: &mut StdRng| {
            let law = Response::new(median_us, noise, shift);
            let second = |(second, count): (usize, &usize)| {
                let mut histogram = Histogram::new(3).expect("three digits");
                for _ in 0..*count {
                    let us = law.sample(level.at(second, dice), dice);
                    histogram.record(us.round().max(1.0) as u64).expect("a histogram of any size");
                }
                histogram
            };
            Timed::new(&counts.iter().enumerate().map(second).collect::<Vec<_>>())
        };
        let responses = times(MEDIAN_US, shift, &mut dice);
        let deliveries = times(DELIVERY_US, Shift::None, &mut dice);
        let mut rare = |burst: f64| {
            let point = |(second, count): (usize, &usize)| {
                let share = if level.bursting[second] { FAILING * burst } else { FAILING };
                let failed = (0..*count).filter(|_| dice.random::<f64>() < share).count();
                (failed as f64, *count as f64)
            };
            Counted::new(counts.iter().enumerate().map(point).collect(), 1.0)
        };
        let (failed, lost) = (rare(10.0), rare(10.0));
        let completed = Counted::new(counts.iter().map(|count| (*count as f64, 1.0)).collect(), 1.0);
        Self { responses, deliveries, completed, failed, lost }
    }
}

/// How slow each second is.
struct Level {
    factors: Vec<f64>,
    bursting: Vec<bool>,
    /// Share of the responses that a burst reaches, and their factor.
    burst: (f64, f64),
}

impl Level {
    fn draw(noise: Noise, seconds: usize, dice: &mut StdRng) -> Self {
        let (mut factors, mut bursting) = (vec![1.0; seconds], vec![false; seconds]);
        if matches!(noise, Noise::Autocorrelated | Noise::UnequalLengths) {
            autocorrelated(&mut factors, dice);
        }
        let Some((every, lasting, share, factor)) = noise.bursts() else {
            return Self { factors, bursting, burst: (0.0, 1.0) };
        };
        let mut at = every * dice.sample::<f64, _>(Exp1);
        while at < seconds as f64 {
            let length = lasting * dice.sample::<f64, _>(Exp1);
            let end = whole(at + length).max(whole(at) + 1).min(seconds);
            bursting[whole(at)..end].fill(true);
            at += length + every * dice.sample::<f64, _>(Exp1);
        }
        Self { factors, bursting, burst: (share, factor) }
    }

    /// The factor of a response in this second.
    fn at(&self, second: usize, dice: &mut StdRng) -> f64 {
        let (share, factor) = self.burst;
        if self.bursting[second] && dice.random::<f64>() < share { factor } else { self.factors[second] }
    }
}

fn autocorrelated(factors: &mut [f64], dice: &mut StdRng) {
    const PHI: f64 = 0.7;
    const DEVIATION: f64 = 0.04;
    let mut last: f64 = DEVIATION * dice.sample::<f64, _>(StandardNormal);
    let innovation = DEVIATION * (1.0 - PHI * PHI).sqrt();
    for factor in factors {
        last = PHI * last + innovation * dice.sample::<f64, _>(StandardNormal);
        *factor = last.exp();
    }
}
/// The law of a response without the level of its second.
struct Response {
    body: LogNormal<f64>,
    tail: Option<Pareto<f64>>,
    shift: Shift,
    /// From here on it is the tail that a shift makes longer.
    tail_us: f64,
}

impl Response {
    fn new(median_us: f64, noise: Noise, shift: Shift) -> Self {
        const SIGMA: f64 = 0.4;
        let tail = (noise == Noise::HeavyTail).then(|| Pareto::new(median_us, 2.0).expect("a tail"));
        // The 97th percentile of a lognormal; of the mixture a little less.
        let tail_us = median_us * (SIGMA * 1.880_8).exp();
        Self { body: LogNormal::new(median_us.ln(), SIGMA).expect("a law"), tail, shift, tail_us }
    }

    fn sample(&self, factor: f64, dice: &mut StdRng) -> f64 {
        let us = match &self.tail {
            Some(tail) if dice.random::<f64>() < 0.1 => tail.sample(dice),
            _ => self.body.sample(dice),
        };
        let us = us * factor;
        match self.shift {
            Shift::None => us,
            Shift::Median => us * 1.05,
            Shift::Tail if us > self.tail_us => us * 1.1,
            Shift::Tail => us,
        }
    }
}

fn whole(value: f64) -> usize {
    value.max(0.0) as usize
}
