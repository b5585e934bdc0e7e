//! Faults happen as the profile says, and the counters tell exactly how often.

mod common;

use common::Backend;

#[test]
fn lost_duplicated_reordered_pushes_and_garbage_are_counted() {
    // A client learns its connection id from an error frame only, hence the broken route.
    let profile = "[gateway]\npush_drop_rate = 0.1\npush_duplicate_rate = 0.1\npush_reorder_rate = 0.1\n\
        garbage_rate = 0.1\n[lambda.functions.SendMessage]\nerror_rate = 1.0";
    Backend::start(&["--seed", "7"], profile).python("faults.py", "pushes");
}

#[test]
fn rejected_handshakes_are_counted() {
    let profile = "[gateway]\nhandshake_reject_rate = 0.3\nhandshake_reject_status = 503";
    Backend::start(&[], profile).python("faults.py", "handshakes");
}

#[test]
fn cut_connections_see_no_close_frame() {
    Backend::start(&[], "[gateway]\ncut_rate = 1.0\ncut_after_s = 0.3").python("faults.py", "cuts");
}
