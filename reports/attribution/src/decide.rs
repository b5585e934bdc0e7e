//! From candidates to suspects: path, order, and at least half explained.

use std::collections::BTreeSet;

use reports::format::{Correlation, Evidence, Outcome, Suspect, SuspectKind};

use crate::candidate::{Candidate, HALF};
use crate::felt::Felt;
use crate::observed::{Run, Stage};
use crate::{lacking, words};

/// Writes outcome, symptoms, suspects and what lacks.
pub(crate) fn decide(
    run: &Run<'_>,
    felt: Vec<Felt>,
    candidates: Vec<Candidate>,
    correlation: &mut Correlation,
) {
    let missed = crate::symptoms::not_looked_at(run, &felt);
    let mut candidates: Vec<Candidate> =
        candidates.into_iter().filter_map(|candidate| admitted(run, &felt, candidate)).collect();
    let unproven: Vec<Candidate> = candidates
        .extract_if(.., |candidate| words::needs_limit(candidate.kind) && candidate.limit.is_none())
        .collect();
    let named = named(&felt, candidates);
    let explained: BTreeSet<usize> = named.iter().flat_map(|c| c.explains.iter().map(|(n, _)| *n)).collect();
    let open: Vec<usize> = (0..felt.len()).filter(|n| !explained.contains(n)).collect();
    correlation.suspects = named.iter().map(|candidate| suspect(run, candidate)).collect();
    correlation.outcome = Some(match (felt.is_empty(), named.is_empty()) {
        (true, _) if missed.is_empty() => Outcome::NothingGaveWay,
        (false, false) => Outcome::Suspects,
        _ => Outcome::NotEnoughData,
    });
    let lacks = lacking::of(run, &felt, &open, &unproven, &missed);
    match correlation.outcome {
        Some(Outcome::NotEnoughData) => correlation.lacking = lacks,
        _ => correlation.notes.extend(lacks.into_iter().filter(|_| !open.is_empty())),
    }
    correlation.notes.extend(open_notes(&felt, &open, named.is_empty()));
    if !run.backend.declared && !felt.is_empty() {
        correlation.notes.push(
            "which functions do the work of which operation is not declared (`functions`): paths are those of functions whose \
             invocations follow the arrivals, or of routes that are called like the operation, which is weaker"
                .to_owned(),
        );
    }
    correlation.symptoms = felt.into_iter().map(|felt| felt.symptom).collect();
}

/// A candidate with what it explains on its path, and not after the symptom began; `None` where that is nothing.
fn admitted(run: &Run<'_>, felt: &[Felt], mut candidate: Candidate) -> Option<Candidate> {
    let stage = candidate.stage.clone();
    let onset = candidate.onset;
    candidate.explains.retain(|(n, share)| {
        felt.get(*n).is_some_and(|felt| {
            *share > 0.0 && run.is_on_path(&felt.player, &stage) && !felt.onset().before(onset)
        })
    });
    (!candidate.explains.is_empty()).then_some(candidate)
}

/// What is named: of each symptom the candidates that explain at least half of it, without those that another one of them explains,
/// and without those that began after it.
fn named(felt: &[Felt], mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut keep: BTreeSet<(usize, usize)> = BTreeSet::new();
    for n in 0..felt.len() {
        let strong: Vec<usize> =
            (0..candidates.len()).filter(|&i| candidates[i].share_of(n) >= HALF).collect();
        let is_child = |i: usize| {
            strong.iter().any(|&j| {
                j != i
                    && explains(&candidates[j], &candidates[i])
                    && !explains(&candidates[i], &candidates[j])
            })
        };
        let roots: Vec<usize> = strong.iter().copied().filter(|&i| !is_child(i)).collect();
        let is_late =
            |i: usize| roots.iter().any(|&j| j != i && candidates[j].onset.before(candidates[i].onset));
        keep.extend(roots.iter().copied().filter(|&i| !is_late(i)).map(|i| (i, n)));
        // A cause that shows a period after its effect may still be it: a stray event begins an effect early.
        let late = roots.iter().copied().filter(|&j| is_late(j));
        let doubts: Vec<(usize, usize)> = late
            .flat_map(|j| roots.iter().map(move |&i| (i, j)))
            .filter(|&(i, j)| {
                leads_to(&candidates[j], &candidates[i]) && !leads_to(&candidates[i], &candidates[j])
            })
            .collect();
        for (i, j) in doubts {
            let kind: &str = candidates[j].kind.into();
            let or = format!("`{kind}` of it, which shows from {:.0} s on", candidates[j].onset.from_s);
            if !candidates[i].or.contains(&or) {
                candidates[i].or.push(or);
            }
        }
        for &child in strong.iter().filter(|&&i| !roots.contains(&i)) {
            let Some(&root) = roots.iter().find(|&&j| explains(&candidates[j], &candidates[child])) else {
                continue;
            };
            let evidence: Vec<Evidence> = candidates[child].evidence.clone();
            let known = &mut candidates[root].evidence;
            evidence.into_iter().for_each(|more| {
                if !known.contains(&more) {
                    known.push(more);
                }
            });
        }
    }
    let mut named: Vec<Candidate> = Vec::new();
    for (i, mut candidate) in candidates.into_iter().enumerate() {
        candidate.explains.retain(|(n, _)| keep.contains(&(i, *n)));
        if !candidate.explains.is_empty() {
            named.push(candidate);
        }
    }
    named.sort_by(|a, b| rank(b).partial_cmp(&rank(a)).unwrap_or(std::cmp::Ordering::Equal));
    named
}

