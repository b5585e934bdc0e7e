//! Tallies in the form of the run folder: the one place where what was recorded becomes a line of `series.jsonl` or a
//! part of `summary.json`.
//!
//! A second and the whole run have the same figures, so each tally is read once, into the figures of a second; those of
//! the summary are made from them and add what only the whole has.

use std::collections::BTreeMap;

use reports::folder::Tag;
use reports::format::{
    Churn, Delivery, DeliverySecond, Disruption, Frames, Generator, GeneratorSecond, GeneratorWorker,
    Latency, Operation as OperationSummary, OperationSecond, Reconnects, Sockets, SocketsSecond, Summary,
};
use scenarios::Plan;
use scenarios::plan::Model;
use scenarios::plan::disruptions::{ClientFault, Policy};
use scenarios::plan::operation::What;

use super::hops;
use super::totals::{Totals, WorkerTotals};
use crate::health::sample::Second;
use crate::record::{
    ChurnTally, Classes, DeliveryTally, DisruptionsTally, FrameTally, Latencies, Measures, OperationTally,
    ReconnectTally, ThreadTally,
};

/// What a second's arrivals came to, of the operations that had any.
pub(crate) fn operation_seconds(plan: &Plan, measures: &Measures) -> BTreeMap<String, OperationSecond> {
    plan.operations
        .iter()
        .map(|planned| (planned.name.to_string(), operation_of(measures.operation(planned.operation))))
        .filter(|(_, second)| {
            let ended = second.unsent + second.completed + second.failed + second.timed_out;
            second.offered + second.sent + ended > 0
        })
        .collect()
}

/// What the run's arrivals came to, of the operations that the plan has.
pub(crate) fn operations(plan: &Plan, measures: &Measures) -> BTreeMap<String, OperationSummary> {
    plan.operations
        .iter()
        .map(|planned| {
            let OperationSecond {
                offered,
                sent,
                unsent,
                completed,
                failed,
                timed_out,
                errors,
                response_time_us,
                service_time_us,
            } = operation_of(measures.operation(planned.operation));
            let model = match planned.model {
                Model::Closed { .. } => "closed",
                Model::Open if matches!(planned.what, What::Journey(_)) => OperationSummary::JOURNEY,
                Model::Open => "open",
            };
            let summary = OperationSummary {
                model: model.into(),
                offered,
                sent,
                unsent,
                completed,
                failed,
                timed_out,
                errors,
                response_time_us,
                service_time_us,
                unfinished: measures.operation(planned.operation).unfinished,
            };
            (planned.name.to_string(), summary)
        })
        .collect()
}

fn operation_of(tally: &OperationTally) -> OperationSecond {
    OperationSecond {
        offered: tally.offered,
        sent: tally.sent,
        unsent: tally.unsent,
        completed: tally.completed,
        failed: tally.failed,
        timed_out: tally.timed_out,
        errors: classes(&tally.errors),
        response_time_us: Latency::of(tally.response.histogram()),
        service_time_us: Latency::of(tally.service.histogram()),
    }
}

/// What a second's pushes came to, of the kinds that had any.
pub(crate) fn delivery_seconds(plan: &Plan, measures: &Measures) -> BTreeMap<String, DeliverySecond> {
    plan.kinds()
        .map(|(kind, push)| (push, measures.delivery(kind)))
        .filter(|(_, tally)| tally.seen())
        .map(|(push, tally)| {
            let hops = hops::second(plan, push, tally);
            (push.name.to_string(), DeliverySecond { hops, ..delivery_of(tally) })
        })
        .collect()
}

