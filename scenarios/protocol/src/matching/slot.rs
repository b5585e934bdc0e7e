//! Numbers by which a matcher is asked.

/// Number of a rule in its matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleNumber(pub(super) usize);

/// A value that a matcher reads from each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub(super) usize);
