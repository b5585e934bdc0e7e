//! The lines of `series.jsonl` in the bins of the run, its phases, and as a whole.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::grid::{Grid, pairs};
use super::sum;
use crate::folder::Tag;
use crate::format::{Latency, Manifest, Phase, SeriesLine, Summary};
use crate::stalls::Finder;

/// Some seconds of the run, added up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bin {
    /// How many seconds were written of it.
    pub seconds: u64,
    /// Their sum: counts are summed; open sockets and the generator's figures are the highest of a second; `t`, `at` and `phase` are
    /// those of the first. A latency is that of the bin's histogram, and none (`count` 0) where there is none and several seconds had
    /// samples.
    pub sum: SeriesLine,
    /// CPU that the generator used, in seconds of one core.
    pub cpu_seconds: f64,
    /// By [`Tag`] as text: of the seconds' own p99, the highest.
    pub peaks: BTreeMap<String, Peak>,
}

/// The second whose p99 is the highest of a bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peak {
    /// Start of the second, from the run's start.
    pub at_s: u64,
    /// Its p99, in microseconds.
    pub p99_us: u64,
    /// How many seconds of the bin had samples.
    pub seconds: u64,
}

/// When an error class was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The first second.
    pub first_s: u64,
    /// The last second.
    pub last_s: u64,
    /// How often, warm-up included.
    pub count: u64,
}

impl Bin {
    /// Adds a second.
    fn add_line(&mut self, line: &SeriesLine) {
        if self.seconds == 0 {
            self.sum = line.clone();
        } else {
            sum::add(&mut self.sum, line);
        }
        self.seconds += 1;
        self.cpu_seconds += line.generator.cpu_percent / 100.0;
        for (tag, latency) in latencies(line).filter(|(_, latency)| latency.count > 0) {
            self.peak(tag.to_string(), Peak { at_s: line.t, p99_us: latency.p99, seconds: 1 });
        }
    }

    /// Adds what another one has.
    fn add(&mut self, other: &Self) {
        match (self.seconds, other.seconds) {
            (_, 0) => {}
            (0, _) => *self = other.clone(),
            _ => {
                self.seconds += other.seconds;
                self.cpu_seconds += other.cpu_seconds;
                sum::add(&mut self.sum, &other.sum);
                other.peaks.iter().for_each(|(tag, peak)| self.peak(tag.clone(), *peak));
            }
        }
    }

    fn peak(&mut self, tag: String, peak: Peak) {
        let own = self.peaks.entry(tag).or_insert(Peak { seconds: 0, ..peak });
        let seconds = own.seconds + peak.seconds;
        let highest = if peak.p99_us > own.p99_us { peak } else { *own };
        *own = Peak { seconds, ..highest };
    }

    /// Gives the latencies that come of several seconds their percentiles, or takes those away of which none are known.
    pub(super) fn fill(&mut self, of_bin: impl Fn(&str) -> Latency) {
        let several = |tag: Tag<'_>| {
            let tag = tag.to_string();
            self.peaks.get(&tag).is_some_and(|peak| peak.seconds > 1).then(|| of_bin(&tag))
        };
        let fill = |latency: &mut Latency, tag| *latency = several(tag).unwrap_or(*latency);
        for (name, operation) in &mut self.sum.operations {
            fill(&mut operation.response_time_us, Tag::Response(name));
            fill(&mut operation.service_time_us, Tag::Service(name));
        }
        for (kind, delivery) in &mut self.sum.deliveries {
            fill(&mut delivery.each_us, Tag::Each(kind));
        }
        if let Some(reconnects) = &mut self.sum.reconnects {
            fill(&mut reconnects.recovery_us, Tag::Recovery);
        }
        fill(&mut self.sum.generator.dispatch_delay_us, Tag::Dispatch);
        fill(&mut self.sum.generator.event_loop_lag_us, Tag::EventLoopLag);
    }
}

