//! The marker of a send, wherever it stands in a received message.

/// Finds the first `lg1:RRRRRRRR:SSSSSSSSSSSSSSSS:` of the text: the run's number and the send's.
#[must_use]
pub fn find(text: &str) -> Option<(u32, u64)> {
    let _ = text;
    None
}
