//! What gave way first, in words: the same sentences in the terminal and in the report.

use jiff::{SignedDuration, Timestamp};

use crate::format::{Correlation, Outcome, Suspect, SuspectKind, Symptom, SymptomKind};
use crate::human;

/// The answer in two sentences: what players felt, and what gave way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// In a word group.
    pub headline: &'static str,
    /// The sentences.
    pub sentences: Vec<String>,
}

/// The answer in words; `None` where nobody asked, as in older runs.
#[must_use]
pub fn of(correlation: &Correlation, started_at: Timestamp) -> Option<Findings> {
    let felt = correlation.symptoms.first().map(|symptom| felt(symptom, started_at));
    let more = correlation.symptoms.len().saturating_sub(1);
    let felt = felt.map(|felt| match more {
        0 => format!("{felt}."),
        1 => format!("{felt}, and one promise more broke."),
        more => format!("{felt}, and {more} promises more broke."),
    });
    let (headline, answer) = match correlation.outcome? {
        Outcome::NothingGaveWay => ("Nothing gave way", nearest(correlation)),
        Outcome::InvalidRun => (
            "Not attributed",
            "The generator could not keep its promise, so nothing is said about the backend.".into(),
        ),
        Outcome::NotEnoughData => ("Not enough data to say what gave way", lacking(correlation)),
        Outcome::Unknown => ("An answer of a later version", "This version cannot read it.".into()),
        Outcome::Suspects => ("What gave way first", suspects(correlation, started_at)),
    };
    Some(Findings { headline, sentences: felt.into_iter().chain([answer]).collect() })
}

/// What players felt of a symptom, e.g. `send_message failed for 12 % of its requests from 0:12 to 0:30 (14:03:12 UTC)`.
#[must_use]
pub fn felt(symptom: &Symptom, started_at: Timestamp) -> String {
    let who = symptom.operation.as_ref().or(symptom.delivery.as_ref()).map_or("players", String::as_str);
    let quantity = |value: f64| match symptom.unit.as_str() {
        "us" => human::duration(value),
        _ => format!("{} %", human::significant(value * 100.0)),
    };
    let (observed, reference) = (quantity(symptom.observed), quantity(symptom.reference));
    let when = when(symptom.from_s, symptom.to_s, started_at);
    let against = if symptom.threshold.is_empty() {
        format!("against {reference} before")
    } else {
        format!("against the threshold of {reference}")
    };
    match symptom.what {
        SymptomKind::Failures => format!("{who} failed for {observed} of its requests {when}"),
        SymptomKind::Losses => format!("{observed} of the {who} deliveries were lost {when}"),
        SymptomKind::Unknown => format!("{who} broke a promise {when}"),
        SymptomKind::Slower => {
            format!("{who} took longer {when}: {} {observed} {against}", symptom.statistic)
        }
    }
}

/// A stretch of the run, with the time of day at which it begins.
fn when(from_s: f64, to_s: f64, started_at: Timestamp) -> String {
    format!(
        "from {} to {} (from {})",
        human::clock(from_s),
        human::clock(to_s),
        time_of_day(from_s, started_at)
    )
}

/// The time of day of an instant of the run.
fn time_of_day(at_s: f64, started_at: Timestamp) -> String {
    let at =
        SignedDuration::try_from_secs_f64(at_s).ok().and_then(|since| started_at.checked_add(since).ok());
    at.unwrap_or(started_at).strftime("%H:%M:%S UTC").to_string()
}

fn nearest(correlation: &Correlation) -> String {
    match correlation.headroom.first() {
        None => "No promise to the players broke; how far the backend's limits were is not known.".into(),
        Some(near) => format!(
            "No promise to the players broke; the nearest limit is {} of {}: {} of {} {} used at most ({} %).",
            near.what,
            near.resource,
            human::amount(near.peak),
            human::amount(near.limit),
            near.unit,
            whole_percent(near.share)
        ),
    }
}

fn lacking(correlation: &Correlation) -> String {
    match correlation.lacking.as_slice() {
        [] => "What the backend shows does not explain it.".into(),
        [only] => format!("What would explain it is not known: {only}."),
        [first, rest @ ..] => {
            format!(
                "What would explain it is not known: {first}, and {} more.",
                human::count(rest.len() as u64)
            )
        }
    }
}