/// The latencies of a second, with the tags of their histograms.
fn latencies(line: &SeriesLine) -> impl Iterator<Item = (Tag<'_>, &Latency)> {
    let operations = line.operations.iter().flat_map(|(name, second)| {
        [(Tag::Response(name), &second.response_time_us), (Tag::Service(name), &second.service_time_us)]
    });
    let deliveries = line.deliveries.iter().map(|(kind, second)| (Tag::Each(kind), &second.each_us));
    let generator = &line.generator;
    let generator =
        [(Tag::Dispatch, &generator.dispatch_delay_us), (Tag::EventLoopLag, &generator.event_loop_lag_us)];
    let recovery = line.reconnects.iter().map(|all| (Tag::Recovery, &all.recovery_us));
    operations.chain(deliveries).chain(generator).chain(recovery)
}

/// Where a second belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    bin: usize,
    phase: Option<usize>,
    measured: bool,
}

/// The lines of the series, taken up one by one in any order.
#[derive(Debug)]
pub(crate) struct Seconds {
    manifest: Manifest,
    /// The seconds of one place, until one of another place comes.
    at: Option<(Place, Bin)>,
    pub(super) grid: Grid,
    pub(super) bins: Vec<Bin>,
    /// Of each bin the seconds that count.
    pub(super) measured_bins: Vec<Bin>,
    pub(super) phases: Vec<Bin>,
    pub(super) called_for: BTreeMap<String, u64>,
    pub(super) errors: BTreeMap<(String, String), Seen>,
    pub(super) first: Option<(u64, Timestamp)>,
    pub(super) last: Option<(u64, Timestamp)>,
    pub(super) stalls: Finder,
    /// How long after its send a push of each kind is given up, in whole seconds.
    lost_after_s: BTreeMap<String, u64>,
    /// By kind, for each bin what was lost of its sends.
    pub(super) lost: BTreeMap<String, Vec<u64>>,
}

