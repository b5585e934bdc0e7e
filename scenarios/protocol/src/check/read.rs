//! A protocol file as it is read: its document, its form checked, its keys.

use documents::{Document, Mistake, Mistakes, form};

use crate::keys::protocol::Protocol;
use crate::keys::schema;

/// A protocol file whose form has been checked.
pub(super) struct Read {
    pub(super) document: Document,
    /// The keys, with a sound value in the place of each wrong one.
    pub(super) keys: Protocol,
    pub(super) mistakes: Vec<Mistake>,
    /// Pointers of the values that are not the author's own.
    pub(super) doubtful: Vec<String>,
}

impl Read {
    pub(super) fn new(file: &str, text: &str) -> Result<Self, Mistakes> {
        let document = Document::parse(file, text)?;
        let form::Formed { value, mut mistakes, doubtful, .. } =
            form::check(&document, &schema::json_schema(), &schema::read);
        match serde_json::from_value(value) {
            Ok(keys) => Ok(Self { document, keys, mistakes, doubtful }),
            Err(error) => {
                let remedy = "see `loadgen protocol schema` for every key";
                mistakes.push(document.mistake("", error.to_string(), remedy));
                Err(Mistakes(mistakes))
            }
        }
    }
}
