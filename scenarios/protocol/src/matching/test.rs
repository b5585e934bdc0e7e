//! What a value must be.

use std::cmp::Ordering;

use serde_json::Number;

use super::found::Found;

/// A value without parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A string.
    Text(String),
    /// A number.
    Number(Number),
}

/// What a rule asks of the value at a pointer. A value that is `null` counts as absent.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// It is one of these.
    OneOf(Vec<Scalar>),
    /// It is there and none of these.
    NoneOf(Vec<Scalar>),
    /// It is a number in this range, both ends included.
    Range {
        /// The least.
        from: Option<Number>,
        /// The greatest.
        to: Option<Number>,
    },
    /// It is a string that begins with this.
    Starts(String),
    /// It is a string that has this in it.
    Contains(String),
    /// It is `true`, or `false`.
    Is(bool),
    /// It is a whole number, as a number or as a string: that of a message which was sent.
    Id,
}

impl Test {
    /// Whether it holds for a value that is there.
    #[inline]
    pub(super) fn holds(&self, found: &Found<'_>) -> bool {
        match (self, found) {
            (Self::Present, _) => true,
            (Self::OneOf(scalars), found) => scalars.iter().any(|scalar| scalar.equals(found)),
            (Self::NoneOf(scalars), found) => !scalars.iter().any(|scalar| scalar.equals(found)),
            (Self::Range { from, to }, Found::Number(number)) => {
                from.as_ref().is_none_or(|from| compare(number, from).is_some_and(Ordering::is_ge))
                    && to.as_ref().is_none_or(|to| compare(number, to).is_some_and(Ordering::is_le))
            }
            (Self::Starts(start), Found::Text(text)) => text.starts_with(start.as_str()),
            (Self::Contains(part), Found::Text(text)) => text.contains(part.as_str()),
            (Self::Is(wanted), Found::Bool(is)) => wanted == is,
            (Self::Id, Found::Text(text)) => id(text).is_some(),
            (Self::Id, Found::Number(number)) => number.is_u64(),
            _ => false,
        }
    }

    /// Whether no value passes both. `false` may be too careful.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        self.leaves_nothing_to(other) || other.leaves_nothing_to(self)
    }

    fn leaves_nothing_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, other) => *other != Self::Absent,
            (Self::OneOf(scalars), other) => scalars.iter().all(|scalar| !scalar.passes(other)),
            (Self::Is(is), other) => !other.holds(&Found::Bool(*is)),
            (Self::Range { to: Some(to), .. }, Self::Range { from: Some(from), .. }) => {
                compare(to, from) == Some(Ordering::Less)
            }
            (Self::Range { .. }, Self::Starts(_) | Self::Contains(_)) => true,
            (Self::Starts(one), Self::Starts(other)) => {
                !one.starts_with(other.as_str()) && !other.starts_with(one.as_str())
            }
            (Self::Starts(part) | Self::Contains(part), Self::Id) => {
                part.contains(|letter: char| !letter.is_ascii_digit())
            }
            _ => false,
        }
    }

    /// Whether a value with parts (an object, an array) may pass.
    pub(super) fn allows_parts(&self) -> bool {
        matches!(self, Self::Present | Self::NoneOf(_))
    }

    /// Whether a string may pass.
    pub(super) fn allows_text(&self) -> bool {
        match self {
            Self::OneOf(scalars) => scalars.iter().any(|scalar| matches!(scalar, Scalar::Text(_))),
            Self::Absent | Self::Range { .. } | Self::Is(_) => false,
            _ => true,
        }
    }
}

impl Scalar {
    #[inline]
    fn equals(&self, found: &Found<'_>) -> bool {
        match (self, found) {
            (Self::Text(text), Found::Text(found)) => text == found,
            (Self::Number(number), Found::Number(found)) => compare(found, number) == Some(Ordering::Equal),
            _ => false,
        }
    }

    fn passes(&self, test: &Test) -> bool {
        match self {
            Self::Text(text) => test.holds(&Found::Text(text.into())),
            Self::Number(number) => test.holds(&Found::Number(number.clone())),
        }
    }
}

/// The number of a message, as it is written.
pub(super) fn id(text: &str) -> Option<u64> {
    // `+7` is a number to the standard library.
    if text.starts_with(|first: char| first.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Compares two numbers: exactly where both are whole.
#[inline]
fn compare(one: &Number, other: &Number) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.as_u64(), other.as_u64()) {
        return Some(one.cmp(&other));
    }
    if let (Some(one), Some(other)) = (one.as_i64(), other.as_i64()) {
        return Some(one.cmp(&other));
    }
    one.as_f64()?.partial_cmp(&other.as_f64()?)
}
