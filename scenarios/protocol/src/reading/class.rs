//! Error classes that a protocol gives.

use std::borrow::Cow;

use crate::matching::View;
use crate::template::Template;

/// The error class of what failed, which may hold values of the message that says so.
#[derive(Debug)]
pub(crate) struct Class {
    /// As the file says it; `None`: it says nothing.
    pub(crate) said: Option<Template>,
    /// Where the file says nothing, or something that the message lacks.
    pub(crate) usual: &'static str,
}

impl Class {
    pub(crate) fn of(&self, view: &View<'_>) -> Cow<'static, str> {
        let said = self.said.as_ref().and_then(|said| said.reply(view, 0).ok());
        said.map_or(Cow::Borrowed(self.usual), Cow::Owned)
    }
}
