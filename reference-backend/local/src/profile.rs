//! The profile file: every latency, limit and fault of the local stack in one TOML document.
//!
//! Two ship with the binary: `instant` (no added latency) and `aws-like` (documented typical values). A file
//! names only what differs from its `base`.

use std::path::{Path, PathBuf};

use documents::{Document, Mistake, child, form, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cloudwatch::CloudWatchProfile;
use super::gamelift::GameLiftProfile;
use super::gateway::GatewayProfile;
use super::identity::IdentityProfile;
use super::lambda::LambdaProfile;
use super::logs::LogsProfile;
use super::permissions::ControlProfile;
use super::sns::SnsProfile;
use super::streams::StreamsProfile;
use super::tables::TablesProfile;

/// Every setting of the local stack: latencies, limits and faults. The default is `instant`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The shipped profile that this one differs from.
    pub base: Base,
    /// Lambda: latency, limits, faults, layout.
    pub lambda: LambdaProfile,
    /// Tables: latency, capacity, faults, TTL, stream shards.
    pub tables: TablesProfile,
    /// Event source mappings of the tables' streams.
    pub streams: StreamsProfile,
    /// The topic of placement events.
    pub sns: SnsProfile,
    /// The placement queue.
    pub gamelift: GameLiftProfile,
    /// The WebSocket front door.
    pub gateway: GatewayProfile,
    /// The local identity provider.
    pub identity: IdentityProfile,
    /// The functions' logs.
    pub logs: LogsProfile,
    /// The control plane.
    pub control: ControlProfile,
    /// How metrics are delivered.
    pub cloudwatch: CloudWatchProfile,
}

/// The shipped profiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// No added latency, AWS's limits on concurrency.
    #[default]
    Instant,
    /// Typical latencies and the limits of a fresh account.
    AwsLike,
}

impl Base {
    const fn text(self) -> &'static str {
        match self {
            Self::Instant => include_str!("../../profiles/instant.toml"),
            Self::AwsLike => include_str!("../../profiles/aws-like.toml"),
        }
    }
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the profile {}: {source}; give a TOML file, or `instant` or `aws-like`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a profile.
    #[error("{}", list(mistakes))]
    Mistakes {
        /// Everything that is wrong, each with file, line, key and remedy.
        mistakes: Vec<Mistake>,
    },
    /// A setting conflicts with another.
    #[error("{origin}: {problem}")]
    Invalid {
        /// Where the setting comes from.
        origin: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
}

fn list(mistakes: &[Mistake]) -> String {
    let count = mistakes.len();
    let all: String = mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect();
    format!("{count} mistake{} in the profile{all}", if count == 1 { "" } else { "s" })
}

/// Every mistake in a profile, given by the name of a shipped one or as a file.
#[must_use]
pub fn mistakes(name_or_path: &Path) -> Vec<Mistake> {
    match Profile::load(name_or_path) {
        Ok(_) => Vec::new(),
        Err(ProfileError::Mistakes { mistakes }) => mistakes,
        Err(error) => vec![Mistake {
            place: name_or_path.display().to_string(),
            key: String::new(),
            problem: error.to_string(),
            remedy: String::new(),
        }],
    }
}

