//! A rule: what must hold of a message, all of it.

use serde_json::{Number, Value};

use super::pattern::{ID, Pattern};
use super::pointer::Pointer;
use super::test::{Scalar, Test};
use crate::places::{Piece, pieces};

/// What must hold of a message, all of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// What must hold of the values at pointers: in the pattern's `${json}`, if it has one, else in the whole message.
    pub values: Vec<(Pointer, Test)>,
    /// What must hold of the text.
    pub texts: Vec<TextTest>,
    /// What the text is like.
    pub pattern: Option<Pattern>,
}

/// What must hold of a message's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTest {
    /// It is this.
    Whole(String),
    /// It begins with this.
    Starts(String),
    /// It has this in it.
    Contains(String),
}

/// What is wrong with a rule, at which of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMistake {
    /// The key; empty where the rule as a whole is wrong.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

const TESTS: &str = "a text, a number, `true` (there), `false` (absent), an array (one of these), \
    { from = 200, to = 299 }, { starts = \"x\" }, { contains = \"x\" }, { is = true } or { not = 404 }";
const KEYS: [&str; 4] = ["text", "starts", "contains", "pattern"];

impl Rule {
    /// Reads a rule as a protocol file writes it: a key for each test.
    ///
    /// # Errors
    /// Every [`RuleMistake`] at once.
    pub fn read<'k>(keys: impl IntoIterator<Item = (&'k str, &'k Value)>) -> Result<Self, Vec<RuleMistake>> {
        let (mut rule, mut mistakes, mut empty) = (Self::default(), Vec::new(), true);
        for (key, value) in keys {
            empty = false;
            if let Err((problem, remedy)) = rule.add(key, value) {
                mistakes.push(RuleMistake { key: key.to_owned(), problem, remedy });
            }
        }
        let mut whole = |problem: &str, remedy: &str| {
            mistakes.push(RuleMistake {
                key: String::new(),
                problem: problem.to_owned(),
                remedy: remedy.to_owned(),
            });
        };
        if empty {
            whole(
                "an empty rule holds for every message",
                "say what its messages have, e.g. { \"/type\" = \"ack\" }",
            );
        }
        if !rule.values.is_empty() && rule.pattern.as_ref().is_some_and(|pattern| !pattern.has_json()) {
            whole(
                "its pointers look into the `${json}` of its pattern, which has none",
                "end the pattern with `${json}`, or leave the pointers out",
            );
        }
        if mistakes.is_empty() { Ok(rule) } else { Err(mistakes) }
    }

    /// What must hold where both rules do. Where both have a pattern, this one's stays.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            values: self.values.iter().chain(&other.values).cloned().collect(),
            texts: self.texts.iter().chain(&other.texts).cloned().collect(),
            pattern: self.pattern.clone().or_else(|| other.pattern.clone()),
        }
    }

    /// Whether it asks for the number of a message: `"${id}"` as a test, or `${id}` in its pattern.
    #[must_use]
    pub fn asks_for_id(&self) -> bool {
        let in_pattern = |pattern: &Pattern| pattern.captures().any(|name| name == ID);
        self.values.iter().any(|(_, test)| *test == Test::Id) || self.pattern.as_ref().is_some_and(in_pattern)
    }

    fn add(&mut self, key: &str, value: &Value) -> Result<(), (String, String)> {
        if key.starts_with('/') {
            let pointer = Pointer::parse(key)
                .map_err(|error| (error.to_string(), "e.g. `/a/0/b`, or `/data|json/t`".to_owned()))?;
            self.values.push((pointer, test(value)?));
            return Ok(());
        }
        if !KEYS.contains(&key) {
            let known = documents::form::nearest(key, &KEYS).map(|near| format!("`{near}` is meant? "));
            let remedy = "a pointer into JSON begins with `/`; the message's text is `text`, `starts`, `contains` or `pattern`";
            return Err(("no test is called so".to_owned(), known.unwrap_or_default() + remedy));
        }
        let Value::String(text) = value else {
            return Err((format!("{value} is no text"), "write a text".to_owned()));
        };
        match key {
            "text" => self.texts.push(TextTest::Whole(text.clone())),
            "starts" => self.texts.push(TextTest::Starts(text.clone())),
            "contains" => self.texts.push(TextTest::Contains(text.clone())),
            _ => {
                let remedy =
                    "e.g. `43${id}${json}`: captures with literals between them, matched in one pass";
                self.pattern =
                    Some(Pattern::parse(text).map_err(|error| (error.to_string(), remedy.to_owned()))?);
            }
        }
        Ok(())
    }
}

