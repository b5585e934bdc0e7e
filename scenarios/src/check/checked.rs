//! A scenario's text, checked: the plan that it stands for, or every mistake at once.

use std::path::Path;

use documents::{Findings, Mistakes, form};

use super::context::{Check, ProfileCheck};
use super::inputs::Input;
use super::plan;
use crate::file::overrides::Override;
use crate::file::read::Read;
use crate::file::secrets;
use crate::file::source::Source;
use crate::keys::scenario::Scenario;
use crate::keys::schema;
use crate::plan::Plan;
use crate::redact;

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

/// Reads a scenario ([`Source::read`]), applies the overrides and checks everything but a profile that it names.
///
/// # Errors
/// All mistakes of the file and of the overrides at once, each with file, line, key and remedy.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Checked, Mistakes> {
    let source = Source::read(path)?;
    check(&source.name, &source.text, overrides)
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
    let mut check = Check::new(&read.document, &read.refused, &doubtful, profile);
    let planned = match serde_json::from_value::<Scenario>(value) {
        Ok(scenario) => {
            let plan = plan::plan(&mut check, &scenario);
            Some((scenario, plan))
        }
        Err(error) => {
            check.wrong("", error.to_string(), "see `loadgen scenario schema` for every key");
            None
        }
    };
    let Check { findings: Findings { mistakes, .. }, inputs, kept, .. } = check;
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