fn suspects(correlation: &Correlation, started_at: Timestamp) -> String {
    let Some(first) = correlation.suspects.first() else { return lacking(correlation) };
    let more = correlation.suspects.len() - 1;
    let more = match more {
        0 => String::new(),
        1 => " One suspect more is in the report.".into(),
        more => format!(" {more} suspects more are in the report."),
    };
    format!(
        "{}; it explains {} % of that.{more}",
        gave_way(first, started_at),
        whole_percent(first.explained.min(1.0))
    )
}

/// A suspect in a sentence without its end, e.g. `OnMessageInserted ran out of its reserved concurrency at 0:12 (14:03:12 UTC):
/// 1 of 1 executions`.
#[must_use]
pub fn gave_way(suspect: &Suspect, started_at: Timestamp) -> String {
    let at = format!("at {} ({})", human::clock(suspect.from_s), time_of_day(suspect.from_s, started_at));
    let or = if suspect.or.is_empty() { String::new() } else { format!(", or {}", suspect.or.join(", or ")) };
    let used = match (suspect.observed, suspect.limit) {
        (Some(observed), Some(limit)) => {
            format!(": {} of {} {}", human::amount(observed), human::amount(limit), suspect.unit)
        }
        (Some(observed), None) => format!(": {} {}", human::amount(observed), suspect.unit),
        _ => String::new(),
    };
    format!("{} {}{or} {at}{used}", suspect.resource, verb(suspect.kind))
}

/// A share in whole percent; it is not known finer.
#[must_use]
pub fn whole_percent(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

/// What it did that gave way.
const fn verb(kind: SuspectKind) -> &'static str {
    match kind {
        SuspectKind::ReservedConcurrency => "ran out of its reserved concurrency",
        SuspectKind::AccountConcurrency => "ran out of concurrency",
        SuspectKind::RequestRateCap => "reached ten requests a second for each unit of its concurrency",
        SuspectKind::ScalingRate => "could not start environments as fast as they were needed",
        SuspectKind::ColdStarts => "started cold",
        SuspectKind::SlowFunction => "took longer for its own work",
        SuspectKind::SlowDependency => "answered more slowly to those that call it",
        SuspectKind::FunctionTimeout => "ran into its time-out",
        SuspectKind::FunctionErrors => "failed by itself",
        SuspectKind::Memory => "ran out of memory",
        SuspectKind::TableThroughput => "ran out of throughput",
        SuspectKind::HotPartition => "ran out of the throughput of one partition",
        SuspectKind::StreamLanes => "had all lanes of its stream busy",
        SuspectKind::PoisonRecord => "was blocked by a record that fails again and again",
        SuspectKind::ConnectRate => "refused connections beyond its rate of new connections",
        SuspectKind::MessageRate => "refused requests beyond the account's rate",
        SuspectKind::SlowClient => "waited for players that do not read fast enough",
        SuspectKind::GoneStorm => "pushed to sockets that were gone",
        SuspectKind::IdentityProvider => "waited for the identity provider",
        SuspectKind::GameliftRate => "ran into GameLift's rate of calls",
        SuspectKind::PlacementCapacity => "had no game server for placements",
        SuspectKind::SnsDelivery => "delivered events only after retries",
        SuspectKind::Network => "took longer on the way",
        SuspectKind::Generator => "could not keep its promise",
        SuspectKind::Unknown => "gave way",
    }
}

