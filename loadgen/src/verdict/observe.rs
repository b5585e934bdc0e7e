//! What a threshold observes in a summary, or why it observes nothing.
//!
//! A count of what went wrong means something only where something could have gone wrong: `message.lost == 0` of no
//! expected message does not pass.

use reports::format::{Delivery, Frames, Latency, Operation, Reconnects, Summary};
use scenarios::plan::threshold::{
    DeliveryCount, DeliveryTime, Metric, OperationCount, OperationTime, ReconnectCount, SocketCount, Stat,
};

/// The metric's value in its own unit; else why it has none.
pub(super) fn observe(metric: &Metric, summary: &Summary) -> Result<f64, &'static str> {
    let operation = |word: &str| summary.operations.get(word).ok_or(NOTHING);
    let fits = fits(summary);
    let delivery = |word: &str| match summary.deliveries.get(word) {
        _ if !fits => Err(MISFIT),
        delivery => delivery.ok_or(NOTHING),
    };
    match metric {
        Metric::OperationTime { operation: of, time, stat } => {
            let operation = operation(of)?;
            let latency = match time {
                OperationTime::Response => &operation.response_time_us,
                OperationTime::Service => &operation.service_time_us,
            };
            statistic(latency, *stat).ok_or("nothing was answered")
        }
        Metric::OperationCount(of, count) => counted(operation(of)?, *count),
        Metric::ErrorRate(of) => summary.error_rate(of.as_deref()).ok_or("nothing was called for"),
        Metric::DeliveryTime { push, time, stat } => {
            let delivery = delivery(push)?;
            let latency = match time {
                DeliveryTime::Each => &delivery.each_us,
                DeliveryTime::First => &delivery.first_us,
                DeliveryTime::Last => &delivery.last_us,
            };
            statistic(latency, *stat).ok_or("nothing was received")
        }
        Metric::DeliveryCount(push, count) => delivered(delivery(push)?, *count),
        Metric::LostRate(push) => {
            let delivery = delivery(push)?;
            share(delivery.lost, delivery.expected, UNEXPECTED)
        }
        Metric::Reconnects(count) => Ok(reconnected(summary.reconnects.as_ref().ok_or(NOTHING)?, *count)),
        Metric::Recovery(stat) => {
            let reconnects = summary.reconnects.as_ref().ok_or(NOTHING)?;
            statistic(&reconnects.recovery_us, *stat).ok_or("nobody came back")
        }
        Metric::Sockets(count) => sockets(summary, *count),
    }
}

/// Whether the protocol fits the target, as far as is known.
fn fits(summary: &Summary) -> bool {
    summary.frames.as_ref().is_none_or(Frames::fit)
}

const NOTHING: &str = "no samples";
const MISFIT: &str = "too many frames were not understood";
const UNEXPECTED: &str = "nothing was expected";

fn share(part: u64, whole: u64, without: &'static str) -> Result<f64, &'static str> {
    if whole == 0 { Err(without) } else { Ok(part as f64 / whole as f64) }
}

/// A count of what went wrong, out of so many that could have.
const fn wrong(count: u64, of: u64, without: &'static str) -> Result<f64, &'static str> {
    if of == 0 { Err(without) } else { Ok(count as f64) }
}

fn counted(operation: &Operation, count: OperationCount) -> Result<f64, &'static str> {
    match count {
        OperationCount::Offered => Ok(operation.offered as f64),
        OperationCount::Sent => Ok(operation.sent as f64),
        OperationCount::Completed => Ok(operation.completed as f64),
        OperationCount::Unsent => {
            wrong(operation.could_not_be_sent(), operation.called_for(), "nothing was called for")
        }
        OperationCount::Failed => wrong(operation.went_wrong(), operation.sent, "nothing was sent"),
        OperationCount::TimedOut => wrong(operation.timed_out, operation.sent, "nothing was sent"),
    }
}

fn delivered(delivery: &Delivery, count: DeliveryCount) -> Result<f64, &'static str> {
    let of_expected = |count| wrong(count, delivery.expected, UNEXPECTED);
    match count {
        DeliveryCount::Expected => Ok(delivery.expected as f64),
        DeliveryCount::Received => Ok(delivery.received as f64),
        DeliveryCount::Unexpected => Ok(delivery.unexpected as f64),
        DeliveryCount::Late => of_expected(delivery.late),
        DeliveryCount::Lost => of_expected(delivery.lost),
        DeliveryCount::Duplicated => of_expected(delivery.duplicated),
        DeliveryCount::OutOfOrder => of_expected(delivery.out_of_order),
    }
}

