//! A TOML file as its dotted keys: what differs between two of them is a few keys.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// Dotted keys and their values, as TOML writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Sets a number or a switch; a text or a table as TOML writes it, e.g. `"\"token\""` or `"{ p50_ms = 5 }"`.
    pub fn set(&mut self, key: impl Into<String>, value: impl Display) -> &mut Self {
        self.0.insert(key.into(), value.to_string());
        self
    }

    /// The same, with other values for some keys.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.0.extend(other.0.clone());
        both
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Settings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, value)| writeln!(f, "{key} = {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_a_toml_file_and_may_differ_in_some_keys() {
        let mut base = Settings::default();
        base.set("players", 5).set("auth.mode", "\"token\"");
        let mut other = Settings::default();
        other.set("players", 7).set("lambda.duration", "{ p50_ms = 3 }");
        let text = base.with(&other).to_string();
        assert_eq!(text, "auth.mode = \"token\"\nlambda.duration = { p50_ms = 3 }\nplayers = 7\n");
        assert!(toml::from_str::<toml::Table>(&text).is_ok());
    }
}
