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

/// Where operations are described.
const OPERATIONS: &str = "/operations/";

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

/// Fills the variables in; `environment` tells a variable's value. Where operations are described, `${name}` may stand for
/// one of `columns` instead: it stays as it is, to be filled in for each send.
pub(crate) fn fill_in(
    document: &mut Document,
    environment: &dyn Fn(&str) -> Option<String>,
    columns: &[String],
) -> (Vec<Mistake>, Secrets) {
    let mut texts = Vec::new();
    collect(&document.value, "", &mut |pointer, text| {
        if text.contains("${") {
            texts.push((pointer.to_owned(), text.to_owned()));
        }
    });
    let (mut mistakes, mut secrets) = (Vec::new(), Secrets::default());
    for (pointer, written) in texts {
        let columns = if pointer.starts_with(OPERATIONS) { columns } else { &[] };
        let filled = match fill(&written, environment, columns) {
            Ok(filled) => filled,
            Err(wrong) => {
                mistakes.push(document.mistake(&pointer, wrong.problem, wrong.remedy));
                continue;
            }
        };
        if filled.text == written {
            continue;
        }
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
        let kept = if hidden.is_empty() { filled.kept } else { written };
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
    fill(text, &|_| Some(String::new()), &[]).map_or_else(|_| text.to_owned(), |filled| filled.text)
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
    /// The same to be read again: `$${` stays so.
    kept: String,
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

/// Fills a text's variables in. Where there are columns, the text is read once more for each send: what names one stays,
/// and what merely looks so is marked by `$${`.
fn fill(
    written: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    columns: &[String],
) -> Result<Filled, Wrong> {
    let mut filled = Filled { text: String::new(), kept: String::new(), variables: Vec::new() };
    let read_again = !columns.is_empty();
    let mut at = 0;
    while let Some(found) = written[at..].find("${") {
        let begin = at + found;
        if written[..begin].ends_with('$') {
            filled.literal(&written[at..begin - 1]);
            filled.text.push_str(if read_again { "$${" } else { "${" });
            filled.kept.push_str("$${");
            at = begin + 2;
            continue;
        }
        filled.literal(&written[at..begin]);
        let Some(length) = written[begin..].find('}') else {
            return Err(Wrong {
                problem: "has a `${` without its `}`".into(),
                remedy: "write ${NAME} or ${NAME:-default}, or $${ for the two signs themselves".into(),
            });
        };
        let inner = &written[begin + 2..begin + length];
        let (name, default) =
            inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
        if !is_name(name) {
            return Err(Wrong {
                problem: format!("`${{{inner}}}` names no variable"),
                remedy: "a name has letters, digits and `_`; write ${NAME} or ${NAME:-default}".into(),
            });
        }
        if columns.iter().any(|column| column == inner) {
            filled.literal(&written[begin..=begin + length]);
            at = begin + length + 1;
            continue;
        }
        // As in a shell, an empty variable has its default as well.
        let given = environment(name).filter(|value| default.is_none() || !value.is_empty());
        let Some(value) = given.or_else(|| default.map(str::to_owned)) else {
            return Err(unknown(name, columns));
        };
        filled.text.push_str(&if read_again { escaped(&value) } else { value.clone() });
        filled.kept.push_str(&escaped(&value));
        filled.variables.push(Variable { name: name.into(), value, at: begin });
        at = begin + length + 1;
    }
    filled.literal(&written[at..]);
    Ok(filled)
}

/// A name that stands for nothing.
fn unknown(name: &str, columns: &[String]) -> Wrong {
    let variable = format!("`export {name}=…` before the command, or write ${{{name}:-default}}");
    if columns.is_empty() {
        return Wrong { problem: format!("the environment has no variable `{name}`"), remedy: variable };
    }
    Wrong {
        problem: format!("no feeder has a column `{name}`, and the environment has no such variable"),
        remedy: documents::form::nearest(name, columns).map_or_else(
            || format!("the columns are {}; for a variable, {variable}", columns.join(", ")),
            |near| format!("did you mean `${{{near}}}`?"),
        ),
    }
}

impl Filled {
    /// What stays as it is.
    fn literal(&mut self, text: &str) {
        self.text.push_str(text);
        self.kept.push_str(text);
    }
}

fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

/// The value of a text's variables, as far as they have one.
pub(crate) fn filled(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    fill(text, environment, &[]).ok().map(|filled| filled.text)
}

/// Whether a name says that its value is a secret: `API_KEY`, `accessToken`.
pub(crate) fn is_secret(name: &str) -> bool {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && words.ends_with(|before: char| before.is_ascii_lowercase()) {
            words.push('_');
        }
        words.push(letter);
    }
    let words = words.to_ascii_uppercase();
    let words: Vec<_> = words.split('_').collect();
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

/// Whether `${name}` can stand for a variable, or a column, of this name.
pub(super) fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(word) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
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
        fill(text, &environment, &[]).map(|filled| filled.text).map_err(|wrong| wrong.problem)
    }

    #[test]
    fn where_there_are_columns_what_names_one_stays() {
        let environment = |name: &str| (name == "A").then(|| "o${level}e".to_owned());
        let columns = ["level".to_owned(), "A".to_owned()];
        let filled = |text: &str| {
            let filled = fill(text, &environment, &columns[..1]);
            filled.map(|filled| (filled.text, filled.kept)).map_err(|wrong| (wrong.problem, wrong.remedy))
        };
        assert_eq!(filled("x${level}"), Ok(("x${level}".into(), "x${level}".into())));
        assert_eq!(filled("$${x}${A}"), Ok(("$${x}o$${level}e".into(), "$${x}o$${level}e".into())));
        let (problem, remedy) = filled("${lvel}").unwrap_err();
        assert!(problem.starts_with("no feeder has a column `lvel`"), "{problem}");
        assert_eq!(remedy, "did you mean `${level}`?");
        let (_, remedy) = filled("${STAGE}").unwrap_err();
        assert!(remedy.starts_with("the columns are level; for a variable, `export"), "{remedy}");
        let before_a_variable = fill("${A}", &environment, &columns).map(|filled| filled.text);
        assert_eq!(before_a_variable.map_err(|wrong| wrong.problem), Ok("${A}".into()));
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
        for name in ["API_KEY", "token", "DB_PASSWORD", "GAME_JWT", "accessToken"] {
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
