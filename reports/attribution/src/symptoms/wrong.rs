//! Failures and losses: what was refused, answered wrongly or not at all, or did not come in time.

use reports::format::{Phase, Symptom, SymptomKind};

use super::{ALPHA, stretch};
use crate::felt::Felt;
use crate::observed::{Bound, Broken, Player, Promise, Run};
use statistics::proportions::{Share, greater};
use statistics::several::holm;

/// How long a request may be under way before it counts as failed, where nothing says so.
const REQUEST_LAG_S: f64 = 30.0;

/// One test: a player in one phase against its reference.
struct Test {
    player: usize,
    phase: usize,
    observed: Share,
    reference: Share,
}

/// Failures of operations and losses of deliveries.
pub(super) fn find(run: &Run<'_>, players: &[Player], promises: &[Promise<'_>]) -> Vec<Felt> {
    let seconds: Vec<Vec<Broken>> = players.iter().map(|player| player.broken(run)).collect();
    let phases: Vec<Phase> = phases(run);
    let tests: Vec<Test> = (0..players.len()).flat_map(|n| tests(n, &seconds[n], &phases)).collect();
    let adjusted = holm(&tests.iter().map(|test| greater(test.observed, test.reference)).collect::<Vec<_>>());
    let mut felt = Vec::new();
    for (n, player) in players.iter().enumerate() {
        let broken = promises.iter().find(|promise| {
            promise.bound == Bound::Wrong && promise.is_broken() && promise.player.as_ref() == Some(player)
        });
        let shown: Vec<&Test> = tests
            .iter()
            .zip(&adjusted)
            .filter(|(test, p)| {
                let promised = broken.is_some_and(|promise| {
                    promise.threshold.phase.as_ref().is_none_or(|name| *name == phases[test.phase].name)
                });
                test.player == n && (**p <= ALPHA || (promised && test.observed.part > 0))
            })
            .map(|(test, _)| test)
            .collect();
        let Some((first, last)) = shown.first().zip(shown.last()) else { continue };
        let within = |second: &&Broken| {
            let (from, to) = (phases[first.phase].start_s, phases[last.phase].end_s);
            second.at_s + 1.0 > from && second.at_s < to
        };
        let stretch: Vec<Broken> = seconds[n].iter().filter(within).copied().collect();
        felt.extend(of(run, player, &stretch, first.reference, broken));
    }
    felt
}

/// The phases whose figures count, and the first one, in which players connect. What comes after the last one counts for it.
fn phases(run: &Run<'_>) -> Vec<Phase> {
    let of_manifest = &run.manifest().phases;
    let mut phases: Vec<Phase> =
        of_manifest.iter().filter(|phase| phase.measured || phase.name == "connect").cloned().collect();
    if let Some(last) = phases.last_mut() {
        last.end_s = f64::INFINITY;
    }
    phases
}

/// The tests of one player: each phase against the quietest one, which is itself held against a flawless one of its size.
fn tests(player: usize, seconds: &[Broken], phases: &[Phase]) -> Vec<Test> {
    let share = |phase: &Phase| {
        let within = seconds.iter().filter(|second| (phase.start_s..phase.end_s).contains(&second.at_s));
        let (part, whole) =
            within.fold((0, 0), |(part, whole), second| (part + second.part, whole + second.whole));
        Share { part, whole: whole.max(part) }
    };
    let shares: Vec<(usize, Share)> =
        phases.iter().map(share).enumerate().filter(|(_, share)| share.whole > 0).collect();
    let quietest = shares.iter().min_by(|a, b| a.1.value().total_cmp(&b.1.value())).copied();
    let Some((quietest, reference)) = quietest else { return Vec::new() };
    let flawless = |of: Share| Share { part: 0, whole: of.whole };
    let test = |(phase, observed): &(usize, Share)| {
        let reference =
            if *phase == quietest || reference.part == 0 { flawless(*observed) } else { reference };
        Test { player, phase: *phase, observed: *observed, reference }
    };
    shares.iter().map(test).collect()
}

/// The symptom of a stretch of phases in which it was shown.
fn of(
    run: &Run<'_>,
    player: &Player,
    seconds: &[Broken],
    reference: Share,
    promise: Option<&Promise<'_>>,
) -> Option<Felt> {
    let (part, whole) = seconds.iter().fold((0, 0), |(p, w), second| (p + second.part, w + second.whole));
    let stretch = stretch::densest(seconds, 0.5 * part as f64 / whole.max(part).max(1) as f64)?;
    let (first, last) = stretch.first().zip(stretch.last())?;
    let affected: Vec<(f64, f64)> = stretch
        .iter()
        .filter(|second| second.part > 0)
        .map(|second| (second.at_s, second.part as f64))
        .collect();
    let sum = |count: fn(&Broken) -> u64| stretch.iter().map(count).sum::<u64>();
    let shown = Share { part: sum(|second| second.part), whole: sum(|second| second.whole.max(second.part)) };
    let (operation, delivery) = match player {
        Player::Operation(name) => (Some(name.clone()), None),
        Player::Delivery(name) => (None, Some(name.clone())),
    };
    let what = if delivery.is_some() { SymptomKind::Losses } else { SymptomKind::Failures };
    let symptom = Symptom {
        operation,
        delivery,
        what,
        from_s: first.at_s,
        to_s: last.at_s + 1.0,
        observed: shown.value(),
        reference: reference.value(),
        unit: "share".to_owned(),
        statistic: String::new(),
        threshold: promise.map(|promise| promise.threshold.expression.clone()).unwrap_or_default(),
    };
    Some(Felt { symptom, player: player.clone(), affected, lag_s: lag_s(run, player) })
}

/// How long after its cause a failure or loss shows at most: a delivery is given up after time-out and grace.
fn lag_s(run: &Run<'_>, player: &Player) -> f64 {
    match player {
        Player::Operation(name) => {
            // What failed was awaited at most about as long as the slowest answer, or the time-out.
            let slowest =
                run.summary.operations.get(name).map_or(0, |operation| operation.service_time_us.max);
            (slowest as f64 / 1e6).clamp(2.0, REQUEST_LAG_S)
        }
        Player::Delivery(name) => {
            run.summary.deliveries.get(name).and_then(|delivery| delivery.lost_after_s).unwrap_or(15.0) + 2.0
        }
    }
}
