//! Ids as API Gateway makes them: 11 random bytes, 15 base64url characters and a `=`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde::{Serialize, Serializer};

/// A connection id or request id, e.g. `TXzPWdnOjoECGjA=`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u8; Id::LENGTH]);

impl Id {
    const LENGTH: usize = 16;

    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        let mut text = [0; Self::LENGTH];
        let written = URL_SAFE.encode_slice(rand::random::<[u8; 11]>(), &mut text);
        debug_assert_eq!(written, Ok(Self::LENGTH), "11 bytes make 16 characters");
        Self(text)
    }

    /// Reads one; none if no id looks like that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id: [u8; Self::LENGTH] = text.as_bytes().try_into().ok()?;
        let (end, characters) = id.split_last()?;
        let is_base64url = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        (*end == b'=' && characters.iter().all(is_base64url)).then_some(Self(id))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Any number that spreads ids evenly.
    pub(super) fn spread(self) -> usize {
        usize::from(self.0[0]) ^ (usize::from(self.0[1]) << 1) ^ (usize::from(self.0[2]) << 2)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_like_an_id_of_aws() {
        let id = Id::random();
        assert_eq!(Id::parse(id.as_str()), Some(id));
        assert!(id.as_str().ends_with('='));
        assert!(Id::parse("eHrdFcnvvHcCE-w=").is_some());
        for wrong in ["", "x", "eHrdFcnvvHcCE-wx", "eHrdFcnv/HcCE-w=", "eHrdFcnvvHcCE-w=="] {
            assert_eq!(Id::parse(wrong), None, "{wrong}");
        }
    }
}
