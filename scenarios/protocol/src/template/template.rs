//! A message with places for values.

use super::error::TemplateError;
use super::name::Name;
use super::names::Names;
use crate::matching::View;
use crate::protocol::{Missing, Values};

/// A message with places for values.
#[derive(Debug, Clone, Default)]
pub struct Template {}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`] where a name is unknown, or where the message could never be what it looks like.
    pub fn compile(text: &str, names: &mut dyn Names) -> Result<Self, TemplateError> {
        let _ = (text, names);
        Ok(Self {})
    }

    /// The message with these values; without a received message to answer, [`Name::Received`] is missing.
    ///
    /// # Errors
    /// [`Missing`] where a value that it needs is not there.
    pub fn render(&self, values: &dyn Values) -> Result<String, Missing> {
        let _ = values;
        Ok(String::new())
    }

    /// The message with values of the one that was received, and `now_ms`.
    ///
    /// # Errors
    /// [`Missing`] where the received message lacks a value.
    pub fn reply(&self, received: &View<'_>, now_ms: u64) -> Result<String, Missing> {
        let _ = (received, now_ms);
        Ok(String::new())
    }

    /// The names that it holds, in order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        std::iter::empty()
    }

    /// Whether it holds a name.
    #[must_use]
    pub fn asks_for(&self, name: &Name) -> bool {
        self.names().any(|held| held == name)
    }

    /// Bytes beside what differs from send to send.
    #[must_use]
    pub fn fixed_bytes(&self) -> usize {
        0
    }
}
