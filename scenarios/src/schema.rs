//! The JSON Schema of a scenario, and the check of a document against it.
//!
//! serde stops at the first mistake; a schema validator reports them all. So the schema, generated from the
//! types, checks the document first, and each of its findings is put into words with line and remedy.

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::document::{Document, child};
use crate::mistakes::{Mistake, Mistakes};
use crate::scenario::Scenario;

/// The JSON Schema (draft 2020-12) of a scenario file.
#[must_use]
pub fn json_schema() -> Value {
    schemars::schema_for!(Scenario).to_value()
}

/// Reads the document, or the part of it that `T` stands for.
pub(crate) fn deserialize<T: JsonSchema + DeserializeOwned>(document: &Document) -> Result<T, Mistakes> {
    let schema = schemars::schema_for!(T).to_value();
    let internal = |what: &dyn std::fmt::Display| {
        Mistakes::one(
            document.place(""),
            "",
            format!("cannot be checked: {what}"),
            "this is a fault of loadgen",
        )
    };
    let validator = Validator::new(&schema).map_err(|error| internal(&error))?;
    let mistakes: Vec<_> = validator
        .iter_errors(&document.value)
        .flat_map(|error| in_words(document, &schema, &error))
        .collect();
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    serde_json::from_value(document.value.clone()).map_err(|error| {
        Mistakes::one(
            document.place(""),
            "",
            error.to_string(),
            "see `loadgen scenario schema` for every key",
        )
    })
}

/// Puts one finding of the validator into words, with the schema's own description as the remedy.
fn in_words(document: &Document, schema: &Value, error: &ValidationError<'_>) -> Vec<Mistake> {
    let pointer = error.instance_path().as_str();
    let described = describe(schema, pointer);
    let one = |problem: String, remedy: String| vec![document.mistake(pointer, problem, remedy)];
    let found = shown(error.instance());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_keys(schema, pointer);
            unexpected
                .iter()
                .map(|key| {
                    let remedy = nearest(key, &known).map_or_else(
                        || format!("known keys here: {}", known.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    document.mistake(&child(pointer, key), "unknown key", remedy)
                })
                .collect()
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            let at = child(pointer, key);
            let remedy = describe(schema, &at);
            let mut mistake = document.mistake(&at, "is missing", remedy);
            mistake.place = document.place(pointer);
            vec![mistake]
        }
        ValidationErrorKind::Type { kind } => {
            one(format!("must be {}, found {found}", type_name(kind)), described)
        }
        ValidationErrorKind::Minimum { limit } => {
            one(format!("{found} is too small, at least {limit}"), described)
        }
        ValidationErrorKind::Maximum { limit } => {
            one(format!("{found} is too large, at most {limit}"), described)
        }
        ValidationErrorKind::MinItems { limit } => one(format!("needs at least {limit} entry"), described),
        ValidationErrorKind::Enum { options } => {
            one(format!("{found} is none of {}", shown(options)), described)
        }
        ValidationErrorKind::OneOfNotValid { .. } => {
            one(format!("{found} is none of {}", words(schema, pointer).join(", ")), described)
        }
        // An optional table, or a word or a table: what counts is what is wrong with the form that was meant, which is
        // the one whose own type fits.
        ValidationErrorKind::AnyOf { context } => context
            .iter()
            .find(|form| !form.iter().any(|error| is_other_form(error, pointer)))
            .or_else(|| context.first())
            .into_iter()
            .flatten()
            .flat_map(|inner| in_words(document, schema, inner))
            .collect(),
        ValidationErrorKind::Pattern { .. } => one(format!("{found} has the wrong form"), described),
        _ => one(error.to_string(), described),
    }
}

/// Whether an error says that the value is of another form altogether.
fn is_other_form(error: &ValidationError<'_>, pointer: &str) -> bool {
    error.instance_path().as_str() == pointer
        && matches!(
            error.kind(),
            ValidationErrorKind::Type { .. } | ValidationErrorKind::OneOfNotValid { .. }
        )
}

fn type_name(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(several) => {
            several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

/// The schema that applies at a pointer, `$ref`s and optional wrappers followed.
fn at<'s>(schema: &'s Value, pointer: &str) -> Option<&'s Value> {
    let mut here = schema;
    for part in pointer.split('/').skip(1) {
        here = resolve(schema, here);
        here = here
            .get("properties")
            .and_then(|properties| properties.get(part))
            .or_else(|| here.get("items"))?;
    }
    Some(here)
}

fn resolve<'s>(root: &'s Value, mut here: &'s Value) -> &'s Value {
    loop {
        // Of several forms, the table: keys are looked up in it.
        let forms = here.get("anyOf").and_then(Value::as_array);
        let table = |form: &&Value| resolve(root, form).get("properties").is_some();
        let optional = forms.and_then(|forms| forms.iter().find(table).or_else(|| forms.first()));
        let reference = here.get("$ref").and_then(Value::as_str).and_then(|path| root.pointer(&path[1..]));
        match reference.or(optional) {
            Some(next) => here = next,
            None => return here,
        }
    }
}

/// Every form that a schema allows, `$ref`s followed.
fn forms<'s>(root: &'s Value, here: &'s Value) -> Vec<&'s Value> {
    let reference = here.get("$ref").and_then(Value::as_str).and_then(|path| root.pointer(&path[1..]));
    match (reference, here.get("anyOf").and_then(Value::as_array)) {
        (Some(next), _) => forms(root, next),
        (None, Some(several)) => several.iter().flat_map(|form| forms(root, form)).collect(),
        (None, None) => vec![here],
    }
}

fn describe(schema: &Value, pointer: &str) -> String {
    let Some(here) = at(schema, pointer) else { return String::new() };
    let text = |value: &Value| value.get("description").and_then(Value::as_str).map(str::to_owned);
    text(here).or_else(|| text(resolve(schema, here))).unwrap_or_default().replace('\n', " ")
}

/// The words that a choice takes; schemars writes a documented enum as `oneOf` constants.
fn words(schema: &Value, pointer: &str) -> Vec<String> {
    let Some(here) = at(schema, pointer) else { return Vec::new() };
    let options = forms(schema, here).into_iter().filter_map(|form| form.get("oneOf")?.as_array());
    options.flatten().filter_map(|option| option.get("const")).map(Value::to_string).collect()
}

fn known_keys(schema: &Value, pointer: &str) -> Vec<String> {
    at(schema, pointer)
        .map(|here| resolve(schema, here))
        .and_then(|here| here.get("properties"))
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

/// The known key most like `key`, if any is close enough to be a slip.
#[must_use]
pub fn nearest<'k>(key: &str, known: &'k [String]) -> Option<&'k String> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
