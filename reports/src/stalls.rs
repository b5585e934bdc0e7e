//! Stalls of the target: moments in which nobody was answered, and what waited was answered at once afterwards. Medians do not
//! show them and thresholds rarely do, so they are looked for in every run.
//!
//! **What counts.** A second is *late* for an operation or a delivery where a tenth of its answers (half of them, where they are few) took
//! at least [`TIMES`] as long as in half of the seconds, and [`FLOOR_US`] at least; it is a *gap* where answers were
//! awaited, usually [`BUSY`] come in a second, and none came. A stall is a row of such seconds that ends with a late one. Answers stood
//! still, so that a wait of so many whole seconds has at least one gap less, and they came at once afterwards, so that beyond [`BORDERS`] there
//! are no more late seconds than gaps: a target that answers slowly is overloaded, and does not stall. A stall of much less
//! than a tenth of a second touches too few answers of its second to be found.
//!
//! **Period.** The median of the gaps between stalls; named only where so many gaps lie so close to it that stalls
//! at random (exponential gaps) would do so in less than one case in a hundred ([`CHANCE`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{DeliverySecond, Latency, Manifest, OperationSecond, SeriesLine};
use crate::human;

/// So many times as long as usual is late. A convention.
const TIMES: f64 = 5.0;
/// Shorter waits are nobody's stall. A convention.
const FLOOR_US: u64 = 50_000;
/// A second without answers means something where so many are usual: by Poisson's law one in 20,000 is empty by chance.
const BUSY: u64 = 10;
/// What is usual is known after so many seconds.
const KNOWN: usize = 10;
/// From so many answers in a second a tenth of them is looked at: three at least.
const TENTH: u64 = 30;
/// From so many answers in a second half of them are looked at: three at least.
const HALF: u64 = 6;
/// Seconds that may be late beside a stall without a gap: the one in which it ends, and the next.
const BORDERS: usize = 2;
/// Fewer gaps make no period.
const GAPS: usize = 3;
/// Gaps that close to their median are alike: a second, since stalls are placed to the second, or this share.
const ALIKE: f64 = 0.1;
/// Share of the gaps that must be alike.
const MOST: f64 = 0.75;
/// Random stalls may look as regular in so many cases.
const CHANCE: f64 = 0.01;
/// So few stalls are told only where one of them is long: a burst of cold starts looks like a short one. A convention.
const FEW: usize = 2;
/// What is long, in microseconds. A convention.
const LONG_US: u64 = 500_000;
/// Instants that a sentence names.
const NAMED: usize = 3;

/// A moment in which nobody was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Stall {
    /// The first second in which it shows, in seconds since the run's start.
    pub from_s: u64,
    /// The end of the last one.
    pub to_s: u64,
    /// Its longest wait in microseconds; a stall is about as long.
    pub longest_us: u64,
    /// The operations and deliveries that felt it.
    pub felt_by: BTreeSet<String>,
    /// Whether the generator itself was late by half of that or more: then it may be its own stall.
    pub of_generator: bool,
}

/// The time between stalls, where it is regular.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    /// Median of the gaps in seconds.
    pub median_s: f64,
    /// The shortest of the gaps that are alike.
    pub low_s: f64,
    /// The longest of them.
    pub high_s: f64,
}

/// What was found in a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stalls {
    /// In the order of time.
    pub stalls: Vec<Stall>,
    /// Their period, if they have one.
    pub period: Option<Period>,
}

impl Stalls {
    /// Looks through a run's measured seconds.
    #[must_use]
    pub fn of(manifest: &Manifest, series: &[SeriesLine]) -> Self {
        let mut finder = Finder::default();
        series.iter().filter(|line| manifest.measures(line.t as f64)).for_each(|line| finder.second(line));
        finder.finish()
    }

