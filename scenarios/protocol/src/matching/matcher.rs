//! Reads messages: one pass over each, for all rules and values together.

use std::borrow::Cow;

use memchr::memmem::Finder;
use serde::de::IgnoredAny;

use super::bits::Bits;
use super::found::Found;
use super::pattern::Pattern;
use super::slot::{RuleNumber, Slot};
use super::test::{Test, id};
use super::tree::{Fill, Tree};
use super::value::{Held, Value};

/// Reads messages: one pass over each, for all rules and values together.
///
/// What is asked of a value is decided when it is read, once for all rules that ask it; a rule then holds if all that it
/// asks has passed.
#[derive(Debug)]
pub struct Matcher {
    pub(super) rules: Vec<Compiled>,
    pub(super) values: Vec<Watched>,
    /// How many different things are asked.
    pub(super) asked: usize,
    pub(super) message: Document,
    pub(super) cuts: Vec<Cut>,
}

/// A rule: what must have passed, and what is asked of the text when the rule is.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) asks: Bits,
    pub(super) texts: Vec<Text>,
    /// Where the number of a message stands; everywhere the same.
    pub(super) ids: Vec<usize>,
}

/// What is asked of a text.
#[derive(Debug)]
pub(super) enum Text {
    Whole(String),
    Starts(String),
    Contains(Box<Finder<'static>>),
}

/// A value that is read, and what is asked of it.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Whether it is a capture of a pattern, and no value in JSON.
    pub(super) captured: bool,
    pub(super) present: Option<usize>,
    pub(super) absent: Option<usize>,
    pub(super) tests: Vec<(Test, usize)>,
}

/// A JSON text: the whole message, or what a pattern cuts out of it.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) tree: Tree,
    /// The values that are read from it.
    pub(super) values: Vec<usize>,
    /// What is asked of it and has passed as long as nothing is read: that values are absent.
    pub(super) absent: Vec<usize>,
}

/// A pattern: what it cuts out of a message.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) pattern: Pattern,
    /// That the message is like this, as one of the things that are asked.
    pub(super) asked: usize,
    /// The values that its captures are, in order.
    pub(super) captures: Vec<usize>,
    /// Which capture is JSON.
    pub(super) json: Option<usize>,
    pub(super) document: Document,
}

impl Matcher {
    /// Reads a message.
    #[must_use]
    pub fn view<'m>(&'m self, message: &'m str) -> View<'m> {
        let mut view = View {
            matcher: self,
            message,
            passed: Bits::none(self.asked),
            values: Held::none(self.values.len()),
            copied: Vec::new(),
        };
        if !self.message.tree.is_empty() && begins_like_json(message) {
            view.read(&self.message, message);
        }
        for cut in &self.cuts {
            view.cut(cut);
        }
        view
    }
}

/// Whether a message begins as JSON with parts does.
fn begins_like_json(message: &str) -> bool {
    message.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(['{', '['])
}

/// A message that has been read: which rules hold, and the values.
#[derive(Debug)]
pub struct View<'m> {
    matcher: &'m Matcher,
    message: &'m str,
    /// What has been asked and has passed.
    passed: Bits,
    values: Held<'m>,
    /// Those that stand in the message with escapes.
    copied: Vec<String>,
}

