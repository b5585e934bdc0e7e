//! Which names a template may hold where it stands, and which names a file may give.

use std::collections::BTreeMap;

use documents::child;
use serde_json::Value;

use super::context::Check;
use crate::template::{Name, Names, SendNames};

/// Names of messages that are sent on an open socket.
pub(super) const OF_A_STEP: &[Name] = &[Name::Id, Name::Player, Name::Token, Name::Room, Name::NowMs];
/// Names of a handshake and of a request over REST, which have no number.
pub(super) const OF_A_REQUEST: &[Name] = &[Name::Player, Name::Token, Name::Room, Name::NowMs];
/// Names of an operation's message.
pub(super) const OF_AN_OPERATION: &[Name] = &[
    Name::Id,
    Name::Player,
    Name::Recipients,
    Name::Recipient,
    Name::Text,
    Name::Token,
    Name::Room,
    Name::NowMs,
];
/// Names that operations and pushes cannot have, since reports and thresholds mean something else by them.
const RESERVED: [&str; 5] = ["connect", "ready", "sockets", "reconnects", "error_rate"];

/// The words, kept values and parameters that a message may hold where it stands.
pub(super) struct Sent<'a> {
    pub(super) words: &'a [Name],
    pub(super) names: SendNames<'a>,
}

impl Names for Sent<'_> {
    fn find(&mut self, name: &str) -> Option<Name> {
        let of_the_file = |found: &Name| matches!(found, Name::Kept(_) | Name::Parameter(_));
        self.names.find(name).filter(|found| of_the_file(found) || self.words.contains(found))
    }

    fn all(&self) -> Vec<String> {
        let mut own = SendNames { kept: self.names.kept, parameters: self.names.parameters.clone() };
        let all = self.names.all().into_iter();
        all.filter(|name| {
            own.find(name).is_some_and(|found| {
                matches!(found, Name::Kept(_) | Name::Parameter(_)) || self.words.contains(&found)
            })
        })
        .collect()
    }
}

/// Whether a text is a name that reports, thresholds and templates can hold.
fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && name.len() <= 64
}

impl Check<'_> {
    /// A name of an operation or a push.
    pub(super) fn name(&mut self, pointer: &str, name: &str) {
        if RESERVED.contains(&name) {
            let problem = format!("`{name}` means something else in reports and thresholds");
            self.wrong(pointer, problem, "choose another name");
        } else if !is_identifier(name) {
            self.wrong(
                pointer,
                format!("`{name}` is no name"),
                "write letters, digits and `_`, a letter first, at most 64",
            );
        }
    }

    /// The names of kept values or of parameters: those that templates can hold.
    pub(super) fn template_names<'n>(&mut self, pointer: &str, names: impl Iterator<Item = &'n String>) {
        for name in names {
            let at = child(pointer, name);
            if !is_identifier(name) {
                self.wrong(
                    &at,
                    format!("`{name}` is no name"),
                    "write letters, digits and `_`, a letter first, at most 64",
                );
            } else if SendNames::default().find(name).is_some() {
                self.wrong(&at, format!("`${{{name}}}` means something else"), "choose another name");
            }
        }
    }

    /// The parameters of an operation.
    pub(super) fn parameters(&mut self, pointer: &str, parameters: &BTreeMap<String, Value>) {
        self.template_names(pointer, parameters.keys());
        for name in parameters.keys().filter(|name| self.kept.contains(name)).cloned().collect::<Vec<_>>() {
            self.wrong(
                &child(pointer, &name),
                format!("`{name}` is also a value that is kept"),
                "give one of them another name",
            );
        }
    }
}
