//! The names that a template may hold where it stands.

use super::name::Name;
use crate::matching::{Compiler, Pointer, RuleNumber};

/// The names that a template may hold where it stands.
pub trait Names {
    /// What a name stands for.
    fn find(&mut self, name: &str) -> Option<Name>;
    /// All of them, for the mistake that one is near.
    fn all(&self) -> Vec<String>;
}

/// The names of a message that is sent: the protocol's own words, kept values, parameters.
#[derive(Debug, Clone, Default)]
pub struct SendNames<'a> {
    /// Names of the values that are kept, by number.
    pub kept: &'a [String],
    /// Names of the operation's parameters.
    pub parameters: Vec<&'a str>,
}

/// What every message that is sent may hold.
pub const WORDS: [(&str, Name); 8] = [
    ("id", Name::Id),
    ("player", Name::Player),
    ("recipients", Name::Recipients),
    ("recipient", Name::Recipient),
    ("text", Name::Text),
    ("token", Name::Token),
    ("room", Name::Room),
    (NOW_MS, Name::NowMs),
];
const NOW_MS: &str = "now_ms";

impl Names for SendNames<'_> {
    fn find(&mut self, name: &str) -> Option<Name> {
        let word = WORDS.iter().find(|(word, _)| *word == name).map(|(_, name)| name.clone());
        let kept = || self.kept.iter().position(|kept| kept == name).map(Name::Kept);
        let parameter = || self.parameters.contains(&name).then(|| Name::Parameter(name.to_owned()));
        word.or_else(kept).or_else(parameter)
    }

    fn all(&self) -> Vec<String> {
        let words = WORDS.iter().map(|(word, _)| *word);
        let kept = self.kept.iter().map(String::as_str);
        words.chain(kept).chain(self.parameters.iter().copied()).map(str::to_owned).collect()
    }
}

/// The names of what is made of a received message, a reply or an error class: pointers into it, captures of its pattern,
/// `now_ms`. What a template asks for is read from then on.
#[derive(Debug)]
pub struct ReceivedNames<'a> {
    /// What reads the message.
    pub compiler: &'a mut Compiler,
    /// The rule that recognises it.
    pub rule: RuleNumber,
}

impl Names for ReceivedNames<'_> {
    fn find(&mut self, name: &str) -> Option<Name> {
        if name == NOW_MS {
            return Some(Name::NowMs);
        }
        let capture = self.compiler.capture(name, self.rule);
        let value = || Some(self.compiler.value(&Pointer::parse(name).ok()?, Some(self.rule)));
        capture.or_else(value).map(Name::Received)
    }

    fn all(&self) -> Vec<String> {
        let captures = self.compiler.captures(self.rule).map(str::to_owned);
        captures.chain([NOW_MS.to_owned(), "a pointer into the message such as /a/0".to_owned()]).collect()
    }
}
