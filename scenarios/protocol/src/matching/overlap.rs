//! Whether two rules may hold for one message.

use super::compiler::Compiler;
use super::pattern::Pattern;
use super::pointer::{Pointer, Step};
use super::rule::{Rule, TextTest};
use super::test::Test;

/// Whether there may be a message for which both rules hold. `false` is sure; `true` may be too careful. A rule that
/// does not overlap itself holds for no message.
#[must_use]
pub fn overlap(one: &Rule, other: &Rule) -> bool {
    // A whole text leaves no doubt: the rules are asked.
    for text in one.texts.iter().chain(&other.texts) {
        if let TextTest::Whole(text) = text {
            return [one, other].into_iter().all(|rule| holds(rule, text));
        }
    }
    let same_json = one.pattern == other.pattern;
    openings(one).all(|opening| openings(other).all(|other| opening.fits(&other)))
        && endings_fit(one, other)
        && !(same_json && pairs(one, other).any(|(one, other)| excludes(one, other) || excludes(other, one)))
}

fn holds(rule: &Rule, text: &str) -> bool {
    let mut compiler = Compiler::default();
    let number = compiler.rule(rule, None);
    compiler.finish().view(text).holds(number)
}

/// What a message begins with.
struct Opening<'r> {
    literal: &'r str,
    next: Next,
}

/// What comes after the literal.
#[derive(Clone, Copy)]
enum Next {
    Anything,
    Digit,
    /// JSON with parts.
    Parts,
}

impl Next {
    fn may_be(self, byte: u8) -> bool {
        match self {
            Self::Anything => true,
            Self::Digit => byte.is_ascii_digit(),
            Self::Parts => b"{[ \t\r\n".contains(&byte),
        }
    }
}

impl Opening<'_> {
    fn fits(&self, other: &Opening<'_>) -> bool {
        let (short, long) =
            if self.literal.len() <= other.literal.len() { (self, other) } else { (other, self) };
        let Some(rest) = long.literal.strip_prefix(short.literal) else { return false };
        match (rest.as_bytes().first(), short.next, long.next) {
            (Some(byte), next, _) => next.may_be(*byte),
            (None, Next::Digit, Next::Parts) | (None, Next::Parts, Next::Digit) => false,
            (None, ..) => true,
        }
    }
}

/// Everything that a rule says of how a message begins.
fn openings(rule: &Rule) -> impl Iterator<Item = Opening<'_>> {
    let starts = rule.texts.iter().filter_map(|text| match text {
        TextTest::Starts(literal) => Some(Opening { literal, next: Next::Anything }),
        TextTest::Whole(_) | TextTest::Contains(_) => None,
    });
    let has_parts = rule.values.iter().any(|(_, test)| *test != Test::Absent);
    let pattern = rule.pattern.as_ref().map(|pattern| {
        let (literal, digits) = pattern.opening();
        let next = match (digits, pattern.opens_with_json() && has_parts) {
            (true, _) => Next::Digit,
            (_, true) => Next::Parts,
            _ => Next::Anything,
        };
        Opening { literal, next }
    });
    let json = (rule.pattern.is_none() && !rule.values.is_empty())
        .then_some(Opening { literal: "", next: Next::Parts });
    starts.chain(pattern).chain(json)
}

fn endings_fit(one: &Rule, other: &Rule) -> bool {
    let [one, other] = [one, other].map(|rule| rule.pattern.as_ref().map_or("", Pattern::ending));
    one.ends_with(other) || other.ends_with(one)
}

type Asked<'r> = &'r (Pointer, Test);

/// Each thing that one rule asks of a value, beside each that the other asks, and beside each that itself asks.
fn pairs<'r>(one: &'r Rule, other: &'r Rule) -> impl Iterator<Item = (Asked<'r>, Asked<'r>)> {
    let all = || one.values.iter().chain(&other.values);
    all().flat_map(move |asked| all().map(move |other| (asked, other)))
}

