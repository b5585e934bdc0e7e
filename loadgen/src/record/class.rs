//! An error class: a short, stable word that is counted, a key of the summary and a label of metrics.
//!
//! A target's error frames carry its own words, and these become classes, too. So every class is made here: of lower-case
//! letters, digits and `_`, at most [`LONGEST`] of them. Of a target's text only words and short numbers remain, so that
//! neither a credential nor a number that differs in each request gets in.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Characters of a class that a target has invented.
const LONGEST: usize = 40;
/// The longest word of a sentence; longer ones were drawn by a machine.
const LONGEST_WORD: usize = 20;
/// The longest number that is kept in a class, e.g. a status.
const LONGEST_NUMBER: usize = 3;

/// What API Gateway and GameLift say themselves, and its class: by far the most that a target says.
const WELL_KNOWN: [(&str, &str, &str); 9] = [
    ("", "Internal server error", "internal_server_error"),
    ("", "Endpoint request timed out", "endpoint_request_timed_out"),
    ("", "Forbidden", "forbidden"),
    ("", "Too Many Requests", "too_many_requests"),
    ("", "Limit Exceeded", "limit_exceeded"),
    ("", "Service Unavailable", "service_unavailable"),
    ("placement_", "TIMED_OUT", "placement_timed_out"),
    ("placement_", "FAILED", "placement_failed"),
    ("placement_", "CANCELLED", "placement_cancelled"),
];

/// An error class: a short, stable word such as `timeout` or `status_500`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Class(Cow<'static, str>);

impl Class {
    /// A class of this program's own; see [`classes`](super::classes).
    pub(super) const fn fixed(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// A class of this program's own with a number in it, e.g. a status.
    pub(super) fn numbered(prefix: &str, number: u16) -> Self {
        Self(Cow::Owned(format!("{prefix}{number}")))
    }

    /// The class of what AWS itself says, which needs no second look.
    #[must_use]
    pub fn well_known(prefix: &str, said: &str) -> Option<Self> {
        let known = WELL_KNOWN.iter().find(|(before, words, _)| *before == prefix && *words == said);
        known.map(|(.., class)| Self(Cow::Borrowed(class)))
    }

    /// A class of a target's own words, credentials taken out before: `Internal server error` → `internal_server_error`.
    #[must_use]
    pub fn said(prefix: &str, words: &str) -> Self {
        let mut class = prefix.to_owned();
        let mut first = true;
        for word in words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            let letters = word.bytes().all(|byte| byte.is_ascii_alphabetic());
            let digits = word.bytes().all(|byte| byte.is_ascii_digit());
            let word = match word.len() {
                1..=LONGEST_NUMBER if digits => word,
                1..=LONGEST_WORD if letters => word,
                _ => "x",
            };
            if class.len() + 1 + word.len() > prefix.len() + LONGEST {
                break;
            }
            if !std::mem::take(&mut first) {
                class.push('_');
            }
            class.push_str(&word.to_ascii_lowercase());
        }
        if first {
            class.push_str("unnamed");
        }
        Self(Cow::Owned(class))
    }
}

impl From<&'static str> for Class {
    fn from(class: &'static str) -> Self {
        Self(Cow::Borrowed(class))
    }
}

impl From<&Self> for Class {
    fn from(class: &Self) -> Self {
        class.clone()
    }
}

impl From<String> for Class {
    /// A class that was put together, e.g. `status_500`; whatever has another alphabet is taken for a target's words.
    fn from(class: String) -> Self {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if (1..=2 * LONGEST).contains(&class.len()) && class.bytes().all(plain) {
            Self(Cow::Owned(class))
        } else {
            Self::said("", &class)
        }
    }
}

impl Deref for Class {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Class {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Class {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Class {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_a_few_words_whatever_is_said() {
        for (said, wanted) in [
            ("Internal server error", "internal_server_error"),
            ("status 404: no such route", "status_404_no_such_route"),
            ("request 1234567 of player-17a failed", "request_x_of_player_x_failed"),
            ("MARKER8f3a2b1cTOPSECRET", "x"),
            ("\u{1b}[2J\"}\n# HELP", "x_help"),
            ("玩家", "unnamed"),
            ("", "unnamed"),
        ] {
            assert_eq!(Class::said("", said), wanted);
        }
        assert_eq!(Class::said("placement_", "TIMED_OUT"), "placement_timed_out");
        let long = Class::said("", &"word ".repeat(1_000));
        assert!(long.len() <= LONGEST && long.starts_with("word_word"), "{long}");
        for (prefix, said, class) in WELL_KNOWN {
            assert_eq!(Class::said(prefix, said), class, "the table says what the rule would");
            assert_eq!(Class::well_known(prefix, said), Some(class.into()));
        }
    }

    #[test]
    fn what_is_put_together_is_looked_at() {
        assert_eq!(Class::from("closed_1006".to_owned()), "closed_1006");
        assert_eq!(Class::from("a\"} evil{x=\"".to_owned()), "a_evil_x");
        assert_eq!(Class::from(String::new()), "unnamed");
    }
}
