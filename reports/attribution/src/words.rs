//! What to say of each kind of suspect: what would refute it, what to change, and whether it needs a limit to be named.

use reports::format::SuspectKind;

/// Whether a suspect of this kind is named only where its limit was seen to be reached.
pub(crate) const fn needs_limit(kind: SuspectKind) -> bool {
    use SuspectKind as K;
    matches!(kind, K::ReservedConcurrency | K::AccountConcurrency | K::RequestRateCap)
}

/// The observation that would refute it, in a sentence; `of` is the resource.
pub(crate) fn refuted_by(kind: SuspectKind, of: &str) -> String {
    use SuspectKind as K;
    match kind {
        K::ReservedConcurrency => {
            format!(
                "With twice the reserved concurrency of {of} and the same load, as many requests are refused."
            )
        }
        K::AccountConcurrency => {
            "With a higher account concurrency and the same load, as many requests are refused.".to_owned()
        }
        K::RequestRateCap => format!(
            "{of} is still throttled at fewer than ten invocations a second for each unit of its concurrency."
        ),
        K::ScalingRate => {
            format!("{of} is throttled as much when the same load comes as a ramp over a minute.")
        }
        K::ColdStarts => {
            format!("The slow answers come without an Init Duration in the REPORT lines of {of}.")
        }
        K::SlowFunction => {
            format!("The Duration of {of} is the same at equal load in a run without the symptom.")
        }
        K::SlowDependency => format!("Calls to {of} take as long in a run without the symptom."),
        K::FunctionTimeout => format!("With a longer time-out of {of} the same invocations fail."),
        K::FunctionErrors => format!("The log of {of} has no errors at the instants of the failures."),
        K::Memory => format!("With twice the memory {of} fails as often."),
        K::TableThroughput => {
            format!("With twice the throughput of {of} and the same load, as many requests fail.")
        }
        K::HotPartition => {
            format!("With the same load spread over more keys, {of} throttles as many requests.")
        }
        K::StreamLanes => {
            format!("With twice the parallelization factor the iterator age behind {of} grows as fast.")
        }
        K::PoisonRecord => {
            format!("No batch from {of} fails again with the same record, by the log of its function.")
        }
        K::ConnectRate => {
            "With connections spread over twice the time, as many handshakes answer 429.".to_owned()
        }
        K::MessageRate => {
            "At half the rate of all requests together, as many are answered with 429.".to_owned()
        }
        K::SlowClient => {
            "Without the players that read slowly, the others' deliveries are as slow.".to_owned()
        }
        K::GoneStorm => "Pushes answer 410 although no socket had ended before.".to_owned(),
        K::IdentityProvider => {
            format!(
                "The provider's own monitoring shows answers as fast as before, or {of} fails with keys in its cache."
            )
        }
        K::GameliftRate => {
            "At half the rate of placement requests, StartGameSessionPlacement is refused as often."
                .to_owned()
        }
        K::PlacementCapacity => {
            format!("{of} times out as often while its fleets have AvailableGameSessions to spare.")
        }
        K::SnsDelivery => {
            format!("The Errors and Throttles of {of} are zero while its events wait, by AsyncEventAge.")
        }
        K::Network => "The same load from another place shows the same times.".to_owned(),
        K::Generator => {
            "The same run on a machine with more cores is valid and shows the same figures.".to_owned()
        }
        K::Unknown => "A later version says what would refute it.".to_owned(),
    }
}

/// What to change, in a sentence; `of` is the resource.
pub(crate) fn remedy(kind: SuspectKind, of: &str) -> String {
    use SuspectKind as K;
    match kind {
        K::ReservedConcurrency => format!("Raise the reserved concurrency of {of}, or shorten its handler."),
        K::AccountConcurrency => {
            "Ask for a higher account concurrency (L-B99A9384), and reserve some for the functions that players wait for."
                .to_owned()
        }
        K::RequestRateCap => {
            format!("Ask for a higher account concurrency, or let {of} do more in one invocation.")
        }
        K::ScalingRate => format!("Let the load rise more slowly, or give {of} provisioned concurrency."),
        K::ColdStarts => format!("Give {of} provisioned concurrency, or make its start shorter."),
        K::SlowFunction => format!("Give {of} more memory, which is also more CPU, or make its handler faster."),
        K::SlowDependency => format!("Look at {of}: its capacity, its own limits, and how often it is called."),
        K::FunctionTimeout => format!("Find what {of} waits for before its time-out; raise the time-out only then."),
        K::FunctionErrors => format!("Read the log of {of} at the instants given, and correct its code."),
        K::Memory => format!("Raise the memory of {of}."),
        K::TableThroughput => format!("Warm {of} up, or raise its maximum throughput."),
        K::HotPartition => format!("Spread the keys of {of}: one of them takes more than a partition may."),
        K::StreamLanes => format!(
            "Raise the parallelization factor of the mapping of {of} (up to 10), or make its function's batches faster."
        ),
        K::PoisonRecord => format!(
            "Give the mapping of {of} an OnFailure destination and few retries, and correct how its function reads such a record."
        ),
        K::ConnectRate => "Ask for more new connections a second (L-9ED1E49A), or let players connect more slowly.".to_owned(),
        K::MessageRate => "Ask for more requests a second (L-8A5B8E43), or send fewer and larger messages.".to_owned(),
        K::SlowClient => "Drop players that do not read, and do not retry pushes to them for long.".to_owned(),
        K::GoneStorm => "Find why the sockets ended; pushes to them fail only after that.".to_owned(),
        K::IdentityProvider => format!("Cache the provider's keys in {of}, and ask for a higher limit there."),
        K::GameliftRate => "Ask for a higher limit of StartGameSessionPlacement, or start fewer placements.".to_owned(),
        K::PlacementCapacity => format!("Give the fleets behind {of} more game sessions."),
        K::SnsDelivery => format!("Correct what makes {of} fail: SNS waits one and two minutes before it tries again."),
        K::Network => "Measure the way to the gateway by itself, from the generator's machine.".to_owned(),
        K::Generator => "Do as the reasons of the verdict say, and run again.".to_owned(),
        K::Unknown => "See what a later version says of it.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_kind_says_what_refutes_and_what_helps_it() {
        assert_eq!(SuspectKind::iter().count(), 25);
        for kind in SuspectKind::iter() {
            for sentence in [refuted_by(kind, "X"), remedy(kind, "X")] {
                assert!(sentence.ends_with('.') && sentence.len() > 20, "{kind:?}: {sentence}");
            }
        }
    }
}
