//! Quantities as people write them: `"1.5m"`, `"30/s"`, `"1KB"`, `"10k"`, `"50%"`. A plain number stays what it was.

use std::time::Duration;

use schemars::Schema;
use serde_json::Value;

/// Marks a number's schema: a text of this kind is taken as well.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $kind:literal $pattern:literal;)+) => {$(
        $(#[$doc])*
        pub fn $name(schema: &mut Schema) {
            also_text(schema, $kind, $pattern);
        }
    )+};
}

kinds! {
    /// A number of events per second, e.g. `"30/s"`.
    as_rate "rate" r"^[0-9._eE+]+\s*[kM]?(\s*/\s*[A-Za-z]+)?$";
    /// A size, e.g. `"1KB"`.
    as_bytes "bytes" r"^[0-9._eE+]+\s*[A-Za-z]*$";
    /// A number of things, e.g. `"10k"`.
    as_count "count" r"^[0-9._eE+]+\s*[kM]?$";
    /// A share, e.g. `"50%"`.
    as_share "share" r"^[0-9._eE+]+\s*%?$";
}

fn also_text(schema: &mut Schema, kind: &str, pattern: &str) {
    let mut types = match schema.get("type") {
        Some(Value::Array(several)) => several.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    types.push("string".into());
    schema.insert("type".into(), types.into());
    schema.insert("x-reads".into(), kind.into());
    // Or a variable of the environment, which the editor cannot know.
    schema.insert("pattern".into(), format!(r"{pattern}|\$\{{").into());
}

/// A number and what stands behind it.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let signed =
        |at: usize| text.as_bytes().get(at).is_some_and(|byte| b"+-".contains(byte)) && digit(at + 1);
    let mut end = 0;
    while let Some(byte) = text.as_bytes().get(end) {
        match byte {
            b'0'..=b'9' | b'.' | b'_' => end += 1,
            // An exponent, unless it begins a unit.
            b'e' | b'E' if end > 0 && digit(end + 1) => end += 1,
            b'e' | b'E' if end > 0 && signed(end + 1) => end += 2,
            b'+' | b'-' if end == 0 => end += 1,
            _ => break,
        }
    }
    let number = text[..end].replace('_', "").parse::<f64>().ok()?;
    (number.is_finite() && number >= 0.0).then(|| (number, text[end..].trim_start()))
}

fn thousands(unit: &str) -> Option<f64> {
    match unit.trim_end() {
        "" => Some(1.0),
        "k" | "K" => Some(1e3),
        "M" => Some(1e6),
        _ => None,
    }
}

/// Events per second: `30`, `"30/s"`, `"1.5k/s"`, `"1800/min"`, `"7200/h"`.
///
/// # Errors
/// What is wrong, without a full stop.
pub fn rate(text: &str) -> Result<f64, String> {
    let read = || {
        let (number, rest) = split(text)?;
        let (unit, per) = rest.split_once('/').unwrap_or((rest, "s"));
        let seconds = match per.trim() {
            "s" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3_600.0,
            _ => return None,
        };
        Some(number * thousands(unit)? / seconds)
    };
    read().ok_or_else(|| "is not a rate; write e.g. 30, \"30/s\" or \"1800/min\"".into())
}

/// Bytes: `1000`, `"1KB"` (1,000), `"1KiB"` (1,024), `"2MB"`.
///
/// # Errors
/// What is wrong, without a full stop.
pub fn bytes(text: &str) -> Result<f64, String> {
    let read = || {
        let (number, unit) = split(text)?;
        let factor = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "ki" | "kib" => 1_024.0,
            "mi" | "mib" => 1_048_576.0,
            _ => return None,
        };
        Some(number * factor)
    };
    read().ok_or_else(|| "is not a size; write e.g. 1024, \"1KB\" (1,000 bytes) or \"1KiB\" (1,024)".into())
}

/// A number: `5000`, `1e3`, `"5_000"`, `"10k"`.
///
/// # Errors
/// What is wrong, without a full stop.
pub fn count(text: &str) -> Result<f64, String> {
    let read = || split(text).and_then(|(number, unit)| Some(number * thousands(unit)?));
    read().ok_or_else(|| "is not a number; write e.g. 5000, 1e3 or \"10k\"".into())
}

/// A share of 1: `0.5`, `"50%"`.
///
/// # Errors
/// What is wrong, without a full stop.
pub fn share(text: &str) -> Result<f64, String> {
    let read = || match split(text)? {
        (number, "") => Some(number),
        (number, "%") => Some(number / 100.0),
        _ => None,
    };
    read().ok_or_else(|| "is not a share; write e.g. 0.5 or \"50%\"".into())
}

/// A length of time: pieces of a number and a unit, e.g. `"1.5m"`, `"1d"`, `"1m 30s"`; the units are humantime's.
///
/// # Errors
/// What is wrong, without a full stop.
pub fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "is not a duration; write e.g. \"500ms\", \"30s\", \"1.5m\" or \"1h 30m\"".to_owned();
    let (mut rest, mut sum) = (text.trim(), Duration::ZERO);
    if rest == "0" {
        return Ok(sum);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let (number, behind) = split(rest).ok_or_else(wrong)?;
        let end = behind.find(|letter: char| !letter.is_alphabetic()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        if unit.is_empty() {
            return Err(format!("has no unit behind {number}; write e.g. \"{number}s\" or \"{number}ms\""));
        }
        let one = humantime::parse_duration(&format!("1{unit}"))
            .map_err(|_| format!("has no unit of time in `{unit}`; write us, ms, s, m, h or d"))?;
        let piece = Duration::try_from_secs_f64(number * one.as_secs_f64()).map_err(|_| wrong())?;
        sum = sum.checked_add(piece).ok_or_else(wrong)?;
        rest = next.trim_start();
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions_days_and_several_pieces() {
        for (text, millis) in [
            ("500ms", 500),
            ("1.5m", 90_000),
            ("1d", 86_400_000),
            ("1m 30s", 90_000),
            ("1h30m", 5_400_000),
            ("0.1s", 100),
            ("2 min", 120_000),
            ("1e3ms", 1_000),
            ("0s", 0),
            ("0", 0),
            ("1day 2h", 93_600_000),
        ] {
            assert_eq!(span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for (text, said) in [
            ("5 parsecs", "no unit of time in `parsecs`"),
            ("90", "\"90s\""),
            ("soon", "is not a duration"),
            ("-1s", "is not a duration"),
            ("", "is not a duration"),
            ("1e300d", "is not a duration"),
        ] {
            assert!(span(text).unwrap_err().contains(said), "{text}: {:?}", span(text));
        }
    }
}
