//! A TOML document as JSON values with the place of each, so that every later message can name its line.

use std::collections::HashMap;
use std::ops::Range;
use std::str::FromStr;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use crate::mistakes::{Mistake, Mistakes};
use crate::{redact, secrets};

/// `--set key=value`: replaces or adds one key of the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Dotted path; a number indexes an array, e.g. `phases.0.duration`.
    pub key: String,
    /// TOML value; what is no TOML value is taken as a string.
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

/// A parsed document. Keys are JSON pointers (`/operations/send_message/rate`).
#[derive(Debug)]
pub(crate) struct Document {
    file: String,
    text: String,
    pub(crate) value: Value,
    places: HashMap<String, Range<usize>>,
    /// Where the strings stand, quotes included.
    strings: HashMap<String, Range<usize>>,
    overridden: Vec<(String, Override)>,
}

impl Document {
    pub(crate) fn parse(file: &str, text: &str, overrides: &[Override]) -> Result<Self, Mistakes> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let mistake = |error: &toml::de::Error| Mistake {
                place: place(file, text, error.span().map_or(0, |span| span.start)),
                key: String::new(),
                problem: error.message().trim().replace('\n', "; "),
                remedy: "the file must be TOML; strings stand in double quotes, keys once per table".into(),
            };
            return Err(Mistakes(errors.iter().map(mistake).collect()));
        }
        let mut places = Places::default();
        let value = Value::Object(table_to_json(table.get_ref(), "", &mut places));
        let Places { keys, strings } = places;
        let mut document = Self {
            file: file.into(),
            text: text.into(),
            value,
            places: keys,
            strings,
            overridden: Vec::new(),
        };
        let mistakes: Vec<_> = overrides.iter().filter_map(|set| document.apply(set).err()).collect();
        if mistakes.is_empty() { Ok(document) } else { Err(Mistakes(mistakes)) }
    }

    fn apply(&mut self, set: &Override) -> Result<(), Mistake> {
        let value = parse_value(&set.value);
        let wrong = |problem: String, remedy: &str| Mistake {
            place: secrets::shown(set),
            key: set.key.clone(),
            problem,
            remedy: remedy.into(),
        };
        let mut target = &mut self.value;
        let mut pointer = String::new();
        for part in set.key.split('.') {
            pointer = child(&pointer, part);
            target = match target {
                Value::Object(map) => map.entry(part).or_insert_with(|| Value::Object(Map::new())),
                Value::Array(items) => {
                    let length = items.len();
                    part.parse::<usize>().ok().and_then(|index| items.get_mut(index)).ok_or_else(|| {
                        wrong(
                            format!("`{part}` is not one of the {length} entries"),
                            "entries are numbered from 0",
                        )
                    })?
                }
                _ => {
                    return Err(wrong(format!("`{part}` lies below a plain value"), "name a key of a table"));
                }
            };
        }
        *target = value;
        self.overridden.push((pointer, set.clone()));
        Ok(())
    }

    /// The file's name, as given.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Where the value at `pointer` (or its nearest ancestor) was written.
    pub(crate) fn place(&self, pointer: &str) -> String {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let added = !self.places.contains_key(pointer) && !pointer.is_empty();
        let blames = |(at, _): &&(String, Override)| within(pointer, at) || (added && within(at, pointer));
        if let Some((_, set)) = self.overridden.iter().rev().find(blames) {
            return secrets::shown(set);
        }
        let mut at = pointer;
        loop {
            if let Some(span) = self.places.get(at) {
                return place(&self.file, &self.text, span.start);
            }
            match at.rfind('/') {
                Some(cut) => at = &at[..cut],
                None => return place(&self.file, &self.text, 0),
            }
        }
    }

    /// A mistake about the value at `pointer`.
    pub(crate) fn mistake(
        &self,
        pointer: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Mistake {
        Mistake {
            place: self.place(pointer),
            key: pointer.trim_start_matches('/').replace('/', "."),
            // It may quote the value.
            problem: redact::text(&problem.into()).into_owned(),
            remedy: remedy.into(),
        }
    }

    /// TOML of what runs, without what may be a secret: the file's own text, or the document after its overrides.
    pub(crate) fn as_run(&self) -> String {
        let mut kept = self.value.clone();
        let hidden = secrets::hide(&mut kept, "");
        if self.overridden.is_empty() {
            return self.text_with(if hidden { Some(&kept) } else { None });
        }
        let sets: Vec<_> =
            self.overridden.iter().map(|(_, set)| format!("# {}\n", secrets::shown(set))).collect();
        let body = toml::to_string(&kept).unwrap_or_else(|error| format!("# not TOML: {error}\n"));
        format!("# {} with\n{}\n{body}", self.file, sets.concat())
    }

    /// The file's text with those strings that `kept` has otherwise, and without secrets in comments.
    fn text_with(&self, kept: Option<&Value>) -> String {
        let otherwise = kept.into_iter().flat_map(|kept| {
            self.strings.iter().filter_map(|(pointer, place)| {
                let kept = kept.pointer(pointer)?;
                let changed = self.value.pointer(pointer) != Some(kept);
                let text = toml::Value::try_from(kept).ok()?.to_string();
                changed.then(|| (place.clone(), text))
            })
        });
        let comments = Source::new(&self.text).lex().filter(|token| token.kind() == TokenKind::Comment);
        let comments = comments.filter_map(|comment| {
            let place = comment.span().start()..comment.span().end();
            let redacted = redact::text(self.text.get(place.clone())?).into_owned();
            Some((place, redacted))
        });
        let mut changes: Vec<_> = otherwise.chain(comments).collect();
        // From behind, so that the places before stay where they are.
        changes.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
        let mut text = self.text.clone();
        for (place, instead) in changes {
            text.replace_range(place, &instead);
        }
        text
    }
}

