//! Patterns: literals and captures, for messages that are not JSON as a whole.

use memchr::memmem;
use smallvec::SmallVec;

use crate::places::{Piece, Unclosed, pieces};

/// A message's text as literals and captures: `43${id}${json}`. Matched in one pass: a literal where it must stand, `id`
/// as many digits as there are, `json` the rest, any other capture up to the next literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

/// A stretch of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Capture(String),
}

/// The capture of digits.
pub(super) const ID: &str = "id";
/// The capture of the JSON that ends a message.
pub(super) const JSON: &str = "json";

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// There is nothing in it.
    #[error("an empty pattern fits an empty message only")]
    Empty,
    /// A `${` without its `}`.
    #[error("`${{` at byte {0} is not closed")]
    Unclosed(usize),
    /// A capture's name is no name.
    #[error("`${{{0}}}` is no capture: a name has letters, digits and `_`")]
    Name(String),
    /// Two captures have one name.
    #[error("`${{{0}}}` stands there twice")]
    Twice(String),
    /// Nothing says where the first of two captures ends.
    #[error("nothing says where `${{{0}}}` ends and `${{{1}}}` begins: a literal must stand between them")]
    Adjacent(String, String),
    /// Digits after `${id}` are its own.
    #[error("`${{id}}` takes all digits, so the `{0}` after it is never found")]
    DigitsAfterId(String),
    /// `${json}` takes the rest, but for a literal at the very end.
    #[error("`${{json}}` takes the rest of the message: only a literal at the very end may follow it")]
    JsonNotLast,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`] where the text is none, or where matching it would mean trying more than one way.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts: Vec<Part> = Vec::new();
        for piece in pieces(text).map_err(|Unclosed(at)| PatternError::Unclosed(at))? {
            match (piece, parts.last_mut()) {
                (Piece::Literal(more, _), Some(Part::Literal(literal))) => literal.push_str(more),
                (Piece::Literal(literal, _), _) => parts.push(Part::Literal(literal.to_owned())),
                (Piece::Place(name, _), _) => parts.push(Part::Capture(name.to_owned())),
            }
        }
        let pattern = Self { parts };
        pattern.check()?;
        Ok(pattern)
    }

    fn check(&self) -> Result<(), PatternError> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        let mut seen = Vec::new();
        for name in self.captures() {
            if !is_name(name) {
                return Err(PatternError::Name(name.to_owned()));
            }
            if seen.contains(&name) {
                return Err(PatternError::Twice(name.to_owned()));
            }
            seen.push(name);
        }
        for (position, part) in self.parts.iter().enumerate() {
            let Part::Capture(name) = part else { continue };
            match self.parts.get(position + 1) {
                Some(Part::Literal(literal)) if name == ID && literal.starts_with(is_digit) => {
                    return Err(PatternError::DigitsAfterId(literal.clone()));
                }
                Some(_) if name == JSON && self.last_literal_from(position + 1).is_none() => {
                    return Err(PatternError::JsonNotLast);
                }
                Some(Part::Capture(next)) if name != ID || next != JSON => {
                    return Err(PatternError::Adjacent(name.clone(), next.clone()));
                }
                _ => {}
            }
        }
        if self.parts.is_empty() { Err(PatternError::Empty) } else { Ok(()) }
    }

    /// The names of its captures, `id` and `json` among them, in order.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Capture(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// Whether it cuts JSON out of the message.
    #[must_use]
    pub fn has_json(&self) -> bool {
        self.captures().any(|name| name == JSON)
    }

    /// The literal that it begins with, and whether digits follow it.
    pub(super) fn opening(&self) -> (&str, bool) {
        let is_id = |part: Option<&Part>| matches!(part, Some(Part::Capture(name)) if name == ID);
        match self.parts.first() {
            Some(Part::Literal(literal)) => (literal, is_id(self.parts.get(1))),
            first => ("", is_id(first)),
        }
    }

    /// The literal that it ends with, if any.
    pub(super) fn ending(&self) -> &str {
        match self.parts.last() {
            Some(Part::Literal(literal)) => literal,
            _ => "",
        }
    }

    /// Whether `${json}` follows directly on what [`opening`](Self::opening) says.
    pub(super) fn opens_with_json(&self) -> bool {
        let position = usize::from(matches!(self.parts.first(), Some(Part::Literal(_))));
        matches!(self.parts.get(position), Some(Part::Capture(name)) if name == JSON)
    }

    /// What the captures hold, in order, where the message is like this.
    pub(super) fn matches<'m>(&self, message: &'m str) -> Option<SmallVec<[&'m str; 4]>> {
        let (mut held, mut rest) = (SmallVec::new(), message);
        for (position, part) in self.parts.iter().enumerate() {
            let name = match part {
                Part::Literal(literal) => {
                    rest = rest.strip_prefix(literal.as_str())?;
                    continue;
                }
                Part::Capture(name) => name,
            };
            let end = if name == ID {
                rest.find(|letter| !is_digit(letter)).unwrap_or(rest.len())
            } else if position + 1 == self.parts.len() {
                rest.len()
            } else if let Some(last) = self.last_literal_from(position + 1) {
                rest.strip_suffix(last)?.len()
            } else if let Some(Part::Literal(next)) = self.parts.get(position + 1) {
                memmem::find(rest.as_bytes(), next.as_bytes())?
            } else {
                return None;
            };
            let (captured, after) = rest.split_at(end);
            if name == ID {
                captured.parse::<u64>().ok()?;
            }
            held.push(captured);
            rest = after;
        }
        rest.is_empty().then_some(held)
    }

    /// The literal at this position, if the pattern ends with it.
    fn last_literal_from(&self, position: usize) -> Option<&str> {
        match self.parts.get(position..)? {
            [Part::Literal(literal)] => Some(literal),
            _ => None,
        }
    }
}

const fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches<'m>(pattern: &str, message: &'m str) -> Option<Vec<&'m str>> {
        Pattern::parse(pattern).unwrap().matches(message).map(SmallVec::into_vec)
    }

    #[test]
    fn captures_hold_what_stands_between_literals() {
        assert_eq!(matches("43${id}${json}", "4312[1]"), Some(vec!["12", "[1]"]));
        assert_eq!(matches("43${id}${json}", "43[1]"), None);
        assert_eq!(matches("receipt-id:${id}\n", "receipt-id:7\n"), Some(vec!["7"]));
        assert_eq!(matches("Route [${route}] Not Found", "Route [a] b] Not Found"), Some(vec!["a] b"]));
        assert_eq!(matches("#${room} ${user}: ${said}", "#a b: c: d"), Some(vec!["a", "b", "c: d"]));
        assert_eq!(matches("#${room} ", "#a"), None);
        assert_eq!(matches("${json}\u{0}", "{}\u{0}"), Some(vec!["{}"]));
        assert_eq!(matches("a$${b}", "a${b}"), Some(vec![]));
        assert_eq!(matches("2", "2x"), None);
    }

    #[test]
    fn patterns_with_more_than_one_way_are_refused() {
        let refused = |text| Pattern::parse(text).unwrap_err();
        assert_eq!(refused("${a}${b}"), PatternError::Adjacent("a".into(), "b".into()));
        assert_eq!(refused("${a}${id}"), PatternError::Adjacent("a".into(), "id".into()));
        assert_eq!(refused("${a} ${a}"), PatternError::Twice("a".into()));
        assert_eq!(refused("${id}0"), PatternError::DigitsAfterId("0".into()));
        assert_eq!(refused("${json},${a}"), PatternError::JsonNotLast);
        assert_eq!(refused("x${a"), PatternError::Unclosed(1));
        assert_eq!(refused("${}"), PatternError::Name(String::new()));
        assert_eq!(refused(""), PatternError::Empty);
    }
}
