//! Which error classes are the target's, and what they say of it.

use std::collections::BTreeMap;

/// Classes of the generator, of the scenario's doing, or of the run's end: they tell nothing about the target.
const NOT_THE_TARGETS: [&str; 11] = [
    "interrupted",
    "cut",
    "no_descriptors",
    "no_ports",
    "auth_refresh",
    "handshake_value",
    "run_ended",
    "left",
    "stayed_away",
    "socket_lost",
    "bad_subprotocol",
];

/// Whether a failure of this class is the target's. What could not be sent (`unsent_...`) is a consequence, except where the target
/// does not read.
pub(crate) fn is_targets(class: &str) -> bool {
    let unsent = class.starts_with("unsent_") && class != "unsent_write_blocked";
    !unsent && !class.starts_with("step_") && !NOT_THE_TARGETS.contains(&class)
}

/// How many of the failures are the target's.
pub(crate) fn of_target(errors: &BTreeMap<String, u64>) -> u64 {
    errors.iter().filter(|(class, _)| is_targets(class)).map(|(_, count)| count).sum()
}

/// Whether a class says that a rate was too high: HTTP's 429 in any of its spellings.
pub(crate) fn is_too_many(class: &str) -> bool {
    class.ends_with("_429")
        || ["too_many", "limit_exceeded", "throttl"].iter().any(|word| class.contains(word))
}

/// Whether a class says that credentials were not accepted.
pub(crate) fn is_credentials(class: &str) -> bool {
    matches!(class, "http_401" | "http_403" | "status_401" | "status_403" | "unauthorized" | "forbidden")
}

/// Whether a class tells of a placement's outcome: the request itself went well.
pub(crate) fn is_outcome(class: &str) -> bool {
    class.starts_with("placement_") || class == "push_failed"
}

/// Whether the class may be that of an error or a refusal of a function, a table or what they call: neither a rate limit of the
/// gateway nor credentials nor an outcome.
pub(crate) fn is_of_function(class: &str) -> bool {
    !is_too_many(class) && !is_credentials(class) && !is_outcome(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generators_own_are_told_from_the_targets() {
        for class in
            ["unsent_backlog", "unsent_run_ended", "interrupted", "cut", "no_ports", "step_send_message"]
        {
            assert!(!is_targets(class), "{class}");
        }
        for class in ["internal_server_error", "timeout", "http_429", "closed_1006", "unsent_write_blocked"] {
            assert!(is_targets(class), "{class}");
        }
        assert!(is_too_many("http_429") && is_too_many("too_many_requests") && is_too_many("status_429"));
        assert!(!is_too_many("http_500"));
        assert!(is_credentials("http_403") && is_of_function("http_500") && !is_of_function("http_401"));
    }
}
