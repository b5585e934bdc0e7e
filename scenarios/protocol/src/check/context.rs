//! What every check of a table uses: where mistakes are reported, rules and values are collected, and templates are read.

use std::collections::BTreeMap;

use documents::{Document, Findings, child};

use crate::class::Class;
use crate::keys::rule::{Rule as RuleKeys, Rules as RulesKeys};
use crate::matching::{Compiler, Pointer, Rule, RuleNumber, Slot, Test, overlap};
use crate::reading::keep::{Keep, Source};
use crate::template::{Names, ReceivedNames, Template};

/// The error class of an answer that failed, where the file gives none.
pub(super) const ANSWER_FAILED: &str = "answer_failed";

/// Gathers mistakes and rules while the protocol is put together.
pub(super) struct Check<'d> {
    pub(super) findings: Findings<'d>,
    pub(super) compiler: Compiler,
    /// Names of the values that are kept, those of the opening first.
    pub(super) kept: Vec<String>,
}

/// A rule of the file: where it stands, and what it says.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) pointer: String,
    pub(super) rule: Rule,
}

impl Placed {
    /// The same together with the `when` beside it.
    pub(super) fn beside(&self, when: Option<&Self>) -> Self {
        let rule = when.map_or_else(|| self.rule.clone(), |when| when.rule.and(&self.rule));
        Self { pointer: self.pointer.clone(), rule }
    }
}

impl<'d> Check<'d> {
    pub(super) fn new(document: &'d Document, doubtful: &[String]) -> Self {
        let findings = Findings::new(document, &[], doubtful);
        Self { findings, compiler: Compiler::default(), kept: Vec::new() }
    }

    pub(super) fn wrong(&mut self, pointer: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.findings.wrong(pointer, problem, remedy);
    }

    /// A rule, unless something is wrong in it.
    pub(super) fn rule(&mut self, pointer: &str, keys: &RuleKeys) -> Option<Placed> {
        match Rule::read(keys.0.iter().map(|(key, value)| (key.as_str(), value))) {
            Ok(rule) if overlap(&rule, &rule) => Some(Placed { pointer: pointer.to_owned(), rule }),
            Ok(_) => {
                let problem = "contradicts itself: no message is like this";
                self.wrong(pointer, problem, "leave out what excludes the rest");
                None
            }
            Err(mistakes) => {
                for mistake in mistakes {
                    let at = if mistake.key.is_empty() {
                        pointer.to_owned()
                    } else {
                        child(pointer, &mistake.key)
                    };
                    self.wrong(&at, mistake.problem, mistake.remedy);
                }
                None
            }
        }
    }

    /// One rule or several of which one must hold.
    pub(super) fn rules(&mut self, pointer: &str, keys: Option<&RulesKeys>) -> Vec<Placed> {
        match keys {
            None => Vec::new(),
            Some(RulesKeys::One(rule)) => self.rule(pointer, rule).into_iter().collect(),
            Some(RulesKeys::Several(rules)) => {
                if rules.is_empty() {
                    self.wrong(pointer, "holds for no message", "write a rule, or leave it out");
                }
                let rules = rules.iter().enumerate();
                rules.filter_map(|(index, rule)| self.rule(&format!("{pointer}/{index}"), rule)).collect()
            }
        }
    }

    /// A template.
    pub(super) fn template(&mut self, pointer: &str, text: &str, names: &mut dyn Names) -> Option<Template> {
        match Template::compile(text, names) {
            Ok(template) => Some(template),
            Err(error) => {
                self.wrong(pointer, error.to_string(), error.remedy());
                None
            }
        }
    }

    /// What is made of a message that a rule knows: a reply, or an error class.
    pub(super) fn received(&mut self, pointer: &str, text: &str, rule: RuleNumber) -> Option<Template> {
        let mut compiler = std::mem::take(&mut self.compiler);
        let template = self.template(pointer, text, &mut ReceivedNames { compiler: &mut compiler, rule });
        self.compiler = compiler;
        template
    }

    /// The error class of what a message says has failed; without a rule, any message.
    pub(super) fn class(
        &mut self,
        pointer: &str,
        text: Option<&String>,
        within: Option<RuleNumber>,
        usual: &'static str,
    ) -> Class {
        let said = text.and_then(|text| {
            let rule = within.unwrap_or_else(|| self.compiler.rule(&Rule::default(), None));
            self.received(pointer, text, rule)
        });
        Class { said, usual }
    }

    /// Where a value of a message stands.
    pub(super) fn value(&mut self, pointer: &str, text: &str, within: Option<RuleNumber>) -> Option<Slot> {
        match Pointer::parse(text) {
            Ok(at) => Some(self.compiler.value(&at, within)),
            Err(error) => {
                self.wrong(pointer, error.to_string(), "write a JSON Pointer, e.g. \"/id\"");
                None
            }
        }
    }

    /// Values that are kept of a message which a rule knows; `rule` says what it asks.
    pub(super) fn keep(
        &mut self,
        pointer: &str,
        keep: &BTreeMap<String, String>,
        within: Option<RuleNumber>,
        asks_for_id: bool,
    ) -> Keep {
        let sources = keep.iter().filter_map(|(name, text)| {
            let number = self.kept.iter().position(|kept| kept == name)?;
            Some((number, self.source(&child(pointer, name), text, within, asks_for_id)?))
        });
        Keep(sources.collect())
    }

    /// Tells of a rule that holds for no message together with the `when` beside it.
    pub(super) fn contradicts_when(&mut self, together: &Placed) {
        if !overlap(&together.rule, &together.rule) {
            let problem = "contradicts `when`: no message is like this";
            self.wrong(&together.pointer, problem, "leave out what excludes the rest");
        }
    }

    /// Tells of values that are kept where none of the messages that they are kept of has them.
    pub(super) fn never_filled(&mut self, pointer: &str, keep: &BTreeMap<String, String>, rules: &[Rule]) {
        for (name, text) in keep {
            let Ok(place) = Pointer::parse(text) else { continue };
            let there = Rule { values: vec![(place, Test::Present)], ..Rule::default() };
            let may_hold = |rule: &Rule| {
                let both = rule.and(&there);
                overlap(&both, &both)
            };
            if !rules.is_empty() && !rules.iter().any(may_hold) {
                let problem = format!("is never filled: no message from which it is kept has {text}");
                let remedy = "write a pointer to what the rule of a good answer allows";
                self.wrong(&child(pointer, name), problem, remedy);
            }
        }
    }

    fn source(
        &mut self,
        pointer: &str,
        text: &str,
        within: Option<RuleNumber>,
        asks_for_id: bool,
    ) -> Option<Source> {
        let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
            return self.value(pointer, text, within).map(Source::At);
        };
        if let Some(slot) = within.and_then(|rule| self.compiler.capture(name, rule)) {
            return Some(Source::At(slot));
        }
        match (name, within) {
            ("id", Some(rule)) if asks_for_id => return Some(Source::Id(rule)),
            ("id", _) => self.wrong(
                pointer,
                "the message from which it is kept is not asked for `${id}`",
                "ask for it in the same rule, e.g. { \"/ref\" = \"${id}\" }, or write a pointer",
            ),
            _ => self.wrong(
                pointer,
                format!("no pattern captures `{name}`"),
                "write a pointer, e.g. \"/ticket\", or name a capture of the rule's `pattern`",
            ),
        }
        None
    }

    /// Adds a rule to those by which messages are read.
    pub(super) fn add(&mut self, placed: &Placed, within: Option<RuleNumber>) -> RuleNumber {
        self.compiler.rule(&placed.rule, within)
    }
}
