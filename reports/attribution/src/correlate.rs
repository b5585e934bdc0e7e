//! Declared pairs of a server's and a player's series: rank correlation partial to the offered load.
//!
//! Load makes everything rise together, so it is held fixed: it is set by the scenario, and no fault changes it. Neighbouring points
//! resemble each other, so the probability comes from shifting one series against the other. Pairs are declared by the topology
//! before any value is looked at, in the order of the path; as many are tested as the points allow, for each further pair needs
//! more of them, and none of the others gets a number.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use reports::format::{Association, AssociationVerdict};

use crate::compare::seconds;
use crate::observed::{Latency, Metric, Player, Points, Run, Stage};
use statistics::dependence::{effective_points, fewest_points, fewest_shifts, shift_test};
use statistics::ranks::{partial, residuals};
use statistics::several::holm;

/// Level of all pairs together.
const ALPHA: f64 = 0.05;

/// Points of a pair at most: beyond that the shifts cost more than they tell.
const MOST_POINTS: usize = 3_600;

/// What of the players is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    P99,
    Failures,
}

/// A pair, before any value of it is compared.
struct Pair {
    server: String,
    points: Points,
    player: Player,
    side: Side,
}

/// The values of a pair, period by period, without a gap.
struct Values {
    server: Vec<f64>,
    players: Vec<f64>,
    offered: Vec<f64>,
}

/// Every declared pair whose series both vary.
pub(crate) fn pairs(run: &Run<'_>) -> Vec<Association> {
    let declared = declared(run);
    let players = PlayersByPeriod::of(run, &declared);
    let sampled: Vec<(&Pair, Values)> = declared
        .iter()
        .map(|pair| (pair, players.values(run, pair)))
        .filter(|(_, values)| varies(&values.server) && varies(&values.players))
        .collect();
    let lengths: Vec<usize> = sampled.iter().map(|(_, values)| values.server.len()).collect();
    let tested = affordable(&lengths);
    let results: Vec<Option<Tested>> = sampled
        .iter()
        .enumerate()
        .map(|(n, (_, values))| tested.contains(&n).then(|| test(values, tested.len())).flatten())
        .collect();
    let adjusted = holm(&results.iter().flatten().map(|result| result.p).collect::<Vec<_>>());
    let mut adjusted = adjusted.into_iter();
    sampled
        .iter()
        .zip(&results)
        .map(|((pair, values), result)| {
            let p = result.as_ref().and_then(|_| adjusted.next());
            Association {
                server: pair.server.clone(),
                players: format!(
                    "{} {}",
                    pair.player.name(),
                    if pair.side == Side::P99 { "p99" } else { "failures" }
                ),
                coefficient: result.as_ref().map(|result| result.coefficient),
                points: values.server.len() as u64,
                effective_points: result.as_ref().map_or(0.0, |result| result.effective),
                p,
                verdict: match p {
                    None => AssociationVerdict::NotEnoughData,
                    Some(p) if p <= ALPHA => AssociationVerdict::Related,
                    Some(_) => AssociationVerdict::NotShown,
                },
            }
        })
        .collect()
}

/// The pairs to test, the first ones that have enough points for as many: of `k` pairs each needs
/// [`fewest_points`]`(k)`.
fn affordable(lengths: &[usize]) -> Vec<usize> {
    let enough = |k: usize| lengths.iter().filter(|&&length| length >= fewest_points(k, ALPHA)).count();
    let most = (1..=lengths.len()).rev().find(|&k| enough(k) >= k).unwrap_or(0);
    if most == 0 {
        return Vec::new();
    }
    let needed = fewest_points(most, ALPHA);
    (0..lengths.len()).filter(|&n| lengths[n] >= needed).take(most).collect()
}

struct Tested {
    coefficient: f64,
    effective: f64,
    p: f64,
}

/// `None` where load alone makes one of them.
fn test(values: &Values, pairs: usize) -> Option<Tested> {
    let coefficient = partial(&values.server, &values.players, &values.offered)?;
    let server = residuals(&values.server, &values.offered);
    let players = residuals(&values.players, &values.offered);
    let p = shift_test(&server, &players, fewest_shifts(pairs, ALPHA))?;
    Some(Tested { coefficient, effective: effective_points(&server, &players), p })
}

fn varies(values: &[f64]) -> bool {
    values.first().is_some_and(|first| values.iter().any(|value| value != first))
}