/// Reads the test of a pointer.
fn test(value: &Value) -> Result<Test, (String, String)> {
    let wrong = |problem: String| (problem, format!("write {TESTS}"));
    Ok(match value {
        Value::Bool(true) => Test::Present,
        Value::Bool(false) => Test::Absent,
        Value::String(text) if text == "${id}" => Test::Id,
        Value::String(_) | Value::Number(_) => Test::OneOf(vec![scalar(value)?]),
        Value::Array(values) if values.is_empty() => return Err(wrong("no value is one of none".to_owned())),
        Value::Array(values) => Test::OneOf(values.iter().map(scalar).collect::<Result<_, _>>()?),
        Value::Object(keys) => {
            let mut named: Vec<(&str, &Value)> =
                keys.iter().map(|(key, value)| (key.as_str(), value)).collect();
            named.sort_by_key(|(key, _)| *key);
            match named.as_slice() {
                [("starts", Value::String(text))] => Test::Starts(text.clone()),
                [("contains", Value::String(text))] => Test::Contains(text.clone()),
                [("is", Value::Bool(is))] => Test::Is(*is),
                [("not", Value::Array(values))] => {
                    Test::NoneOf(values.iter().map(scalar).collect::<Result<_, _>>()?)
                }
                [("not", value)] => Test::NoneOf(vec![scalar(value)?]),
                [("from", Value::Number(from))] => Test::Range { from: Some(from.clone()), to: None },
                [("to", Value::Number(to))] => Test::Range { from: None, to: Some(to.clone()) },
                [("from", Value::Number(from)), ("to", Value::Number(to))] => range(from, to)?,
                _ => return Err(wrong(format!("{value} is no test"))),
            }
        }
        Value::Null => return Err(wrong("null is no test".to_owned())),
    })
}

fn range(from: &Number, to: &Number) -> Result<Test, (String, String)> {
    if from.as_f64() > to.as_f64() {
        return Err((
            format!("no number is from {from} to {to}"),
            "`from` is the least, `to` the greatest".to_owned(),
        ));
    }
    Ok(Test::Range { from: Some(from.clone()), to: Some(to.clone()) })
}

/// Reads a value to compare with.
fn scalar(value: &Value) -> Result<Scalar, (String, String)> {
    match value {
        Value::Number(number) => Ok(Scalar::Number(number.clone())),
        Value::String(text) => {
            let literal = pieces(text).ok().and_then(|pieces| {
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(literal, _) => Some(*literal),
                        Piece::Place(..) => None,
                    })
                    .collect::<Option<String>>()
            });
            literal.map(Scalar::Text).ok_or_else(|| {
                (
                    format!("\"{text}\" holds a place; a test compares with what is written"),
                    "only \"${id}\" alone may stand in a test; write `$${` for a literal `${`".to_owned(),
                )
            })
        }
        other => Err((format!("{other} is neither a text nor a number"), format!("write {TESTS}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(keys: &Value) -> Result<Rule, Vec<RuleMistake>> {
        Rule::read(keys.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value)))
    }

    #[test]
    fn each_key_becomes_a_test() {
        let rule = read(&json!({
            "/1": "${id}", "/a": "x", "/b": ["x", 2], "/c": true, "/d": false, "/e": { "from": 1, "to": 2 },
            "/f": { "not": 404 }, "/g|json/t": { "is": true }, "/h": "$${id}", "starts": "[",
        }))
        .unwrap();
        let text = |text: &str| Scalar::Text(text.to_owned());
        let tests: Vec<(String, Test)> =
            rule.values.iter().map(|(pointer, test)| (pointer.to_string(), test.clone())).collect();
        let wanted = [
            ("/1", Test::Id),
            ("/a", Test::OneOf(vec![text("x")])),
            ("/b", Test::OneOf(vec![text("x"), Scalar::Number(2.into())])),
            ("/c", Test::Present),
            ("/d", Test::Absent),
            ("/e", Test::Range { from: Some(1.into()), to: Some(2.into()) }),
            ("/f", Test::NoneOf(vec![Scalar::Number(404.into())])),
            ("/g|json/t", Test::Is(true)),
            ("/h", Test::OneOf(vec![text("${id}")])),
        ];
        assert_eq!(tests, wanted.map(|(pointer, test)| (pointer.to_owned(), test)));
        assert_eq!(rule.texts, [TextTest::Starts("[".into())]);
        assert!(rule.asks_for_id());
    }

    #[test]
    fn every_mistake_is_told_at_its_key() {
        let mistakes = read(&json!({
            "/a": null, "/b": { "form": 1 }, "/c": [], "/d": "room:${room}", "/e": { "from": 2, "to": 1 }, "/f|jsn": 1,
            "pattern": "${a}${b}", "start": "x", "text": 1,
        }))
        .unwrap_err();
        let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        assert_eq!(keys, ["/a", "/b", "/c", "/d", "/e", "/f|jsn", "pattern", "start", "text"]);
        assert!(mistakes.iter().all(|mistake| !mistake.problem.is_empty() && !mistake.remedy.is_empty()));
        assert!(mistakes[7].remedy.starts_with("`starts` is meant?"), "{:?}", mistakes[7]);
        assert_eq!(read(&json!({})).unwrap_err()[0].key, "");
        assert_eq!(read(&json!({ "/a": 1, "pattern": "x${id}" })).unwrap_err()[0].key, "");
    }
}
