//! Fields that other programs may have written: another backend's functions, a script, the console.
//!
//! DynamoDB has no schema, so an attribute of one name may be missing, be of another type, or be a number with a
//! fraction (JavaScript's `Date.now() / 1000`). A value with a clear meaning is read; any other counts as missing.
//! Required fields stay strict: without them the record is malformed.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// An integer, rounded down, also from a text. None if it is missing or not a number.
///
/// # Errors
/// Those of the format itself.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(match deserializer.deserialize_any(AnyScalar)? {
        Scalar::Whole(number) => Some(number),
        Scalar::Fraction(number) => floor(number),
        Scalar::Text(text) => text.parse().ok().or_else(|| floor(text.parse().ok()?)),
        Scalar::Other => None,
    })
}

/// A text, or a number as text. None if it is missing or neither.
///
/// # Errors
/// Those of the format itself.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match deserializer.deserialize_any(AnyScalar)? {
        Scalar::Whole(number) => Some(number.to_string()),
        Scalar::Fraction(number) => Some(number.to_string()),
        Scalar::Text(text) => Some(text),
        Scalar::Other => None,
    })
}

/// The same for a required field.
///
/// # Errors
/// If it is neither.
pub(crate) fn needed_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer)?.ok_or_else(|| D::Error::custom("neither a text nor a number"))
}

/// The whole number at or below; none of what is no number. A cast of floats saturates.
#[expect(clippy::cast_possible_truncation, reason = "what no i64 can be is its first or last")]
fn floor(number: f64) -> Option<i64> {
    number.is_finite().then(|| number.floor() as i64)
}

/// The value of a field.
enum Scalar {
    Whole(i64),
    Fraction(f64),
    Text(String),
    Other,
}

/// Accepts any value.
struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Fraction(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Scalar, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Scalar, A::Error> {
        while values.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Read {
        #[serde(default, deserialize_with = "whole")]
        whole: Option<i64>,
        #[serde(default, deserialize_with = "text")]
        text: Option<String>,
    }

    /// What is read of an item whose two attributes have this value.
    fn read(value: &Value) -> (Option<i64>, Option<String>) {
        let item: serde_dynamo::Item =
            serde_json::from_value(json!({ "whole": value, "text": value })).expect("an item");
        let Read { whole, text } = serde_dynamo::from_item(item).expect("never refused");
        (whole, text)
    }

    #[test]
    fn what_has_a_plain_meaning_is_read() {
        let text = |text: &str| Some(text.to_owned());
        for (value, expected) in [
            (json!({ "N": "1700000000" }), (Some(1_700_000_000), text("1700000000"))),
            (json!({ "N": "1700000000.999" }), (Some(1_700_000_000), text("1700000000.999"))),
            (json!({ "N": "-0.5" }), (Some(-1), text("-0.5"))),
            (json!({ "N": "18446744073709551615" }), (Some(i64::MAX), text("9223372036854775807"))),
            (json!({ "S": "1700000000" }), (Some(1_700_000_000), text("1700000000"))),
            (json!({ "S": "1700000000.5" }), (Some(1_700_000_000), text("1700000000.5"))),
            (json!({ "S": "soon" }), (None, text("soon"))),
            (json!({ "S": "NaN" }), (None, text("NaN"))),
        ] {
            assert_eq!(read(&value), expected, "{value}");
        }
    }

    #[test]
    fn every_other_type_is_as_good_as_missing() {
        for value in [
            json!({ "NULL": true }),
            json!({ "BOOL": true }),
            json!({ "B": "AAEC" }),
            json!({ "L": [{ "N": "1" }, { "M": {} }] }),
            json!({ "M": { "a": { "SS": ["b"] } } }),
            json!({ "SS": ["a"] }),
            json!({ "NS": ["1"] }),
            json!({ "BS": ["AAEC"] }),
        ] {
            assert_eq!(read(&value), (None, None), "{value}");
        }
        assert_eq!(
            serde_json::from_value::<Read>(json!({})).expect("an object"),
            Read { whole: None, text: None }
        );
    }
}