/// A kind as a heading.
#[must_use]
pub const fn title(kind: SuspectKind) -> &'static str {
    match kind {
        SuspectKind::ReservedConcurrency => "Reserved concurrency",
        SuspectKind::AccountConcurrency => "Concurrency of the account",
        SuspectKind::RequestRateCap => "Request rate for its concurrency",
        SuspectKind::ScalingRate => "Scaling rate",
        SuspectKind::ColdStarts => "Cold starts",
        SuspectKind::SlowFunction => "Slow function",
        SuspectKind::SlowDependency => "Slow dependency",
        SuspectKind::FunctionTimeout => "Function time-out",
        SuspectKind::FunctionErrors => "Function errors",
        SuspectKind::Memory => "Memory",
        SuspectKind::TableThroughput => "Table throughput",
        SuspectKind::HotPartition => "Hot partition",
        SuspectKind::StreamLanes => "Stream lanes",
        SuspectKind::PoisonRecord => "Poison record",
        SuspectKind::ConnectRate => "Connect rate",
        SuspectKind::MessageRate => "Request rate of the account",
        SuspectKind::SlowClient => "Slow clients",
        SuspectKind::GoneStorm => "Pushes to sockets that are gone",
        SuspectKind::IdentityProvider => "Identity provider",
        SuspectKind::GameliftRate => "GameLift's rate of calls",
        SuspectKind::PlacementCapacity => "Placement capacity",
        SuspectKind::SnsDelivery => "Delivery by SNS",
        SuspectKind::Network => "Network",
        SuspectKind::Generator => "Generator",
        SuspectKind::Unknown => "A kind of a later version",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Headroom;

    fn placement() -> Symptom {
        Symptom {
            operation: None,
            delivery: Some("placement".into()),
            what: SymptomKind::Slower,
            from_s: 12.0,
            to_s: 60.0,
            observed: 5_600_000.0,
            reference: 250_000.0,
            unit: "us".into(),
            statistic: "p99".into(),
            threshold: "placement.each.p99 < 250ms".into(),
        }
    }

    fn on_message_inserted() -> Suspect {
        Suspect {
            kind: SuspectKind::ReservedConcurrency,
            resource: "OnMessageInserted".into(),
            from_s: 12.0,
            to_s: 60.0,
            limit: Some(1.0),
            observed: Some(1.0),
            unit: "executions".into(),
            explained: 0.93,
            symptoms: vec![0],
            or: Vec::new(),
            evidence: Vec::new(),
            refuted_by: String::new(),
            remedy: String::new(),
        }
    }

    fn told(correlation: &Correlation) -> String {
        let started_at: Timestamp = "2026-11-30T14:03:00Z".parse().expect("an instant");
        let Findings { headline, sentences } = of(correlation, started_at).expect("an outcome");
        format!("{headline} | {}", sentences.join(" | "))
    }

    #[test]
    fn a_suspect_is_named_with_limit_instant_and_share() {
        let correlation = Correlation {
            outcome: Some(Outcome::Suspects),
            symptoms: vec![placement()],
            suspects: vec![on_message_inserted()],
            ..Correlation::default()
        };
        assert_eq!(
            told(&correlation),
            "What gave way first | placement took longer from 0:12 to 1:00 (from 14:03:12 UTC): p99 5.60 s against the \
             threshold of 250 ms. | OnMessageInserted ran out of its reserved concurrency at 0:12 (14:03:12 UTC): 1 of 1 \
             executions; it explains 93 % of that."
        );
    }

    #[test]
    fn without_a_symptom_the_nearest_limit_is_told() {
        let near = Headroom {
            resource: "SendMessage".into(),
            what: "reserved concurrency".into(),
            limit: 20.0,
            peak: 9.0,
            share: 0.45,
            unit: "executions".into(),
        };
        let mut correlation = Correlation {
            outcome: Some(Outcome::NothingGaveWay),
            headroom: vec![near],
            ..Correlation::default()
        };
        assert_eq!(
            told(&correlation),
            "Nothing gave way | No promise to the players broke; the nearest limit is reserved concurrency of SendMessage: 9 of \
             20 executions used at most (45 %)."
        );
        correlation.outcome = None;
        assert_eq!(of(&correlation, Timestamp::UNIX_EPOCH), None, "an older run");
    }

    #[test]
    fn what_lacks_is_named() {
        let correlation = Correlation {
            outcome: Some(Outcome::NotEnoughData),
            symptoms: vec![placement(), placement()],
            lacking: vec!["Throttles of SendMessage came as PartialData".into()],
            ..Correlation::default()
        };
        let told = told(&correlation);
        assert!(
            told.contains("and one promise more broke.") && told.ends_with("came as PartialData."),
            "{told}"
        );
    }
}
