//! Which limit a throttled function reached, if any.

use reports::format::{Evidence, LimitKind, SuspectKind};

use super::evidence::{self, number};
use crate::observed::{Function, Metric, Points, Run, Server, Stage};
use statistics::slope::theil_sen;
use statistics::waiting::erlang_b;

/// Normal quantile of 95 %, two-sided: how far a Poisson count strays from its mean.
pub(super) const Z: f64 = 1.96;
/// Invocations per second for each unit of concurrency, as documented.
const PER_CONCURRENCY: f64 = 10.0;
/// Environments that a function may start in ten seconds, as documented.
const SCALING: f64 = 1_000.0;
/// Fewest periods that show a growth.
const FEWEST_PERIODS: usize = 5;

/// A limit that was reached.
pub(super) struct Hit {
    pub(super) kind: SuspectKind,
    pub(super) stage: Stage,
    /// Its value; `None` where only the behaviour tells of it.
    pub(super) limit: Option<f64>,
    pub(super) observed: f64,
    pub(super) unit: &'static str,
    pub(super) evidence: Evidence,
}

/// A throttled function's figures in the time in which it was throttled.
struct Throttled<'a, 'b> {
    run: &'a Run<'b>,
    function: &'a Function,
    throttles: &'a Points,
    concurrency: Option<Points>,
    from_s: f64,
    to_s: f64,
}

/// The limit that explains why the function was throttled between `from_s` and `to_s`.
pub(super) fn reached(
    run: &Run<'_>,
    function: &Function,
    throttles: &Points,
    from_s: f64,
    to_s: f64,
) -> Option<Hit> {
    let concurrency = run.server.gauge(Metric::lambda("ConcurrentExecutions", "Maximum"), &function.full);
    let throttled = Throttled { run, function, throttles, concurrency, from_s, to_s };
    let reserved = run.server.limit(LimitKind::ReservedConcurrency, &function.full).map(|limit| limit.value);
    let concurrency = match reserved {
        Some(reserved) => throttled.reserved(reserved),
        None => throttled.account(),
    };
    // In a long period executions touch their limit by chance: then it is the rate, if that is at its limit and the executions
    // would not lose as many.
    if let Some(reserved) =
        reserved.filter(|limit| concurrency.is_some() && throttled.loses(*limit) == Some(false))
        && let Some(rate) = throttled.request_rate(Some(reserved))
    {
        return Some(rate);
    }
    if concurrency.is_some() || !throttled.knows_executions() {
        return concurrency;
    }
    throttled.request_rate(reserved).or_else(|| throttled.scaling()).or_else(|| throttled.growing())
}

impl Throttled<'_, '_> {
    /// Values of a series in the periods in which the function was throttled.
    fn when_throttled<'c>(&'c self, points: &'c Points) -> impl Iterator<Item = f64> + 'c {
        let throttled = self.throttles.within(self.from_s, self.to_s);
        let starts: Vec<f64> =
            throttled.known().filter(|(_, count)| *count > 0.0).map(|(at, _)| at).collect();
        let period_s = throttled.period_s;
        points
            .known()
            .filter(move |(at, _)| starts.iter().any(|start| (start - at).abs() < period_s / 2.0))
            .map(|(_, value)| value)
    }

    /// Whether the executions of every period with throttles are known. Without them nobody knows whether it was not these that
    /// ran out, so no other limit is looked at.
    fn knows_executions(&self) -> bool {
        let metric = Metric::lambda("ConcurrentExecutions", "Maximum");
        let is_complete =
            self.run.server.series(metric, &self.function.full).is_some_and(Server::is_complete);
        let throttled = self.throttles.within(self.from_s, self.to_s);
        let mut refusing = throttled.known().filter(|(_, count)| *count > 0.0);
        let known = |at| self.concurrency.as_ref().is_some_and(|points| points.at(at).is_some());
        is_complete && refusing.all(|(at, _)| known(at))
    }

    fn highest(&self, points: &Points) -> Option<f64> {
        self.when_throttled(points).max_by(f64::total_cmp)
    }

    fn reserved(&self, reserved: f64) -> Option<Hit> {
        let highest = match &self.concurrency {
            Some(points) => self.highest(points),
            None => None,
        };
        let observed = highest.unwrap_or(0.0);
        // How often the maximum is sampled is documented nowhere, so it may miss the last execution.
        let is_below = observed >= 0.9 * reserved && self.loses(reserved) == Some(true);
        let is_hit = reserved < 1.0 || observed >= reserved || is_below;
        let name = &self.function.short;
        let says = format!(
            "At most {} of {} reserved executions at once, in the periods in which it was throttled.",
            number(observed),
            number(reserved)
        );
        is_hit.then(|| Hit {
            kind: SuspectKind::ReservedConcurrency,
            stage: Stage::Function(self.function.full.clone()),
            limit: Some(reserved),
            observed,
            unit: "executions",
            evidence: self.evidence_of(
                format!("ConcurrentExecutions (Maximum) of {name}"),
                says,
                self.concurrency.as_ref(),
            ),
        })
    }

