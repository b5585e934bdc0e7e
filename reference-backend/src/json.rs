//! JSON on the hot path: every message and every delivery uses it several times.
//!
//! Buffers are allocated with their expected size, because growing them costs as much as writing; and UTF-8 is validated
//! for the text as a whole, not string by string.

use serde::{Deserialize, Serialize};

/// Writes `value` into a buffer of `room` bytes.
///
/// # Errors
/// If the value cannot be JSON.
pub fn write(value: &impl Serialize, room: usize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::with_capacity(room);
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

/// Reads a value.
///
/// # Errors
/// If this is no such value's JSON, with its place.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        // It may still be good where it matters, and otherwise the error tells where it is not.
        Err(_) => serde_json::from_slice(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_however_little_room_there_was() {
        let value = vec!["é".repeat(100), "\n".into()];
        for room in [0, 10_000] {
            assert_eq!(read::<Vec<String>>(&write(&value, room).unwrap()).unwrap(), value);
        }
    }

    #[test]
    fn an_error_tells_its_place_in_good_text_and_in_bad() {
        assert_eq!(read::<Vec<u8>>(b"[1,\nx]").unwrap_err().line(), 2);
        assert_eq!(read::<Vec<String>>(b"[\"a\",\n\"\xff\"]").unwrap_err().line(), 2);
    }
}
