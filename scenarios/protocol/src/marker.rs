//! The marker of a send, wherever it stands in a received message.
//!
//! A text that a backend relays begins with it; what is received may hold the text anywhere: in a field, in JSON within a
//! string, after a name. Neither JSON's escapes nor the cleaning of HTML touch it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// What a marker begins with.
pub const START: &str = "lg1:";
/// Bytes of a marker: `lg1:`, the run in 8 digits, `:`, the send in 16, `:`.
pub const LENGTH: usize = START.len() + RUN + 1 + SEND + 1;

const RUN: usize = 8;
const SEND: usize = 16;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(START));

/// Finds the first `lg1:RRRRRRRR:SSSSSSSSSSSSSSSS:` of a text: the run's number and the send's, both hexadecimal.
#[must_use]
pub fn find(text: &str) -> Option<(u32, u64)> {
    let mut rest = text.as_bytes();
    loop {
        rest = &rest[FINDER.find(rest)? + START.len()..];
        if let Some(found) = parse(rest) {
            return Some(found);
        }
    }
}

/// The numbers behind the start of a marker.
fn parse(bytes: &[u8]) -> Option<(u32, u64)> {
    let (run, rest) = bytes.split_at_checked(RUN)?;
    let (send, rest) = rest.strip_prefix(b":")?.split_at_checked(SEND)?;
    rest.starts_with(b":").then_some(())?;
    Some((u32::try_from(hexadecimal(run)?).ok()?, hexadecimal(send)?))
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | u64::from(char::from(*digit).to_digit(16)?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_marker_is_found_wherever_it_stands() {
        let marker = "lg1:0000002a:00000000000000fF:";
        for text in [
            format!("{marker}..."),
            format!("#room anna: {marker}"),
            format!(r#"{{"data":"{{\"t\":\"{marker}..\"}}"}}"#),
            format!("lg1: lg1:xyz lg1:0000002a:{marker}"),
            format!("lg1:+000002a:00000000000000ff:{marker}é"),
        ] {
            assert_eq!(find(&text), Some((42, 255)), "{text}");
        }
    }

    #[test]
    fn what_is_like_a_marker_is_none() {
        for text in [
            "",
            "lg1:",
            "lg1:0000002a:00000000000000ff",
            "lg1:0000002a:0000000000000ff:",
            "lg1:000002a:00000000000000ff:",
            "LG1:0000002a:00000000000000ff:",
            "lg1:0000002a:000000000000000é:",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back_as_they_went(before in ".*", run: u32, send: u64, after in ".*") {
            prop_assume!(!before.contains(START));
            let text = format!("{before}lg1:{run:08x}:{send:016x}:{after}");
            prop_assert_eq!(find(&text), Some((run, send)));
        }

        #[test]
        fn no_text_panics(text in "[lg1:0a é]{0,60}") {
            let _ = find(&text);
        }
    }
}
