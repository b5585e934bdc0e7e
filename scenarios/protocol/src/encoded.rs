//! Values within a URL's path.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::values::Values;

/// What stays as it is in a URL (RFC 3986, unreserved).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same values, percent-encoded: whatever they hold, each stays one segment of a path.
pub(crate) struct Encoded<'v>(pub(crate) &'v dyn Values);

fn encoded(value: &str) -> Cow<'_, str> {
    // A path of dots alone would lead elsewhere.
    match value {
        "." => "%2E".into(),
        ".." => "%2E%2E".into(),
        value => utf8_percent_encode(value, KEPT).into(),
    }
}

fn owned(value: Cow<'_, str>) -> Cow<'static, str> {
    encoded(&value).into_owned().into()
}

impl Values for Encoded<'_> {
    fn id(&self) -> u64 {
        self.0.id()
    }

    fn player(&self) -> Cow<'_, str> {
        owned(self.0.player())
    }

    fn recipients(&self) -> Cow<'_, [String]> {
        self.0.recipients().iter().map(|one| encoded(one).into_owned()).collect()
    }

    fn text(&self) -> Cow<'_, str> {
        owned(self.0.text())
    }

    fn token(&self) -> Option<Cow<'_, str>> {
        self.0.token().map(owned)
    }

    fn room(&self) -> Cow<'_, str> {
        owned(self.0.room())
    }

    fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }

    fn kept(&self, number: usize) -> Option<Cow<'_, str>> {
        self.0.kept(number).map(owned)
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.parameter(name).map(owned)
    }
}
