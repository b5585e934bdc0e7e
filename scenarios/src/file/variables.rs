//! `${VAR}` and `${VAR:-default}` in a scenario's texts, filled in from the environment; `$${` stands for `${`.
//!
//! What is secret is never kept: the run folder then has the variable's name, and messages have it, too. A variable is
//! secret if its name or its value says so, or if it stands where a URL has credentials.

use documents::{Document, Mistake, Mistakes, child};
use serde_json::Value;

use crate::redact;

/// Words that make a variable's name that of a secret.
const SECRET_WORDS: [&str; 17] = [
    "TOKEN",
    "TOKENS",
    "SECRET",
    "SECRETS",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "KEY",
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "JWT",
    "TICKET",
    "SIGNATURE",
    "SESSION",
    "COOKIE",
];
/// Last words of a name that only says where a secret lies.
const PLACES: [&str; 4] = ["FILE", "PATH", "DIR", "FOLDER"];
/// Texts that reports and folders' names repeat: there a secret could not be hidden.
const REPEATED: [&str; 5] = ["/name", "/description", "/phases/", "/thresholds/", "/auth/player_prefix"];

/// Shorter values hide nothing: they stand in half the words of a message.
const LEAST: usize = 4;

/// The values that must not be said, each with what stands for it.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// The mistakes without any secret: one may quote the value.
    pub(crate) fn hide_in_all(&self, mistakes: Vec<Mistake>) -> Mistakes {
        let hidden = mistakes.into_iter().map(|mistake| {
            let problem = redact::text(&mistake.problem).into_owned();
            self.hide_in(Mistake { problem, ..mistake })
        });
        Mistakes(hidden.collect())
    }

    /// The mistake without any secret.
    fn hide_in(&self, mut mistake: Mistake) -> Mistake {
        for (secret, name) in self.0.iter().filter(|(secret, _)| secret.len() >= LEAST) {
            for text in [&mut mistake.place, &mut mistake.problem, &mut mistake.remedy] {
                *text = text.replace(secret, name);
            }
        }
        mistake
    }
}

/// Fills the variables in; `environment` tells a variable's value.
pub(crate) fn fill_in(
    document: &mut Document,
    environment: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Mistake>, Secrets) {
    let mut texts = Vec::new();
    collect(&document.value, "", &mut |pointer, text| {
        if text.contains("${") {
            texts.push((pointer.to_owned(), text.to_owned()));
        }
    });
    let (mut mistakes, mut secrets) = (Vec::new(), Secrets::default());
    for (pointer, written) in texts {
        let filled = match fill(&written, environment) {
            Ok(filled) => filled,
            Err(wrong) => {
                mistakes.push(document.mistake(&pointer, wrong.problem, wrong.remedy));
                continue;
            }
        };
        let of_url = credentials(&written);
        let hidden: Vec<_> = filled
            .variables
            .into_iter()
            .filter(|variable| {
                is_secret(&variable.name)
                    || redact::is_credential(&variable.value)
                    || of_url.contains(&variable.at)
            })
            .collect();
        let repeated = REPEATED
            .iter()
            .any(|place| pointer == *place || (place.ends_with('/') && pointer.starts_with(place)));
        if let Some(variable) = hidden.first().filter(|_| repeated) {
            mistakes.push(document.mistake(
                &pointer,
                format!("holds ${{{}}}, a secret, which reports would repeat", variable.name),
                "take it out of this text; if it is not a secret, give the variable another name",
            ));
        }
        // `$${` stays so in the copy, which is read again.
        let kept = if hidden.is_empty() { escaped(&filled.text) } else { written };
        secrets
            .0
            .extend(hidden.into_iter().map(|variable| (variable.value, format!("${{{}}}", variable.name))));
        document.replace(&pointer, filled.text, kept);
    }
    // The longest first: one secret may begin with another.
    secrets.0.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
    (mistakes, secrets)
}

/// The text with every variable that has no default taken out: what of a secret stands in the file itself.
pub(crate) fn without(text: &str) -> String {
    fill(text, &|_| Some(String::new())).map_or_else(|_| text.to_owned(), |filled| filled.text)
}

/// Shows every text of a value with its pointer.
pub(crate) fn collect(value: &Value, pointer: &str, show: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| collect(inner, &child(pointer, key), show)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, inner)| collect(inner, &child(pointer, &index.to_string()), show)),
        Value::String(text) => show(pointer, text),
        _ => {}
    }
}

