//! What reading a frame of the reference protocol allocates: a run reads hundreds of thousands a second.

use std::sync::Arc;

use allocation_counter::measure;
use protocol::protocol::{Meaning, Outcome, Read};
use protocol::{Protocol, load_named};

/// Allocations of reading a frame whose answer to `operation` is taken, or whose push is.
fn allocations(protocol: &Arc<dyn Protocol>, frame: &str, operation: &str) -> u64 {
    let outline = protocol.outline();
    let wanted = outline.operations.iter().position(|known| known.name == operation);
    let takes = |meaning: Meaning<'_>| match meaning {
        Meaning::Answer { operation, outcome, .. } => {
            Some(operation) == wanted && matches!(outcome, Outcome::Ok)
        }
        Meaning::Push { .. } => true,
        _ => false,
    };
    let mut read = Read::Unclassified;
    let counted = measure(|| read = protocol.read(frame, &mut { takes }));
    assert_eq!(read, Read::Taken, "{frame}");
    counted.count_total
}

#[test]
fn what_is_read_all_the_time_allocates_nothing() {
    let reference = load_named("reference").unwrap_or_else(|mistakes| panic!("{mistakes}"));
    for (frame, operation, most) in [
        (r#"{"type":"ack","id":"7","statusCode":200,"body":"Message(s) Sent"}"#, "send_message", 0),
        (
            r#"{"type":"message","messageId":"1","senderId":"player-3","message":"lg1:0000002a:0000000000000007:hello","createdAt":1767225600000}"#,
            "",
            0,
        ),
        (r#"{"type":"ack","id":"9","statusCode":404,"body":"Route [x] Not Found"}"#, "unknown_route", 0),
        // The value that is kept.
        (
            r#"{"type":"ack","id":"8","statusCode":200,"body":{"placementId":"x-1","status":"PENDING"}}"#,
            "placement_request",
            1,
        ),
        (r#"{"type":"placement","placementId":"x-1","status":"FULFILLED","port":"7777"}"#, "", 0),
    ] {
        let counted = allocations(&reference, frame, operation);
        assert!(counted <= most, "{counted} allocations, at most {most}: {frame}");
    }
}
