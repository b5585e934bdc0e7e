//! The key figures: how much there was of everything, and the worst of it.

use super::context::Context;
use super::worst::{worst_delivery, worst_operation};
use crate::format::{Frames, Latency, Operation};
use crate::html::banner::KeyFigure;
use crate::human::{self, NOTHING, P50, P99};

pub(super) fn of(context: &Context<'_>) -> Vec<KeyFigure> {
    let Context { summary, folder, .. } = context;
    let figure = |name, value, note| KeyFigure { name, value, note };
    let mut figures = vec![
        figure(
            "Players",
            human::count(folder.manifest.players),
            format!("{} sockets open at peak", human::count(summary.sockets.peak_open)),
        ),
        figure(
            "Duration",
            human::clock(context.length_s()),
            format!("{} of it measured", human::clock(context.measured_s())),
        ),
    ];
    figures.extend(throughput(context));
    if let Some((name, operation)) = worst_operation(context) {
        figures.push(latency("Slowest answers, p99", name, &operation.response_time_us));
    }
    if let Some((kind, delivery)) = worst_delivery(context) {
        figures.push(latency("Slowest deliveries, p99", kind, &delivery.each_us));
    }
    let connect = summary.operations.get("connect").filter(|connect| connect.completed > 0);
    figures.extend(connect.map(|connect| latency("Connecting, p99", "connect", &connect.response_time_us)));
    figures.extend(lost(context));
    figures
}

/// Of the operation that was asked for most.
fn throughput(context: &Context<'_>) -> Option<KeyFigure> {
    let asked = context.operations.iter().filter_map(|name| context.summary.operations.get_key_value(*name));
    let mut answered = asked.filter(|(name, operation)| {
        operation.completed > 0 && !operation.is_journey() && !super::worst::is_opening(name)
    });
    let (name, operation): (&String, &Operation) = answered.next()?;
    // Over the seconds in which it was called for: not while players connect, nor while the last pushes are awaited.
    let seconds = context.seconds_called_for(name).max(1);
    let rate = operation.completed as f64 / seconds as f64;
    Some(KeyFigure {
        name: "Throughput",
        value: format!("{}/s", human::significant(rate)),
        note: format!("{name} completed, {} in {seconds} s", human::count(operation.completed)),
    })
}

/// Of all pushes together, with the one that lost the largest share.
fn lost(context: &Context<'_>) -> Option<KeyFigure> {
    let deliveries = &context.summary.deliveries;
    let expected: u64 = deliveries.values().map(|delivery| delivery.expected).sum();
    let lost: u64 = deliveries.values().map(|delivery| delivery.lost).sum();
    if expected == 0 {
        return None;
    }
    let of = format!("of {} deliveries", human::count(expected));
    if !context.summary.frames.as_ref().is_none_or(Frames::fit) {
        let note = format!("{of} expected, none judged: frames were not understood");
        return Some(KeyFigure { name: "Lost", value: NOTHING.into(), note });
    }
    let share = |(_, delivery): &(&String, &crate::format::Delivery)| {
        delivery.lost as f64 / delivery.expected.max(1) as f64
    };
    let worst = deliveries.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    let worst = match worst {
        Some((kind, delivery)) if delivery.lost > 0 && deliveries.len() > 1 => {
            let share = human::percent(delivery.lost, delivery.expected).unwrap_or_default();
            format!("; {share} of {kind}")
        }
        _ => String::new(),
    };
    let share = human::percent(lost, expected).unwrap_or_default();
    Some(KeyFigure { name: "Lost", value: human::count(lost), note: format!("{share} {of}{worst}") })
}

fn latency(name: &'static str, what: &str, latency: &Latency) -> KeyFigure {
    KeyFigure { name, value: P99.show(latency), note: format!("{what}, median {}", P50.show(latency)) }
}
