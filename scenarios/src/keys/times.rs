//! How often something is done in a row: `3` (always) or `"3 to 5"` (drawn evenly).

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use rand::{Rng, RngExt};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How often something is done in a row, drawn anew each time it is needed: at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    least: u32,
    most: u32,
}

impl Times {
    /// Once.
    pub const ONCE: Self = Self { least: 1, most: 1 };
    /// The most that can be written.
    const MOST: u32 = 1_000_000;

    /// The least and the most.
    #[must_use]
    pub const fn bounds(self) -> RangeInclusive<u32> {
        self.least..=self.most
    }

    /// The mean.
    #[must_use]
    pub fn mean(self) -> f64 {
        f64::midpoint(f64::from(self.least), f64::from(self.most))
    }

    /// One draw.
    pub fn sample(self, random: &mut impl Rng) -> u32 {
        random.random_range(self.bounds())
    }
}

impl FromStr for Times {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| {
            let number = text.trim().replace('_', "").parse().ok();
            let number = number.filter(|number| (1..=Self::MOST).contains(number));
            number.ok_or_else(|| {
                format!(
                    "is not a number of times: write a whole number from 1 to {}, or e.g. \"3 to 5\"",
                    Self::MOST
                )
            })
        };
        let (least, most) = match text.split_once(" to ") {
            Some((least, most)) => (number(least)?, number(most)?),
            None => (number(text)?, number(text)?),
        };
        if most < least {
            return Err("has a second number below the first".into());
        }
        Ok(Self { least, most })
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, most } = self;
        if least == most { write!(f, "{least}") } else { write!(f, "{least} to {most}") }
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Either way to write it.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<'w> {
            Number(u32),
            #[serde(borrow)]
            Text(Cow<'w, str>),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => Cow::Owned(number.to_string()),
            Written::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.least == self.most {
            serializer.serialize_u32(self.least)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl JsonSchema for Times {
    fn schema_name() -> Cow<'static, str> {
        "Times".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": Self::MOST },
                { "type": "string", "pattern": r"^\s*[0-9_]+( to [0-9_]+)?\s*$|\$\{", "x-reads": "times" },
            ],
            "description": "How often in a row: 3 (always) or \"3 to 5\" (drawn evenly between).",
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn each_form_is_read_shown_and_drawn() {
        for (text, bounds, mean) in [("3", 3..=3, 3.0), ("3 to 5", 3..=5, 4.0), ("1_000", 1_000..=1_000, 1e3)]
        {
            let times: Times = text.parse().unwrap();
            assert_eq!((times.to_string(), times.bounds()), (text.replace('_', ""), bounds.clone()));
            assert!((times.mean() - mean).abs() < 1e-9);
            let mut random = SmallRng::seed_from_u64(1);
            let mut drawn: Vec<_> = (0..100).map(|_| times.sample(&mut random)).collect();
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn, bounds.collect::<Vec<_>>(), "each number is drawn at last");
        }
        let written = |text: &str| serde_json::from_str::<Times>(text).unwrap();
        assert_eq!((written("3"), written("\"3\"")), ("3".parse().unwrap(), "3 to 3".parse().unwrap()));
        assert_eq!(serde_json::to_string(&written("\"3 to 5\"")).unwrap(), "\"3 to 5\"");
        assert_eq!(serde_json::to_string(&written("4")).unwrap(), "4");
    }

    #[test]
    fn a_wrong_form_says_what_is_wrong() {
        for (text, said) in [
            ("0", "from 1"),
            ("0 to 3", "from 1"),
            ("often", "whole number"),
            ("1.5", "whole number"),
            ("5 to 3", "below the first"),
        ] {
            let message = text.parse::<Times>().unwrap_err();
            assert!(message.contains(said), "{message}");
        }
    }
}
