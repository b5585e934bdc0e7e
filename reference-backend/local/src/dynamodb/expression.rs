//! Condition expressions, as far as [`Condition`] can hold them.

use std::collections::{BTreeMap, HashMap};
use std::iter::Peekable;

use reference_backend::function::Table;
use reference_backend::ports::Condition;
use serde_dynamo::AttributeValue;

use super::ApiError;

/// `ExpressionAttributeNames`.
pub(super) type Names = BTreeMap<String, String>;
/// `ExpressionAttributeValues`.
pub(super) type Values = HashMap<String, AttributeValue>;

/// Attributes of the backend's records. A [`Condition`] names its attribute at compile time, so it must be one of these.
const ATTRIBUTES: [&str; 18] = [
    "playerId",
    "connectionId",
    "stage",
    "domain",
    "connectedAt",
    "expireAt",
    "messageId",
    "recipientId",
    "senderId",
    "message",
    "createdAt",
    "placementId",
    "status",
    "ipAddress",
    "dnsName",
    "port",
    "playerSessionId",
    "gameSessionArn",
];

/// Longest expression that DynamoDB takes, in bytes.
const LONGEST: usize = 4_096;
/// Deepest nesting that is followed; the conditions that are understood need two levels.
const DEEPEST: usize = 16;

/// What a write is conditional on.
pub(super) fn condition(
    table: Table,
    expression: Option<&str>,
    names: &Names,
    values: &Values,
) -> Result<Option<Condition>, ApiError> {
    let Some(expression) = expression else {
        return match (names.is_empty(), values.is_empty()) {
            (true, true) => Ok(None),
            (false, _) => Err(only_with_expression("ExpressionAttributeNames")),
            (true, false) => Err(only_with_expression("ExpressionAttributeValues")),
        };
    };
    let key = table.key();
    let understood = || {
        ApiError::invalid(format!(
            "Invalid ConditionExpression: the local stack understands attribute_not_exists({key}), attribute = :string, \
             attribute_not_exists({key}) OR attribute <= :number and NOT attribute > :number, with attributes of the \
             backend's records: {}; \
             not: {expression}",
            ATTRIBUTES.join(", ")
        ))
    };
    let known = |name: &str| ATTRIBUTES.into_iter().find(|known| *known == name).ok_or_else(understood);
    match parse("ConditionExpression", expression, names, values)? {
        Clause::NotExists(name) if name == key => Ok(Some(Condition::Absent)),
        Clause::Equals(name, AttributeValue::S(value)) => {
            Ok(Some(Condition::Equals { attribute: known(&name)?, value }))
        }
        Clause::Either(one, other) => match (*one, *other) {
            (Clause::NotExists(absent), Clause::AtMost(name, AttributeValue::N(most)))
            | (Clause::AtMost(name, AttributeValue::N(most)), Clause::NotExists(absent))
                if absent == key =>
            {
                let value = most.parse().map_err(|_| understood())?;
                Ok(Some(Condition::AbsentOrAtMost { attribute: known(&name)?, value }))
            }
            _ => Err(understood()),
        },
        Clause::Not(inner) => match *inner {
            Clause::Above(name, AttributeValue::N(most)) => {
                let value = most.parse().map_err(|_| understood())?;
                Ok(Some(Condition::NotAbove { attribute: known(&name)?, value }))
            }
            _ => Err(understood()),
        },
        _ => Err(understood()),
    }
}

/// The value that a query looks for in `attribute`.
pub(super) fn key_condition(
    attribute: &str,
    expression: &str,
    names: &Names,
    values: &Values,
) -> Result<String, ApiError> {
    match parse("KeyConditionExpression", expression, names, values)? {
        Clause::Equals(name, AttributeValue::S(value)) if name == attribute => Ok(value),
        Clause::Equals(name, _) if name != attribute => {
            Err(ApiError::invalid(format!("Query condition missed key schema element: {attribute}")))
        }
        _ => Err(ApiError::invalid(format!(
            "Invalid KeyConditionExpression: the local stack understands {attribute} = :string, not: {expression}"
        ))),
    }
}

fn only_with_expression(what: &str) -> ApiError {
    ApiError::invalid(format!("{what} can only be specified when using expressions"))
}