impl Profile {
    /// The JSON Schema (draft 2020-12) of a profile file.
    #[must_use]
    pub fn json_schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }

    /// A shipped profile by its name, else the file of that name.
    ///
    /// # Errors
    /// As [`ProfileError`] tells.
    pub fn load(name_or_path: &Path) -> Result<Self, ProfileError> {
        let origin = name_or_path.display().to_string();
        match origin.as_str() {
            "instant" => Self::parse(Base::Instant.text(), &origin),
            "aws-like" => Self::parse(Base::AwsLike.text(), &origin),
            _ => {
                let bytes = std::fs::read(name_or_path)
                    .map_err(|source| ProfileError::Read { path: name_or_path.to_owned(), source })?;
                let text = text::decode(bytes).map_err(|error| ProfileError::Mistakes {
                    mistakes: vec![Mistake {
                        place: format!("{origin}:{}:1", error.line),
                        key: String::new(),
                        problem: error.problem.into(),
                        remedy: text::REMEDY.into(),
                    }],
                })?;
                Self::parse(&text, &origin)
            }
        }
    }

    /// Reads a profile's text; `origin` names it in errors.
    ///
    /// # Errors
    /// [`ProfileError::Mistakes`]: all of them.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ProfileError> {
        let document =
            Document::parse(origin, text).map_err(|all| ProfileError::Mistakes { mistakes: all.0 })?;
        let form::Formed { value: mut own, mut mistakes, .. } =
            form::check(&document, &Self::json_schema(), &|_, text| Ok(text.into()));
        delays(&document, &mut own, "", &mut mistakes);
        let whole = |error: String| document.mistake("", error, "see `reference-backend profile schema`");
        let base: Base =
            own.get("base").cloned().map(serde_json::from_value).and_then(Result::ok).unwrap_or_default();
        let merged =
            toml::from_str(base.text()).map_err(|error| error.to_string()).and_then(|mut merged: Value| {
                merge(&mut merged, own);
                serde_json::from_value::<Self>(merged).map_err(|error| error.to_string())
            });
        let profile = merged.map_err(whole);
        if let Ok(profile) = &profile {
            for (pointer, wrong) in profile.sections() {
                let (problem, remedy) = wrong.rsplit_once("; ").unwrap_or((&wrong, ""));
                mistakes.push(document.mistake(pointer, problem, remedy));
            }
        }
        match profile {
            Ok(profile) if mistakes.is_empty() => Ok(profile),
            other => {
                mistakes.extend(other.err());
                Err(ProfileError::Mistakes { mistakes })
            }
        }
    }

    /// Checks what the types alone cannot; `origin` names the profile in errors.
    ///
    /// # Errors
    /// [`ProfileError::Invalid`].
    pub fn check(&self, origin: &str) -> Result<(), ProfileError> {
        let invalid = |(_, problem)| ProfileError::Invalid { origin: origin.to_owned(), problem };
        self.sections().into_iter().next().map_or(Ok(()), |wrong| Err(invalid(wrong)))
    }

    /// The problem of each section that the schema cannot express, with the pointer of its key.
    fn sections(&self) -> Vec<(&'static str, String)> {
        let sections = [
            ("/lambda/reserved_concurrency", self.lambda.check()),
            ("/tables", self.tables.check()),
            ("/streams/per_stream", self.streams.check()),
            ("/sns", self.sns.check()),
            ("/gamelift", self.gamelift.check()),
            ("/logs", self.logs.check()),
            ("/control/forbidden", self.control.check()),
            ("/cloudwatch", self.cloudwatch.check()),
            ("/gateway", self.gateway.check().map_err(|error| error.to_string())),
        ];
        sections.into_iter().filter_map(|(pointer, checked)| Some((pointer, checked.err()?))).collect()
    }
}

/// Reports delays whose 99th percentile is below the median and windows that end before they begin, and removes it.
fn delays(document: &Document, value: &mut Value, pointer: &str, mistakes: &mut Vec<Mistake>) {
    let Value::Object(table) = value else { return };
    let number = |key: &str| table.get(key).and_then(Value::as_f64);
    if let (Some(median), Some(p99)) = (number("p50_ms"), number("p99_ms"))
        && p99 < median
    {
        let problem = format!("{p99} is below p50_ms, {median}");
        let remedy = "make it at least p50_ms, or remove it for a constant delay";
        mistakes.push(document.mistake(&child(pointer, "p99_ms"), problem, remedy));
        table.remove("p99_ms");
    }
    let number = |key: &str| table.get(key).and_then(Value::as_f64);
    if let (Some(from), Some(until)) = (number("from_s"), number("until_s"))
        && until <= from
    {
        let problem = format!("{until} is not after from_s, {from}");
        let remedy = "make it later than from_s, or remove it for a fault that stays";
        mistakes.push(document.mistake(&child(pointer, "until_s"), problem, remedy));
        table.remove("until_s");
    }
    for (key, inner) in table {
        delays(document, inner, &child(pointer, key), mistakes);
    }
}