impl<'m> View<'m> {
    /// The message.
    #[must_use]
    pub fn message(&self) -> &'m str {
        self.message
    }

    /// Whether a rule holds. A test `"${id}"` holds for any whole number, written as a number or as a string.
    #[must_use]
    pub fn holds(&self, rule: RuleNumber) -> bool {
        let rule = &self.matcher.rules[rule.0];
        self.passed.has_all(&rule.asks)
            && rule.texts.iter().all(|text| match text {
                Text::Whole(whole) => self.message == whole,
                Text::Starts(start) => self.message.starts_with(start.as_str()),
                Text::Contains(part) => part.find(self.message.as_bytes()).is_some(),
            })
            && (rule.ids.len() < 2 || self.one_id(&rule.ids).is_some())
    }

    /// The number that stands where the rule says `${id}`, of a rule that holds.
    #[must_use]
    pub fn id(&self, rule: RuleNumber) -> Option<u64> {
        self.one_id(&self.matcher.rules[rule.0].ids)
    }

    /// A value as a text: a string's content, anything else as JSON; `None` where it is absent or `null`.
    #[must_use]
    pub fn text(&self, slot: Slot) -> Option<Cow<'m, str>> {
        Some(match self.values.get(slot.0) {
            Value::Absent | Value::UnreadParts => return None,
            Value::Text(text) => Cow::Borrowed(text),
            Value::CopiedText(copy) | Value::Parts(copy) => Cow::Owned(self.copied[copy].clone()),
            Value::Unsigned(number) => Cow::Owned(number.to_string()),
            Value::Signed(number) => Cow::Owned(number.to_string()),
            // As JSON writes it.
            Value::Float(number) => Cow::Owned(serde_json::Value::from(number).to_string()),
            Value::Bool(is) => Cow::Borrowed(if is { "true" } else { "false" }),
        })
    }

    /// A value as a whole number, whether it is written as a number or as a string.
    #[must_use]
    pub fn number(&self, slot: Slot) -> Option<u64> {
        match self.values.get(slot.0) {
            Value::Unsigned(number) => Some(number),
            Value::Text(text) => id(text),
            Value::CopiedText(copy) => id(&self.copied[copy]),
            _ => None,
        }
    }

    /// A value as JSON; a capture of a pattern that is no JSON as a string.
    #[must_use]
    pub fn json(&self, slot: Slot) -> Option<Cow<'m, str>> {
        let text = self.text(slot)?;
        let written = match self.values.get(slot.0) {
            Value::Text(_) | Value::CopiedText(_) => {
                self.matcher.values[slot.0].captured && serde_json::from_str::<IgnoredAny>(&text).is_ok()
            }
            _ => true,
        };
        Some(if written { text } else { Cow::Owned(serde_json::Value::from(text).to_string()) })
    }

    fn one_id(&self, slots: &[usize]) -> Option<u64> {
        let mut ids = slots.iter().map(|slot| self.number(Slot(*slot)));
        let first = ids.next()??;
        ids.all(|id| id == Some(first)).then_some(first)
    }

    /// Reads a JSON text; of one that is none, nothing holds.
    fn read(&mut self, document: &Document, json: &'m str) -> bool {
        document.absent.iter().for_each(|absent| self.passed.set(*absent));
        let valid = document.tree.read(json, self).is_ok();
        if !valid {
            self.forget(&document.values);
            document.absent.iter().for_each(|absent| self.passed.clear(*absent));
        }
        valid
    }

    fn cut(&mut self, cut: &Cut) {
        let Some(held) = cut.pattern.matches(self.message) else { return };
        if let Some(json) = cut.json
            && !self.read(&cut.document, held[json])
        {
            return;
        }
        self.passed.set(cut.asked);
        for (slot, text) in cut.captures.iter().zip(held) {
            self.values.set(*slot, Value::Text(text));
        }
    }

    /// What was read before does not count.
    fn clear(&mut self, slot: usize) {
        if matches!(self.values.get(slot), Value::Absent) {
            return;
        }
        self.values.set(slot, Value::Absent);
        let watched = &self.matcher.values[slot];
        if let Some(absent) = watched.absent {
            self.passed.set(absent);
        }
        for asked in watched.present.iter().chain(watched.tests.iter().map(|(_, asked)| asked)) {
            self.passed.clear(*asked);
        }
    }

    fn copy(&mut self, text: String) -> usize {
        self.copied.push(text);
        self.copied.len() - 1
    }
}

impl<'m> Fill<'m> for View<'m> {
    #[inline]
    fn fill(&mut self, slot: usize, found: Found<'m>) {
        self.clear(slot);
        let watched = &self.matcher.values[slot];
        if let Some(present) = watched.present {
            self.passed.set(present);
        }
        if let Some(absent) = watched.absent {
            self.passed.clear(absent);
        }
        for (test, asked) in &watched.tests {
            if test.holds(&found) {
                self.passed.set(*asked);
            }
        }
        let value = match found {
            Found::Text(Cow::Borrowed(text)) => Value::Text(text),
            Found::Text(Cow::Owned(text)) => Value::CopiedText(self.copy(text)),
            Found::Parts(Some(json)) => Value::Parts(self.copy(json)),
            Found::Parts(None) => Value::UnreadParts,
            Found::Bool(is) => Value::Bool(is),
            Found::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => Value::Unsigned(number),
                (_, Some(number), _) => Value::Signed(number),
                (.., number) => Value::Float(number.unwrap_or_default()),
            },
        };
        self.values.set(slot, value);
    }

    fn forget(&mut self, slots: &[usize]) {
        slots.iter().for_each(|slot| self.clear(*slot));
    }
}
