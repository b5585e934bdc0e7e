//! Where the time of a made-up message goes.

use std::collections::BTreeMap;

use reports::folder::RunFolder;
use reports::format::{DeliveryHops, Hop, HopClock, HopSecond, Hops, Latency, SeriesLine, Summary};

/// The hops of a message: name, from, to, and share of the latency while all is well.
const HOPS: [(&str, &str, &str, f64); 6] = [
    ("to_gateway", Hop::SEND, "gateway", 0.22),
    ("route_start", "gateway", "route", 0.08),
    ("route_function", "route", "table", 0.15),
    ("stream_wait", "table", "stream", 0.25),
    ("push_function", "stream", "posted", 0.10),
    ("to_player", "posted", Hop::RECEIPT, 0.20),
];

/// The clocks of the made-up run: the backend's is ahead by so many microseconds, give or take.
const AHEAD_US: (f64, f64) = (1_800.0, 2_600.0);

/// Share of each hop; what the strained backend takes longer is the wait for the stream's function.
fn shares(strain: f64) -> impl Iterator<Item = f64> {
    HOPS.iter().map(move |(name, _, _, share)| {
        let calm = share / (1.0 + strain);
        if *name == "stream_wait" { calm + strain / (1.0 + strain) } else { calm }
    })
}

/// The hops of a second's messages, by the clocks as they stand.
pub(super) fn hops_of_second(kind: &str, strain: f64, each: &Latency) -> BTreeMap<String, HopSecond> {
    if kind != "message" || each.count == 0 {
        return BTreeMap::new();
    }
    let ahead = f64::midpoint(AHEAD_US.0, AHEAD_US.1);
    let clock = [ahead, 0.0, 0.0, 0.0, 0.0, -ahead];
    let hops = HOPS.iter().zip(shares(strain)).zip(clock);
    hops.map(|(((name, ..), share), clock)| {
        let mean_us = ((each.mean * share + clock) * 10.0).round() / 10.0;
        ((*name).to_owned(), HopSecond { count: each.count, mean_us })
    })
    .collect()
}

/// The hops of the whole run: means from the seconds that are measured, quantiles in proportion to them.
pub(super) fn hops(summary: &Summary, folder: &RunFolder) -> Hops {
    let clock = HopClock::between(AHEAD_US.0, AHEAD_US.1);
    let whole = summary.deliveries["message"].each_us;
    let measured = |line: &&SeriesLine| folder.manifest.measures(line.t as f64);
    let seconds = || folder.series.iter().filter(measured).filter_map(|line| line.deliveries.get("message"));
    let total = |name: &str, of: fn(&HopSecond) -> f64| -> f64 {
        seconds().filter_map(|second| second.hops.get(name)).map(of).sum()
    };
    let hops: Vec<Hop> = HOPS
        .iter()
        .map(|(name, from, to, _)| {
            let mean = total(name, |second| second.mean_us * second.count as f64)
                / total(name, |second| second.count as f64)
                + Hop::shift(from, to, &clock);
            let share = mean / whole.mean;
            let part = |micros: u64| (micros as f64 * share) as u64;
            let crosses_clocks = *from == Hop::SEND || *to == Hop::RECEIPT;
            let coarse = if *from == "gateway" || *to == "gateway" { 500.0 } else { 0.0 };
            Hop {
                name: (*name).into(),
                from: (*from).into(),
                to: (*to).into(),
                function: String::new(),
                crosses_clocks,
                time_us: Latency {
                    count: whole.count,
                    min: part(whole.min),
                    mean,
                    p50: part(whole.p50),
                    p90: part(whole.p90),
                    p95: part(whole.p95),
                    p99: part(whole.p99),
                    p99_9: part(whole.p99_9),
                    p99_99: part(whole.p99_99),
                    max: part(whole.max),
                },
                share,
                error_us: coarse + if crosses_clocks { clock.error_us } else { 0.0 },
                below_zero: 0,
            }
        })
        .collect();
    let sum: f64 = hops.iter().map(|hop| hop.time_us.mean).sum();
    let crossing = hops.iter().filter(|hop| hop.crosses_clocks).map(|hop| hop.time_us.mean).sum();
    let message = DeliveryHops {
        incomplete: 0,
        whole_us: Latency { mean: sum, ..whole },
        crossing_us: Latency { count: whole.count, mean: crossing, ..Latency::default() },
        unaccounted_us: 0.0,
        hops,
    };
    Hops { clock: Some(clock), deliveries: BTreeMap::from([("message".into(), message)]) }
}
