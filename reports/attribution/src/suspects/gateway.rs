//! Rates that the gateway refuses: 429 of handshakes, and of requests of all kinds. The players count both sides of the account
//! themselves, so no server series is needed.

use reports::format::{LimitKind, SeriesLine, SuspectKind};

use super::evidence::{self, number};
use super::matching;
use super::plateau::{self, Plateau, Second};
use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Player, Point, Points, Run, Stage, classes};

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    [connections(run, felt), requests(run, felt)].into_iter().flatten().collect()
}

/// New connections per second.
fn connections(run: &Run<'_>, felt: &[Felt]) -> Option<Candidate> {
    let connect = Player::Operation("connect".to_owned());
    let refused = connect.failures(run, classes::is_too_many);
    let answered = |line: &SeriesLine| {
        let sockets = line.sockets.clone().unwrap_or_default();
        (sockets.opened + sockets.rejected) as f64
    };
    let seconds: Vec<Second> = run
        .lines()
        .filter(|line| line.sockets.is_some())
        .map(|line| second(line, &refused, answered(line)))
        .collect();
    let plateau = plateau::of(&seconds, run.server.limit(LimitKind::ConnectionsPerSecond, ""))?;
    let mut candidate = candidate(SuspectKind::ConnectRate, &seconds, plateau, "accepted handshakes")?;
    for (n, felt) in felt.iter().enumerate().filter(|(_, felt)| felt.player == connect && felt.is_failures())
    {
        candidate.explains.push((n, share_of_refusals(run, felt)));
    }
    Some(candidate)
}

/// Requests of the account per second: sends, pushes, connections and REST together.
fn requests(run: &Run<'_>, felt: &[Felt]) -> Option<Candidate> {
    let operations: Vec<Player> = run
        .summary
        .operations
        .keys()
        .filter(|name| *name != "connect")
        .cloned()
        .map(Player::Operation)
        .collect();
    let of_each: Vec<(&Player, Vec<(f64, f64)>)> =
        operations.iter().map(|player| (player, player.failures(run, classes::is_too_many))).collect();
    let mut refused: Vec<(f64, f64)> =
        of_each.iter().flat_map(|(_, seconds)| seconds.iter().copied()).collect();
    refused.sort_by(|a, b| a.0.total_cmp(&b.0));
    if !is_of_every_kind(run, &of_each) {
        return None;
    }
    let seconds: Vec<Second> = run.lines().map(|line| second(line, &refused, all_requests(line))).collect();
    let plateau = plateau::of(&seconds, run.server.limit(LimitKind::RequestsPerSecond, ""))?;
    let mut candidate =
        candidate(SuspectKind::MessageRate, &seconds, plateau, "requests, pushes among them,")?;
    let counter = Points {
        period_s: 1.0,
        points: seconds
            .iter()
            .map(|second| Point { at_s: second.at_s, value: Some(second.refused) })
            .collect(),
    };
    for (n, felt) in felt.iter().enumerate() {
        let share = match &felt.player {
            Player::Operation(_) if felt.is_failures() => share_of_refusals(run, felt),
            // Pushes are refused as well, and tried again.
            Player::Delivery(_) => matching::in_its_periods(felt, &counter, felt.lag_s, run.window()),
            Player::Operation(_) => 0.0,
        };
        if share > 0.0 {
            candidate.explains.push((n, share));
        }
    }
    Some(candidate)
}

fn second(line: &SeriesLine, refused: &[(f64, f64)], answered: f64) -> Second {
    let at_s = line.t as f64;
    let refused: f64 = refused.iter().filter(|(at, _)| *at == at_s).map(|(_, count)| count).sum();
    Second { at_s, accepted: (answered - refused).max(0.0), refused }
}

/// All that counts as requests of the account: sends, pushes, handshakes.
fn all_requests(line: &SeriesLine) -> f64 {
    let sent: u64 =
        line.operations.iter().filter(|(name, _)| *name != "connect").map(|(_, second)| second.sent).sum();
    let pushed: u64 = line
        .deliveries
        .values()
        .map(|second| second.received + second.late + second.duplicated + second.unexpected)
        .sum();
    (sent + pushed) as f64
}

/// Whether every operation that would have been refused at the common share was: a rate of the account spares none.
fn is_of_every_kind(run: &Run<'_>, of_each: &[(&Player, Vec<(f64, f64)>)]) -> bool {
    let sum = |seconds: &[(f64, f64)]| seconds.iter().map(|(_, count)| count).sum::<f64>();
    let first = of_each
        .iter()
        .filter_map(|(_, seconds)| seconds.first())
        .map(|(at, _)| *at)
        .fold(f64::INFINITY, f64::min);
    let last =
        of_each.iter().filter_map(|(_, seconds)| seconds.last()).map(|(at, _)| *at).fold(0.0, f64::max);
    let sent = |player: &Player| -> f64 {
        let within = run.lines().filter(|line| (first..=last).contains(&(line.t as f64)));
        within.filter_map(|line| line.operations.get(player.name())).map(|second| second.sent as f64).sum()
    };
    let refused: f64 = of_each.iter().map(|(_, seconds)| sum(seconds)).sum();
    let all: f64 = of_each.iter().map(|(player, _)| sent(player)).sum();
    // With five expected, none has a probability below 1 %.
    let expects = |player: &Player| sent(player) * refused / all.max(1.0) >= 5.0;
    refused > 0.0
        && of_each.iter().all(|(player, seconds)| {
            run.summary.operations.get(player.name()).is_some_and(|o| o.is_journey())
                || !expects(player)
                || sum(seconds) > 0.0
        })
}

fn candidate(kind: SuspectKind, seconds: &[Second], plateau: Plateau, what: &str) -> Option<Candidate> {
    let refusing: Vec<&Second> = seconds.iter().filter(|second| second.refused > 0.0).collect();
    let (first, last) = refusing.first().zip(refusing.last())?;
    let onset = Interval { from_s: first.at_s, to_s: first.at_s + 1.0 };
    let mut candidate = Candidate::new(kind, Stage::Gateway, onset, last.at_s + 1.0);
    let Plateau { level, limit } = plateau;
    (candidate.limit, candidate.observed, candidate.unit) = (limit, Some(level), "per second");
    let refused: f64 = refusing.iter().map(|second| second.refused).sum();
    let of_limit =
        limit.map_or_else(|| "; the limit is not known".to_owned(), |limit| format!(" of {}", number(limit)));
    let says = format!(
        "{} were answered with 429, while {} {what} a second went through{of_limit}.",
        number(refused),
        number(level)
    );
    let points: Vec<(f64, f64)> = refusing.iter().map(|second| (second.at_s, second.accepted)).collect();
    candidate.evidence.push(evidence::of_seconds("accepted per second, by the players", says, &points));
    Some(candidate)
}

/// The share of a symptom's failures that were answered with 429.
fn share_of_refusals(run: &Run<'_>, felt: &Felt) -> f64 {
    let within = |(at, _): &(f64, f64)| *at >= felt.symptom.from_s && *at < felt.symptom.to_s;
    let refused: f64 = felt
        .player
        .failures(run, classes::is_too_many)
        .into_iter()
        .filter(within)
        .map(|(_, count)| count)
        .sum();
    (refused / felt.count().max(1.0)).min(1.0)
}
