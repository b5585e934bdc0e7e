//! A summary for a run that never wrote its own, from what it wrote as it went.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};

use super::Tag;
use crate::format::{
    Churn, Delivery, Disruption, Generator, GeneratorSecond, Latency, Manifest, Operation, Reconnects, Run,
    RunState, SCHEMA_VERSION, SeriesLine, Sockets, Status, Summary, Verdict,
};

const REASON: &str = "the run did not end properly: its last second and its verdict are missing, and this summary was \
                      made from series.jsonl and latency.hlog; run the scenario again for usable figures";

/// Counts are summed over the seconds that count, latencies come from the merged histograms. What is not in
/// these files (thresholds, saturation) stays empty. What was under way when the run was killed has no outcome, so that
/// sums need not balance.
pub(super) fn summary(
    manifest: &Manifest,
    series: &[SeriesLine],
    histograms: &BTreeMap<String, Histogram<u64>>,
) -> Summary {
    let latency = |tag: Tag<'_>| histograms.get(&tag.to_string()).map(Latency::of).unwrap_or_default();
    let measured = || series.iter().filter(|line| manifest.measures(line.t as f64));
    let operations = operations(&latency, measured());
    let sockets = sockets(series);
    let seconds = || series.iter().map(|line| &line.generator);
    let worst = |of: fn(&GeneratorSecond) -> f64| seconds().map(of).fold(0.0_f64, f64::max);
    let most = |of: fn(&GeneratorSecond) -> u64| seconds().map(of).max().unwrap_or(0);
    let generator = Generator {
        dispatch_delay_us: latency(Tag::Dispatch),
        event_loop_lag_us: latency(Tag::EventLoopLag),
        cpu_seconds: seconds().map(|second| second.cpu_percent / 100.0).sum(),
        peak_rss_bytes: most(|second| second.rss_bytes),
        busiest_thread_percent: worst(|second| second.busiest_thread_percent),
        run_delay_percent: worst(|second| second.run_delay_percent),
        steal_percent: worst(|second| second.steal_percent),
        peak_descriptors: most(|second| second.descriptors),
        peak_receive_queue_bytes: most(|second| second.receive_queue_bytes),
        peak_send_queue_bytes: most(|second| second.send_queue_bytes),
        ..Generator::default()
    };
    let mut summary = Summary {
        schema_version: SCHEMA_VERSION,
        run: Run {
            started_at: started_at(manifest, series),
            ended_at: series.last().map_or(manifest.run.started_at, |line| line.at),
            ..manifest.run.clone()
        },
        verdict: Verdict {
            invalid_reasons: vec![REASON.to_owned()],
            ..Verdict::default()
        },
        sockets,
        operations,
        deliveries: deliveries(&latency, measured()),
        reconnects: reconnects(&latency, series),
        churn: churn(series),
        disruptions: disruptions(series),
        generator,
        ..Summary::default()
    };
    summary.conclude(match manifest.state {
        RunState::Failed => Status::Failed,
        RunState::Interrupted => Status::Interrupted,
        _ => Status::Unfinished,
    });
    summary
}

/// Zero of the run's axis. A manifest that was written before the plan began, as folders of earlier versions have it, is as
/// much too early as tokens took; the series is not.
fn started_at(manifest: &Manifest, series: &[SeriesLine]) -> Timestamp {
    let zero = |line: &SeriesLine| {
        let offset = SignedDuration::from_secs(i64::try_from(line.t).ok()?);
        line.at.checked_sub(offset).ok()
    };
    series.first().and_then(zero).unwrap_or(manifest.run.started_at)
}

fn operations<'a>(
    latency: &impl Fn(Tag<'_>) -> Latency,
    lines: impl Iterator<Item = &'a SeriesLine>,
) -> BTreeMap<String, Operation> {
    let mut sums: BTreeMap<String, Operation> = BTreeMap::new();
    for (name, second) in lines.flat_map(|line| &line.operations) {
        let sum = sums.entry(name.clone()).or_default();
        sum.offered += second.offered;
        sum.sent += second.sent;
        sum.unsent += second.unsent;
        sum.completed += second.completed;
        sum.failed += second.failed;
        sum.timed_out += second.timed_out;
        add(&mut sum.errors, &second.errors);
    }
    for (name, sum) in &mut sums {
        sum.response_time_us = latency(Tag::Response(name));
        sum.service_time_us = latency(Tag::Service(name));
    }
    sums
}

