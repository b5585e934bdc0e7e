//! The marker of a send, wherever it stands in a received message.
//!
//! `lg1:`, the run's number in eight hexadecimal digits, `:`, the send's in sixteen, `:`. None of these characters is
//! escaped in JSON or HTML, so that a marker is found in whatever a backend puts around a text.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// What a marker begins with.
const BEGIN: &str = "lg1:";
const RUN_DIGITS: usize = 8;
const SEND_DIGITS: usize = 16;
/// Bytes of a marker.
pub const LENGTH: usize = BEGIN.len() + RUN_DIGITS + 1 + SEND_DIGITS + 1;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(BEGIN));

/// The marker of a send.
#[must_use]
pub fn write(run: u32, send: u64) -> String {
    format!("{BEGIN}{run:0RUN_DIGITS$x}:{send:0SEND_DIGITS$x}:")
}

/// The first marker of the text: the run's number and the send's.
#[must_use]
pub fn find(text: &str) -> Option<(u32, u64)> {
    all(text).next()
}

/// Every marker of the text, in order: the run's number and the send's.
pub fn all(text: &str) -> impl Iterator<Item = (u32, u64)> {
    let text = text.as_bytes();
    FINDER.find_iter(text).filter_map(|begin| parse(&text[begin + BEGIN.len()..]))
}

/// Reads what follows a marker's beginning.
fn parse(rest: &[u8]) -> Option<(u32, u64)> {
    let (run, rest) = number(rest, RUN_DIGITS)?;
    let (send, _) = number(rest, SEND_DIGITS)?;
    Some((u32::try_from(run).ok()?, send))
}

/// A number of so many hexadecimal digits with a colon after it, and what follows.
fn number(text: &[u8], digits: usize) -> Option<(u64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let rest = rest.strip_prefix(b":")?;
    let value = number
        .iter()
        .try_fold(0, |value, digit| Some(value << 4 | u64::from(char::from(*digit).to_digit(16)?)))?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_marker_is_found_wherever_it_stands() {
        let marker = write(0xdead_beef, 0x0100_0000_0000_3039);
        assert_eq!(marker, "lg1:deadbeef:0100000000003039:");
        assert_eq!(marker.len(), LENGTH);
        let sent = Some((0xdead_beef, 0x0100_0000_0000_3039));
        for around in [
            "#",
            "42[\"chat\",{\"t\":\"#...\"}]",
            "{\"a\":\"{\\\"t\\\":\\\"#..\\\"}\"}",
            "<b>&quot;#&quot;</b>",
            "é#é",
        ] {
            assert_eq!(find(&around.replace('#', &marker)), sent, "{around}");
        }
        assert_eq!(find("lg1:DEADBEEF:0100000000003039:"), sent, "hexadecimal digits of either case");
        assert_eq!(find("lg1:lg1:deadbeef:0100000000003039:"), sent, "after what only begins like one");
    }

    #[test]
    fn what_is_no_marker_is_none() {
        let run = "lg1:00000001:";
        for foreign in
            ["", "hello", "lg1:", "lg1:xyz:1:", "lg1:00000001", run, "lg1:+0000001:0000000000000001:"]
        {
            assert_eq!(find(foreign), None, "{foreign}");
        }
        for send in ["0000000000000001", "000000000000001:", "00000000000000001:", "000000000000000\u{e9}:"] {
            assert_eq!(find(&format!("{run}{send}")), None, "{send}");
        }
    }

    proptest! {
        #[test]
        fn every_marker_is_found_in_order(
            sends in prop::collection::vec((any::<u32>(), any::<u64>(), "[^l]{0,20}"), 0..5),
        ) {
            let text: String =
                sends.iter().map(|(run, send, after)| write(*run, *send) + after).collect();
            let written: Vec<_> = sends.into_iter().map(|(run, send, _)| (run, send)).collect();
            prop_assert_eq!(all(&text).collect::<Vec<_>>(), written);
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC*(lg1:)?[0-9a-f:]*\\PC*") {
            let _ = all(&text).count();
        }
    }
}
