//! How messages lie in frames: parting those that are received, ending those that are sent.

use memchr::memmem;
use serde_json::value::RawValue;
use smallvec::{SmallVec, smallvec};

use crate::outline::{Frames, Split};

/// The messages of a received frame, in order, none of them copied.
///
/// A frame that is no JSON array where arrays are expected is a message of its own.
#[must_use]
pub fn split<'f>(frame: &'f str, how: &Split) -> SmallVec<[&'f str; 1]> {
    match how {
        Split::At(ending) if !ending.is_empty() => at(frame, ending),
        Split::Array if frame.trim_start().starts_with('[') => {
            match serde_json::from_str::<Vec<&RawValue>>(frame) {
                Ok(elements) => elements.into_iter().map(RawValue::get).collect(),
                Err(_) => smallvec![frame],
            }
        }
        Split::Whole | Split::At(_) | Split::Array => smallvec![frame],
    }
}

/// Each message ends with `ending`; the last may do without.
fn at<'f>(frame: &'f str, ending: &str) -> SmallVec<[&'f str; 1]> {
    let (mut messages, mut from) = (SmallVec::new(), 0);
    for end in memmem::find_iter(frame.as_bytes(), ending) {
        messages.push(&frame[from..end]);
        from = end + ending.len();
    }
    if from < frame.len() {
        messages.push(&frame[from..]);
    }
    messages
}

/// The frame of a message that is sent.
#[must_use]
pub fn join(mut message: String, frames: &Frames) -> String {
    message.push_str(&frames.join);
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parted<'f>(frame: &'f str, how: &Split) -> Vec<&'f str> {
        split(frame, how).into_vec()
    }

    #[test]
    fn a_frame_is_parted_where_its_messages_end() {
        let lines = Split::At("\n".into());
        assert_eq!(parted("{}\n{}", &lines), ["{}", "{}"]);
        assert_eq!(parted("{}\n{}\n", &lines), ["{}", "{}"]);
        assert_eq!(parted("\n", &lines), [""]);
        assert_eq!(parted("", &lines), Vec::<&str>::new());
        assert_eq!(parted("a\nb", &Split::Whole), ["a\nb"]);
        assert_eq!(parted("é\u{1e}\u{1e}", &Split::At("\u{1e}".into())), ["é", ""]);
    }

    #[test]
    fn an_array_is_parted_into_its_elements_as_they_are_written() {
        assert_eq!(parted(" [ {\"a\": 1 } ,2,\"[\"]", &Split::Array), ["{\"a\": 1 }", "2", "\"[\""]);
        assert_eq!(parted("{\"a\":[1]}", &Split::Array), ["{\"a\":[1]}"]);
        assert_eq!(parted("[1,", &Split::Array), ["[1,"]);
        assert_eq!(parted("[]", &Split::Array), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn what_is_joined_is_parted_again(
            messages in prop::collection::vec("[^\u{1e}\n]{0,20}", 0..6),
            ending in prop::sample::select(vec!["\u{1e}", "\n", "\n\u{1e}"]),
        ) {
            let frames = Frames { join: ending.into(), split: Split::At(ending.into()), binary: false };
            let frame: String = messages.iter().map(|message| join(message.clone(), &frames)).collect();
            prop_assert_eq!(parted(&frame, &frames.split), messages);
        }

        #[test]
        fn no_frame_panics(frame in "[\\[\\]{}\",a\n\u{1e}é ]{0,40}", ending in "[\\[a\n\u{1e}é]{0,2}") {
            for how in [Split::Whole, Split::Array, Split::At(ending)] {
                let _ = split(&frame, &how);
            }
        }
    }
}
