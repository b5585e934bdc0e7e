//! The JSON Schema of a scenario: generated from the types, it describes the file to editors and is what a document is
//! checked against ([`documents::form`]).

use serde_json::Value;

use crate::keys::draw::Draw;
use crate::keys::duration::Span;
use crate::keys::scenario::Scenario;
use crate::keys::times::Times;
use crate::keys::units;

/// The JSON Schema (draft 2020-12) of a scenario file. `x-reads` names how a text is read for a number.
#[must_use]
pub fn json_schema() -> Value {
    schemars::schema_for!(Scenario).to_value()
}

/// Reads a text of the kind that the schema names by `x-reads`.
pub(crate) fn read(kind: &str, text: &str) -> Result<Value, String> {
    match kind {
        "span" => text.parse::<Span>().map(|_| text.into()),
        "times" => text.parse::<Times>().map(|_| text.into()),
        "draw" => text.parse::<Draw>().map(|_| text.into()),
        "rate" => units::rate(text).map(Value::from),
        "bytes" => units::bytes(text).map(Value::from),
        "share" => units::share(text).map(Value::from),
        _ => units::count(text).map(Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_people_write_them() {
        for (kind, text, number) in [
            ("rate", "30/s", 30.0),
            ("rate", "1.5k / s", 1_500.0),
            ("rate", "1800/min", 30.0),
            ("rate", "7200/h", 2.0),
            ("rate", "1e3", 1_000.0),
            ("rate", "2E-1/s", 0.2),
            ("bytes", "1KB", 1_000.0),
            ("bytes", "1 KiB", 1_024.0),
            ("bytes", "0.5MB", 500_000.0),
            ("bytes", "64B", 64.0),
            ("count", "10k", 10_000.0),
            ("count", "5_000", 5_000.0),
            ("count", "1e3", 1_000.0),
            ("share", "50%", 0.5),
            ("share", "0.25", 0.25),
        ] {
            assert_eq!(read(kind, text), Ok(number.into()), "{kind} {text}");
        }
        for (kind, text) in [
            ("rate", "30/parsec"),
            ("rate", "-1"),
            ("rate", ""),
            ("bytes", "1 XB"),
            ("count", "many"),
            ("count", "1e"),
            ("share", "half"),
            ("share", "nan"),
        ] {
            let problem = read(kind, text).unwrap_err();
            assert!(
                problem.starts_with("is not a") && problem.contains("write e.g."),
                "{kind} {text}: {problem}"
            );
        }
    }
}
