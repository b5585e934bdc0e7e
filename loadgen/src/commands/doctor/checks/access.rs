//! Credentials, the AWS chain and CloudWatch; idle sockets, about which the plan itself warns.

use crate::commands::doctor::facts::Access;
use crate::commands::doctor::finding::Finding;

/// Something that a run needs beside the target.
pub(super) fn access(Access { check, what, outcome, vital }: &Access) -> Finding {
    match outcome {
        Ok(said) => Finding::ok(check, what.clone(), said.clone()),
        Err(problem) if *vital => Finding::fail(check, what.clone(), problem.clone())
            .change("see the message; the run would not start"),
        Err(problem) => Finding::warn(check, what.clone(), problem.clone())
            .change("see the message; the report would have no series of the server"),
    }
}

/// The plan's own warning about idle sockets: what would happen, `; `, and what prevents it.
pub(super) fn idle(warning: &str) -> Finding {
    let (found, remedy) = warning.split_once("; ").unwrap_or((warning, "set sockets.heartbeat"));
    Finding::warn("idle", found, "those sockets would count as dropped").change(remedy)
}
