//! Refusals and errors of functions: `Throttles` and `Errors` against what players lack.

use reports::format::{LimitKind, SuspectKind, SymptomKind};

use super::evidence::{self, number};
use super::{limits, matching, streams};
use crate::candidate::Candidate;
use crate::compare::Compared;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Function, Metric, Player, Points, Run, Server, Stage, Trigger, classes};

/// Records of a batch where the mapping's limit is not known: Lambda's default.
const BATCH: f64 = 100.0;

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let of_function =
        |function| throttled(run, function, felt).into_iter().chain(failed(run, function, felt));
    let all = run.backend.functions.iter().flat_map(of_function);
    // A refusal is spent once: those of several functions are of different requests. Deliveries in their periods may be the same.
    Candidate::added(all, |symptom| felt.get(symptom).is_some_and(Felt::is_failures))
}

/// What a counter of a function explains: the symptoms with their shares, and when it shows.
struct Account {
    explains: Vec<(usize, f64)>,
    onset: Interval,
    end_s: f64,
    sum: f64,
}

/// A counter of a function; `None` where CloudWatch calls it incomplete.
fn counter(run: &Run<'_>, function: &Function, name: &'static str) -> Option<Points> {
    let metric = Metric::lambda(name, "Sum");
    run.server.series(metric, &function.full).filter(|series| Server::is_complete(series))?;
    run.server.counter(metric, &function.full)
}

/// Matches a counter of a function to the symptoms on whose path the function is.
fn account(
    run: &Run<'_>,
    function: &Function,
    counter: &Points,
    felt: &[Felt],
    lag_s: f64,
    keep: fn(&str) -> bool,
) -> Option<Account> {
    let stage = Stage::Function(function.full.clone());
    let mut account: Option<Account> = None;
    for (n, felt) in felt.iter().enumerate().filter(|(_, felt)| run.is_on_path(&felt.player, &stage)) {
        let (share, lag_s) = match (&felt.player, felt.symptom.what) {
            (Player::Operation(_), SymptomKind::Failures) if function.trigger.is_awaited() => {
                (of_failures(run, felt, counter, lag_s, keep), lag_s)
            }
            (Player::Delivery(_), _) if runs_behind(run, function) => {
                (of_delivery(run, function, felt, counter), felt.lag_s)
            }
            _ => continue,
        };
        let Some((onset, end_s)) = matching::shows(felt, counter, lag_s).filter(|_| share > 0.0) else {
            continue;
        };
        let known = account.get_or_insert(Account { explains: Vec::new(), onset, end_s, sum: 0.0 });
        known.explains.push((n, share));
        if onset.from_s < known.onset.from_s {
            known.onset = onset;
        }
        known.end_s = known.end_s.max(end_s);
    }
    let mut account = account?;
    account.sum = counter.within(account.onset.from_s, account.end_s).sum().unwrap_or(0.0);
    Some(account)
}

/// Whether a stream or a topic makes it run.
fn runs_behind(run: &Run<'_>, function: &Function) -> bool {
    let mapped = run.server.wiring().is_some_and(|wiring| {
        wiring.mappings.iter().any(|mapping| mapping.function == function.full)
            || wiring.subscriptions.iter().any(|by| by.function == function.full)
    });
    mapped || !function.trigger.is_awaited()
}

/// Failures that the counter accounts for, one by one, of all failures.
fn of_failures(run: &Run<'_>, felt: &Felt, counter: &Points, lag_s: f64, keep: fn(&str) -> bool) -> f64 {
    let of_class = felt.player.failures(run, keep);
    let within = |(at, _): &(f64, f64)| *at >= felt.symptom.from_s && *at < felt.symptom.to_s;
    let part = Felt { affected: of_class.into_iter().filter(within).collect(), ..felt.clone() };
    matching::one_by_one(&part, counter, lag_s, 1.0) * part.count() / felt.count().max(1.0)
}

