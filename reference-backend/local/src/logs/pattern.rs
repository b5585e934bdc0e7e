//! Filter patterns of CloudWatch Logs, as far as reports are looked for with them: terms, of which all must be there
//! (`REPORT`, `"REPORT RequestId"`), or any (`?REPORT ?INIT_REPORT`); and of JSON logs an equality of one field
//! (`{ $.type = "platform.report" }`), several joined by `||`.

use winnow::Parser as _;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, delimited, opt, preceded, repeat, separated};
use winnow::error::ContextError;
use winnow::token::take_while;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Every one of `all` is in the message, and one of `any`, if there are such.
    Terms {
        /// Terms without a question mark.
        all: Vec<String>,
        /// Terms with one.
        any: Vec<String>,
    },
    /// A field, as a JSON pointer, has this text.
    Fields(Vec<(String, String)>),
}

impl Pattern {
    /// Reads a pattern; none if this stack does not understand it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with('{') {
            return fields.parse(text).ok().map(Self::Fields);
        }
        let parsed: Vec<(bool, String)> = terms.parse(text).ok()?;
        let (any, all): (Vec<_>, Vec<_>) = parsed.into_iter().partition(|(optional, _)| *optional);
        let texts = |terms: Vec<(bool, String)>| terms.into_iter().map(|(_, term)| term).collect();
        Some(Self::Terms { all: texts(all), any: texts(any) })
    }

    /// Whether a message matches.
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms { all, any } => {
                all.iter().all(|term| message.contains(term))
                    && (any.is_empty() || any.iter().any(|term| message.contains(term)))
            }
            Self::Fields(fields) => {
                let value: serde_json::Value = serde_json::from_str(message).unwrap_or_default();
                let has = |(pointer, text): &(String, String)| {
                    value.pointer(pointer).and_then(serde_json::Value::as_str) == Some(text)
                };
                fields.iter().any(has)
            }
        }
    }
}

type Result<T> = winnow::Result<T, ContextError>;

fn quoted(input: &mut &str) -> Result<String> {
    delimited('"', take_while(1.., |c| c != '"'), '"').map(str::to_owned).parse_next(input)
}

fn terms(input: &mut &str) -> Result<Vec<(bool, String)>> {
    let plain = take_while(1.., |c: char| c.is_alphanumeric() || c == '_').map(str::to_owned);
    let term = (opt('?').map(|mark: Option<char>| mark.is_some()), alt((quoted, plain)));
    repeat(0.., delimited(multispace0, term, multispace0)).parse_next(input)
}

fn fields(input: &mut &str) -> Result<Vec<(String, String)>> {
    let name = take_while(1.., |c: char| c.is_alphanumeric() || c == '.' || c == '_');
    let path = preceded("$.", name).map(|path: &str| format!("/{}", path.replace('.', "/")));
    let equality = (path, preceded((multispace0, '=', multispace0), quoted));
    let all = separated(1.., equality, (multispace0, "||", multispace0));
    delimited(('{', multispace0), all, (multispace0, '}')).parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "REPORT RequestId: 1\tDuration: 2.00 ms\t";

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).unwrap_or_else(|| panic!("{pattern}")).matches(message)
    }

    #[test]
    fn terms_and_fields_select_messages() {
        for pattern in ["", "REPORT", "\"REPORT RequestId\"", "REPORT RequestId", "?REPORT ?INIT_REPORT"] {
            assert!(matches(pattern, LINE), "{pattern}");
        }
        for pattern in ["START", "REPORT START", "?START ?END", "report"] {
            assert!(!matches(pattern, LINE), "{pattern}");
        }
        let object = r#"{"type":"platform.report","record":{"status":"timeout"}}"#;
        assert!(matches(r#"{ $.type = "platform.report" }"#, object));
        assert!(matches(r#"{$.record.status="timeout"}"#, object));
        assert!(matches(r#"{ $.type = "platform.initReport" || $.type = "platform.report" }"#, object));
        assert!(!matches(r#"{ $.type = "platform.start" }"#, object));
        assert!(!matches(r#"{ $.type = "platform.report" }"#, LINE));
    }

    #[test]
    fn what_is_not_understood_is_no_pattern() {
        for pattern in ["%regex%", "[ip, user]", "-REPORT", "{ $.record.metrics.durationMs > 5 }", "\"open"] {
            assert_eq!(Pattern::parse(pattern), None, "{pattern}");
        }
    }
}