/// Merges `own` into `base`, table by table. A delay is replaced as a whole: without `p99_ms` it is constant.
fn merge(base: &mut Value, own: Value) {
    match (base, own) {
        (Value::Object(below), Value::Object(above)) if !above.contains_key("p50_ms") => {
            for (key, value) in above {
                merge(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::distribution::Delay;
    use reference_backend::function::{Function, Table};

    #[test]
    fn the_shipped_profiles_are_valid_and_instant_is_the_default() {
        let instant = Profile::load(Path::new("instant")).expect("instant");
        assert_eq!(instant.lambda, LambdaProfile::default());
        assert_eq!(instant.tables, TablesProfile::default());
        assert_eq!(instant.streams, StreamsProfile::default());
        assert_eq!(instant.sns, SnsProfile::default());
        assert_eq!(instant.gamelift, GameLiftProfile::default());
        assert_eq!(instant.gateway, GatewayProfile::default());
        assert_eq!(instant.identity, IdentityProfile::default());
        assert_eq!(instant.logs, LogsProfile::default());
        assert_eq!(instant.control, ControlProfile::default());
        assert_eq!(instant.cloudwatch, CloudWatchProfile::default());
        let aws_like = Profile::load(Path::new("aws-like")).expect("aws-like");
        assert!(aws_like.lambda.init.p50_ms > 0.0);
        assert!(aws_like.gateway.connections_per_second > 0);
    }

    #[test]
    fn a_file_names_only_what_differs() {
        let text = "base = \"aws-like\"\n[lambda]\nduration = { p50_ms = 7 }\n[lambda.functions.SendMessage]\nreserved_concurrency = 3\n";
        let profile = Profile::parse(text, "mine.toml").expect("valid");
        let aws_like = Profile::load(Path::new("aws-like")).expect("aws-like");
        assert_eq!(profile.lambda.duration, Delay::constant(7.0));
        assert_eq!(profile.lambda.init, aws_like.lambda.init);
        assert_eq!(profile.lambda.functions[&Function::SendMessage].reserved_concurrency, Some(3));
        assert_eq!(profile.streams, aws_like.streams);
    }

    #[test]
    fn mistakes_are_told_with_file_and_line() {
        for (text, wanted) in [
            ("[lambda]\nspeed = 1\n", ":2:1: `lambda.speed`: unknown key"),
            ("[lambda]\n\nerror_rate = 2\n", ":3:1: `lambda.error_rate`: 2 is too large, at most 1"),
            (
                "[lambda]\ninit = { p50_ms = -1 }\n",
                ":2:10: `lambda.init.p50_ms`: -1 is too small, at least 0",
            ),
            (
                "[lambda]\ninit = { p50_ms = 5, p99_ms = 1 }\n",
                ":2:22: `lambda.init.p99_ms`: 1 is below p50_ms, 5",
            ),
            (
                "[lambda]\nerror_rate = { rate = 1, from_s = 9, until_s = 3 }\n",
                ":2:38: `lambda.error_rate.until_s`: 3 is not after from_s, 9",
            ),
            ("base = \"fast\"\n", ":1:1: `base`: must be one of \"instant\", \"aws-like\", found \"fast\""),
            ("[lambda.functions.Dance]\n", ":1:19: `lambda.functions.Dance`: unknown key"),
            ("lambda = [\n", "the file must be TOML"),
            (
                "[lambda.functions.Connect]\nreserved_concurrency = 950\n",
                "reserved_concurrency adds up to 950",
            ),
            (
                "[gateway]\npush_drop_rate = 0.6\npush_reorder_rate = 0.6\n",
                ":1:2: `gateway`: gateway.push_drop_rate",
            ),
        ] {
            let error = Profile::parse(text, "mine.toml").expect_err(text).to_string();
            assert!(error.starts_with("1 mistake in the profile\n  mine.toml:"), "{error}");
            assert!(error.contains(wanted) && error.contains("help: "), "{text} gave: {error}");
        }
        let many = "[lambda]\nspeed = 1\ntimeout_s = \"long\"\ninit = { p50_ms = 5, p99_ms = 1 }\n[lambda.functions.Connect]\n\
            reserved_concurrency = 950\n[gateway]\ncut_rate = 3\n[streams.per_stream.Connections]\n";
        let Err(ProfileError::Mistakes { mistakes }) = Profile::parse(many, "mine.toml") else {
            panic!("it is taken")
        };
        let keys: Vec<_> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "gateway.cut_rate",
                "lambda.timeout_s",
                "lambda.speed",
                "lambda.init.p99_ms",
                "lambda.reserved_concurrency",
                "streams.per_stream",
            ]
        );
        let error = Profile::load(Path::new("no/such.toml")).expect_err("missing").to_string();
        assert!(error.contains("no/such.toml") && error.contains("instant"), "{error}");
    }

    #[test]
    fn one_table_and_one_stream_may_differ() {
        let text = "base = \"aws-like\"\n[tables.per_table.Messages]\npartition_write_units = 7\n\
            latency.put = { p50_ms = 1 }\n[streams.per_stream.Placements]\nbatch_size = 3\n";
        let profile = Profile::parse(text, "mine.toml").expect("valid");
        let (all, messages) = (&profile.tables, profile.tables.of(Table::Messages));
        assert_eq!((messages.partition_write_units, messages.latency.put), (7, Delay::constant(1.0)));
        assert_eq!(messages.latency.get, all.latency.get);
        assert_eq!(
            profile.tables.of(Table::Placements),
            TablesProfile { per_table: BTreeMap::new(), ..all.clone() }
        );
        assert_eq!(profile.streams.of(Table::Placements).batch_size, 3);
        assert_eq!(profile.streams.of(Table::Messages).batch_size, 100);
        for (text, expected) in [
            ("[streams.per_stream.Connections]\n", "no stream"),
            (
                "[streams.per_stream.Messages]\nbatch_size = 0\n",
                "`streams.per_stream.Messages.batch_size`: 0 is too small",
            ),
            ("[tables.per_table.Scores]\n", "Connections"),
        ] {
            let error = Profile::parse(text, "mine.toml").expect_err(text).to_string();
            assert!(error.contains(expected), "{text} gave: {error}");
        }
    }
}
