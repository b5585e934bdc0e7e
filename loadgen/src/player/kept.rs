//! Values that a socket's player keeps from received messages, for messages to come.

use std::borrow::Cow;

/// What a socket's player keeps. Boxed in the session, and absent where the protocol keeps nothing.
#[derive(Debug, Default)]
pub(super) struct Kept {
    values: Vec<Option<Box<str>>>,
}

impl Kept {
    /// Keeps values by their numbers; a later one replaces an earlier one.
    pub(super) fn keep<'v>(&mut self, values: impl IntoIterator<Item = (usize, Cow<'v, str>)>) {
        for (number, value) in values {
            if self.values.len() <= number {
                self.values.resize(number + 1, None);
            }
            self.values[number] = Some(value.into_owned().into());
        }
    }

    /// A kept value.
    pub(super) fn value(&self, number: usize) -> Option<&str> {
        self.values.get(number)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts() {
        let mut kept = Kept::default();
        kept.keep([(2, "a".into()), (0, "b".into())]);
        kept.keep([(2, "c".into())]);
        assert_eq!(
            (kept.value(0), kept.value(1), kept.value(2), kept.value(3)),
            (Some("b"), None, Some("c"), None)
        );
    }
}