struct Filled {
    text: String,
    variables: Vec<Variable>,
}

struct Variable {
    name: String,
    value: String,
    /// Where it stands in the text as written.
    at: usize,
}

struct Wrong {
    problem: String,
    remedy: String,
}

fn fill(written: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Filled, Wrong> {
    let mut filled = Filled { text: String::new(), variables: Vec::new() };
    let mut at = 0;
    while let Some(found) = written[at..].find("${") {
        let begin = at + found;
        if written[..begin].ends_with('$') {
            filled.text.push_str(&written[at..begin - 1]);
            filled.text.push_str("${");
            at = begin + 2;
            continue;
        }
        filled.text.push_str(&written[at..begin]);
        let Some(length) = written[begin..].find('}') else {
            return Err(Wrong {
                problem: "has a `${` without its `}`".into(),
                remedy: "write ${NAME} or ${NAME:-default}, or $${ for the two signs themselves".into(),
            });
        };
        let inner = &written[begin + 2..begin + length];
        let (name, default) =
            inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.as_bytes()[0].is_ascii_digit() || !name.bytes().all(word) {
            return Err(Wrong {
                problem: format!("`${{{inner}}}` names no variable"),
                remedy: "a name has letters, digits and `_`; write ${NAME} or ${NAME:-default}".into(),
            });
        }
        // As in a shell, an empty variable has its default as well.
        let given = environment(name).filter(|value| default.is_none() || !value.is_empty());
        let Some(value) = given.or_else(|| default.map(str::to_owned)) else {
            return Err(Wrong {
                problem: format!("the environment has no variable `{name}`"),
                remedy: format!("`export {name}=…` before the command, or write ${{{name}:-default}}"),
            });
        };
        filled.text.push_str(&value);
        filled.variables.push(Variable { name: name.into(), value, at: begin });
        at = begin + length + 1;
    }
    filled.text.push_str(&written[at..]);
    Ok(filled)
}

fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<_> = name.split('_').collect();
    !words.last().is_some_and(|last| PLACES.contains(last))
        && words.iter().any(|word| SECRET_WORDS.contains(word))
}

/// Where a URL has credentials: its user and password, and its query.
struct Credentials {
    user: std::ops::Range<usize>,
    query: std::ops::Range<usize>,
}

impl Credentials {
    fn contains(&self, at: &usize) -> bool {
        self.user.contains(at) || self.query.contains(at)
    }
}

fn credentials(written: &str) -> Credentials {
    let Some(scheme) = written.find("://") else { return Credentials { user: 0..0, query: 0..0 } };
    let begin = scheme + 3;
    let path = written[begin..].find(['/', '?']).map_or(written.len(), |path| begin + path);
    let user = written[begin..path].rfind('@').map_or(begin, |at| begin + at);
    let query = written.find('?').map_or(written.len(), |query| query);
    Credentials { user: begin..user, query: query..written.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let environment = |name: &str| match name {
            "A" => Some("one".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        fill(text, &environment).map(|filled| filled.text).map_err(|wrong| wrong.problem)
    }

    #[test]
    fn variables_are_filled_in_as_a_shell_would() {
        for (text, wanted) in [
            ("${A}", "one"),
            ("x${A}y${A}", "xoneyone"),
            ("${NO:-two}", "two"),
            ("${EMPTY:-two}", "two"),
            ("${EMPTY}", ""),
            ("${NO:-}", ""),
            ("$${A} $A {player}", "${A} $A {player}"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(wanted), "{text}");
        }
        for (text, said) in
            [("${NO}", "no variable `NO`"), ("${A", "without its `}`"), ("${a b}", "names no variable")]
        {
            assert!(filled(text).unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn secrets_are_told_by_name_and_by_place() {
        for name in ["API_KEY", "token", "DB_PASSWORD", "GAME_JWT"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["PLAYERS", "PWD", "KEY_FILE", "MONKEY", "STAGE"] {
            assert!(!is_secret(name), "{name}");
        }
        let url = "wss://${U}@${H}/x?y=${Q}";
        let at = |text: &str| url.find(text).unwrap();
        let places = credentials(url);
        assert!(
            places.contains(&at("${U}")) && places.contains(&at("${Q}")) && !places.contains(&at("${H}"))
        );
    }
}