/// The pairs that the topology makes: of each operation and delivery its functions and tables.
fn declared(run: &Run<'_>) -> Vec<Pair> {
    let operations = run.backend.operations.keys().map(|name| Player::Operation(name.clone()));
    let deliveries = run.backend.deliveries.keys().map(|name| Player::Delivery(name.clone()));
    let mut pairs = Vec::new();
    for player in operations.chain(deliveries) {
        for stage in run.path(&player) {
            let name = run.backend.resource(stage);
            match stage {
                Stage::Function(full) => pairs.extend(of_function(run, &player, full, &name)),
                Stage::Table(full) => pairs.extend(of_table(run, &player, full, &name)),
                _ => {}
            }
        }
    }
    pairs
}

fn of_function(run: &Run<'_>, player: &Player, full: &str, name: &str) -> Vec<Pair> {
    let gauge = |metric, statistic, side| {
        let points = run.server.gauge(Metric::lambda(metric, statistic), full)?;
        let server = format!("{name} {metric} ({statistic})");
        Some(Pair { server, points, player: player.clone(), side })
    };
    let throttles = run.server.counter(Metric::lambda("Throttles", "Sum"), full).map(|points| Pair {
        server: format!("{name} Throttles (Sum)"),
        points,
        player: player.clone(),
        side: Side::Failures,
    });
    let age = gauge("IteratorAge", "Maximum", Side::P99).filter(|_| matches!(player, Player::Delivery(_)));
    [
        gauge("Duration", "Average", Side::P99),
        gauge("ConcurrentExecutions", "Maximum", Side::P99),
        age,
        throttles,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The operation of the table that is called most.
fn of_table(run: &Run<'_>, player: &Player, full: &str, name: &str) -> Option<Pair> {
    let calls = |latency: &Latency| latency.calls.as_ref().and_then(Points::sum).unwrap_or(0.0);
    let latencies = run.server.latencies(full);
    let most = latencies.into_iter().max_by(|a, b| calls(a).total_cmp(&calls(b)))?;
    let server = format!("{name} SuccessfulRequestLatency (Average) of {}", most.operation);
    Some(Pair { server, points: most.mean, player: player.clone(), side: Side::P99 })
}

/// What players felt by period: the p99 of merged histograms, never a mean of quantiles.
struct PlayersByPeriod {
    /// By tag and length of the periods in milliseconds: the p99 by number of the period, from the first on.
    p99: BTreeMap<(String, i64), BTreeMap<i64, f64>>,
}

impl PlayersByPeriod {
    /// One histogram at a time of each tag and length: the log is in the order of time, and a long run has many.
    fn of(run: &Run<'_>, pairs: &[Pair]) -> Self {
        let mut lengths: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
        for pair in pairs.iter().filter(|pair| pair.side == Side::P99) {
            let Some(first) = pair.points.points.first() else { continue };
            lengths
                .entry(pair.player.tag())
                .or_default()
                .insert(milliseconds(pair.points.period_s), first.at_s);
        }
        let mut p99: BTreeMap<(String, i64), BTreeMap<i64, f64>> = BTreeMap::new();
        let mut open: BTreeMap<(String, i64), (i64, Histogram<u64>)> = BTreeMap::new();
        for interval in run.intervals_of(|tag| lengths.contains_key(tag)) {
            for (&length, first) in lengths.get(interval.tag).into_iter().flatten() {
                let number =
                    (milliseconds(interval.start_s) - milliseconds(*first)).div_euclid(length.max(1));
                let key = (interval.tag.to_owned(), length);
                match open.get_mut(&key) {
                    // What does not fit is left out: the folder is not trusted.
                    Some((same, known)) if *same == number => drop(known.add(&interval.histogram)),
                    _ => {
                        let mut histogram = interval.histogram.clone();
                        histogram.auto(true);
                        open.insert(key.clone(), (number, histogram));
                    }
                }
                let now = open.get(&key).map_or(0, |(_, histogram)| histogram.value_at_quantile(0.99));
                p99.entry(key).or_default().insert(number, now as f64);
            }
        }
        Self { p99 }
    }

    /// The longest stretch of measured periods in which all three are known.
    fn values(&self, run: &Run<'_>, pair: &Pair) -> Values {
        let period_s = pair.points.period_s;
        let first = pair.points.points.first().map_or(0.0, |point| point.at_s);
        let offered = seconds(run, &pair.player);
        let broken = pair.player.broken(run);
        let side = |number: usize, at_s: f64| match pair.side {
            Side::P99 => {
                let by_number = self.p99.get(&(pair.player.tag(), milliseconds(period_s)))?;
                by_number.get(&i64::try_from(number).ok()?).copied()
            }
            Side::Failures => {
                let from = broken.partition_point(|second| second.at_s < at_s);
                let within = broken[from..].iter().take_while(|second| second.at_s < at_s + period_s);
                let (part, whole) = within.fold((0, 0), |(p, w), second| (p + second.part, w + second.whole));
                (whole > 0).then(|| part as f64 / whole as f64)
            }
        };
        let load = |at_s: f64| {
            let from = offered.partition_point(|second| second.at_s < at_s);
            let within = offered[from..].iter().take_while(|second| second.at_s < at_s + period_s);
            within.map(|second| second.offered).sum::<f64>()
        };
        let mut best = Values { server: Vec::new(), players: Vec::new(), offered: Vec::new() };
        let mut open = Values { server: Vec::new(), players: Vec::new(), offered: Vec::new() };
        for point in &pair.points.points {
            let number = ((point.at_s - first) / period_s).round().max(0.0);
            let known = point
                .value
                .filter(|_| run.manifest().measures(point.at_s))
                .zip(side(number as usize, point.at_s));
            match known {
                Some((server, players)) => {
                    open.server.push(server);
                    open.players.push(players);
                    open.offered.push(load(point.at_s));
                }
                None => {
                    open.server.clear();
                    open.players.clear();
                    open.offered.clear();
                }
            }
            if open.server.len() > best.server.len() && best.server.len() < MOST_POINTS {
                best.server.clone_from(&open.server);
                best.players.clone_from(&open.players);
                best.offered.clone_from(&open.offered);
            }
        }
        best
    }
}

fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1e3).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use statistics::simulation::Draw;

    #[test]
    fn each_further_pair_needs_more_points() {
        // One pair needs 48 points, five 247.
        assert_eq!(affordable(&[47]), Vec::<usize>::new());
        assert_eq!(affordable(&[48]), [0]);
        assert_eq!(affordable(&[180; 6]), [0, 1, 2]);
        assert_eq!(affordable(&[20, 247, 247, 247, 247, 247]), [1, 2, 3, 4, 5]);
        assert_eq!(affordable(&[]), Vec::<usize>::new());
    }

    #[test]
    fn a_healthy_ramp_rarely_alarms() {
        // Latency and concurrency follow the load, each with slow noise of its own: plain correlation is certain in all of them.
        let mut draw = Draw(12);
        let (trials, mut alarms, mut plain) = (300, 0, 0);
        for _ in 0..trials {
            let offered: Vec<f64> = (0..180).map(|n| 10.0 + f64::from(n)).collect();
            let [a, b] = [2.0, 0.5].map(|slope| {
                let noise = draw.ar1(180, 0.6);
                offered
                    .iter()
                    .zip(noise)
                    .map(|(load, noise)| slope * load + 15.0 * noise)
                    .collect::<Vec<f64>>()
            });
            plain += i32::from(statistics::ranks::spearman(&a, &b).is_some_and(|r| r > 0.5));
            let values = Values { server: a, players: b, offered };
            alarms += i32::from(test(&values, 1).is_some_and(|result| result.p <= ALPHA));
        }
        // 5 % of 300 are 15; three standard deviations more are 26.
        assert!(alarms <= 26, "{alarms} of {trials}");
        assert!(plain >= 250, "{plain}");
    }

    #[test]
    fn what_moves_together_beyond_the_load_is_found() {
        let mut draw = Draw(3);
        let found = (0..50)
            .filter(|_| {
                let offered: Vec<f64> = (0..180).map(|n| 10.0 + f64::from(n)).collect();
                let fault = draw.ar1(180, 0.3);
                let mix = |draw: &mut Draw, slope: f64| -> Vec<f64> {
                    offered
                        .iter()
                        .zip(&fault)
                        .map(|(load, fault)| slope * load + 30.0 * fault + 9.0 * draw.normal())
                        .collect()
                };
                let (server, players) = (mix(&mut draw, 1.0), mix(&mut draw, 0.2));
                test(&Values { server, players, offered }, 1).is_some_and(|result| result.p <= ALPHA)
            })
            .count();
        assert!(found >= 45, "{found} of 50");
    }
}
