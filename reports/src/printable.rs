//! Untrusted text, made safe to print: text from a target, a scenario or a run folder may contain terminal escapes, control and
//! bidirectional characters, and none of them may act on who reads it.
//!
//! [`line()`] and [`lines`] are the one way to a terminal, a log or a label; a run folder is read through [`from_json`], so
//! that every report made of it holds such text only.

use std::borrow::Cow;
use std::fmt::Write;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Characters that one text may have; nothing that is written here is longer.
const LONGEST: usize = 8 * 1024;

/// Whether a character does something instead of being seen.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, marks of direction, zero width, separators of lines and paragraphs, embeddings and isolates.
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text on one line: whatever acts is shown as its escape, e.g. `\u{1b}`. Once is enough: the outcome stays as it is.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) && text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(LONGEST) + 16);
    for c in text.chars() {
        if shown.len() >= LONGEST - 16 {
            shown.push('…');
            break;
        }
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            // Writing into a string cannot fail.
            c if acts(c) => drop(write!(shown, "\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A text of several lines, each as [`line()`] has it; tabs stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| !matches!(c, '\n' | '\t') && acts(c)) && text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let shown = |text: &str| {
        let text = text.strip_suffix('\r').unwrap_or(text);
        text.split('\t').map(line).collect::<Vec<_>>().join("\t")
    };
    Cow::Owned(text.split('\n').map(shown).collect::<Vec<_>>().join("\n"))
}

/// Reads JSON whose strings, keys among them, are text of one line each afterwards.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    // An escape of JSON begins with a backslash, everything else that acts is no ASCII or a control character.
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) || byte == b'\n';
    // Nor is a string too long that lies between two quotation marks which are no further apart.
    let short = || text.split('"').all(|piece| piece.len() <= LONGEST);
    if !text.contains('\\') && text.bytes().all(plain) && short() {
        return serde_json::from_str(text);
    }
    let mut value: Value = serde_json::from_str(text)?;
    clean(&mut value);
    // Parsed again from the text, the error has its position.
    serde_json::from_value(value).map_err(|error| serde_json::from_str::<T>(text).err().unwrap_or(error))
}

fn clean(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(shown) = line(text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(map) => {
            map.values_mut().for_each(clean);
            if map.keys().any(|key| matches!(line(key), Cow::Owned(_))) {
                let entries = std::mem::take(map);
                map.extend(entries.into_iter().map(|(key, value)| (line(&key).into_owned(), value)));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_acts_is_shown_and_everything_else_stays() {
        for (text, wanted) in [
            ("\u{1b}]0;owned\u{7}\u{1b}[2J", "\\u{1b}]0;owned\\u{7}\\u{1b}[2J"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("safe\u{202e}gpj.exe", "safe\\u{202e}gpj.exe"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("Grüße, 玩家 👩‍🚀 µs ≤ \\", "Grüße, 玩家 👩‍🚀 µs ≤ \\"),
        ] {
            assert_eq!(line(text), wanted);
            assert_eq!(line(wanted), wanted, "twice is once");
        }
        assert_eq!(lines("a\r\n\t\u{1b}b\n"), "a\n\t\\u{1b}b\n");
        assert!(line(&"x".repeat(1 << 20)).len() <= LONGEST);
    }

    #[test]
    fn json_is_read_as_text() {
        let read: BTreeMap<String, Vec<String>> =
            from_json("{\"\\u001b[2J\":[\"\\u202e\",\"\u{9b}\",\"plain\"]}").expect("JSON");
        let wanted = ["\\u{202e}", "\\u{9b}", "plain"].map(String::from).to_vec();
        assert_eq!(read, BTreeMap::from([("\\u{1b}[2J".to_owned(), wanted)]));
        let error = from_json::<BTreeMap<String, u32>>("{\n\"a\u{9b}\": \"x\"}").expect_err("no number");
        assert_eq!(error.line(), 2);
    }
}
