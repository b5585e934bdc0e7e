//! Many rules as one reader of messages.

use std::borrow::Cow;

use super::pointer::Pointer;
use super::rule::Rule;

/// Number of a rule in its [`Matcher`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleNumber(u16);

/// A value that a [`Matcher`] reads from each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u16);

/// Collects the rules and values of a protocol, of all its operations and pushes together.
#[derive(Debug, Default)]
pub struct Compiler {}

impl Compiler {
    /// Adds a rule. Its pointers look into the `${json}` of its own pattern; without one, into that of the rule `within`
    /// (the `ok` of an answer looks into what its `when` cut out); else into the whole message.
    pub fn rule(&mut self, rule: &Rule, within: Option<RuleNumber>) -> RuleNumber {
        let _ = (rule, within);
        RuleNumber(0)
    }

    /// Adds a value to be read at a pointer; it looks into the same JSON as the pointers of the rule `within`.
    pub fn value(&mut self, pointer: &Pointer, within: Option<RuleNumber>) -> Slot {
        let _ = (pointer, within);
        Slot(0)
    }

    /// What the pattern of this rule (or of the one that it was added within) captures under a name.
    #[must_use]
    pub fn capture(&self, name: &str, within: RuleNumber) -> Option<Slot> {
        let _ = (name, within);
        None
    }

    /// All of them as one reader.
    #[must_use]
    pub fn finish(self) -> Matcher {
        Matcher {}
    }
}

/// Reads messages: one pass over each, for all rules and values together.
#[derive(Debug)]
pub struct Matcher {}

impl Matcher {
    /// Reads a message.
    #[must_use]
    pub fn view<'m>(&'m self, message: &'m str) -> View<'m> {
        View { message }
    }
}

/// A message that has been read: which rules hold, and the values.
#[derive(Debug)]
pub struct View<'m> {
    message: &'m str,
}

impl<'m> View<'m> {
    /// The message.
    #[must_use]
    pub fn message(&self) -> &'m str {
        self.message
    }

    /// Whether a rule holds. A test `"${id}"` holds for any whole number, written as a number or as a string.
    #[must_use]
    pub fn holds(&self, rule: RuleNumber) -> bool {
        let _ = rule;
        false
    }

    /// The number that stands where the rule says `${id}`, of a rule that holds.
    #[must_use]
    pub fn id(&self, rule: RuleNumber) -> Option<u64> {
        let _ = rule;
        None
    }

    /// A value as a text: a string's content, anything else as it is written; `None` where it is absent or `null`.
    #[must_use]
    pub fn text(&self, slot: Slot) -> Option<Cow<'m, str>> {
        let _ = slot;
        None
    }

    /// A value as a whole number, whether it is written as a number or as a string.
    #[must_use]
    pub fn number(&self, slot: Slot) -> Option<u64> {
        self.text(slot)?.parse().ok()
    }

    /// A value as JSON, as it is written.
    #[must_use]
    pub fn json(&self, slot: Slot) -> Option<Cow<'m, str>> {
        let _ = slot;
        None
    }
}