    /// Whether Erlang's loss formula predicts at least half of the refused share for so many executions, by the periods in which refusals,
    /// invocations and their duration are all known; `None` where there is none.
    fn loses(&self, limit: f64) -> Option<bool> {
        let lambda =
            |name, statistic| self.run.server.gauge(Metric::lambda(name, statistic), &self.function.full);
        let (invocations, duration) = (lambda("Invocations", "Sum")?, lambda("Duration", "Average")?);
        let (mut accepted, mut refused, mut busy_s, mut length_s) = (0.0, 0.0, 0.0, 0.0);
        let throttled = self.throttles.within(self.from_s, self.to_s);
        for (at, count) in throttled.known().filter(|(_, count)| *count > 0.0) {
            let (Some(invoked), Some(mean_ms)) = (invocations.at(at), duration.at(at)) else { continue };
            accepted += invoked;
            refused += count;
            busy_s += invoked * mean_ms / 1e3;
            length_s += throttled.period_s;
        }
        if accepted == 0.0 {
            return None;
        }
        let offered = (accepted + refused) / length_s * busy_s / accepted;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit of executions")]
        let predicted = erlang_b(offered, limit.clamp(0.0, 1e6) as u64);
        Some(predicted >= 0.5 * refused / (accepted + refused))
    }

    fn account(&self) -> Option<Hit> {
        let server = &self.run.server;
        let limit = |kind| server.limit(kind, "").map(|limit| limit.value);
        let reserved: f64 = server
            .limits()
            .filter(|limit| limit.kind == LimitKind::ReservedConcurrency)
            .map(|limit| limit.value)
            .sum();
        let account = limit(LimitKind::AccountConcurrency);
        let unreserved = limit(LimitKind::UnreservedConcurrency).or(account.map(|limit| limit - reserved))?;
        let maximum = |name| server.gauge(Metric::account(name, "Maximum"), "");
        let of_account = match maximum("UnreservedConcurrentExecutions") {
            Some(points) if self.highest(&points).is_some() => points,
            _ if reserved == 0.0 => maximum("ConcurrentExecutions")?,
            _ => return None,
        };
        let observed = self.highest(&of_account)?;
        let own: f64 = self
            .run
            .backend
            .functions
            .iter()
            .filter(|other| server.limit(LimitKind::ReservedConcurrency, &other.full).is_none())
            .filter_map(|other| server.gauge(Metric::lambda("ConcurrentExecutions", "Maximum"), &other.full))
            .filter_map(|points| self.highest(&points))
            .sum();
        let foreign = if own < observed / 2.0 {
            format!(
                " The backend's own functions had at most {}: most of it is other load in the account.",
                number(own)
            )
        } else {
            String::new()
        };
        let says = format!(
            "At most {} of {} unreserved executions of the account at once, in the periods in which {} was throttled.{foreign}",
            number(observed),
            number(unreserved),
            self.function.short
        );
        (observed >= unreserved).then(|| Hit {
            kind: SuspectKind::AccountConcurrency,
            stage: Stage::Account,
            limit: Some(unreserved),
            observed,
            unit: "executions",
            evidence: self.evidence_of(
                "UnreservedConcurrentExecutions (Maximum)".to_owned(),
                says,
                Some(&of_account),
            ),
        })
    }

    /// Ten invocations a second for each unit of concurrency: a plateau of what is accepted, with executions far below the limit.
    fn request_rate(&self, reserved: Option<f64>) -> Option<Hit> {
        let server = &self.run.server;
        let account = server.limit(LimitKind::AccountConcurrency, "").map(|limit| limit.value);
        let concurrency = reserved.or(account)?;
        let each = server.limits().find(|limit| limit.kind == LimitKind::RequestsPerConcurrency);
        let limit = concurrency * each.map_or(PER_CONCURRENCY, |limit| limit.value);
        let own = server.gauge(Metric::lambda("Invocations", "Sum"), &self.function.full)?;
        let period_s = own.period_s;
        let at_limit = limit * period_s;
        let near = Z * at_limit.sqrt();
        let all = match reserved {
            Some(_) => own,
            None => self.unreserved_invocations(&own),
        };
        let accepted = self.highest(&all)?;
        let highest = self.concurrency.as_ref().and_then(|points| self.highest(points))?;
        let says = format!(
            "{} invocations were accepted in a period of {} s in which others were refused; ten a second for each of {} executions are {}, and at most {} ran at once.",
            number(accepted),
            number(period_s),
            number(concurrency),
            number(at_limit),
            number(highest)
        );
        let name = &self.function.short;
        // What lets more through than a second's burst is another limit.
        let may_be = at_limit - near..=at_limit + limit + near;
        (limit > 0.0
            && may_be.contains(&accepted)
            && (highest < concurrency || self.loses(concurrency) == Some(false)))
        .then(|| Hit {
            kind: SuspectKind::RequestRateCap,
            stage: Stage::Function(self.function.full.clone()),
            limit: Some(limit),
            observed: accepted / period_s,
            unit: "per second",
            evidence: self.evidence_of(format!("Invocations (Sum) of {name}"), says, Some(&all)),
        })
    }