/// What the run's pushes came to, of the kinds that the plan's operations call for.
pub(crate) fn deliveries(plan: &Plan, measures: &Measures) -> BTreeMap<String, Delivery> {
    plan.kinds()
        .filter(|(_, push)| push.operation.is_some())
        .map(|(kind, push)| {
            let tally = measures.delivery(kind);
            let DeliverySecond {
                received,
                late,
                lost,
                too_late,
                away,
                duplicated,
                out_of_order,
                unexpected,
                each_us,
                ..
            } = delivery_of(tally);
            let summary = Delivery {
                expected: tally.due(),
                received,
                late,
                lost,
                too_late,
                lost_after_s: Some(plan.lost_after(kind).as_secs_f64()),
                away,
                duplicated,
                out_of_order,
                unexpected,
                each_us,
                first_us: Latency::of(tally.first.histogram()),
                last_us: Latency::of(tally.last.histogram()),
            };
            (push.name.to_string(), summary)
        })
        .collect()
}

fn delivery_of(tally: &DeliveryTally) -> DeliverySecond {
    DeliverySecond {
        expected: tally.expected,
        received: tally.received,
        late: tally.late,
        lost: tally.lost,
        too_late: tally.too_late,
        away: tally.away,
        withdrawn: tally.withdrawn,
        duplicated: tally.duplicated,
        out_of_order: tally.out_of_order,
        unexpected: tally.unexpected,
        each_us: Latency::of(tally.each.histogram()),
        hops: BTreeMap::new(),
    }
}

/// The sockets.
pub(crate) fn sockets(tally: &ThreadTally) -> SocketsSecond {
    let sockets = &tally.sockets;
    SocketsSecond {
        attempted: sockets.attempted,
        opened: sockets.opened,
        rejected: sockets.rejected,
        dropped: sockets.dropped,
        ends: classes(&tally.disruptions.ends),
    }
}

/// The messages that were received.
fn frames(tally: &FrameTally) -> Frames {
    let shapes = classes(&tally.unclassified);
    let unclassified = shapes.values().sum();
    Frames { received: tally.understood + unclassified, unclassified, shapes }
}

/// Reconnects, where the plan or the protocol has them.
pub(crate) fn reconnects(plan: &Plan, tally: &ReconnectTally, recovery: &Latencies) -> Option<Reconnects> {
    let has = plan.disruptions.reconnect.policy != Policy::None || tally.wanted > 0;
    has.then(|| Reconnects {
        wanted: tally.wanted,
        attempts: tally.attempts,
        succeeded: tally.succeeded,
        gave_up: tally.gave_up,
        unfinished: tally.unfinished,
        errors: classes(&tally.errors),
        recovery_us: Latency::of(recovery.histogram()),
    })
}

/// Churn, where the plan has it or journeys that leave; `players` take part.
pub(crate) fn churn(plan: &Plan, players: u64, tally: &ChurnTally) -> Option<Churn> {
    let leaves = plan.journeys.shares().any(|(_, journey)| journey.leaves());
    (plan.disruptions.churn.is_some() || leaves).then(|| Churn {
        players,
        left: tally.left,
        returned: tally.returned,
        refused: classes(&tally.refused),
        ..Churn::default()
    })
}

/// Every kind of client fault that there was.
pub(crate) fn client_faults(tally: &DisruptionsTally) -> BTreeMap<String, Disruption> {
    let all = ClientFault::ALL.iter().zip(&tally.faults).map(|(kind, fault)| {
        let messages_read = if *kind == ClientFault::SlowReader { tally.slow_reads } else { 0 };
        let outcomes = classes(&fault.outcomes);
        (kind.to_string(), Disruption { made: fault.made, outcomes, messages_read })
    });
    all.filter(|(_, fault)| *fault != Disruption::default()).collect()
}

/// The generator in one second.
pub(crate) fn generator_second(measures: &Measures, health: &Second) -> GeneratorSecond {
    GeneratorSecond {
        dispatch_delay_us: Latency::of(measures.dispatch_delay.histogram()),
        cpu_percent: rounded(health.cpu_percent, 1),
        rss_bytes: health.rss_bytes,
        event_loop_lag_us: Latency::of(measures.event_loop_lag.histogram()),
        busiest_thread_percent: rounded(health.busiest_thread_percent, 1),
        run_delay_percent: rounded(health.run_delay_percent, 1),
        steal_percent: rounded(health.steal_percent, 1),
        descriptors: health.descriptors,
        receive_queue_bytes: health.receive_queue_bytes,
        send_queue_bytes: health.send_queue_bytes,
    }
}

