//! `--set key=value`: one key of a scenario, replaced or added from the command line.

use std::str::FromStr;

/// Replaces or adds one key of the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Dotted path; a number indexes an array, e.g. `phases.0.duration`.
    pub key: String,
    /// TOML value; anything else is taken as a string.
    pub value: String,
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) =
            text.split_once('=').ok_or_else(|| "there is no `=`; write e.g. players=5000".to_owned())?;
        let key = key.trim();
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err("there is no key before `=`; write e.g. players=5000".into());
        }
        Ok(Self { key: key.into(), value: value.trim().into() })
    }
}