fn deliveries<'a>(
    latency: &impl Fn(Tag<'_>) -> Latency,
    lines: impl Iterator<Item = &'a SeriesLine>,
) -> BTreeMap<String, Delivery> {
    let mut sums: BTreeMap<String, Delivery> = BTreeMap::new();
    let mut called_off: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, second) in lines.flat_map(|line| &line.deliveries) {
        *called_off.entry(kind).or_default() += second.away + second.withdrawn;
        let sum = sums.entry(kind.clone()).or_default();
        sum.expected += second.expected;
        sum.received += second.received;
        sum.late += second.late;
        sum.lost += second.lost;
        sum.away += second.away;
        sum.duplicated += second.duplicated;
        sum.out_of_order += second.out_of_order;
        sum.unexpected += second.unexpected;
    }
    for (kind, sum) in &mut sums {
        // Called off in a later second than it was called for.
        sum.expected = sum.expected.saturating_sub(called_off[kind.as_str()]);
        sum.each_us = latency(Tag::Each(kind));
        sum.first_us = latency(Tag::First(kind));
        sum.last_us = latency(Tag::Last(kind));
    }
    sums
}

/// Sockets belong to the whole run, warm-up included; so do churn and disruptions.
fn sockets(series: &[SeriesLine]) -> Sockets {
    let mut sum = Sockets::default();
    for line in series {
        sum.peak_open = sum.peak_open.max(line.open);
        if let Some(second) = &line.sockets {
            sum.attempted += second.attempted;
            sum.opened += second.opened;
            sum.rejected += second.rejected;
            sum.dropped += second.dropped;
            add(&mut sum.ends, &second.ends);
        } else if let Some(connect) = line.operations.get("connect") {
            sum.attempted += connect.sent;
            sum.opened += connect.completed;
            sum.rejected += connect.failed + connect.timed_out;
        }
    }
    sum
}

fn reconnects(latency: &impl Fn(Tag<'_>) -> Latency, series: &[SeriesLine]) -> Option<Reconnects> {
    let seconds = series.iter().filter_map(|line| line.reconnects.clone());
    let mut sum = seconds.reduce(|mut sum, second| {
        sum.wanted += second.wanted;
        sum.attempts += second.attempts;
        sum.succeeded += second.succeeded;
        sum.gave_up += second.gave_up;
        add(&mut sum.errors, &second.errors);
        sum
    })?;
    // Players that were still trying when the run was killed were not counted.
    sum.unfinished = sum.wanted.saturating_sub(sum.succeeded + sum.gave_up);
    sum.recovery_us = latency(Tag::Recovery);
    Some(sum)
}

fn churn(series: &[SeriesLine]) -> Option<Churn> {
    series.iter().filter_map(|line| line.churn.clone()).reduce(|mut sum, second| {
        sum.left += second.left;
        sum.returned += second.returned;
        let both = |one: Option<u64>, other: Option<u64>| Some(one? + other?);
        sum.placed = both(sum.placed, second.placed);
        sum.unplaced = both(sum.unplaced, second.unplaced);
        add(&mut sum.refused, &second.refused);
        sum
    })
}

fn disruptions(series: &[SeriesLine]) -> BTreeMap<String, Disruption> {
    let mut sums: BTreeMap<String, Disruption> = BTreeMap::new();
    for (kind, second) in series.iter().flat_map(|line| &line.disruptions) {
        let sum = sums.entry(kind.clone()).or_default();
        sum.made += second.made;
        sum.messages_read += second.messages_read;
        add(&mut sum.outcomes, &second.outcomes);
    }
    sums
}

/// Adds counts by class.
fn add(sum: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (class, count) in more {
        *sum.entry(class.clone()).or_default() += count;
    }
}