    /// What to say of them in a sentence; `None` where there is none, or hardly one.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let longest = self.stalls.iter().map(|stall| stall.longest_us).max()?;
        if self.stalls.len() <= FEW && longest < LONG_US {
            return None;
        }
        let own = self.stalls.iter().filter(|stall| stall.of_generator).count();
        let felt: BTreeSet<&str> =
            self.stalls.iter().flat_map(|stall| stall.felt_by.iter().map(String::as_str)).collect();
        let times = match self.stalls.len() {
            1 => "Once".to_owned(),
            count => format!("{count} times"),
        };
        let period = self.period.map_or_else(String::new, |period| format!(", {}", period.in_words()));
        let whose = match own {
            0 => String::new(),
            all if all == self.stalls.len() => {
                " The generator was late itself each time: look at its health first.".into()
            }
            some => format!(" In {some} of them the generator was late itself: look at its health, too."),
        };
        Some(format!(
            "{times} answers stood still for up to {}{period} (at {}), as felt by {}.{whose}",
            human::duration(longest as f64),
            self.instants(),
            felt.into_iter().collect::<Vec<_>>().join(", "),
        ))
    }

    fn instants(&self) -> String {
        let named: Vec<_> =
            self.stalls.iter().take(NAMED).map(|stall| human::clock(stall.from_s as f64)).collect();
        match self.stalls.len() - named.len() {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

impl Period {
    /// Of stalls that begin at these seconds.
    fn of(starts: &[u64]) -> Option<Self> {
        let mut gaps: Vec<f64> = starts.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        if gaps.len() < GAPS {
            return None;
        }
        gaps.sort_by(f64::total_cmp);
        let median_s = f64::midpoint(gaps[(gaps.len() - 1) / 2], gaps[gaps.len() / 2]);
        let tolerance = (median_s * ALIKE).max(1.0);
        let all = gaps.len();
        gaps.retain(|gap| (gap - median_s).abs() <= tolerance);
        let (low_s, high_s) = (*gaps.first()?, *gaps.last()?);
        let regular = gaps.len() as f64 >= all as f64 * MOST
            && by_chance(all - 1, gaps.len() - 1, tolerance / median_s) < CHANCE;
        regular.then_some(Self { median_s, low_s, high_s })
    }

    /// E.g. `every 10 s (9 s to 11 s apart)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Self { median_s, low_s, high_s } = *self;
        let seconds = |seconds: f64| human::plain(seconds, 3);
        if low_s == high_s {
            format!("every {} s", seconds(median_s))
        } else {
            format!("every {} s ({} s to {} s apart)", seconds(median_s), seconds(low_s), seconds(high_s))
        }
    }
}

/// Probability that `alike` or more of `gaps` exponential gaps lie within `share` of their median: the binomial tail at
/// `2^-(1 - share) - 2^-(1 + share)`.
fn by_chance(gaps: usize, alike: usize, share: f64) -> f64 {
    let share = share.min(1.0);
    let each = (share - 1.0).exp2() - (-share - 1.0).exp2();
    let mut exactly = (1.0 - each).powi(gaps as i32);
    let mut tail = 0.0;
    for successes in 0..=gaps {
        if successes >= alike {
            tail += exactly;
        }
        exactly *= (gaps - successes) as f64 / (successes + 1) as f64 * each / (1.0 - each);
    }
    tail
}

/// Finds stalls second by second, and keeps only seconds in which there may be one.
#[derive(Debug, Default)]
pub struct Finder {
    operations: BTreeMap<String, Track>,
    deliveries: BTreeMap<String, Track>,
    /// By second in which something may have stalled: how late the generator was itself.
    lag_us: BTreeMap<u64, u64>,
}

/// An operation or a delivery.
#[derive(Debug, Default)]
struct Track {
    in_flight: i64,
    /// Of every second with enough answers, what a tenth or half of them exceed.
    usual_us: Vec<u32>,
    /// Of every second with answers, how many.
    rates: Vec<u32>,
    suspicious: Vec<Suspicious>,
}

/// A second that may belong to a stall.
#[derive(Debug, Clone, Copy)]
struct Suspicious {
    t: u64,
    /// What a tenth or half of the answers exceed; `None` where none came although some were awaited.
    high_us: Option<u64>,
    max_us: u64,
}

/// A stretch in which one track stalled.
struct Stretch<'a> {
    from: u64,
    to: u64,
    longest_us: u64,
    name: &'a str,
}

impl Finder {
    /// Takes the next second of the run.
    pub fn second(&mut self, line: &SeriesLine) {
        for name in line.operations.keys().filter(|name| name.as_str() != "connect") {
            self.operations.entry(name.clone()).or_default();
        }
        for name in line.deliveries.keys() {
            self.deliveries.entry(name.clone()).or_default();
        }
        let (nothing, no_push) = (OperationSecond::default(), DeliverySecond::default());
        let mut suspicious = false;
        for (name, track) in &mut self.operations {
            let second = line.operations.get(name).unwrap_or(&nothing);
            let ended = all(&[second.completed, second.failed, second.timed_out]);
            suspicious |= track.second(line.t, second.sent, ended, &second.response_time_us);
        }
        for (name, track) in &mut self.deliveries {
            let second = line.deliveries.get(name).unwrap_or(&no_push);
            let ended = all(&[second.received, second.late, second.lost, second.away, second.withdrawn]);
            suspicious |= track.second(line.t, second.expected, ended, &second.each_us);
        }
        if suspicious {
            let own = &line.generator;
            self.lag_us.insert(line.t, own.dispatch_delay_us.max.max(own.event_loop_lag_us.max));
        }
    }

