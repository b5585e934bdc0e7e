//! A summary for a run that never wrote its own, from what it wrote as it went.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};

use super::Tag;
use crate::digest::Digest;
use crate::format::{
    Delivery, DeliverySecond, Generator, Latency, Manifest, Operation, OperationSecond, Reconnects, Run,
    RunState, SCHEMA_VERSION, SeriesLine, Sockets, SocketsSecond, Status, Summary, Verdict,
};

const REASON: &str = "the run did not end properly: its last second and its verdict are missing, and this summary was \
                      made from series.jsonl and latency.hlog; run the scenario again for usable figures";

/// Counts are summed over the seconds that count, latencies come from the merged histograms. What is not in
/// these files (thresholds, saturation) stays empty. What was under way when the run was killed has no outcome, so that
/// sums need not balance.
pub(super) fn summary(
    manifest: &Manifest,
    digest: &Digest,
    histograms: &BTreeMap<String, Histogram<u64>>,
) -> Summary {
    let latency = |tag: Tag<'_>| histograms.get(&tag.to_string()).map(Latency::of).unwrap_or_default();
    // Sockets belong to the whole run, warm-up included; so do churn, disruptions and the generator.
    let (whole, measured) = (&digest.whole().sum, &digest.measured().sum);
    let second = &whole.generator;
    let generator = Generator {
        dispatch_delay_us: latency(Tag::Dispatch),
        event_loop_lag_us: latency(Tag::EventLoopLag),
        cpu_seconds: digest.whole().cpu_seconds,
        peak_rss_bytes: second.rss_bytes,
        busiest_thread_percent: second.busiest_thread_percent,
        run_delay_percent: second.run_delay_percent,
        steal_percent: second.steal_percent,
        peak_descriptors: second.descriptors,
        peak_receive_queue_bytes: second.receive_queue_bytes,
        peak_send_queue_bytes: second.send_queue_bytes,
        ..Generator::default()
    };
    let mut summary = Summary {
        schema_version: SCHEMA_VERSION,
        run: Run {
            started_at: started_at(manifest, digest),
            ended_at: digest.last().map_or(manifest.run.started_at, |(_, at)| at),
            ..manifest.run.clone()
        },
        verdict: Verdict { invalid_reasons: vec![REASON.to_owned()], ..Verdict::default() },
        sockets: sockets(whole),
        operations: measured
            .operations
            .iter()
            .map(|(name, sum)| (name.clone(), operation(&latency, name, sum)))
            .collect(),
        deliveries: measured
            .deliveries
            .iter()
            .map(|(kind, sum)| (kind.clone(), delivery(&latency, kind, sum)))
            .collect(),
        reconnects: reconnects(&latency, whole),
        churn: whole.churn.clone(),
        disruptions: whole.disruptions.clone(),
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
fn started_at(manifest: &Manifest, digest: &Digest) -> Timestamp {
    let zero = |(t, at): (u64, Timestamp)| {
        let offset = SignedDuration::from_secs(i64::try_from(t).ok()?);
        at.checked_sub(offset).ok()
    };
    digest.first().and_then(zero).unwrap_or(manifest.run.started_at)
}

fn operation(latency: &impl Fn(Tag<'_>) -> Latency, name: &str, sum: &OperationSecond) -> Operation {
    Operation {
        offered: sum.offered,
        sent: sum.sent,
        unsent: sum.unsent,
        completed: sum.completed,
        failed: sum.failed,
        timed_out: sum.timed_out,
        errors: sum.errors.clone(),
        response_time_us: latency(Tag::Response(name)),
        service_time_us: latency(Tag::Service(name)),
        ..Operation::default()
    }
}

fn delivery(latency: &impl Fn(Tag<'_>) -> Latency, kind: &str, sum: &DeliverySecond) -> Delivery {
    Delivery {
        // Called off in a later second than it was called for.
        expected: sum.expected.saturating_sub(sum.away.saturating_add(sum.withdrawn)),
        received: sum.received,
        late: sum.late,
        lost: sum.lost,
        too_late: sum.too_late,
        away: sum.away,
        duplicated: sum.duplicated,
        out_of_order: sum.out_of_order,
        unexpected: sum.unexpected,
        each_us: latency(Tag::Each(kind)),
        first_us: latency(Tag::First(kind)),
        last_us: latency(Tag::Last(kind)),
        ..Delivery::default()
    }
}

fn sockets(whole: &SeriesLine) -> Sockets {
    let sum = match (&whole.sockets, whole.operations.get("connect")) {
        (Some(sum), _) => sum.clone(),
        (None, Some(connect)) => SocketsSecond {
            attempted: connect.sent,
            opened: connect.completed,
            rejected: connect.failed.saturating_add(connect.timed_out),
            ..SocketsSecond::default()
        },
        (None, None) => SocketsSecond::default(),
    };
    let SocketsSecond { attempted, opened, rejected, dropped, ends } = sum;
    Sockets { attempted, opened, rejected, dropped, peak_open: whole.open, ends }
}

fn reconnects(latency: &impl Fn(Tag<'_>) -> Latency, whole: &SeriesLine) -> Option<Reconnects> {
    let mut sum = whole.reconnects.clone()?;
    // Players that were still trying when the run was killed were not counted.
    sum.unfinished = sum.wanted.saturating_sub(sum.succeeded.saturating_add(sum.gave_up));
    sum.recovery_us = latency(Tag::Recovery);
    Some(sum)
}
