//! Error classes that a protocol gives.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

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
    /// The class, put together when it is looked at.
    pub(crate) fn of<'v>(&'v self, view: &'v View<'_>) -> ErrorClass<'v> {
        ErrorClass(match self.said {
            Some(_) => Text::Later { class: self, view, made: OnceLock::new() },
            None => Text::Known(Cow::Borrowed(self.usual)),
        })
    }

    /// The class, put together at once.
    pub(crate) fn text(&self, view: &View<'_>) -> Cow<'static, str> {
        let said = self.said.as_ref().and_then(|said| said.reply(view, 0).ok());
        said.map_or(Cow::Borrowed(self.usual), Cow::Owned)
    }
}

/// An error class. A message may be offered as the answer to several operations of which one takes it, so that a class which
/// holds values of the message is put together only when it is looked at.
#[derive(Clone)]
pub struct ErrorClass<'f>(Text<'f>);

#[derive(Clone)]
enum Text<'f> {
    Known(Cow<'f, str>),
    Later { class: &'f Class, view: &'f View<'f>, made: OnceLock<Cow<'static, str>> },
}

impl Deref for ErrorClass<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Text::Known(text) => text,
            Text::Later { class, view, made } => made.get_or_init(|| class.text(view)),
        }
    }
}

impl<'f> From<Cow<'f, str>> for ErrorClass<'f> {
    fn from(text: Cow<'f, str>) -> Self {
        Self(Text::Known(text))
    }
}

impl<'f> From<&'f str> for ErrorClass<'f> {
    fn from(text: &'f str) -> Self {
        Cow::Borrowed(text).into()
    }
}

impl From<String> for ErrorClass<'_> {
    fn from(text: String) -> Self {
        Self(Text::Known(text.into()))
    }
}

impl PartialEq for ErrorClass<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for ErrorClass<'_> {}

impl fmt::Display for ErrorClass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for ErrorClass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