    /// What was found in all of them.
    #[must_use]
    pub fn finish(self) -> Stalls {
        let tracks = self.operations.iter().chain(&self.deliveries);
        let mut stretches: Vec<_> = tracks.flat_map(|(name, track)| track.stretches(name)).collect();
        stretches.sort_by_key(|stretch| stretch.from);
        let mut stalls: Vec<Stall> = Vec::new();
        for Stretch { from, to, longest_us, name } in stretches {
            match stalls.last_mut().filter(|stall| from <= stall.to_s) {
                Some(stall) => {
                    stall.to_s = stall.to_s.max(to);
                    stall.longest_us = stall.longest_us.max(longest_us);
                    stall.felt_by.insert(name.to_owned());
                }
                None => stalls.push(Stall {
                    from_s: from,
                    to_s: to,
                    longest_us,
                    felt_by: [name.to_owned()].into(),
                    of_generator: false,
                }),
            }
        }
        for stall in &mut stalls {
            let lag = self.lag_us.range(stall.from_s..stall.to_s).map(|(_, lag)| *lag).max();
            stall.of_generator = lag.is_some_and(|lag| lag.saturating_mul(2) >= stall.longest_us);
        }
        let starts: Vec<u64> = stalls.iter().map(|stall| stall.from_s).collect();
        Stalls { period: Period::of(&starts), stalls }
    }
}

/// A sum that saturates.
fn all(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

impl Track {
    /// Takes a second; tells whether it may belong to a stall.
    fn second(&mut self, t: u64, begun: u64, ended: u64, latency: &Latency) -> bool {
        let awaited = self.in_flight > 0 || begun > 0;
        // A folder is not trusted: its counts may be of any size.
        self.in_flight = self.in_flight.saturating_add_unsigned(begun).saturating_sub_unsigned(ended);
        let Latency { count, p50, p90, max, .. } = *latency;
        let high_us = match count {
            TENTH.. => Some(p90),
            HALF.. => Some(p50),
            _ => None,
        };
        let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        self.usual_us.extend(high_us.map(short));
        self.rates.extend((count > 0).then(|| short(count)));
        let late = high_us.is_some_and(|high| high >= FLOOR_US);
        let gap = count == 0 && awaited;
        if late || gap {
            self.suspicious.push(Suspicious { t, high_us, max_us: max });
        }
        late || gap
    }

    fn stretches<'a>(&self, name: &'a str) -> Vec<Stretch<'a>> {
        let (Some(usual), Some(rate)) = (median(&self.usual_us), median(&self.rates)) else {
            return Vec::new();
        };
        if self.usual_us.len() < KNOWN {
            return Vec::new();
        }
        let bound = u64::from(usual) as f64 * TIMES;
        let stalled: Vec<_> = self
            .suspicious
            .iter()
            .filter(|second| match second.high_us {
                Some(high) => high as f64 >= bound,
                None => u64::from(rate) >= BUSY,
            })
            .collect();
        stalled
            .chunk_by(|a, b| a.t.checked_add(1) == Some(b.t))
            .filter_map(|row| {
                // What follows the last late second is an outage's, not the stall's.
                let last = row.iter().rposition(|second| second.high_us.is_some())?;
                let row = &row[..=last];
                let (from, to) = (row.first()?.t, row.last()?.t.saturating_add(1));
                let longest_us = row.iter().map(|second| second.max_us).max()?;
                let gaps = row.iter().filter(|second| second.high_us.is_none()).count();
                let at_once = row.len() - gaps <= BORDERS + gaps;
                // Where answers are few, an empty second proves nothing, and is none of the row.
                let still = u64::from(rate) < BUSY || gaps as u64 + 1 >= longest_us / 1_000_000;
                (at_once && still).then_some(Stretch { from, to, longest_us, name })
            })
            .collect()
    }
}

/// The lower median.
fn median(values: &[u32]) -> Option<u32> {
    let mut values = values.to_vec();
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests;
