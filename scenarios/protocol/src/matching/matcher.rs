//! Reads messages: one pass over each, for all rules and values together.

use std::borrow::Cow;

use memchr::memmem::Finder;
use smallvec::SmallVec;

use super::bits::Bits;
use super::held::{Held, string};
use super::pattern::Pattern;
use super::slot::{RuleNumber, Slot};
use super::test::{Test, id};
use super::tree::{Fill, Tree};

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
    Contains(Finder<'static>),
}

/// A value that is read, and what is asked of it.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Whether it is a text as it stands in the message; else it is JSON.
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
            values: self.values.iter().map(|_| None).collect(),
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
    values: SmallVec<[Option<Cow<'m, str>>; 12]>,
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

    /// A value as a text: a string's content, anything else as it is written; `None` where it is absent or `null`.
    #[must_use]
    pub fn text(&self, slot: Slot) -> Option<Cow<'m, str>> {
        let value = self.values[slot.0].as_ref()?;
        if self.matcher.values[slot.0].captured || !value.starts_with('"') {
            return Some(value.clone());
        }
        match value {
            Cow::Borrowed(json) => string(json),
            Cow::Owned(json) => string(json).map(|text| Cow::Owned(text.into_owned())),
        }
    }

    /// A value as a whole number, whether it is written as a number or as a string.
    #[must_use]
    pub fn number(&self, slot: Slot) -> Option<u64> {
        id(&self.text(slot)?)
    }

    /// A value as JSON, as it is written; a capture of a pattern that is no JSON as a string.
    #[must_use]
    pub fn json(&self, slot: Slot) -> Option<Cow<'m, str>> {
        let value = self.values[slot.0].as_ref()?;
        let written = !self.matcher.values[slot.0].captured
            || serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok();
        Some(if written { value.clone() } else { serde_json::Value::from(value.as_ref()).to_string().into() })
    }

    fn one_id(&self, slots: &[usize]) -> Option<u64> {
        let mut ids = slots.iter().map(|slot| self.number(Slot(*slot)));
        let first = ids.next()??;
        ids.all(|id| id == Some(first)).then_some(first)
    }

    /// Reads a JSON text; of one that is none, nothing holds.
    fn read(&mut self, document: &Document, json: &'m str) -> bool {
        for value in &document.values {
            if let Some(absent) = self.matcher.values[*value].absent {
                self.passed.set(absent);
            }
        }
        let valid = document.tree.read(json, self).is_ok();
        if !valid {
            self.forget(&document.values);
            for value in &document.values {
                if let Some(absent) = self.matcher.values[*value].absent {
                    self.passed.clear(absent);
                }
            }
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
            self.values[*slot] = Some(Cow::Borrowed(text));
        }
    }

    fn note(&mut self, slot: usize) {
        let watched = &self.matcher.values[slot];
        if let Some(present) = watched.present {
            self.passed.set(present);
        }
        if let Some(absent) = watched.absent {
            self.passed.clear(absent);
        }
        if !watched.tests.is_empty()
            && let Some(json) = &self.values[slot]
        {
            let held = Held::read(json);
            for (test, asked) in &watched.tests {
                if test.holds(&held) {
                    self.passed.set(*asked);
                }
            }
        }
    }
}

impl<'m> Fill<'m> for View<'m> {
    fn fill(&mut self, slot: usize, json: Cow<'m, str>) {
        if self.values[slot].is_some() {
            self.forget(&[slot]);
        }
        if json != "null" {
            self.values[slot] = Some(json);
            self.note(slot);
        }
    }

    fn forget(&mut self, slots: &[usize]) {
        for slot in slots {
            if self.values[*slot].take().is_none() {
                continue;
            }
            let watched = &self.matcher.values[*slot];
            if let Some(absent) = watched.absent {
                self.passed.set(absent);
            }
            for asked in watched.present.iter().chain(watched.tests.iter().map(|(_, asked)| asked)) {
                self.passed.clear(*asked);
            }
        }
    }
}
