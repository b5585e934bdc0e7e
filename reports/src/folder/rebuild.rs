//! A summary for a run that never wrote its own, from what it wrote as it went.

use std::collections::BTreeMap;

use super::{RunFolder, Tag};
use crate::format::{
    Delivery, Generator, GeneratorSecond, Latency, Operation, Run, SCHEMA_VERSION, SeriesLine, Sockets,
    Summary, Verdict,
};

const REASON: &str = "the run did not end properly: its last second and its verdict are missing, and this summary was \
                      made from series.jsonl and latency.hlog; run the scenario again for figures that hold";

/// Counts are summed over the seconds that count, latencies come from the merged histograms. What only the tool
/// knew (error classes, dropped sockets, unexpected deliveries, thresholds, saturation) stays empty.
pub(super) fn summary(folder: &RunFolder) -> Summary {
    let manifest = &folder.manifest;
    let measured = || folder.series.iter().filter(|line| manifest.measures(line.t as f64));
    let operations = operations(folder, measured());
    let sockets = sockets(&folder.series);
    let seconds = || folder.series.iter().map(|line| &line.generator);
    let worst = |of: fn(&GeneratorSecond) -> f64| seconds().map(of).fold(0.0_f64, f64::max);
    let most = |of: fn(&GeneratorSecond) -> u64| seconds().map(of).max().unwrap_or(0);
    let generator = Generator {
        dispatch_delay_us: latency(folder, Tag::Dispatch),
        event_loop_lag_us: latency(folder, Tag::EventLoopLag),
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
    Summary {
        schema_version: SCHEMA_VERSION,
        run: Run {
            ended_at: folder.series.last().map_or(manifest.run.started_at, |line| line.at),
            ..manifest.run.clone()
        },
        verdict: Verdict { invalid_reasons: vec![REASON.to_owned()], ..Verdict::default() },
        sockets,
        operations,
        deliveries: deliveries(folder, measured()),
        generator,
        ..Summary::default()
    }
}

fn latency(folder: &RunFolder, tag: Tag<'_>) -> Latency {
    folder.histogram(tag).map(Latency::of).unwrap_or_default()
}

fn operations<'a>(
    folder: &RunFolder,
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
    }
    for (name, sum) in &mut sums {
        sum.response_time_us = latency(folder, Tag::Response(name));
        sum.service_time_us = latency(folder, Tag::Service(name));
    }
    sums
}

fn deliveries<'a>(
    folder: &RunFolder,
    lines: impl Iterator<Item = &'a SeriesLine>,
) -> BTreeMap<String, Delivery> {
    let mut sums: BTreeMap<String, Delivery> = BTreeMap::new();
    for (kind, second) in lines.flat_map(|line| &line.deliveries) {
        let sum = sums.entry(kind.clone()).or_default();
        sum.expected += second.expected;
        sum.received += second.received;
        sum.late += second.late;
        sum.lost += second.lost;
        sum.duplicated += second.duplicated;
        sum.out_of_order += second.out_of_order;
    }
    for (kind, sum) in &mut sums {
        sum.each_us = latency(folder, Tag::Each(kind));
        sum.first_us = latency(folder, Tag::First(kind));
        sum.last_us = latency(folder, Tag::Last(kind));
    }
    sums
}

/// Sockets belong to the whole run, warm-up included, and the `connect` operation is what opens them.
fn sockets(series: &[SeriesLine]) -> Sockets {
    let mut sockets = Sockets::default();
    for line in series {
        sockets.peak_open = sockets.peak_open.max(line.open);
        if let Some(connect) = line.operations.get("connect") {
            sockets.attempted += connect.sent;
            sockets.opened += connect.completed;
            sockets.rejected += connect.failed + connect.timed_out;
        }
    }
    sockets
}
