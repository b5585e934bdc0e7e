//! Between the players and the gateway: everything takes longer by the same time, and no function does.
//!
//! The network and the gateway's front cannot be told apart from outside. One operation alone tells nothing: its function may
//! have a part without a series. So at least two operations are needed that share no function.

use std::collections::BTreeSet;

use reports::format::{SuspectKind, SymptomKind};

use super::evidence;
use super::hops::{functions_of, hops};
use crate::candidate::{Candidate, HALF};
use crate::compare::Compared;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Player, Run, Stage};

/// A slow operation of which the functions tell.
struct Slow<'a> {
    position: usize,
    felt: &'a Felt,
    compared: Compared,
    /// Rise in microseconds that no function accounts for.
    elsewhere_us: f64,
    functions: BTreeSet<String>,
}

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let slow: Vec<Slow<'_>> = felt
        .iter()
        .enumerate()
        .filter(|(_, one)| one.symptom.what == SymptomKind::Slower && !one.is_delivery())
        .filter_map(|(position, one)| slow(run, position, one))
        .collect();
    let (Some(first), others) = (slow.first(), slow.get(1..).unwrap_or_default()) else { return Vec::new() };
    let apart = others.iter().any(|other| other.functions.is_disjoint(&first.functions));
    if !apart || !everyone(run, &slow) {
        return Vec::new();
    }
    vec![candidate(&slow)]
}

/// `None` where nothing is known of its functions, or they account for half of it.
fn slow<'a>(run: &Run<'_>, position: usize, felt: &'a Felt) -> Option<Slow<'a>> {
    let compared = Compared::of(run, felt)?;
    let functions = functions_of(run, &felt.player);
    let hops = hops(run, felt, &compared);
    if functions.is_empty() || hops.len() < functions.len() {
        return None;
    }
    let inside_us: f64 = hops.iter().map(|hop| hop.change.rise() * 1e3).sum();
    let elsewhere_us = compared.rise_us() - inside_us;
    let outside = compared.has_before() && elsewhere_us >= HALF * compared.rise_us();
    outside.then(|| Slow {
        position,
        felt,
        compared,
        elsewhere_us,
        functions: functions.into_iter().collect(),
    })
}

/// Whether every operation that was answered in that time is among the slow ones, all by about the same time: none by more than twice
/// the least.
fn everyone(run: &Run<'_>, slow: &[Slow<'_>]) -> bool {
    let rises = || slow.iter().map(|one| one.elsewhere_us);
    let (least, most) = (rises().fold(f64::INFINITY, f64::min), rises().fold(0.0, f64::max));
    let during = &slow[0].compared.during;
    let answered =
        run.summary.operations.iter().filter(|(_, operation)| !operation.is_journey()).filter(|(name, _)| {
            let player = Player::Operation((*name).clone());
            let seconds = crate::compare::seconds(run, &player);
            seconds.iter().any(|second| second.count > 0.0 && during.takes(second.at_s, 1.0))
        });
    let is_slow = |name: &str| slow.iter().any(|one| one.felt.player.name() == name);
    most <= 2.0 * least && answered.into_iter().all(|(name, _)| is_slow(name))
}

fn candidate(slow: &[Slow<'_>]) -> Candidate {
    let from_s = slow.iter().map(|one| one.felt.symptom.from_s).fold(f64::INFINITY, f64::min);
    let end_s = slow.iter().map(|one| one.felt.symptom.to_s).fold(0.0, f64::max);
    let onset = Interval { from_s, to_s: from_s + 1.0 };
    let mut candidate = Candidate::new(SuspectKind::Network, Stage::Network, onset, end_s);
    candidate.or.push("the gateway's front, which cannot be told from the network".to_owned());
    for one in slow {
        candidate.explains.push((one.position, (one.elsewhere_us / one.compared.rise_us()).clamp(0.0, 1.0)));
        candidate.evidence.push(evidence::of_seconds(
            format!("response time of {}", one.felt.player.name()),
            format!(
                "{}; {:.1} ms of the rise are in no function's Duration, and every operation has about as much",
                one.compared.words(),
                one.elsewhere_us / 1e3
            ),
            &[],
        ));
    }
    candidate
}
