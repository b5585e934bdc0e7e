//! What a run does: scenario files, and the crate that turns a file into a checked plan.
//!
//! ```text
//! TOML text + --set overrides + ${VAR} ─▶ Document (values with places) ─▶ form (every mistake, with its line)
//!    ─▶ Scenario (typed) ─▶ Plan (phases on one axis, arrivals as pure functions of an index)
//! ```
//!
//! Nothing here opens a socket (files that a scenario names are read): a mistake is reported before a byte is sent. All
//! mistakes are reported at once ([`Mistakes`]): a wrong value is replaced by a sound one, so that what it would mean
//! beside the others is checked in the same pass. The JSON Schema ([`schema::json_schema`]) is generated from the very
//! types that are deserialised, so that editors and this crate agree.

pub mod arrivals;
pub mod auth;
mod chart;
mod check;
mod correlation;
pub mod curve;
pub mod disruptions;
pub mod draw;
mod duration;
pub mod explain;
pub mod forecast;
mod inputs;
pub mod ledger;
mod load;
mod overrides;
pub mod plan;
mod prices;
mod recording;
pub mod redact;
pub mod rules;
pub mod scenario;
pub mod schema;
mod secrets;
pub mod shard;
mod sheet;
pub mod shipped;
pub mod source;
pub mod threshold;
pub mod units;
mod variables;
pub mod way;

use std::path::Path;

use documents::{Document, form};
use serde_json::Value;

use check::Check;
pub use correlation::cloudwatch;
pub use documents::form::nearest;
pub use documents::{Mistake, Mistakes};
pub use duration::Span;
pub use inputs::{Content, Input};
pub use overrides::Override;
pub use plan::Plan;
pub use scenario::Scenario;
pub use source::Source;

/// A scenario that has passed every check, with the text of what will run.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The scenario as written, defaults filled in.
    pub scenario: Scenario,
    /// The plan that it stands for.
    pub plan: Plan,
    /// TOML of what runs: the file's own text, or, with overrides, the document after them. Secret variables keep their
    /// names, and files that are kept beside it are called by their names there.
    pub as_run: String,
    /// Files to keep beside `as_run`, so that it can run again.
    pub inputs: Vec<Input>,
}

/// Checks a profile of the embedded backend, which this crate does not know: every mistake in the file.
pub type ProfileCheck = fn(&Path) -> Vec<Mistake>;

/// Reads a scenario ([`Source::read`]), applies the overrides and checks everything but a profile that it names.
///
/// # Errors
/// All mistakes of the file and of the overrides at once, each with file, line, key and remedy.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Checked, Mistakes> {
    let source = Source::read(path)?;
    check(&source.name, &source.text, overrides)
}

/// A scenario's text from its bytes, whatever they were read from; `file` names it in messages.
///
/// # Errors
/// It is no text.
pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, Mistakes> {
    documents::text::decode(bytes).map_err(|error| {
        Mistakes::one(format!("{file}:{}:1", error.line), "", error.problem, documents::text::REMEDY)
    })
}

/// Checks a scenario's text, but no profile that it names; `file` names it in messages.
///
/// # Errors
/// All mistakes at once.
pub fn check(file: &str, text: &str, overrides: &[Override]) -> Result<Checked, Mistakes> {
    check_with(file, text, overrides, |_| Vec::new())
}

/// Checks a scenario's text and the profile that it names.
///
/// # Errors
/// All mistakes at once.
pub fn check_with(
    file: &str,
    text: &str,
    overrides: &[Override],
    profile: ProfileCheck,
) -> Result<Checked, Mistakes> {
    let mut read = Read::new(file, text, overrides)?;
    let form::Formed { value, doubtful, read: texts, .. } = read.form(&schema::json_schema());
    let mut check = Check::new(&read.document, &read.refused, doubtful, profile);
    let planned = match serde_json::from_value::<Scenario>(value) {
        Ok(scenario) => {
            let plan = check.plan(&scenario);
            Some((scenario, plan))
        }
        Err(error) => {
            check.wrong("", error.to_string(), "see `loadgen scenario schema` for every key");
            None
        }
    };
    let Check { mistakes, inputs, kept, .. } = check;
    let ((scenario, plan), mut document) = read.unless_wrong(planned, mistakes)?;
    for (pointer, value) in texts {
        document.keep_read(&pointer, value);
    }
    for (pointer, name) in kept {
        document.keep(&pointer, name);
    }
    secrets::keep_hidden(&mut document);
    let as_run = document.as_kept(|comment| redact::text(comment).into_owned());
    Ok(Checked { scenario, plan, as_run, inputs })
}

/// A scenario's text after overrides and variables, before anything is concluded from it.
pub(crate) struct Read {
    pub(crate) document: Document,
    /// Of the overrides and of form.
    mistakes: Vec<Mistake>,
    /// Values that were taken out: secrets, and variables that are not there.
    pub(crate) refused: Vec<Mistake>,
    hidden: variables::Secrets,
}

impl Read {
    pub(crate) fn new(file: &str, text: &str, overrides: &[Override]) -> Result<Self, Mistakes> {
        let mut document = Document::parse(file, text)?;
        let set = |set: &Override| {
            document.set(&set.key, documents::parse_value(&set.value), &secrets::shown(set)).err()
        };
        let mistakes = overrides.iter().filter_map(set).collect();
        let mut refused = secrets::remove(&mut document);
        let (unknown, hidden) = variables::fill_in(&mut document, &|name| std::env::var(name).ok());
        refused.extend(unknown);
        Ok(Self { document, mistakes, refused, hidden })
    }

    /// Checks the values against a schema; what stands in a refused value's place is judged no further.
    pub(crate) fn form(&mut self, schema: &Value) -> form::Formed {
        let mut formed = form::check(&self.document, schema, &schema::read);
        let told = std::mem::take(&mut formed.mistakes).into_iter();
        self.mistakes
            .extend(told.filter(|mistake| self.refused.iter().all(|other| other.key != mistake.key)));
        formed
    }

    /// What was made of it, with the document, or all mistakes: of overrides and form, of meaning, and what was refused.
    pub(crate) fn unless_wrong<T>(
        self,
        made: Option<T>,
        of_meaning: Vec<Mistake>,
    ) -> Result<(T, Document), Mistakes> {
        let Self { document, mut mistakes, refused, hidden } = self;
        mistakes.extend(of_meaning);
        mistakes.extend(refused);
        match made {
            Some(made) if mistakes.is_empty() => Ok((made, document)),
            _ => Err(hidden.hide_in_all(mistakes)),
        }
    }
}
