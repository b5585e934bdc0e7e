//! Faults happen as the profile says, and the counters tell exactly how often.

use crate::common::either_way;

#[test]
fn lost_duplicated_reordered_pushes_and_garbage_are_counted() {
    // A client learns its connection id from an error frame only, hence the broken route.
    let profile = "[gateway]\npush_drop_rate = 0.1\npush_duplicate_rate = 0.1\npush_reorder_rate = 0.1\n\
        garbage_rate = 0.1\n[lambda.functions.SendMessage]\nerror_rate = 1.0";
    either_way(&["--seed", "7"], profile, "faults.py", "pushes");
}

#[test]
fn rejected_handshakes_are_counted() {
    let profile = "[gateway]\nhandshake_reject_rate = 0.3\nhandshake_reject_status = 503";
    either_way(&[], profile, "faults.py", "handshakes");
}

#[test]
fn cut_connections_see_no_close_frame() {
    either_way(&[], "[gateway]\ncut_rate = 1.0\ncut_after_s = 0.3", "faults.py", "cuts");
}
