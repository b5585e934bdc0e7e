//! Who holds the environments: a function whose concurrency is used up may be filled by something slow.
//!
//! Little's law says how many environments an operation holds: its rate times how long each takes. Where an operation became slow
//! and had the environments fit before, the slowness is the cause and the concurrency its limit. Where several operations
//! share one function (layout `single`), CloudWatch mixes their durations: the players' own times tell them apart.

use reports::format::{LimitKind, SuspectKind, SymptomKind};

use super::evidence;
use crate::candidate::{Candidate, HALF};
use crate::compare::{mean, seconds};
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Player, Run, Stage};

/// What an operation holds of a shared function.
struct Holder {
    operation: String,
    /// Per second.
    rate: f64,
    /// Mean time in seconds.
    stay_s: f64,
}

impl Holder {
    fn environments(&self) -> f64 {
        self.rate * self.stay_s
    }
}

/// The identity provider, where a function that does everything is filled by handshakes that wait for it.
pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let failures = felt.iter().enumerate().filter(|(_, one)| one.symptom.what == SymptomKind::Failures);
    failures.filter_map(|(position, one)| of_failures(run, position, one)).collect()
}

fn of_failures(run: &Run<'_>, position: usize, felt: &Felt) -> Option<Candidate> {
    let shared = run.path(&felt.player).iter().find_map(|stage| match stage {
        Stage::Function(full) if run.backend.function(full).is_some_and(|function| function.authorizes) => {
            Some(full)
        }
        _ => None,
    })?;
    let limit = run
        .server
        .limit(LimitKind::ReservedConcurrency, shared)
        .or_else(|| run.server.limit(LimitKind::AccountConcurrency, ""))?
        .value;
    let holders = holders(run, shared, felt);
    let (connect, others): (Vec<&Holder>, Vec<&Holder>) =
        holders.iter().partition(|holder| holder.operation == "connect");
    let ([connect], false) = (connect.as_slice(), others.is_empty()) else { return None };
    let rest: f64 = others.iter().map(|holder| holder.environments()).sum();
    let usual_s = others.iter().map(|holder| holder.stay_s).fold(0.0, f64::max);
    let share = connect.environments() / (connect.environments() + rest);
    // As quick as the slowest of the others, handshakes would leave room.
    let would_fit = connect.rate * usual_s + rest <= limit;
    if share < HALF || !would_fit || connect.environments() + rest < HALF * limit {
        return None;
    }
    let stage = Stage::Function(shared.clone());
    let name = run.backend.resource(&stage);
    let onset = Interval { from_s: felt.symptom.from_s, to_s: felt.symptom.from_s + 1.0 };
    let mut candidate = Candidate::new(SuspectKind::IdentityProvider, stage, onset, felt.symptom.to_s);
    candidate.limit = Some(limit);
    candidate.observed = Some(connect.environments());
    candidate.unit = "executions";
    candidate.or.push(format!("{name}'s own work at connect"));
    candidate.explains.push((position, share));
    candidate.evidence.push(evidence::of_seconds(
        "response time of connect".to_owned(),
        format!(
            "{:.1} handshakes a second that take {:.0} ms each hold {:.0} environments of {name}, all other operations {rest:.0}; the limit is {limit:.0}. As quick as those ({:.0} ms) they would all fit",
            connect.rate,
            connect.stay_s * 1e3,
            connect.environments(),
            usual_s * 1e3
        ),
        &[],
    ));
    Some(candidate)
}

/// What each operation holds of a function during a symptom.
fn holders(run: &Run<'_>, full: &str, felt: &Felt) -> Vec<Holder> {
    let (from_s, to_s) = (felt.symptom.from_s, felt.symptom.to_s);
    let uses =
        |path: &[Stage]| path.iter().any(|stage| matches!(stage, Stage::Function(name) if name == full));
    let of = |(operation, path): (&String, &Vec<Stage>)| {
        let player = Player::Operation(operation.clone());
        let seconds = seconds(run, &player);
        let inside = || seconds.iter().filter(|second| second.at_s + 1.0 > from_s && second.at_s < to_s);
        let length = inside().count().max(1) as f64;
        let (mean_us, _) = mean(inside()).filter(|_| uses(path))?;
        let offered: f64 = inside().map(|second| second.offered).sum();
        Some(Holder { operation: operation.clone(), rate: offered / length, stay_s: mean_us / 1e6 })
    };
    run.backend.operations.iter().filter_map(of).collect()
}
