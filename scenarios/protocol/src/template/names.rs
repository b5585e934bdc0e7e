//! The names that a template may hold where it stands.

use super::name::Name;

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

const WORDS: [(&str, Name); 8] = [
    ("id", Name::Id),
    ("player", Name::Player),
    ("recipients", Name::Recipients),
    ("recipient", Name::Recipient),
    ("text", Name::Text),
    ("token", Name::Token),
    ("room", Name::Room),
    ("now_ms", Name::NowMs),
];

impl Names for SendNames<'_> {
    fn find(&mut self, name: &str) -> Option<Name> {
        let word = WORDS.iter().find(|(word, _)| *word == name).map(|(_, name)| name.clone());
        let kept = || self.kept.iter().position(|kept| kept == name).map(Name::Kept);
        let parameter = || self.parameters.contains(&name).then(|| Name::Parameter(name.to_owned()));
        word.or_else(kept).or_else(parameter)
    }

    fn all(&self) -> Vec<String> {
        let words = WORDS.iter().map(|(word, _)| *word);
        words
            .chain(self.kept.iter().map(String::as_str))
            .chain(self.parameters.iter().copied())
            .map(str::to_owned)
            .collect()
    }
}