/// Whether what is asked of a value leaves nothing to what is asked of it, or of a part of it.
fn excludes((pointer, test): Asked<'_>, (further, other): Asked<'_>) -> bool {
    match further.steps().strip_prefix(pointer.steps()) {
        None => false,
        Some([]) => test.excludes(other),
        Some(_) if *other == Test::Absent => false,
        Some([Step::Json, ..]) => !test.allows_text(),
        Some([Step::Into(_), ..]) => !test.allows_parts(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(keys: &Value) -> Rule {
        Rule::read(keys.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value))).unwrap()
    }

    #[test]
    fn rules_that_exclude_each_other_are_told_apart() {
        for (one, other) in [
            (json!({ "/type": "ack" }), json!({ "/type": "message" })),
            (json!({ "/type": ["a", "b"] }), json!({ "/type": ["c", 1], "/x": true })),
            (json!({ "/id": true }), json!({ "/id": false })),
            (json!({ "/status": { "from": 200, "to": 299 } }), json!({ "/status": { "from": 400 } })),
            (json!({ "/status": { "from": 200 } }), json!({ "/status": 199.5 })),
            (json!({ "/ok": { "is": true } }), json!({ "/ok": { "is": false } })),
            (json!({ "/t": { "starts": "room:" } }), json!({ "/t": { "starts": "user:" } })),
            (json!({ "/t": { "not": "x" } }), json!({ "/t": "x" })),
            (json!({ "/t": "${id}" }), json!({ "/t": "x" })),
            (json!({ "/a": "x" }), json!({ "/a/b": true })),
            (json!({ "/a": false }), json!({ "/a/b": { "not": 1 } })),
            (json!({ "/a": 5 }), json!({ "/a|json/b": true })),
            (json!({ "text": "Sent" }), json!({ "text": "sent" })),
            (json!({ "text": "Sent" }), json!({ "/a": true })),
            (json!({ "starts": "lg1:" }), json!({ "/a": true })),
            (json!({ "starts": "Missing" }), json!({ "starts": "Sent" })),
            (json!({ "pattern": "43${id}${json}" }), json!({ "pattern": "42${json}" })),
            (json!({ "pattern": "4${id}${json}" }), json!({ "pattern": "4${json}", "/0": "said" })),
            (json!({ "pattern": "${a}\n" }), json!({ "pattern": "${b}\u{0}" })),
            (json!({ "pattern": "42${json}", "/0": "a" }), json!({ "pattern": "42${json}", "/0": "b" })),
        ] {
            assert!(!overlap(&rule(&one), &rule(&other)), "{one} {other}");
            assert!(!overlap(&rule(&other), &rule(&one)), "{other} {one}");
        }
    }

    #[test]
    fn rules_that_may_hold_together_overlap() {
        for (one, other) in [
            (json!({ "/type": "ack" }), json!({ "/id": 1 })),
            (json!({ "/type": "ack" }), json!({ "/type": { "not": "message" } })),
            (json!({ "/type": "a" }), json!({ "/type": ["a", "b"] })),
            (json!({ "/a": true }), json!({ "/a/b": true })),
            (json!({ "/a": 1 }), json!({ "/a/b": false })),
            (json!({ "/a": { "starts": "{" } }), json!({ "/a|json/b": true })),
            (json!({ "text": "[1]" }), json!({ "/0": 1 })),
            (json!({ "starts": "{" }), json!({ "/a": true })),
            (json!({ "starts": "Mis" }), json!({ "starts": "Missing" })),
            (json!({ "contains": "a" }), json!({ "starts": "b" })),
            (json!({ "pattern": "42${json}", "/0": "a" }), json!({ "pattern": "${a}", "contains": "b" })),
        ] {
            assert!(overlap(&rule(&one), &rule(&other)), "{one} {other}");
            assert!(overlap(&rule(&other), &rule(&one)), "{other} {one}");
        }
    }

    #[test]
    fn a_rule_against_itself_shows_whether_it_ever_holds() {
        let never = |keys: &Value| !overlap(&rule(keys), &rule(keys));
        assert!(never(&json!({ "text": "Sent", "/a": true })));
        assert!(never(&json!({ "/a": "x", "/a/b": true })));
        assert!(never(&json!({ "starts": "a", "pattern": "b${c}" })));
        assert!(!never(&json!({ "/a": true, "/a/b": true })));
    }
}
