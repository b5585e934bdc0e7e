//! What is made of a value before it stands in a message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::escape;

/// What an URL may hold as it is (RFC 3986, unreserved).
const URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is made of a value before it stands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// The inside of a JSON string.
    Json,
    /// Base64, with padding.
    Base64,
    /// Percent-encoding.
    Url,
    /// The same, as one segment of a path whatever it holds.
    Segment,
}

impl Filter {
    /// Their names in a template; no author writes [`Self::Segment`].
    pub(super) const NAMES: [(&'static str, Self); 3] =
        [("json", Self::Json), ("base64", Self::Base64), ("url", Self::Url)];

    /// The filter of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, filter)| *filter)
    }

    /// What it makes of a value.
    pub(super) fn apply(self, value: &str) -> String {
        match self {
            Self::Json => {
                let mut escaped = Vec::with_capacity(value.len() + 8);
                escape::inside_string(value, &mut escaped);
                escape::text(escaped)
            }
            Self::Base64 => STANDARD.encode(value.as_bytes()),
            // A path of dots alone would lead elsewhere.
            Self::Segment if matches!(value, "." | "..") => value.replace('.', "%2E"),
            Self::Url | Self::Segment => utf8_percent_encode(value, URL).to_string(),
        }
    }
}
