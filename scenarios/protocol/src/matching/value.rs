//! The values that have been read from one message.

/// A value that has been read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'m> {
    /// Nothing, or `null`.
    Absent,
    /// A string's content, or a capture.
    Text(&'m str),
    /// The same, with escapes: number of the copy.
    CopiedText(usize),
    /// The JSON of an object or an array: number of the copy.
    Parts(usize),
    /// An object or an array of which nothing more is asked.
    UnreadParts,
    /// A whole number.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// Any other number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// The values that have been read from one message, by slot. The first ones, which most protocols do with, cost no
/// allocation.
#[derive(Debug)]
pub(super) struct Held<'m> {
    first: [Value<'m>; FIRST],
    more: Vec<Value<'m>>,
}

const FIRST: usize = 12;

impl<'m> Held<'m> {
    /// No value yet, for slots below `count`.
    #[inline]
    pub(super) fn none(count: usize) -> Self {
        let more = count.saturating_sub(FIRST);
        Self {
            first: [Value::Absent; FIRST],
            more: if more == 0 { Vec::new() } else { vec![Value::Absent; more] },
        }
    }

    /// The value of a slot.
    #[inline]
    pub(super) fn get(&self, slot: usize) -> Value<'m> {
        if slot < FIRST { self.first[slot] } else { self.more[slot - FIRST] }
    }

    /// A slot has this value from now on.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, value: Value<'m>) {
        if slot < FIRST {
            self.first[slot] = value;
        } else {
            self.more[slot - FIRST] = value;
        }
    }
}