impl Seconds {
    pub(crate) fn new(manifest: &Manifest, summary: Option<&Summary>, grid: Grid) -> Self {
        let deliveries = summary.into_iter().flat_map(|summary| &summary.deliveries);
        let lost_after_s = deliveries
            .map(|(kind, delivery)| (kind.clone(), delivery.lost_after_s.unwrap_or(0.0).max(0.0) as u64));
        Self {
            manifest: manifest.clone(),
            at: None,
            grid,
            bins: Vec::new(),
            measured_bins: Vec::new(),
            phases: vec![Bin::default(); manifest.phases.len()],
            called_for: BTreeMap::new(),
            errors: BTreeMap::new(),
            first: None,
            last: None,
            stalls: Finder::default(),
            lost_after_s: lost_after_s.collect(),
            lost: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, line: &SeriesLine) {
        let bin = loop {
            match self.grid.bin(line.t) {
                Some(bin) => break bin,
                None => self.widen(),
            }
        };
        let second = line.t as f64;
        let (phase, measured) = (phase_of(&self.manifest.phases, second), self.manifest.measures(second));
        let place = Place { bin, phase, measured };
        if self.at.as_ref().is_none_or(|(at, _)| *at != place) {
            self.settle();
            self.at = Some((place, Bin::default()));
        }
        if let Some((_, sum)) = &mut self.at {
            sum.add_line(line);
        }
        for (name, _) in line.operations.iter().filter(|(_, second)| measured && second.called_for() > 0) {
            match self.called_for.get_mut(name) {
                Some(seconds) => *seconds += 1,
                None => {
                    self.called_for.insert(name.clone(), 1);
                }
            }
        }
        if measured {
            self.stalls.second(line);
        }
        self.see_losses(line);
        self.see_errors(line);
        if self.first.is_none_or(|(first, _)| line.t < first) {
            self.first = Some((line.t, line.at));
        }
        if self.last.is_none_or(|(last, _)| line.t >= last) {
            self.last = Some((line.t, line.at));
        }
    }

    /// Adds the seconds of the last place to all that they are part of.
    pub(super) fn settle(&mut self) {
        let Some((Place { bin, phase, measured }, sum)) = self.at.take() else { return };
        let wanted = self.bins.len().max(bin + 1);
        self.bins.resize(wanted, Bin::default());
        self.measured_bins.resize(wanted, Bin::default());
        self.bins[bin].add(&sum);
        if measured {
            self.measured_bins[bin].add(&sum);
        }
        if let Some(phase) = phase.and_then(|phase| self.phases.get_mut(phase)) {
            phase.add(&sum);
        }
    }

    /// The series counts a loss in the second in which it is given up. Players lost it when it was sent.
    fn see_losses(&mut self, line: &SeriesLine) {
        for (kind, second) in line.deliveries.iter().filter(|(_, second)| second.lost > 0) {
            let wait = self.lost_after_s.get(kind).copied().unwrap_or(0);
            // No later than the second itself, for which there is a bin.
            let Some(bin) = self.grid.bin(line.t.saturating_sub(wait)) else { continue };
            let lost = self.lost.entry(kind.clone()).or_default();
            if lost.len() <= bin {
                lost.resize(bin + 1, 0);
            }
            lost[bin] = lost[bin].saturating_add(second.lost);
        }
    }

    fn see_errors(&mut self, line: &SeriesLine) {
        let operations = line.operations.iter().flat_map(|(name, second)| {
            second.errors.iter().map(move |(class, count)| (name.as_str(), class, *count))
        });
        let sockets = line.sockets.iter().flat_map(|sockets| &sockets.ends);
        let sockets = sockets.map(|(class, count)| ("socket", class, *count));
        for (operation, class, count) in operations.chain(sockets).filter(|(_, _, count)| *count > 0) {
            let new = Seen { first_s: line.t, last_s: line.t, count: 0 };
            let seen = self.errors.entry((operation.to_owned(), class.clone())).or_insert(new);
            *seen = Seen {
                first_s: seen.first_s.min(line.t),
                last_s: seen.last_s.max(line.t),
                count: seen.count.saturating_add(count),
            };
        }
    }

    /// Twice as long bins.
    pub(super) fn widen(&mut self) {
        self.settle();
        for bins in [&mut self.bins, &mut self.measured_bins] {
            pairs(bins, |sum, more| sum.add(&more));
        }
        for lost in self.lost.values_mut() {
            pairs(lost, |sum, more| *sum = sum.saturating_add(more));
        }
        self.grid = self.grid.widened();
    }
}

/// All of some bins.
pub(super) fn all(bins: &[Bin]) -> Bin {
    let mut sum = Bin::default();
    bins.iter().for_each(|bin| sum.add(bin));
    sum
}

/// The phase of an instant. What comes after the last phase, answers that were still awaited, counts for it.
pub(super) fn phase_of(phases: &[Phase], at_s: f64) -> Option<usize> {
    let within = |phase: &Phase| (phase.start_s..phase.end_s).contains(&at_s);
    let after = |last: &usize| phases[*last].end_s <= at_s;
    phases.iter().position(within).or_else(|| phases.len().checked_sub(1).filter(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Delivery, DeliverySecond};

    #[test]
    fn a_loss_stands_where_it_was_sent() {
        let line = |t, lost| SeriesLine {
            t,
            deliveries: [("message".to_owned(), DeliverySecond { lost, ..DeliverySecond::default() })].into(),
            ..SeriesLine::default()
        };
        let delivery = Delivery { lost_after_s: Some(15.0), ..Delivery::default() };
        let summary = Summary { deliveries: [("message".to_owned(), delivery)].into(), ..Summary::default() };
        let lost = |summary: Option<&Summary>, end_s: f64| {
            let mut seconds = Seconds::new(&Manifest::default(), summary, Grid::until(end_s));
            [line(3, 0), line(20, 7), line(21, 2), line(6, 1)].iter().for_each(|line| seconds.add(line));
            seconds.lost["message"]
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, lost)| *lost > 0)
                .collect::<Vec<_>>()
        };
        assert_eq!(lost(Some(&summary), 30.0), [(0, 1), (5, 7), (6, 2)]);
        assert_eq!(lost(Some(&summary), 1_440.0), [(0, 1), (1, 7), (2, 2)], "bins of three seconds");
        assert_eq!(lost(None, 30.0), [(6, 1), (20, 7), (21, 2)]);
    }
}
