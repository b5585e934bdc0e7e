//! OpenMetrics text: GitLab shows what of it changed on a merge request, and a Pushgateway or `promtool` takes it.
//!
//! Names, labels and units are those of `run --prometheus`, but for times: the percentiles are exact here, one
//! gauge each, where a scrape has buckets. What was not measured has no line.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::format::{Delivery, Latency, Operation, Summary};
use crate::human::{P50, P90, P95, P99, P99_9};
use crate::verdict;

/// What distinguishes a point from the others of its metric.
type Labels = Vec<(&'static str, String)>;
type Encoder<'a> = DescriptorEncoder<'a>;

pub(super) fn render(summary: &Summary) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("loadgen");
    registry.register_collector(Box::new(Figures(summary.clone())));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// The figures of a run.
#[derive(Debug)]
struct Figures(Summary);

impl Collector for Figures {
    fn encode(&self, mut to: Encoder<'_>) -> fmt::Result {
        let Self(summary) = self;
        verdicts(summary, &mut to)?;
        sockets(summary, &mut to)?;
        operations(&summary.operations, &mut to)?;
        deliveries(&summary.deliveries, &mut to)?;
        let dispatch = [(Labels::new(), &summary.generator.dispatch_delay_us)];
        let help = "From the intended instant to the actual send: the generator's own error.";
        times(&mut to, "dispatch_delay", help, &dispatch)
    }
}

fn verdicts(summary: &Summary, to: &mut Encoder<'_>) -> fmt::Result {
    let run = &summary.run;
    let identity: Labels = vec![
        ("run", run.id.clone()),
        ("scenario", run.name.clone()),
        ("target", run.target.clone()),
        ("version", run.version.clone()),
        ("status", summary.status().word().to_owned()),
    ];
    to.encode_descriptor("run", "Identifies the run.", None, MetricType::Info)?.encode_info(&identity)?;
    let valid = f64::from(u8::from(summary.verdict.valid));
    let own = |value| vec![(Labels::new(), value)];
    gauge(to, "run_valid", "1 if the run's numbers can be used.", None, own(valid))?;
    let seconds = run.ended_at.duration_since(run.started_at).as_secs_f64();
    gauge(to, "run_duration", "From the run's start to its end.", Some(&Unit::Seconds), own(seconds))?;
    gauge(to, "run_exit_code", "Exit code that follows from the verdict.", None, own(f64::from(summary.exit_code())))?;
    let rules = || summary.thresholds.iter().map(|threshold| (threshold, vec![("rule", verdict::rule(threshold))]));
    let passed = rules().map(|(threshold, rule)| (rule, f64::from(u8::from(threshold.passed))));
    gauge(to, "threshold_passed", "1 for each threshold that passed.", None, unique(passed))?;
    let observed = rules().filter_map(|(threshold, rule)| Some((rule, threshold.observed?)));
    gauge(to, "threshold_observed", "What each threshold observed, in the unit of its rule.", None, unique(observed))
}

fn sockets(summary: &Summary, to: &mut Encoder<'_>) -> fmt::Result {
    let sockets = &summary.sockets;
    let counts = [
        ("attempted", sockets.attempted),
        ("opened", sockets.opened),
        ("rejected", sockets.rejected),
        ("dropped", sockets.dropped),
    ];
    let counts = counts.map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count));
    counter(to, "sockets", "Sockets and what became of them.", counts)?;
    let peak = vec![(Labels::new(), sockets.peak_open as f64)];
    gauge(to, "sockets_open_peak", "Most sockets open at once.", None, peak)
}