/// By which the best comes first: most symptoms, most explained, earliest.
fn rank(candidate: &Candidate) -> (usize, f64, f64) {
    (candidate.explains.len(), explained(candidate), -candidate.onset.from_s)
}

/// The mean share of the symptoms that it explains.
fn explained(candidate: &Candidate) -> f64 {
    let sum: f64 = candidate.explains.iter().map(|(_, share)| share).sum();
    (sum / candidate.explains.len().max(1) as f64).min(1.0)
}

/// Whether a candidate is what makes another one give way: the other is then its consequence, and part of its evidence.
fn explains(cause: &Candidate, effect: &Candidate) -> bool {
    !effect.onset.before(cause.onset) && leads_to(cause, effect)
}

/// Whether a candidate of this kind and place makes one of the other give way.
fn leads_to(cause: &Candidate, effect: &Candidate) -> bool {
    use SuspectKind as K;
    let same_function = |stage: &Stage| *stage == cause.stage;
    match (cause.kind, effect.kind) {
        // What delays or fails a batch fills the lanes of its stream.
        (
            K::SlowFunction
            | K::SlowDependency
            | K::FunctionTimeout
            | K::FunctionErrors
            | K::Memory
            | K::ColdStarts
            | K::ReservedConcurrency
            | K::AccountConcurrency
            | K::RequestRateCap
            | K::MessageRate
            | K::SlowClient
            | K::TableThroughput
            | K::HotPartition
            | K::PoisonRecord,
            K::StreamLanes,
        ) => true,
        // A record that always fails is what the function's errors are.
        (K::PoisonRecord, K::FunctionErrors | K::SlowFunction) => true,
        // A table that throttles makes its callers wait, fail and pile up.
        (
            K::TableThroughput | K::HotPartition,
            K::SlowFunction
            | K::SlowDependency
            | K::FunctionErrors
            | K::FunctionTimeout
            | K::ReservedConcurrency
            | K::AccountConcurrency,
        ) => true,
        // A handler that takes longer needs more executions for the same load.
        (
            K::SlowFunction | K::SlowDependency | K::Memory | K::FunctionTimeout,
            K::ReservedConcurrency | K::RequestRateCap,
        ) => same_function(&effect.stage),
        (K::SlowFunction | K::SlowDependency | K::FunctionTimeout, K::AccountConcurrency) => true,
        (K::FunctionTimeout | K::Memory, K::FunctionErrors) => same_function(&effect.stage),
        // A call that waits is what makes the function slow, and what makes it reach its time-out.
        (K::SlowDependency, K::SlowFunction | K::FunctionTimeout) => true,
        (
            K::IdentityProvider,
            K::SlowFunction
            | K::SlowDependency
            | K::FunctionErrors
            | K::FunctionTimeout
            | K::ReservedConcurrency
            | K::AccountConcurrency
            | K::ColdStarts,
        ) => true,
        // Refused pushes are tried again while the function waits.
        (K::MessageRate | K::SlowClient, K::SlowFunction) => true,
        (K::GameliftRate | K::PlacementCapacity, K::SnsDelivery) => true,
        _ => false,
    }
}

fn suspect(run: &Run<'_>, candidate: &Candidate) -> Suspect {
    let resource = run.backend.resource(&candidate.stage);
    let mut symptoms: Vec<usize> = candidate.explains.iter().map(|(n, _)| *n).collect();
    symptoms.sort_unstable();
    Suspect {
        kind: candidate.kind,
        from_s: candidate.onset.from_s,
        to_s: candidate.end_s,
        limit: candidate.limit,
        observed: candidate.observed,
        unit: candidate.unit.to_owned(),
        explained: explained(candidate),
        symptoms,
        or: candidate.or.clone(),
        evidence: candidate.evidence.clone(),
        refuted_by: words::refuted_by(candidate.kind, &resource),
        remedy: words::remedy(candidate.kind, &resource),
        resource,
    }
}

/// Symptoms that no suspect explains, beside those that one does.
fn open_notes(felt: &[Felt], open: &[usize], none_named: bool) -> Vec<String> {
    if none_named {
        return Vec::new();
    }
    open.iter()
        .filter_map(|&n| felt.get(n))
        .map(|felt| format!("nothing explains at least half of the {}", felt.name()))
        .collect()
}