fn sockets(summary: &Summary, count: SocketCount) -> Result<f64, &'static str> {
    let sockets = &summary.sockets;
    const NO_SOCKET: &str = "no socket was opened";
    match count {
        SocketCount::Attempted => Ok(sockets.attempted as f64),
        SocketCount::Opened => Ok(sockets.opened as f64),
        SocketCount::PeakOpen => Ok(sockets.peak_open as f64),
        SocketCount::Rejected => wrong(sockets.rejected, sockets.attempted, "no handshake was begun"),
        SocketCount::Dropped => wrong(sockets.dropped, sockets.opened, NO_SOCKET),
        SocketCount::DroppedRate => share(sockets.dropped, sockets.opened, NO_SOCKET),
    }
}

fn reconnected(reconnects: &Reconnects, count: ReconnectCount) -> f64 {
    (match count {
        ReconnectCount::Wanted => reconnects.wanted,
        ReconnectCount::Attempts => reconnects.attempts,
        ReconnectCount::Succeeded => reconnects.succeeded,
        ReconnectCount::GaveUp => reconnects.gave_up,
        ReconnectCount::Unfinished => reconnects.unfinished,
    }) as f64
}

fn statistic(latency: &Latency, stat: Stat) -> Option<f64> {
    (latency.count > 0).then_some(match stat {
        Stat::Min => latency.min as f64,
        Stat::Mean => latency.mean,
        Stat::P50 => latency.p50 as f64,
        Stat::P90 => latency.p90 as f64,
        Stat::P95 => latency.p95 as f64,
        Stat::P99 => latency.p99 as f64,
        Stat::P999 => latency.p99_9 as f64,
        Stat::P9999 => latency.p99_99 as f64,
        Stat::Max => latency.max as f64,
    })
}

/// What went wrong and no threshold looks at, and which thresholds had nothing to look at.
pub(super) fn not_judged(metrics: &[&Metric], summary: &Summary) -> Vec<String> {
    let mut told: Vec<_> = summary
        .thresholds
        .iter()
        .filter_map(|threshold| {
            let why = threshold.not_judged.as_ref()?;
            Some(format!("{}: {why}", reports::verdict::rule(threshold)))
        })
        .collect();
    let nobody = |looks: &dyn Fn(&Metric) -> bool| !metrics.iter().any(|metric| looks(metric));
    for (word, operation) in &summary.operations {
        let looks = |metric: &Metric| match metric {
            Metric::ErrorRate(of) => of.as_ref().is_none_or(|of| of == word),
            Metric::OperationCount(of, _) => of == word,
            _ => false,
        };
        let errors = operation.errors();
        if errors > 0 && nobody(&looks) {
            told.push(format!(
                "{errors} of {} arrivals of {word} failed, timed out or could not be sent, and no threshold looks at them",
                operation.judged()
            ));
        }
    }
    let dropped =
        |metric: &Metric| matches!(metric, Metric::Sockets(SocketCount::Dropped | SocketCount::DroppedRate));
    let sockets = &summary.sockets;
    if sockets.dropped > 0 && nobody(&dropped) {
        told.push(format!(
            "{} of {} sockets were dropped, and no threshold looks at them",
            sockets.dropped, sockets.opened
        ));
    }
    if !fits(summary) {
        // What was not understood may be what did not come.
        let called_for = summary.deliveries.iter().filter(|(_, delivery)| delivery.expected > 0);
        told.extend(called_for.map(|(word, _)| format!("deliveries of {word}: {MISFIT}")));
        return told;
    }
    for (word, delivery) in &summary.deliveries {
        let looks = |metric: &Metric| match metric {
            Metric::LostRate(push)
            | Metric::DeliveryCount(push, DeliveryCount::Lost | DeliveryCount::Received) => push == word,
            _ => false,
        };
        if delivery.lost > 0 && nobody(&looks) {
            told.push(format!(
                "{} of {} {word} deliveries were lost, and no threshold looks at them",
                delivery.lost, delivery.expected
            ));
        }
    }
    told
}
