//! Condition expressions, as far as [`Condition`] can express them.

use std::collections::{BTreeMap, HashMap};

use reference_backend::function::Table;
use reference_backend::ports::Condition;
use serde_dynamo::AttributeValue;
use winnow::Parser;
use winnow::combinator::{alt, delimited, not, opt, preceded, terminated};
use winnow::error::ParserError;
use winnow::stream::Stateful;
use winnow::token::take_while;

use super::DynamoDbError;

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
/// Maximum nesting; the supported conditions need two levels.
const DEEPEST: usize = 16;

/// The condition of a write.
pub(super) fn condition(
    table: Table,
    expression: Option<&str>,
    names: &Names,
    values: &Values,
) -> Result<Option<Condition>, DynamoDbError> {
    let Some(expression) = expression else {
        return match (names.is_empty(), values.is_empty()) {
            (true, true) => Ok(None),
            (false, _) => Err(only_with_expression("ExpressionAttributeNames")),
            (true, false) => Err(only_with_expression("ExpressionAttributeValues")),
        };
    };
    let key = table.key();
    let understood = || {
        DynamoDbError::invalid(format!(
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
) -> Result<String, DynamoDbError> {
    match parse("KeyConditionExpression", expression, names, values)? {
        Clause::Equals(name, AttributeValue::S(value)) if name == attribute => Ok(value),
        Clause::Equals(name, _) if name != attribute => {
            Err(DynamoDbError::invalid(format!("Query condition missed key schema element: {attribute}")))
        }
        _ => Err(DynamoDbError::invalid(format!(
            "Invalid KeyConditionExpression: the local stack understands {attribute} = :string, not: {expression}"
        ))),
    }
}

fn only_with_expression(what: &str) -> DynamoDbError {
    DynamoDbError::invalid(format!("{what} can only be specified when using expressions"))
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

fn parse(kind: &str, expression: &str, names: &Names, values: &Values) -> Result<Clause, DynamoDbError> {
    let fault = |reason: String| DynamoDbError::invalid(format!("Invalid {kind}: {reason}"));
    if expression.len() > LONGEST {
        return Err(fault(format!("Expression size has exceeded the maximum allowed size; {LONGEST} bytes")));
    }
    let state = State { names, values, used: Vec::new(), depth: 0 };
    let mut input = Input { input: expression, state };
    let clause = preceded(space, either).parse_next(&mut input).map_err(|error| fault(error.to_string()))?;
    if !input.input.is_empty() {
        return Err(fault(format!(
            "Syntax error; the local stack does not understand all of it: {expression}"
        )));
    }
    // DynamoDB refuses placeholders that are not used, because they are usually misspelt ones.
    let unused = |placeholder: &&String| !input.state.used.contains(&placeholder.as_str());
    for (what, unused) in [
        ("ExpressionAttributeNames", names.keys().find(unused)),
        ("ExpressionAttributeValues", values.keys().find(unused)),
    ] {
        if let Some(unused) = unused {
            return Err(DynamoDbError::invalid(format!(
                "Value provided in {what} unused in expressions: keys: {{{unused}}}"
            )));
        }
    }
    Ok(clause)
}

type Input<'a> = Stateful<&'a str, State<'a>>;
type Parsed<'a, T> = Result<T, Fault<'a>>;

#[derive(Debug)]
struct State<'a> {
    names: &'a Names,
    values: &'a Values,
    /// Placeholders that the expression has named.
    used: Vec<&'a str>,
    /// How many ORs, NOTs and parentheses there have been.
    depth: usize,
}

/// Why an expression is refused.
#[derive(Debug, thiserror::Error)]
enum Fault<'a> {
    #[error("Syntax error; {}", at(.0))]
    At(&'a str),
    #[error("Syntax error; it is nested more than {DEEPEST} times")]
    Deep,
    #[error("An expression attribute name used in the document path is not defined; attribute name: {0}")]
    Name(&'a str),
    #[error("An expression attribute value used in expression is not defined; attribute value: {0}")]
    Value(&'a str),
}

fn at(rest: &str) -> String {
    match rest {
        "" => "it ends too early".into(),
        rest => format!("the local stack does not understand it from here: {rest}"),
    }
}

impl<'a> ParserError<Input<'a>> for Fault<'a> {
    type Inner = Self;

    fn from_input(input: &Input<'a>) -> Self {
        Self::At(input.input)
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

fn either<'a>(input: &mut Input<'a>) -> Parsed<'a, Clause> {
    deeper(input)?;
    let one = clause(input)?;
    if opt(word.verify(|word: &str| word.eq_ignore_ascii_case("OR"))).parse_next(input)?.is_none() {
        return Ok(one);
    }
    Ok(Clause::Either(Box::new(one), Box::new(either(input)?)))
}

fn clause<'a>(input: &mut Input<'a>) -> Parsed<'a, Clause> {
    if opt(symbol("(")).parse_next(input)?.is_some() {
        return terminated(either, symbol(")")).parse_next(input);
    }
    match word.parse_next(input)? {
        not if not.eq_ignore_ascii_case("NOT") => {
            deeper(input)?;
            Ok(Clause::Not(Box::new(clause(input)?)))
        }
        "attribute_not_exists" => {
            let name = delimited(symbol("("), word, symbol(")")).parse_next(input)?;
            Ok(Clause::NotExists(attribute(input, name)?))
        }
        name => {
            let name = attribute(input, name)?;
            let sign = alt((terminated(">", not('=')), "=", "<="));
            let sign = terminated(sign, space).parse_next(input)?;
            let placeholder = terminated((':', identifier).take(), space).parse_next(input)?;
            input.state.used.push(placeholder);
            let value = input.state.values.get(placeholder).cloned();
            let value = value.ok_or(Fault::Value(placeholder))?;
            Ok(match sign {
                "=" => Clause::Equals(name, value),
                "<=" => Clause::AtMost(name, value),
                _ => Clause::Above(name, value),
            })
        }
    }
}

fn deeper<'a>(input: &mut Input<'a>) -> Parsed<'a, ()> {
    input.state.depth += 1;
    if input.state.depth > DEEPEST { Err(Fault::Deep) } else { Ok(()) }
}

/// The attribute that a word names, by itself or as a placeholder.
fn attribute<'a>(input: &mut Input<'a>, word: &'a str) -> Parsed<'a, String> {
    if !word.starts_with('#') {
        return Ok(word.to_owned());
    }
    input.state.used.push(word);
    input.state.names.get(word).cloned().ok_or(Fault::Name(word))
}

/// An attribute, `#placeholder` or not, a function or a keyword.
fn word<'a>(input: &mut Input<'a>) -> Parsed<'a, &'a str> {
    terminated((opt('#'), identifier).take(), space).parse_next(input)
}

fn symbol<'a>(text: &'static str) -> impl Parser<Input<'a>, &'a str, Fault<'a>> {
    terminated(text, space)
}

#[inline]
fn identifier<'a>(input: &mut Input<'a>) -> Parsed<'a, &'a str> {
    take_while(1.., ('a'..='z', 'A'..='Z', '0'..='9', '_')).parse_next(input)
}

#[inline]
fn space<'a>(input: &mut Input<'a>) -> Parsed<'a, &'a str> {
    take_while(0.., (' ', '\t', '\r', '\n')).parse_next(input)
}
