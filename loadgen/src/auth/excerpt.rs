//! The part of a target's text that is examined for secrets.

use super::marks;

/// Bytes that are examined of a text that a target sends.
pub(super) const EXAMINED: usize = 4 * 1024;

/// The beginning of a text, without the rest of a word that is cut: half a credential would not be recognised as one.
pub(crate) fn head(text: &str, longest: usize) -> &str {
    if text.len() <= longest {
        return text;
    }
    let cut = text.floor_char_boundary(longest);
    text[..cut].trim_end_matches(|c| u8::try_from(c).is_ok_and(marks::in_word))
}
