//! The text of a file as people have it: UTF-8 with or without a byte order mark, or the UTF-16 of a spreadsheet or a
//! shell that writes it.

use std::fmt;

/// A file that is not text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoText {
    /// Line of the first byte that fits no encoding, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: &'static str,
}

/// What to do about it.
pub const REMEDY: &str = "save the file as UTF-8 (an editor's \"Save with encoding\", or `iconv -t UTF-8`)";

impl fmt::Display for NoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

/// The text of a file's bytes, without a byte order mark.
///
/// # Errors
/// [`NoText`] for bytes that are neither UTF-8 nor UTF-16.
pub fn decode(bytes: Vec<u8>) -> Result<String, NoText> {
    match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest.to_vec()),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // UTF-16 without its mark: what such a file begins with is ASCII, with a zero beside each byte.
        [0, first, 0, ..] if *first != 0 => utf16(&bytes, u16::from_be_bytes),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => utf16(&bytes, u16::from_le_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, NoText> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        NoText { line, problem: "is neither UTF-8 nor UTF-16" }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, NoText> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    let mut line = 1;
    let broken = |line| NoText { line, problem: "is broken UTF-16" };
    for read in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let read = read.map_err(|_| broken(line))?;
        line += u64::from(read == '\n');
        text.push(read);
    }
    if rest.is_empty() { Ok(text) } else { Err(broken(line)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_a_text_is_the_text() {
        let text = "name = \"jürgen 😀\"\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe".as_slice(), &le].concat(),
            [b"\xfe\xff".as_slice(), &be].concat(),
            le,
            be,
        ] {
            assert_eq!(decode(bytes.clone()).as_deref(), Ok(text), "{bytes:?}");
        }
        assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        let told = |bytes: &[u8]| decode(bytes.to_vec()).unwrap_err().to_string();
        assert_eq!(told(b"a\nb\nj\xfcrgen\n"), "line 3: is neither UTF-8 nor UTF-16");
        assert_eq!(told(b"\xff\xfea\0\n\0\0\xd8b\0"), "line 2: is broken UTF-16");
        assert_eq!(told(b"\xff\xfea\0b"), "line 1: is broken UTF-16");
    }
}
