//! Values as JSON.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Leaves the quotes out that JSON puts around a string.
struct Inside;

impl Formatter for Inside {
    fn begin_string<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }
}

/// Appends a text as the inside of a JSON string.
pub(super) fn inside_string(value: &str, message: &mut Vec<u8>) {
    serialize(value, message, Inside);
}

/// Appends a value as JSON.
pub(super) fn json<V: Serialize + ?Sized>(value: &V, message: &mut Vec<u8>) {
    serialize(value, message, CompactFormatter);
}

fn serialize<V: Serialize + ?Sized>(value: &V, message: &mut Vec<u8>, formatter: impl Formatter) {
    let written = value.serialize(&mut Serializer::with_formatter(message, formatter));
    debug_assert!(
        written.is_ok(),
        "texts and lists of texts always serialise, and memory takes what is written"
    );
}

/// What has been appended, as a text.
pub(super) fn text(message: Vec<u8>) -> String {
    // Only texts are appended, each as a whole.
    String::from_utf8(message).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