    /// The invocations of all functions without a reservation, period by period.
    fn unreserved_invocations(&self, own: &Points) -> Points {
        let server = &self.run.server;
        let mut sum = own.clone();
        for other in &self.run.backend.functions {
            let is_other = other.full != self.function.full
                && server.limit(LimitKind::ReservedConcurrency, &other.full).is_none();
            let points = server.gauge(Metric::lambda("Invocations", "Sum"), &other.full).filter(|_| is_other);
            for (at, value) in points.iter().flat_map(Points::known) {
                let same = sum.points.iter_mut().find(|point| (point.at_s - at).abs() < own.period_s / 2.0);
                if let Some(known) = same.and_then(|point| point.value.as_mut()) {
                    *known += value;
                }
            }
        }
        sum
    }

    /// New environments: as many more executions as may be started at once, and no other limit near.
    fn scaling(&self) -> Option<Hit> {
        let server = &self.run.server;
        let known = server.limit(LimitKind::ScalingEnvironments, &self.function.full);
        let known = known.or_else(|| server.limit(LimitKind::ScalingEnvironments, ""));
        let limit = known.map_or(SCALING, |limit| limit.value);
        let points = self.concurrency.as_ref()?;
        let first = self.throttles.within(self.from_s, self.to_s).known().find(|(_, count)| *count > 0.0)?.0;
        let before = points
            .known()
            .filter(|(at, _)| *at + points.period_s / 2.0 < first)
            .last()
            .map_or(0.0, |(_, value)| value);
        let highest = self.highest(points)?;
        let growth = highest - before;
        let says = format!(
            "From {} to {} executions at once while it was throttled; {} environments may start at once, and as many more every ten seconds.",
            number(before),
            number(highest),
            number(limit)
        );
        let name = &self.function.short;
        (growth >= limit - Z * limit.sqrt()).then(|| Hit {
            kind: SuspectKind::ScalingRate,
            stage: Stage::Function(self.function.full.clone()),
            limit: Some(limit),
            observed: growth,
            unit: "environments per 10 s",
            evidence: self.evidence_of(
                format!("ConcurrentExecutions (Maximum) of {name}"),
                says,
                Some(points),
            ),
        })
    }

    /// New environments at a lower rate than is documented: executions grow steadily while the function is throttled, and an ever
    /// greater share is accepted. Whatever refuses a fixed share does not let that share grow.
    fn growing(&self) -> Option<Hit> {
        let points = self.concurrency.as_ref()?;
        let invocations = self.run.server.gauge(Metric::lambda("Invocations", "Sum"), &self.function.full)?;
        let mut executions: Vec<(f64, f64)> = Vec::new();
        let mut shares: Vec<(f64, f64)> = Vec::new();
        let throttled = self.throttles.within(self.from_s, self.to_s);
        for (at, refused) in throttled.known().filter(|(_, count)| *count > 0.0) {
            let (Some(busy), Some(accepted)) = (points.at(at), invocations.at(at)) else { continue };
            executions.push((at, busy));
            shares.push((at, accepted / (accepted + refused)));
        }
        let (growth, accepted) = (theil_sen(&executions, 0.05)?, theil_sen(&shares, 0.05)?);
        if executions.len() < FEWEST_PERIODS || growth.low <= 0.0 || accepted.low <= 0.0 {
            return None;
        }
        let per_ten = growth.value * 10.0;
        let says = format!(
            "While it was throttled its executions grew by {} in ten seconds, and an ever greater share was accepted.",
            number(per_ten)
        );
        let name = &self.function.short;
        Some(Hit {
            kind: SuspectKind::ScalingRate,
            stage: Stage::Function(self.function.full.clone()),
            limit: None,
            observed: per_ten,
            unit: "environments per 10 s",
            evidence: self.evidence_of(
                format!("ConcurrentExecutions (Maximum) of {name}"),
                says,
                Some(points),
            ),
        })
    }

    fn evidence_of(&self, series: String, says: String, points: Option<&Points>) -> Evidence {
        let nothing = Points::default();
        evidence::of(series, says, points.unwrap_or(&nothing), self.from_s, self.to_s)
    }
}