/// Deliveries in the periods of the counter: a batch that fails or has to wait delays all its records.
fn of_delivery(run: &Run<'_>, function: &Function, felt: &Felt, counter: &Points) -> f64 {
    let batch = match &function.trigger {
        Trigger::Topic(_) => 1.0,
        Trigger::Stream { uuid, .. } => {
            run.server.limit(LimitKind::BatchSize, uuid).map_or(BATCH, |limit| limit.value)
        }
        _ => BATCH,
    };
    let from_s = felt.symptom.from_s - felt.lag_s;
    let events = counter.within(from_s, felt.symptom.to_s).sum().unwrap_or(0.0);
    let enough = (events * batch / felt.count().max(1.0)).min(1.0);
    matching::in_its_periods(felt, counter, felt.lag_s, run.window()) * enough
}

fn throttled(run: &Run<'_>, function: &Function, felt: &[Felt]) -> Option<Candidate> {
    let throttles = counter(run, function, "Throttles")?;
    let keep = |class: &str| !classes::is_credentials(class) && !classes::is_outcome(class);
    let account = account(run, function, &throttles, felt, 1.0, keep)?;
    let says = format!("{} invocations were refused.", number(account.sum));
    let series = format!("Throttles (Sum) of {}", function.short);
    let refused = evidence::of(series, says, &throttles, account.onset.from_s, account.end_s);
    let hit = limits::reached(run, function, &throttles, account.onset.from_s, account.end_s);
    let mut candidate = match hit {
        Some(hit) => {
            let mut candidate = Candidate::new(hit.kind, hit.stage, account.onset, account.end_s);
            (candidate.limit, candidate.observed) = (hit.limit, Some(hit.observed));
            candidate.unit = hit.unit;
            candidate.evidence.push(hit.evidence);
            candidate.or.extend(unknown_duration(run, function, felt, &account));
            candidate
        }
        // Without a limit it is not named, but what lacks is.
        None => Candidate::new(
            SuspectKind::ReservedConcurrency,
            Stage::Function(function.full.clone()),
            account.onset,
            account.end_s,
        ),
    };
    candidate.evidence.insert(0, refused);
    candidate.explains = account.explains;
    Some(candidate)
}

fn failed(run: &Run<'_>, function: &Function, felt: &[Felt]) -> Option<Candidate> {
    let errors = counter(run, function, "Errors")?;
    let timeout_s = run.server.limit(LimitKind::TimeoutS, &function.full).map(|limit| limit.value);
    let longest = run.server.gauge(Metric::lambda("Duration", "Maximum"), &function.full);
    // Lambda stamps an invocation at its start, so an error lies before the failure by the time that it took.
    let slowest_s = longest.as_ref().and_then(Points::peak).map_or(0.0, |(_, ms)| ms / 1e3);
    let account = account(run, function, &errors, felt, slowest_s.min(900.0) + 1.0, classes::is_of_function)?;
    let (from_s, to_s) = (account.onset.from_s, account.end_s);
    let stage = Stage::Function(function.full.clone());
    let says = format!("{} invocations failed.", number(account.sum));
    let mut evidence =
        vec![evidence::of(format!("Errors (Sum) of {}", function.short), says, &errors, from_s, to_s)];
    let timed_out = timeout_s
        .zip(longest.as_ref())
        .filter(|(timeout_s, longest)| times_out(&errors, longest, *timeout_s));
    let memory = super::memory::full(run, function, from_s, to_s);
    let kind = match (&timed_out, &memory, &function.trigger) {
        (Some(_), ..) => SuspectKind::FunctionTimeout,
        (_, Some(_), _) => SuspectKind::Memory,
        _ if function.authorizes && only_connects(felt, &account) => SuspectKind::IdentityProvider,
        (.., Trigger::Topic(_)) => SuspectKind::SnsDelivery,
        _ => SuspectKind::FunctionErrors,
    };
    let mut candidate = Candidate::new(kind, stage, account.onset, account.end_s);
    if let Some((timeout_s, longest)) = timed_out {
        candidate.limit = Some(timeout_s * 1e3);
        candidate.observed = longest.within(from_s, to_s).peak().map(|(_, ms)| ms);
        candidate.unit = "ms";
        let says =
            format!("The longest invocation took as long as the time-out of {} s allows.", number(timeout_s));
        evidence.push(evidence::of(
            format!("Duration (Maximum) of {}", function.short),
            says,
            longest,
            from_s,
            to_s,
        ));
    } else if let Some(memory) = memory {
        (candidate.limit, candidate.observed, candidate.unit) =
            (Some(memory.limit), Some(memory.observed), memory.unit);
        evidence.push(memory.evidence);
    }
    match kind {
        SuspectKind::IdentityProvider => candidate.or.push(format!("the code of {}", function.short)),
        SuspectKind::SnsDelivery => candidate.or.push(format!("the code of {}", function.short)),
        SuspectKind::FunctionErrors => {
            candidate.or.extend(unknown_timeout(function, timeout_s));
            candidate.or.extend(unknown_record(run, function, &errors, candidate.end_s));
        }
        _ => {}
    }
    candidate.evidence = evidence;
    candidate.explains = account.explains;
    Some(candidate)
}

