//! A scenario as it is read: the document with its overrides, without secrets, with its variables filled in.

use documents::{Document, Mistake, Mistakes, form};
use serde_json::Value;

use super::beside::beside;
use super::overrides::Override;
use super::table::Table;
use super::{secrets, variables};
use crate::keys::auth::FeederFormat;
use crate::keys::schema;

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
        let columns = columns(&document);
        let (unknown, hidden) = variables::fill_in(&mut document, &environment, &columns);
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

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The names of the columns that feeders bring; whether their files are sound is checked later.
fn columns(document: &Document) -> Vec<String> {
    let feeders = document.value.get("feeders").and_then(Value::as_array).into_iter().flatten();
    let files = feeders.filter_map(|feeder| feeder.get("file")?.as_str());
    let names = files.filter_map(|file| {
        let path = beside(document, &variables::filled(file, &environment)?)?;
        Some(Table::names_in(&path, FeederFormat::by_ending(&path)?))
    });
    names.flatten().collect()
}
