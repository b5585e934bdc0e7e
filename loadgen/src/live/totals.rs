//! What a run has come to so far, for those who watch from elsewhere.

use hdrhistogram::Histogram;
use jiff::Timestamp;
use reports::format::{GeneratorSecond, Run, SeriesLine};
use scenarios::plan::operation::{Kind, Operation};

use super::metrics::{Buckets, Labels, Metric, Points, Unit};
use crate::record::{DeliveryTally, Measures, Names, OperationTally, Tally};
use crate::verdict::validity::Validity;

/// Everything since the run's start, warm-up included.
#[derive(Debug)]
pub(super) struct LiveTotals {
    /// Identifies the run.
    pub(super) run: Run,
    /// When the figures were taken.
    pub(super) at: Timestamp,
    phase: String,
    open: u64,
    valid: bool,
    names: Names,
    measures: Measures,
    generator: GeneratorSecond,
}

impl LiveTotals {
    pub(super) fn new(run: &Run, names: Names) -> Self {
        Self {
            run: run.clone(),
            at: run.started_at,
            phase: String::new(),
            open: 0,
            valid: true,
            names,
            measures: Measures::default(),
            generator: GeneratorSecond::default(),
        }
    }

    pub(super) fn add(&mut self, line: &SeriesLine, measures: &Measures, validity: &Validity) {
        self.at = Timestamp::now();
        self.phase.clone_from(&line.phase);
        self.open = line.open;
        self.valid = validity.invalid_reasons.is_empty();
        self.measures.merge(measures);
        self.generator = line.generator.clone();
    }

    /// The figures, each with its name, meaning and unit.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let generator = &self.generator;
        vec![
            gauge("sockets_open", "Sockets open now.", Unit::None, self.open as f64),
            Metric {
                name: "run_phase",
                help: "1 for the phase of the plan that the run is in.",
                unit: Unit::None,
                points: Points::Gauge(vec![(vec![("phase", self.phase.clone())], 1.0)]),
            },
            gauge(
                "run_valid",
                "1 while the generator sends on schedule; 0: do not use the run's numbers.",
                Unit::None,
                f64::from(self.valid),
            ),
            Metric {
                name: "operations",
                help: "Arrivals by operation and what became of them.",
                unit: Unit::None,
                points: Points::Counter(self.operations().flat_map(outcomes).collect()),
            },
            Metric {
                name: "errors",
                help: "Failures, time-outs and unsent arrivals by operation and error class.",
                unit: Unit::None,
                points: Points::Counter(self.operations().flat_map(errors).collect()),
            },
            Metric {
                name: "deliveries",
                help: "Pushes by kind and what became of them.",
                unit: Unit::None,
                points: Points::Counter(self.deliveries().flat_map(fates).collect()),
            },
            self.times("response_time", "From the intended instant to the answer.", |tally| {
                tally.response.histogram()
            }),
            self.times("service_time", "From the actual send to the answer.", |tally| {
                tally.service.histogram()
            }),
            Metric {
                name: "delivery_time",
                help: "From a player's send to each recipient's push.",
                unit: Unit::Seconds,
                points: Points::Histogram(
                    self.deliveries()
                        .map(|(kind, tally)| (kind_label(kind), Buckets::of(tally.each.histogram())))
                        .collect(),
                ),
            },
            own_time(
                "dispatch_delay",
                "From the intended instant to the actual send: the generator's own error.",
                self.measures.dispatch_delay.histogram(),
            ),
            own_time(
                "event_loop_lag",
                "How long a task of the generator that was ready waited for its turn.",
                self.measures.event_loop_lag.histogram(),
            ),
            gauge(
                "generator_cpu_cores",
                "Cores that the generator used in the last second.",
                Unit::None,
                generator.cpu_percent / 100.0,
            ),
            gauge(
                "generator_resident_memory",
                "Resident set of the generator.",
                Unit::Bytes,
                generator.rss_bytes as f64,
            ),
            gauge(
                "generator_descriptors",
                "Descriptors that the generator has open.",
                Unit::None,
                generator.descriptors as f64,
            ),
        ]
    }

    /// The operations that the run has.
    fn operations(&self) -> impl Iterator<Item = (&str, &OperationTally)> {
        let all = self.measures.operations.iter().enumerate();
        let all = all.map(|(index, tally)| (self.names.operation(Operation::of(index)), tally));
        all.filter(|(_, tally)| tally.offered > 0)
    }

    /// The kinds of pushes that the run has.
    fn deliveries(&self) -> impl Iterator<Item = (&str, &DeliveryTally)> {
        let all = self.measures.deliveries.iter().enumerate();
        let all = all.map(|(index, tally)| (self.names.push(Kind::of(index)), tally));
        all.filter(|(_, tally)| tally.seen())
    }

    fn times(
        &self,
        name: &'static str,
        help: &'static str,
        of: fn(&OperationTally) -> &Histogram<u64>,
    ) -> Metric {
        let points = self.operations().map(|(operation, tally)| (label(operation), Buckets::of(of(tally))));
        Metric { name, help, unit: Unit::Seconds, points: Points::Histogram(points.collect()) }
    }
}