/// The generator over the whole run; `saturated` where it could not keep up with the plan.
pub(super) fn generator(totals: &Totals<'_>, saturated: bool) -> Generator {
    let Totals { tally, watched, workers, .. } = *totals;
    let worst = generator_second(&tally.measured, &watched.worst);
    Generator {
        dispatch_delay_us: worst.dispatch_delay_us,
        cpu_seconds: rounded(watched.cpu_seconds, 3),
        peak_rss_bytes: watched.peak_rss_bytes,
        saturated,
        event_loop_lag_us: worst.event_loop_lag_us,
        cores: watched.cores,
        busy_seconds: watched.busy_seconds,
        busiest_thread_percent: worst.busiest_thread_percent,
        run_delay_percent: worst.run_delay_percent,
        steal_percent: worst.steal_percent,
        peak_descriptors: worst.descriptors,
        peak_receive_queue_bytes: worst.receive_queue_bytes,
        peak_send_queue_bytes: worst.send_queue_bytes,
        clock_step_ms: rounded(watched.worst.clock_step_ms, 1),
        relay_lag_us: Latency::of(tally.relay_lag.histogram()),
        workers: workers.iter().filter_map(worker).collect(),
    }
}

/// A worker, where it is a process of its own.
fn worker(worker: &WorkerTotals) -> Option<GeneratorWorker> {
    let process = worker.process.as_ref()?;
    let micros = |nanos: i64| rounded(nanos as f64 / 1e3, 1);
    Some(GeneratorWorker {
        index: worker.index,
        pid: process.pid,
        players: u64::from(worker.players),
        opened: process.total.sockets.opened,
        cpu_seconds: rounded(worker.watched.cpu_seconds, 3),
        peak_rss_bytes: worker.watched.peak_rss_bytes,
        clock_offset_us: process.offset.map(|offset| micros(offset.ahead_ns)),
        clock_error_us: process.offset.map(|offset| micros(offset.error_ns)),
        receipts_passed: process.receipts_forwarded,
        lost: worker.lost.is_some(),
    })
}

/// The part of a summary that thresholds look at, of some arrivals.
pub(super) fn for_thresholds(
    plan: &Plan,
    total: &ThreadTally,
    measures: &Measures,
    peak_open: u64,
) -> Summary {
    let SocketsSecond { attempted, opened, rejected, dropped, ends } = sockets(total);
    Summary {
        sockets: Sockets { attempted, opened, rejected, dropped, peak_open, ends },
        frames: Some(frames(&total.frames)),
        reconnects: reconnects(plan, &total.disruptions.reconnects, &measures.recovery),
        operations: operations(plan, measures),
        deliveries: deliveries(plan, measures),
        ..Summary::default()
    }
}

/// Every histogram with its tag in the interval log.
pub(crate) fn histograms<'r>(
    plan: &'r Plan,
    measures: &'r Measures,
) -> impl Iterator<Item = (Tag<'r>, &'r Latencies)> {
    let operations = plan.operations.iter().flat_map(|planned| {
        let (tally, name) = (measures.operation(planned.operation), &*planned.name);
        [(Tag::Response(name), &tally.response), (Tag::Service(name), &tally.service)]
    });
    let deliveries = plan.kinds().flat_map(|(kind, push)| {
        let (tally, word) = (measures.delivery(kind), &*push.name);
        [(Tag::Each(word), &tally.each), (Tag::First(word), &tally.first), (Tag::Last(word), &tally.last)]
    });
    operations.chain(deliveries).chain([
        (Tag::Dispatch, &measures.dispatch_delay),
        (Tag::EventLoopLag, &measures.event_loop_lag),
        (Tag::Recovery, &measures.recovery),
    ])
}

fn classes(classes: &Classes) -> BTreeMap<String, u64> {
    classes.iter().map(|(class, count)| (class.to_owned(), count)).collect()
}

/// A number with so many decimals.
fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}