fn operations(operations: &BTreeMap<String, Operation>, to: &mut Encoder<'_>) -> fmt::Result {
    let label = |name: &String| vec![("operation", name.clone())];
    let outcomes = operations.iter().flat_map(|(name, operation)| {
        let counts = [
            ("offered", operation.offered),
            ("sent", operation.sent),
            ("unsent", operation.unsent),
            ("completed", operation.completed),
            ("failed", operation.failed),
            ("timed_out", operation.timed_out),
        ];
        counts.map(|(outcome, count)| (with(label(name), "outcome", outcome), count))
    });
    counter(to, "operations", "Arrivals by operation and what became of them.", outcomes)?;
    let errors = operations.iter().flat_map(|(name, operation)| {
        operation.errors.iter().map(|(class, count)| (with(label(name), "class", class), *count))
    });
    let help = "Failures, time-outs and unsent arrivals by operation and error class.";
    counter(to, "errors", help, errors)?;
    let of = |time: fn(&Operation) -> &Latency| -> Vec<_> {
        operations.iter().map(|(name, operation)| (label(name), time(operation))).collect()
    };
    times(to, "response_time", "From the intended instant to the answer.", &of(|one| &one.response_time_us))?;
    times(to, "service_time", "From the actual send to the answer.", &of(|one| &one.service_time_us))
}

fn deliveries(deliveries: &BTreeMap<String, Delivery>, to: &mut Encoder<'_>) -> fmt::Result {
    let label = |name: &String| vec![("kind", name.clone())];
    let outcomes = deliveries.iter().flat_map(|(name, delivery)| {
        let counts = [
            ("expected", delivery.expected),
            ("received", delivery.received),
            ("late", delivery.late),
            ("lost", delivery.lost),
            ("duplicated", delivery.duplicated),
            ("out_of_order", delivery.out_of_order),
            ("unexpected", delivery.unexpected),
        ];
        counts.map(|(outcome, count)| (with(label(name), "outcome", outcome), count))
    });
    counter(to, "deliveries", "Pushes by kind and what became of them.", outcomes)?;
    let each: Vec<_> = deliveries.iter().map(|(name, delivery)| (label(name), &delivery.each_us)).collect();
    times(to, "delivery_time", "From a player's send to each recipient's push.", &each)
}

/// A gauge for each percentile, and one for the largest sample.
fn times(to: &mut Encoder<'_>, name: &str, help: &str, all: &[(Labels, &Latency)]) -> fmt::Result {
    let measured = || all.iter().filter(|(_, latency)| latency.count > 0);
    for percentile in [P50, P90, P95, P99, P99_9] {
        let name = format!("{name}_{}", percentile.name.replace('.', "_"));
        let help = format!("{help} {}.", percentile.name);
        let points = measured().map(|(labels, latency)| (labels.clone(), (percentile.of)(latency) as f64 / 1e6));
        gauge(to, &name, &help, Some(&Unit::Seconds), points.collect())?;
    }
    let points = measured().map(|(labels, latency)| (labels.clone(), latency.max as f64 / 1e6)).collect();
    gauge(to, &format!("{name}_max"), &format!("{help} Largest sample."), Some(&Unit::Seconds), points)
}

fn gauge(
    to: &mut Encoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    points: Vec<(Labels, f64)>,
) -> fmt::Result {
    if points.is_empty() {
        return Ok(());
    }
    let mut metric = to.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    points.iter().try_for_each(|(labels, value)| metric.encode_family(labels)?.encode_gauge(value))
}

fn counter(
    to: &mut Encoder<'_>,
    name: &str,
    help: &str,
    points: impl IntoIterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let mut points = points.into_iter().peekable();
    if points.peek().is_none() {
        return Ok(());
    }
    let mut metric = to.encode_descriptor(name, help, None, MetricType::Counter)?;
    points.try_for_each(|(labels, value)| {
        metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)
    })
}

/// Each rule once: a metric must not have two points with the same labels. Of a rule that a folder has twice the last counts.
fn unique(points: impl Iterator<Item = (Labels, f64)>) -> Vec<(Labels, f64)> {
    points.collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn with(mut labels: Labels, key: &'static str, value: &str) -> Labels {
    labels.push((key, value.to_owned()));
    labels
}