/// What is full may be full of invocations that take longer than before, unless their `Duration` before and during a symptom is known.
fn unknown_duration(run: &Run<'_>, function: &Function, felt: &[Felt], account: &Account) -> Option<String> {
    let durations = run.server.gauge(Metric::lambda("Duration", "Average"), &function.full);
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), &function.full);
    let is_known = |(n, _): &(usize, f64)| {
        let compared = felt.get(*n).and_then(|felt| Compared::of(run, felt));
        let change = compared
            .zip(durations.as_ref())
            .and_then(|(one, points)| one.change(points, invocations.as_ref()));
        change.is_some_and(|change| change.before.is_some())
    };
    let name = &function.short;
    (!account.explains.iter().any(is_known))
        .then(|| format!("{name} taking longer than before, which its Duration does not tell"))
}

/// Errors may be its time-out where that is not known.
fn unknown_timeout(function: &Function, timeout_s: Option<f64>) -> Option<String> {
    timeout_s.is_none().then(|| format!("the time-out of {}, which is not known", function.short))
}

/// Errors of a function behind a stream may be those of a record that it can never read, unless it is known that no more records were
/// given up than errors at random give up.
fn unknown_record(run: &Run<'_>, function: &Function, errors: &Points, end_s: f64) -> Option<String> {
    let Trigger::Stream { uuid, .. } = &function.trigger else { return None };
    let name = &function.short;
    let may_be = |why: &str| Some(format!("a record that {name} can never read: {why}"));
    let retries = run.server.limit(LimitKind::MaxRetries, uuid).filter(|retries| retries.value >= 0.0);
    let Some(retries) = retries else { return may_be("how often it may try is not known") };
    let first = errors.known().find(|(_, count)| *count > 0.0).map_or(0.0, |(at, _)| at);
    let total = |points: &Points| points.within(first, end_s).sum().unwrap_or(0.0);
    let given_up = run.server.events("DroppedEventCount", uuid).map(|points| points.within(first, end_s));
    let invoked = run.server.gauge(Metric::lambda("Invocations", "Sum"), &function.full);
    let (Some(given_up), Some(invoked)) = (given_up, invoked) else {
        return may_be("how many were given up is not known");
    };
    if given_up.points.is_empty() || given_up.points.iter().any(|point| point.value.is_none()) {
        return may_be("how many were given up is not known in every period");
    }
    let dropped = given_up.sum().unwrap_or(0.0);
    let chance = streams::is_chance(dropped, total(errors), total(&invoked), retries.value);
    if chance { None } else { may_be("more were given up than errors at random give up") }
}

/// Whether all that an account explains is of handshakes.
fn only_connects(felt: &[Felt], account: &Account) -> bool {
    account.explains.iter().all(|(n, _)| felt.get(*n).is_some_and(|felt| felt.player.name() == "connect"))
}

/// Whether at least half of the errors lie in periods whose longest invocation took as long as the time-out allows.
fn times_out(errors: &Points, longest: &Points, timeout_s: f64) -> bool {
    let at_timeout = |at: f64| {
        longest
            .known()
            .any(|(start, ms)| (start - at).abs() < longest.period_s / 2.0 && ms >= 0.99 * timeout_s * 1e3)
    };
    let all: f64 = errors.known().map(|(_, count)| count).sum();
    let timed_out: f64 = errors.known().filter(|(at, _)| at_timeout(*at)).map(|(_, count)| count).sum();
    all > 0.0 && timed_out >= all / 2.0
}
