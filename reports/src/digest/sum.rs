//! Seconds added up: counts are summed, what is a state is the highest of its seconds.

use std::collections::BTreeMap;

use crate::format::{
    Churn, DeliverySecond, Disruption, GeneratorSecond, HopSecond, Latency, OperationSecond, Reconnects,
    SeriesLine, SocketsSecond,
};

/// Adds a second to a sum whose `t`, `at` and `phase` are those of its first second. Of latencies that come of several seconds, count,
/// mean, minimum and maximum hold; their percentiles are not known and are 0.
pub(super) fn add(sum: &mut SeriesLine, second: &SeriesLine) {
    sum.open = sum.open.max(second.open);
    each(&mut sum.operations, &second.operations, operation);
    each(&mut sum.deliveries, &second.deliveries, delivery);
    some(&mut sum.sockets, &second.sockets, sockets);
    some(&mut sum.reconnects, &second.reconnects, reconnects);
    some(&mut sum.churn, &second.churn, churn);
    each(&mut sum.disruptions, &second.disruptions, disruption);
    generator(&mut sum.generator, &second.generator);
}

fn each<T: Clone>(sums: &mut BTreeMap<String, T>, seconds: &BTreeMap<String, T>, add: impl Fn(&mut T, &T)) {
    for (name, second) in seconds {
        match sums.get_mut(name) {
            Some(sum) => add(sum, second),
            None => {
                sums.insert(name.clone(), second.clone());
            }
        }
    }
}

fn some<T: Clone>(sum: &mut Option<T>, second: &Option<T>, add: impl Fn(&mut T, &T)) {
    match (sum, second) {
        (Some(sum), Some(second)) => add(sum, second),
        (sum @ None, Some(second)) => *sum = Some(second.clone()),
        (_, None) => {}
    }
}

/// Counts come from a folder that is not trusted: they saturate.
fn count(sum: &mut u64, second: u64) {
    *sum = sum.saturating_add(second);
}

fn classes(sums: &mut BTreeMap<String, u64>, seconds: &BTreeMap<String, u64>) {
    each(sums, seconds, |sum, second| count(sum, *second));
}

fn operation(sum: &mut OperationSecond, second: &OperationSecond) {
    count(&mut sum.offered, second.offered);
    count(&mut sum.sent, second.sent);
    count(&mut sum.unsent, second.unsent);
    count(&mut sum.completed, second.completed);
    count(&mut sum.failed, second.failed);
    count(&mut sum.timed_out, second.timed_out);
    classes(&mut sum.errors, &second.errors);
    latency(&mut sum.response_time_us, &second.response_time_us);
    latency(&mut sum.service_time_us, &second.service_time_us);
}

fn delivery(sum: &mut DeliverySecond, second: &DeliverySecond) {
    count(&mut sum.expected, second.expected);
    count(&mut sum.received, second.received);
    count(&mut sum.late, second.late);
    count(&mut sum.lost, second.lost);
    count(&mut sum.too_late, second.too_late);
    count(&mut sum.away, second.away);
    count(&mut sum.withdrawn, second.withdrawn);
    count(&mut sum.duplicated, second.duplicated);
    count(&mut sum.out_of_order, second.out_of_order);
    count(&mut sum.unexpected, second.unexpected);
    latency(&mut sum.each_us, &second.each_us);
    each(&mut sum.hops, &second.hops, hop);
}

fn hop(sum: &mut HopSecond, second: &HopSecond) {
    sum.mean_us = mean((sum.mean_us, sum.count), (second.mean_us, second.count));
    count(&mut sum.count, second.count);
}

fn sockets(sum: &mut SocketsSecond, second: &SocketsSecond) {
    count(&mut sum.attempted, second.attempted);
    count(&mut sum.opened, second.opened);
    count(&mut sum.rejected, second.rejected);
    count(&mut sum.dropped, second.dropped);
    classes(&mut sum.ends, &second.ends);
}

fn reconnects(sum: &mut Reconnects, second: &Reconnects) {
    count(&mut sum.wanted, second.wanted);
    count(&mut sum.attempts, second.attempts);
    count(&mut sum.succeeded, second.succeeded);
    count(&mut sum.gave_up, second.gave_up);
    count(&mut sum.unfinished, second.unfinished);
    classes(&mut sum.errors, &second.errors);
    latency(&mut sum.recovery_us, &second.recovery_us);
}

fn churn(sum: &mut Churn, second: &Churn) {
    sum.players = sum.players.max(second.players);
    count(&mut sum.left, second.left);
    count(&mut sum.returned, second.returned);
    let both = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
    sum.placed = both(sum.placed, second.placed);
    sum.unplaced = both(sum.unplaced, second.unplaced);
    classes(&mut sum.refused, &second.refused);
}

fn disruption(sum: &mut Disruption, second: &Disruption) {
    count(&mut sum.made, second.made);
    count(&mut sum.messages_read, second.messages_read);
    classes(&mut sum.outcomes, &second.outcomes);
}

fn generator(sum: &mut GeneratorSecond, second: &GeneratorSecond) {
    latency(&mut sum.dispatch_delay_us, &second.dispatch_delay_us);
    latency(&mut sum.event_loop_lag_us, &second.event_loop_lag_us);
    sum.cpu_percent = sum.cpu_percent.max(second.cpu_percent);
    sum.rss_bytes = sum.rss_bytes.max(second.rss_bytes);
    sum.busiest_thread_percent = sum.busiest_thread_percent.max(second.busiest_thread_percent);
    sum.run_delay_percent = sum.run_delay_percent.max(second.run_delay_percent);
    sum.steal_percent = sum.steal_percent.max(second.steal_percent);
    sum.descriptors = sum.descriptors.max(second.descriptors);
    sum.receive_queue_bytes = sum.receive_queue_bytes.max(second.receive_queue_bytes);
    sum.send_queue_bytes = sum.send_queue_bytes.max(second.send_queue_bytes);
}

fn latency(sum: &mut Latency, second: &Latency) {
    if second.count == 0 {
        return;
    }
    if sum.count == 0 {
        *sum = *second;
        return;
    }
    *sum = Latency {
        count: sum.count.saturating_add(second.count),
        min: sum.min.min(second.min),
        mean: mean((sum.mean, sum.count), (second.mean, second.count)),
        max: sum.max.max(second.max),
        ..Latency::default()
    };
}

fn mean((one, of_one): (f64, u64), (other, of_other): (f64, u64)) -> f64 {
    let (of_one, of_other) = (of_one as f64, of_other as f64);
    if of_one + of_other == 0.0 { 0.0 } else { (one * of_one + other * of_other) / (of_one + of_other) }
}
