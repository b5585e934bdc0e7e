//! What was recorded of hops in the form of the run folder.

use std::collections::BTreeMap;

use protocol::outline::{LAST_HOP, Stamp};
use reports::format::{DeliveryHops, Hop, HopClock, HopSecond, Hops};
use scenarios::Plan;
use scenarios::plan::PlannedPush;
use scenarios::plan::operation::Kind;

use crate::record::hops::{Bounds, Differences};
use crate::record::{DeliveryTally, HopsTally, Measures, Tally as _, ThreadTally};

/// The hops of a traced run. What is known of the clocks is known from all deliveries, those of warm-up phases too.
pub(super) fn hops(plan: &Plan, total: &ThreadTally) -> Option<Hops> {
    if !plan.trace {
        return None;
    }
    let mut bounds = Bounds::default();
    for measures in [&total.measured, &total.warm_up] {
        tallies(plan, measures).for_each(|(_, tally)| bounds.merge(&tally.bounds));
    }
    let clock = bounds.least.zip(bounds.most);
    let clock = clock.map(|(least, most)| HopClock::between(least as f64, most as f64));
    let deliveries = tallies(plan, &total.measured);
    let deliveries = deliveries
        .map(|(push, tally)| {
            let stamps = &plan.protocol.outline().pushes[push.push].stamps;
            (push.name.to_string(), delivery(stamps, tally, &clock.unwrap_or_default()))
        })
        .collect();
    Some(Hops { clock, deliveries })
}

/// The hops of a second's pushes, by name; nothing where none was split.
pub(super) fn second(plan: &Plan, push: &PlannedPush, tally: &DeliveryTally) -> BTreeMap<String, HopSecond> {
    let Some(tally) = tally.hops.as_deref() else { return BTreeMap::new() };
    let ways = ways(&plan.protocol.outline().pushes[push.push].stamps);
    let of = |(way, hop): (Way<'_>, &Differences)| {
        (way.name.to_owned(), HopSecond { count: hop.count(), mean_us: rounded(hop.mean()) })
    };
    ways.zip(&tally.hops).filter(|(_, hop)| hop.count() > 0).map(of).collect()
}

/// The kinds of which something was received that could have stamps.
fn tallies<'r>(
    plan: &'r Plan,
    measures: &'r Measures,
) -> impl Iterator<Item = (&'r PlannedPush, &'r HopsTally)> {
    let of = |(kind, push): (Kind, &'r PlannedPush)| Some((push, measures.delivery(kind).hops.as_deref()?));
    plan.kinds().filter_map(of).filter(|(_, tally)| tally.count() > 0)
}

fn delivery(stamps: &[Stamp], tally: &HopsTally, clock: &HopClock) -> DeliveryHops {
    let whole = tally.whole.mean();
    let hops = ways(stamps).zip(&tally.hops).map(|(way, hop)| {
        let shift = Hop::shift(way.from, way.to, clock);
        let crosses_clocks = way.from == Hop::SEND || way.to == Hop::RECEIPT;
        Hop {
            name: way.name.to_owned(),
            from: way.from.to_owned(),
            to: way.to.to_owned(),
            function: way.function.to_owned(),
            crosses_clocks,
            time_us: hop.latency(shift),
            share: if whole > 0.0 { (hop.mean() + shift) / whole } else { 0.0 },
            error_us: way.error_us + if crosses_clocks { clock.error_us } else { 0.0 },
            below_zero: hop.below_zero(shift),
        }
    });
    DeliveryHops {
        incomplete: tally.incomplete,
        whole_us: tally.whole.latency(0.0),
        crossing_us: tally.crossing.latency(0.0),
        unaccounted_us: rounded(tally.mean() - whole),
        hops: hops.collect(),
    }
}

/// A hop by name: what it begins and ends with, and how far off it may be by stamps that are coarser than a microsecond.
struct Way<'o> {
    name: &'o str,
    from: &'o str,
    to: &'o str,
    /// In which it is spent; empty: not known.
    function: &'o str,
    error_us: f64,
}

/// The hops between the stamps of a push, in order.
fn ways(stamps: &[Stamp]) -> impl Iterator<Item = Way<'_>> {
    let coarse =
        |stamp: &Stamp| if stamp.resolution_us > 1 { f64::from(stamp.resolution_us) / 2.0 } else { 0.0 };
    let begins = [(Hop::SEND, 0.0)].into_iter();
    let begins = begins.chain(stamps.iter().map(move |stamp| (stamp.name.as_str(), coarse(stamp))));
    let ends = stamps.iter().map(move |stamp| (stamp, coarse(stamp)));
    let ends =
        ends.map(|(stamp, end)| (stamp.hop.as_str(), stamp.name.as_str(), stamp.function.as_str(), end));
    let ends = ends.chain([(LAST_HOP, Hop::RECEIPT, "", 0.0)]);
    begins.zip(ends).map(|((from, begin), (name, to, function, end))| Way {
        name,
        from,
        to,
        function,
        error_us: begin + end,
    })
}

/// A tenth of a microsecond is fine enough.
fn rounded(micros: f64) -> f64 {
    (micros * 10.0).round() / 10.0
}
