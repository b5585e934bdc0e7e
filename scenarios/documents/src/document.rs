//! A TOML document as JSON values with the place of each, so that every later message can name its line.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use crate::mistakes::{Mistake, Mistakes};

/// A parsed document. Keys are JSON pointers (`/operations/send_message/rate`).
#[derive(Debug)]
pub struct Document {
    file: String,
    text: String,
    /// The values as they count: after overrides and replacements.
    pub value: Value,
    keys: HashMap<String, Range<usize>>,
    values: HashMap<String, Range<usize>>,
    overridden: Vec<(String, String)>,
    /// Values that are kept under other words than those that count.
    kept: BTreeMap<String, Value>,
    /// Texts that came from elsewhere and may stand for a number or a switch.
    loose: BTreeSet<String>,
}

impl Document {
    /// Parses a file's text; `file` names it in messages.
    ///
    /// # Errors
    /// Every mistake of syntax.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
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
        let mut spans = Spans::default();
        let value = Value::Object(table_to_json(table.get_ref(), "", &mut spans));
        Ok(Self {
            file: file.into(),
            text: text.into(),
            value,
            keys: spans.keys,
            values: spans.values,
            overridden: Vec::new(),
            kept: BTreeMap::new(),
            loose: BTreeSet::new(),
        })
    }

    /// Replaces or adds the value at a dotted path, in which a number indexes an array; `shown` is its place in
    /// messages.
    ///
    /// # Errors
    /// The path leads nowhere.
    pub fn set(&mut self, key: &str, value: Value, shown: &str) -> Result<(), Mistake> {
        let wrong = |problem: String, remedy: &str| Mistake {
            place: shown.into(),
            key: key.into(),
            problem,
            remedy: remedy.into(),
        };
        let mut target = &mut self.value;
        let mut pointer = String::new();
        for part in key.split('.') {
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
        self.overridden.push((pointer, shown.into()));
        Ok(())
    }

    /// Replaces a text by what it stands for, which may be a number or a switch; the copy that is kept says `kept`.
    pub fn replace(&mut self, pointer: &str, text: String, kept: String) {
        if let Some(value) = self.value.pointer_mut(pointer) {
            *value = Value::String(text);
            self.loose.insert(pointer.into());
            self.keep(pointer, kept);
        }
    }

    /// The copy that is kept says `kept` for the text at `pointer`.
    pub fn keep(&mut self, pointer: &str, kept: String) {
        self.kept.insert(pointer.into(), kept.into());
    }

    /// A replaced text was read as this number or switch, and is kept so, unless it is kept under other words.
    pub fn keep_read(&mut self, pointer: &str, read: Value) {
        if self.value.pointer(pointer) == self.kept.get(pointer) {
            self.kept.insert(pointer.into(), read);
        }
    }

    /// Whether the text at `pointer` may stand for a number or a switch.
    pub(crate) fn is_loose(&self, pointer: &str) -> bool {
        self.loose.contains(pointer)
    }

    /// The file's name, as given.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The keys of the table at `pointer` as they follow each other in the file.
    #[must_use]
    pub fn keys_in_order(&self, pointer: &str) -> Vec<&str> {
        let table = self.value.pointer(pointer).and_then(Value::as_object);
        let mut keys: Vec<_> = table.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let begins = |key: &str| self.keys.get(&child(pointer, key)).map_or(usize::MAX, |span| span.start);
        keys.sort_by_key(|key| begins(key));
        keys
    }

    /// Where the value at `pointer` (or its nearest ancestor) was written.
    #[must_use]
    pub fn place(&self, pointer: &str) -> String {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let added = !self.keys.contains_key(pointer) && !pointer.is_empty();
        let blames = |(at, _): &&(String, String)| within(pointer, at) || (added && within(at, pointer));
        if let Some((_, shown)) = self.overridden.iter().rev().find(blames) {
            return shown.clone();
        }
        let mut at = pointer;
        loop {
            if let Some(span) = self.keys.get(at) {
                return place(&self.file, &self.text, span.start);
            }
            match at.rfind('/') {
                Some(cut) => at = &at[..cut],
                None => return place(&self.file, &self.text, 0),
            }
        }
    }

    /// A mistake about the value at `pointer`.
    pub fn mistake(&self, pointer: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Mistake {
        Mistake {
            place: self.place(pointer),
            key: dotted(pointer),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The values as they are kept.
    #[must_use]
    pub fn kept_value(&self) -> Value {
        let mut value = self.value.clone();
        for (pointer, kept) in &self.kept {
            if let Some(value) = value.pointer_mut(pointer) {
                value.clone_from(kept);
            }
        }
        value
    }

    /// TOML of what counts, as it may be kept: the file's own text, or, with overrides, the values after them. `comment`
    /// tells what is kept of a comment.
    #[must_use]
    pub fn as_kept(&self, comment: impl Fn(&str) -> String) -> String {
        if self.overridden.is_empty() {
            return self.text_as_kept(comment);
        }
        let value = self.kept_value();
        let sets: Vec<_> = self.overridden.iter().map(|(_, shown)| format!("# {shown}\n")).collect();
        let body = toml::to_string(&value).unwrap_or_else(|error| format!("# not TOML: {error}\n"));
        format!("# {} with\n{}\n{body}", self.file, sets.concat())
    }

    fn text_as_kept(&self, comment: impl Fn(&str) -> String) -> String {
        let values = self.kept.iter().filter_map(|(pointer, kept)| {
            let kept = match kept {
                Value::String(kept) => toml::Value::String(kept.clone()).to_string(),
                // A number or a switch: the same in TOML.
                other => other.to_string(),
            };
            Some((self.values.get(pointer)?.clone(), kept))
        });
        let comments = Source::new(&self.text).lex().filter(|token| token.kind() == TokenKind::Comment);
        let comments = comments.filter_map(|token| {
            let place = token.span().start()..token.span().end();
            let kept = comment(self.text.get(place.clone())?);
            Some((place, kept))
        });
        let mut changes: Vec<_> = values.chain(comments).collect();
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
#[must_use]
pub fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A pointer as messages write it, and as TOML would: `operations.say.when."/type"`.
#[must_use]
pub(crate) fn dotted(pointer: &str) -> String {
    let bare = |key: &str| key.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter));
    let keys = pointer.split('/').skip(1).map(|key| {
        let key = key.replace("~1", "/").replace("~0", "~");
        if bare(&key) { key } else { format!("\"{key}\"") }
    });
    keys.collect::<Vec<_>>().join(".")
}

fn place(file: &str, text: &str, offset: usize) -> String {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("{file}:{line}:{column}")
}

/// Where keys and values stand, by pointer.
#[derive(Default)]
struct Spans {
    keys: HashMap<String, Range<usize>>,
    values: HashMap<String, Range<usize>>,
}

fn table_to_json(table: &DeTable<'_>, pointer: &str, spans: &mut Spans) -> Map<String, Value> {
    let mut map = Map::new();
    for (key, value) in table {
        let at = child(pointer, key.get_ref());
        spans.keys.insert(at.clone(), key.span());
        map.insert(key.get_ref().to_string(), value_to_json(value, &at, spans));
    }
    map
}

fn value_to_json(value: &Spanned<DeValue<'_>>, pointer: &str, spans: &mut Spans) -> Value {
    spans.values.insert(pointer.into(), value.span());
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        // A number that JSON cannot hold stays its own words, which no number's check takes.
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_or_else(|_| number.as_str().into(), Value::from)
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().replace('_', "").parse::<f64>().ok().filter(|read| read.is_finite());
            parsed.map_or_else(|| number.as_str().into(), Value::from)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(instant) => Value::String(instant.to_string()),
        DeValue::Array(items) => {
            let item = |(index, item): (usize, &Spanned<DeValue<'_>>)| {
                let at = child(pointer, &index.to_string());
                spans.keys.insert(at.clone(), item.span());
                value_to_json(item, &at, spans)
            };
            Value::Array(items.iter().enumerate().map(item).collect())
        }
        DeValue::Table(table) => Value::Object(table_to_json(table, pointer, spans)),
    }
}

/// A TOML value, or the text itself: `--set name=soak` needs no quotes.
#[must_use]
pub fn parse_value(text: &str) -> Value {
    DeValue::parse(text)
        .map_or_else(|_| Value::String(text.into()), |value| value_to_json(&value, "", &mut Spans::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_copy_says_what_it_is_told_and_keeps_the_rest() {
        let text = "# why\nurl = \"${U}\" # so\nlist = [\"a\", '${B}']\n";
        let mut document = Document::parse("x.toml", text).unwrap();
        document.replace("/url", "wss://x".into(), "${U}".into());
        document.replace("/list/1", "b\"c".into(), "b\"c".into());
        assert_eq!(document.value, serde_json::json!({ "url": "wss://x", "list": ["a", "b\"c"] }));
        let kept = document.as_kept(str::to_owned);
        assert!(kept.starts_with("# why\nurl = \"${U}\" # so\nlist = [\"a\", "), "{kept}");
        let read: toml::Table = toml::from_str(&kept).unwrap();
        assert_eq!(read["list"][1].as_str(), Some("b\"c"));
        document.set("n", 3.into(), "--set n=3").unwrap();
        let read: toml::Table = toml::from_str(&document.as_kept(str::to_owned)).unwrap();
        assert_eq!((read["url"].as_str(), read["n"].as_integer()), (Some("${U}"), Some(3)));
    }

    #[test]
    fn keys_keep_the_order_of_the_file() {
        let document = Document::parse("x.toml", "[t.b]\nx = 1\n[t]\nc = 2\n[t.a]\n").unwrap();
        assert_eq!(document.keys_in_order("/t"), ["b", "c", "a"]);
        assert!(document.keys_in_order("/u").is_empty());
    }

    #[test]
    fn keys_are_written_as_in_the_file() {
        let pointer = child(&child("/operations/say", "when"), "/type");
        assert_eq!(dotted(&pointer), "operations.say.when.\"/type\"");
        assert_eq!(dotted(""), "");
    }

    #[test]
    fn columns_count_characters() {
        let document = Document::parse("x.toml", "a = { \"ü\" = 1, b = 2 }\n").unwrap();
        assert_eq!(document.place("/a/b"), "x.toml:1:16");
    }
}