/// An expression with names and values put in.
#[derive(Debug, PartialEq)]
enum Clause {
    NotExists(String),
    Equals(String, AttributeValue),
    AtMost(String, AttributeValue),
    Above(String, AttributeValue),
    Not(Box<Clause>),
    Either(Box<Clause>, Box<Clause>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// An attribute, `#placeholder` or not, a function or a keyword.
    Word(&'a str),
    Value(&'a str),
    Open,
    Close,
    Equal,
    AtMost,
    Above,
}

fn parse(kind: &str, expression: &str, names: &Names, values: &Values) -> Result<Clause, ApiError> {
    let fault = |reason: String| ApiError::invalid(format!("Invalid {kind}: {reason}"));
    if expression.len() > LONGEST {
        return Err(fault(format!("Expression size has exceeded the maximum allowed size; {LONGEST} bytes")));
    }
    let tokens = tokens(expression).map_err(|rest| {
        fault(format!("Syntax error; the local stack does not understand it from here: {rest}"))
    })?;
    let mut parser = Parser { tokens: tokens.iter().copied().peekable(), depth: 0, names, values };
    let clause = parser.either().map_err(&fault)?;
    if parser.tokens.next().is_some() {
        return Err(fault(format!(
            "Syntax error; the local stack does not understand all of it: {expression}"
        )));
    }
    // DynamoDB refuses placeholders that are not used, because they are usually misspelt ones.
    let used = |placeholder: &&String| {
        tokens
            .iter()
            .any(|token| matches!(token, Token::Word(word) | Token::Value(word) if word == placeholder))
    };
    for (what, unused) in [
        ("ExpressionAttributeNames", names.keys().find(|name| !used(name))),
        ("ExpressionAttributeValues", values.keys().find(|value| !used(value))),
    ] {
        if let Some(unused) = unused {
            return Err(ApiError::invalid(format!(
                "Value provided in {what} unused in expressions: keys: {{{unused}}}"
            )));
        }
    }
    Ok(clause)
}

/// Cuts an expression into tokens, or returns what cannot be cut.
fn tokens(expression: &str) -> Result<Vec<Token<'_>>, &str> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let marked = usize::from(matches!(first, '#' | ':'));
        let end =
            |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '=' => (Token::Equal, 1),
            '<' if rest.starts_with("<=") => (Token::AtMost, 2),
            '>' if !rest.starts_with(">=") => (Token::Above, 1),
            _ => match marked + end(&rest[marked..]) {
                length if length == marked => return Err(rest),
                length if first == ':' => (Token::Value(&rest[..length]), length),
                length => (Token::Word(&rest[..length]), length),
            },
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'a, I: Iterator<Item = Token<'a>>> {
    tokens: Peekable<I>,
    depth: usize,
    names: &'a Names,
    values: &'a Values,
}

impl<'a, I: Iterator<Item = Token<'a>>> Parser<'a, I> {
    fn either(&mut self) -> Result<Clause, String> {
        self.deeper()?;
        let one = self.clause()?;
        if !matches!(self.tokens.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("OR")) {
            return Ok(one);
        }
        self.tokens.next();
        let other = self.either()?;
        Ok(Clause::Either(Box::new(one), Box::new(other)))
    }

    fn deeper(&mut self) -> Result<(), String> {
        if self.depth == DEEPEST {
            return Err(format!("Syntax error; it is nested more than {DEEPEST} times"));
        }
        self.depth += 1;
        Ok(())
    }

    fn clause(&mut self) -> Result<Clause, String> {
        match self.tokens.next() {
            Some(Token::Open) => {
                let inner = self.either()?;
                self.expect(Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("NOT") => {
                self.deeper()?;
                Ok(Clause::Not(Box::new(self.clause()?)))
            }
            Some(Token::Word("attribute_not_exists")) => {
                self.expect(Token::Open)?;
                let name = match self.tokens.next() {
                    Some(Token::Word(word)) => self.name(word)?,
                    other => return Err(unexpected(other)),
                };
                self.expect(Token::Close)?;
                Ok(Clause::NotExists(name))
            }
            Some(Token::Word(word)) => {
                let name = self.name(word)?;
                let compare = match self.tokens.next() {
                    Some(Token::Equal) => Clause::Equals,
                    Some(Token::AtMost) => Clause::AtMost,
                    Some(Token::Above) => Clause::Above,
                    other => return Err(unexpected(other)),
                };
                match self.tokens.next() {
                    Some(Token::Value(value)) => Ok(compare(name, self.value(value)?)),
                    other => Err(unexpected(other)),
                }
            }
            other => Err(unexpected(other)),
        }
    }

    fn expect(&mut self, wanted: Token<'a>) -> Result<(), String> {
        match self.tokens.next() {
            Some(token) if token == wanted => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    fn name(&self, word: &str) -> Result<String, String> {
        if !word.starts_with('#') {
            return Ok(word.to_owned());
        }
        self.names.get(word).cloned().ok_or_else(|| {
            format!(
                "An expression attribute name used in the document path is not defined; attribute name: {word}"
            )
        })
    }

    fn value(&self, placeholder: &str) -> Result<AttributeValue, String> {
        self.values.get(placeholder).cloned().ok_or_else(|| {
            format!(
                "An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            )
        })
    }
}

fn unexpected(token: Option<Token<'_>>) -> String {
    match token {
        Some(Token::Word(word) | Token::Value(word)) => {
            format!("Syntax error; the local stack does not understand it here: {word}")
        }
        Some(token) => format!("Syntax error; the local stack did not expect {token:?}"),
        None => "Syntax error; it ends too early".into(),
    }
}