fn gauge(name: &'static str, help: &'static str, unit: Unit, value: f64) -> Metric {
    Metric { name, help, unit, points: Points::Gauge(vec![(Vec::new(), value)]) }
}

fn own_time(name: &'static str, help: &'static str, histogram: &Histogram<u64>) -> Metric {
    let points = Points::Histogram(vec![(Vec::new(), Buckets::of(histogram))]);
    Metric { name, help, unit: Unit::Seconds, points }
}

fn label(operation: &str) -> Labels {
    vec![("operation", operation.to_owned())]
}

fn kind_label(kind: &str) -> Labels {
    vec![("kind", kind.to_owned())]
}

fn outcomes<'t>(
    (operation, tally): (&'t str, &'t OperationTally),
) -> impl Iterator<Item = (Labels, u64)> + 't {
    let counts = [
        ("offered", tally.offered),
        ("sent", tally.sent),
        ("unsent", tally.unsent),
        ("completed", tally.completed),
        ("failed", tally.failed),
        ("timed_out", tally.timed_out),
    ];
    counts.into_iter().map(move |(outcome, count)| (with(label(operation), "outcome", outcome), count))
}

fn errors<'t>((operation, tally): (&'t str, &'t OperationTally)) -> impl Iterator<Item = (Labels, u64)> + 't {
    tally.errors.iter().map(move |(class, count)| (with(label(operation), "class", class), count))
}

fn fates<'t>((kind, tally): (&'t str, &'t DeliveryTally)) -> impl Iterator<Item = (Labels, u64)> + 't {
    let counts = [
        ("expected", tally.due()),
        ("received", tally.received),
        ("late", tally.late),
        ("lost", tally.lost),
        ("duplicated", tally.duplicated),
        ("out_of_order", tally.out_of_order),
        ("unexpected", tally.unexpected),
    ];
    counts.into_iter().map(move |(outcome, count)| (with(kind_label(kind), "outcome", outcome), count))
}

fn with(mut labels: Labels, name: &'static str, value: &str) -> Labels {
    labels.push((name, value.to_owned()));
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_run_is_marked_in_its_metrics() {
        let mut totals = LiveTotals::new(&Run::default(), Names::default());
        let valid = |totals: &LiveTotals| {
            let metrics = totals.metrics();
            let metric = metrics.iter().find(|metric| metric.name == "run_valid");
            let Some(Points::Gauge(points)) = metric.map(|metric| &metric.points) else { panic!("a gauge") };
            points[0].1
        };
        let late = Validity { invalid_reasons: vec!["too late".into()], ..Validity::default() };
        for (validity, wanted) in [(&Validity::default(), 1.0), (&late, 0.0), (&Validity::default(), 1.0)] {
            totals.add(&SeriesLine::default(), &Measures::default(), validity);
            assert_eq!(valid(&totals), wanted);
        }
    }
}