/// JSON pointer of a key below `parent` (RFC 6901 escapes).
pub(crate) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn place(file: &str, text: &str, offset: usize) -> String {
    let before = &text[..offset.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    format!("{file}:{line}:{column}")
}

/// Where keys and array items, and where strings stand in the text, by pointer.
#[derive(Default)]
struct Places {
    keys: HashMap<String, Range<usize>>,
    strings: HashMap<String, Range<usize>>,
}

fn table_to_json(table: &DeTable<'_>, pointer: &str, places: &mut Places) -> Map<String, Value> {
    let mut map = Map::new();
    for (key, value) in table {
        let at = child(pointer, key.get_ref());
        places.keys.insert(at.clone(), key.span());
        map.insert(key.get_ref().to_string(), value_to_json(value, &at, places));
    }
    map
}

fn value_to_json(value: &Spanned<DeValue<'_>>, pointer: &str, places: &mut Places) -> Value {
    match value.get_ref() {
        DeValue::String(text) => {
            places.strings.insert(pointer.to_owned(), value.span());
            Value::String(text.to_string())
        }
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => {
            number.as_str().replace('_', "").parse::<f64>().map_or(Value::Null, Value::from)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(instant) => Value::String(instant.to_string()),
        DeValue::Array(items) => {
            let item = |(index, item): (usize, &Spanned<DeValue<'_>>)| {
                let at = child(pointer, &index.to_string());
                places.keys.insert(at.clone(), item.span());
                value_to_json(item, &at, places)
            };
            Value::Array(items.iter().enumerate().map(item).collect())
        }
        DeValue::Table(table) => Value::Object(table_to_json(table, pointer, places)),
    }
}

/// A TOML value, or the text itself: `--set name=soak` needs no quotes.
pub(crate) fn parse_value(text: &str) -> Value {
    DeValue::parse(text).map_or_else(
        |_| Value::String(text.into()),
        |value| value_to_json(&value, "", &mut Places::default()),
    )
}
