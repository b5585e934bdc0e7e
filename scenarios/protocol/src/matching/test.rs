//! What a value must be.

use serde_json::Number;

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
    /// It is the number of the message that is awaited, as a number or as a string.
    Id,
}
