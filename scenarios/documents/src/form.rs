//! The check of a document against the JSON Schema that is generated from its types.
//!
//! serde stops at the first mistake. This walk reports them all, in the schema's own words, and puts a sound value in
//! the place of each wrong one, so that what the schema cannot say is checked in the same pass. It knows the part of
//! JSON Schema that `schemars` writes for such types, and four keywords:
//!
//! - `x-reads` names how a text is read ([`Read`]), e.g. `"30/s"` for a number;
//! - `x-renamed` names what keys of a table were called in earlier versions, each with its name now;
//! - `x-gone` names keys that a table had in earlier versions, each with what is written instead;
//! - `examples` is what takes the place of a wrong value that must not be left out.

use regex::Regex;
use serde_json::{Map, Value};

use crate::document::{Document, child, parse_value};
use crate::mistakes::Mistake;

/// Reads a text of the kind that `x-reads` names; the error is a sentence on what is wrong, without a full stop.
pub type Read<'r> = &'r dyn Fn(&str, &str) -> Result<Value, String>;

/// What came of the check.
#[derive(Debug)]
pub struct Formed {
    /// The values, with a sound one in the place of each wrong one.
    pub value: Value,
    /// Every mistake.
    pub mistakes: Vec<Mistake>,
    /// Pointers of the values that are not the author's own.
    pub doubtful: Vec<String>,
    /// What replaced texts were read as, by pointer.
    pub read: Vec<(String, Value)>,
}

/// Checks a document's values.
#[must_use]
pub fn check(document: &Document, schema: &Value, read: Read<'_>) -> Formed {
    let mut walk = Walk {
        document,
        root: schema,
        read,
        mistakes: Vec::new(),
        doubtful: Vec::new(),
        replaced: Vec::new(),
    };
    let value = walk.or_sample(schema, &document.value, "");
    Formed { value, mistakes: walk.mistakes, doubtful: walk.doubtful, read: walk.replaced }
}

struct Walk<'w> {
    document: &'w Document,
    root: &'w Value,
    read: Read<'w>,
    mistakes: Vec<Mistake>,
    doubtful: Vec<String>,
    replaced: Vec<(String, Value)>,
}

impl<'w> Walk<'w> {
    fn wrong(&mut self, pointer: &str, problem: String, remedy: &str) {
        self.doubtful.push(pointer.into());
        self.mistakes.push(self.document.mistake(pointer, problem, remedy.replace('\n', " ")));
    }

    /// The value if it fits, else a sound one.
    fn or_sample(&mut self, node: &'w Value, value: &Value, pointer: &str) -> Value {
        self.value(node, value, pointer).unwrap_or_else(|| self.sample(node))
    }

    /// The value as serde will read it; `None` where it is wrong, which is then told.
    fn value(&mut self, node: &'w Value, value: &Value, pointer: &str) -> Option<Value> {
        let forms = self.forms(node);
        // Of several forms, the one that was meant: a word or a table.
        let form = forms.iter().find(|form| form.takes(value)).or_else(|| forms.first())?;
        let said = form.said;
        if let Some(choices) = form.choices() {
            if choices.contains(&value) {
                return Some(value.clone());
            }
            let choices: Vec<_> = choices.iter().map(ToString::to_string).collect();
            self.wrong(
                pointer,
                format!("must be one of {}, found {}", choices.join(", "), shown(value)),
                said,
            );
            return None;
        }
        match (form.typed(), value) {
            (Typed::Object, Value::Object(map)) => Some(Value::Object(self.table(form, map, pointer))),
            (Typed::Array, Value::Array(items)) => self.array(form, items, pointer),
            (Typed::Text, Value::String(text)) => self.text(form, text, pointer),
            (Typed::Number { whole }, Value::Number(_)) => self.number(form, value, value, whole, pointer),
            (Typed::Number { whole }, Value::String(text)) if form.reads().is_some() => {
                let kind = form.reads().unwrap_or_default();
                match (self.read)(kind, text) {
                    Ok(read) => self.number(form, &read, value, whole, pointer),
                    Err(problem) => {
                        self.wrong(pointer, format!("{} {problem}", shown(value)), said);
                        None
                    }
                }
            }
            (Typed::Boolean, Value::Bool(_)) | (Typed::Any, _) => Some(value.clone()),
            (typed, Value::String(text)) if self.document.is_loose(pointer) && typed.is_plain() => {
                let read = parse_value(text);
                if read.is_string() {
                    self.wrong(pointer, format!("must be {}, found {}", typed.name(), shown(value)), said);
                    return None;
                }
                let value = self.value(node, &read, pointer);
                self.replaced.extend(value.clone().map(|value| (pointer.to_owned(), value)));
                value
            }
            (Typed::Text, Value::Number(number)) if form.reads().is_some() => {
                self.wrong(pointer, format!("{number} has no unit; write e.g. \"{number}s\""), said);
                None
            }
            (typed, _) => {
                self.wrong(pointer, format!("must be {}, found {}", typed.name(), shown(value)), said);
                None
            }
        }
    }

    fn table(&mut self, form: &Form<'w>, map: &Map<String, Value>, pointer: &str) -> Map<String, Value> {
        let (mut read, none) = (Map::new(), Map::new());
        let known = form.node.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (key, node) in form.properties() {
            let at = child(pointer, key);
            let value = match map.get(key) {
                Some(value) => self.value(node, value, &at),
                None if form.requires(key) => {
                    let said = self.forms(node).first().map_or("", |form| form.said).replace('\n', " ");
                    let mut mistake = self.document.mistake(&at, "is missing", said);
                    mistake.place = self.document.place(pointer);
                    self.doubtful.push(at);
                    self.mistakes.push(mistake);
                    None
                }
                None => continue,
            };
            // What may be left out is left out, and counts as its default.
            let value = value.or_else(|| form.requires(key).then(|| self.sample(node)));
            read.extend(value.map(|value| (key.clone(), value)));
        }
        for (key, value) in map.iter().filter(|(key, _)| !known.contains_key(*key)) {
            let at = child(pointer, key);
            match form.node.get("additionalProperties") {
                Some(Value::Bool(false)) => {
                    if let Some(now) = form.renamed(key) {
                        let problem = format!("is now called `{now}`");
                        self.wrong(&at, problem, &format!("rename the key to `{now}`"));
                        // Its new name is absent only because the old one is there: nothing is concluded from that.
                        self.doubtful.push(child(pointer, now));
                        continue;
                    }
                    if let Some(instead) = form.gone(key) {
                        self.wrong(&at, "is no longer a key".into(), instead);
                        continue;
                    }
                    let known: Vec<_> = known.keys().collect();
                    let remedy = nearest(key, &known).map_or_else(
                        || format!("known keys here: {}", list(&known)),
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.mistakes.push(self.document.mistake(&at, "unknown key", remedy));
                }
                Some(node @ Value::Object(_)) => {
                    read.extend(self.value(node, value, &at).map(|value| (key.clone(), value)));
                }
                _ => {
                    read.insert(key.clone(), value.clone());
                }
            }
        }
        read
    }

    fn array(&mut self, form: &Form<'w>, items: &[Value], pointer: &str) -> Option<Value> {
        let least = form.node.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        if (items.len() as u64) < least {
            self.wrong(pointer, format!("needs at least {least} entry"), form.said);
            return None;
        }
        let Some(node) = form.node.get("items") else { return Some(items.to_vec().into()) };
        let read = items.iter().enumerate();
        Some(
            read.map(|(index, item)| self.or_sample(node, item, &child(pointer, &index.to_string())))
                .collect(),
        )
    }

    fn text(&mut self, form: &Form<'_>, text: &str, pointer: &str) -> Option<Value> {
        if let Some(kind) = form.reads() {
            return match (self.read)(kind, text) {
                Ok(_) => Some(text.into()),
                Err(problem) => {
                    self.wrong(pointer, format!("{} {problem}", shown(&text.into())), form.said);
                    None
                }
            };
        }
        let pattern = form.node.get("pattern").and_then(Value::as_str);
        // The patterns are ours: one that is not a pattern refuses everything, which the first test sees.
        if pattern.is_none_or(|pattern| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))) {
            return Some(text.into());
        }
        self.wrong(pointer, format!("{} has the wrong form", shown(&text.into())), form.said);
        None
    }

    /// A number within its bounds; `written` is what the author wrote for it.
    fn number(
        &mut self,
        form: &Form<'_>,
        read: &Value,
        written: &Value,
        whole: bool,
        pointer: &str,
    ) -> Option<Value> {
        let number = read.as_f64().unwrap_or(f64::NAN);
        if whole && number.fract() != 0.0 {
            self.wrong(pointer, format!("must be integer, found {}", shown(written)), form.said);
            return None;
        }
        if let Some(least) =
            form.node.get("minimum").filter(|least| least.as_f64().is_some_and(|least| number < least))
        {
            self.wrong(pointer, format!("{} is too small, at least {least}", shown(written)), form.said);
            return None;
        }
        let most = form.most();
        if let Some(most) = most.filter(|most| most.as_f64().is_some_and(|most| number > most)) {
            self.wrong(pointer, format!("{} is too large, at most {most}", shown(written)), form.said);
            return None;
        }
        // `1e3` is a whole number, too.
        Some(if whole && !read.is_i64() && !read.is_u64() {
            Value::from(number as i64)
        } else {
            read.clone()
        })
    }

    /// A sound value.
    fn sample(&self, node: &'w Value) -> Value {
        let forms = self.forms(node);
        let Some(form) = forms.first() else { return Value::Null };
        if let Some(example) = form.node.get("examples").and_then(|examples| examples.get(0)) {
            return example.clone();
        }
        if let Some(choice) = form.choices().and_then(|choices| choices.first().copied()) {
            return choice.clone();
        }
        match form.typed() {
            Typed::Object => {
                let required = form.properties().filter(|(key, _)| form.requires(key));
                Value::Object(required.map(|(key, node)| (key.clone(), self.sample(node))).collect())
            }
            Typed::Array => {
                let least = form.node.get("minItems").and_then(Value::as_u64).unwrap_or(0);
                let item = form.node.get("items").map_or(Value::Null, |node| self.sample(node));
                vec![item; least as usize].into()
            }
            Typed::Number { .. } => form.node.get("minimum").cloned().unwrap_or_else(|| 0.into()),
            Typed::Text => "".into(),
            Typed::Boolean => false.into(),
            Typed::Any => Value::Null,
        }
    }

    /// Every form that a schema allows, `$ref`s followed; what is said of a key counts before what is said of its type.
    fn forms(&self, node: &'w Value) -> Vec<Form<'w>> {
        let said = node.get("description").and_then(Value::as_str);
        let target =
            node.get("$ref").and_then(Value::as_str).and_then(|path| self.root.pointer(path.get(1..)?));
        let several = node.get("anyOf").and_then(Value::as_array);
        let inner: Vec<_> = match (target, several) {
            (Some(target), _) => self.forms(target),
            (None, Some(several)) => several.iter().flat_map(|form| self.forms(form)).collect(),
            (None, None) => vec![Form { node, said: "" }],
        };
        // TOML has no null: an optional key is left out.
        let real = inner.into_iter().filter(|form| form.node.get("type").is_none_or(|only| only != "null"));
        real.map(|form| Form { said: said.unwrap_or(form.said), ..form }).collect()
    }
}

/// One form that a value may have: a schema without references or alternatives.
struct Form<'w> {
    node: &'w Value,
    said: &'w str,
}

impl<'w> Form<'w> {
    /// Whether the value is of this form, right or wrong.
    fn takes(&self, value: &Value) -> bool {
        match (self.typed(), value) {
            (Typed::Any, _) => self.choices().is_none_or(|_| value.is_string()),
            (Typed::Object, value) => value.is_object(),
            (Typed::Array, value) => value.is_array(),
            (Typed::Text, value) => value.is_string(),
            (Typed::Number { .. }, value) => {
                value.is_number() || (value.is_string() && self.reads().is_some())
            }
            (Typed::Boolean, value) => value.is_boolean(),
        }
    }

    fn typed(&self) -> Typed {
        let kind = self.node.get("type");
        let named = |name: &str| match kind {
            Some(Value::String(one)) => one == name,
            Some(Value::Array(several)) => several.iter().any(|one| one == name),
            _ => false,
        };
        match () {
            () if named("object") => Typed::Object,
            () if named("array") => Typed::Array,
            () if named("integer") => Typed::Number { whole: true },
            () if named("number") => Typed::Number { whole: false },
            () if named("string") => Typed::Text,
            () if named("boolean") => Typed::Boolean,
            () => Typed::Any,
        }
    }

    /// The words that a choice takes; schemars writes a documented enum as `oneOf` constants.
    fn choices(&self) -> Option<Vec<&'w Value>> {
        let constants =
            |options: &'w Vec<Value>| options.iter().filter_map(|option| option.get("const")).collect();
        let listed = self.node.get("enum").and_then(Value::as_array).map(|options| options.iter().collect());
        listed.or_else(|| self.node.get("oneOf").and_then(Value::as_array).map(constants))
    }

    fn properties(&self) -> impl Iterator<Item = (&'w String, &'w Value)> + use<'w> {
        self.node.get("properties").and_then(Value::as_object).into_iter().flatten()
    }

    fn requires(&self, key: &str) -> bool {
        let required = self.node.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|one| one == key))
    }

    /// What a key that an earlier version knew is called now.
    fn renamed(&self, key: &str) -> Option<&'w str> {
        self.node.get("x-renamed").and_then(|names| names.get(key)).and_then(Value::as_str)
    }

    /// What is written instead of a key that an earlier version knew.
    fn gone(&self, key: &str) -> Option<&'w str> {
        self.node.get("x-gone").and_then(|keys| keys.get(key)).and_then(Value::as_str)
    }

    fn reads(&self) -> Option<&'w str> {
        self.node.get("x-reads").and_then(Value::as_str)
    }

    /// The upper bound: the schema's, or that of the number's type.
    fn most(&self) -> Option<Value> {
        let of_type = || match self.node.get("format").and_then(Value::as_str)? {
            "uint8" => Some(u8::MAX.into()),
            "uint16" => Some(u16::MAX.into()),
            "uint32" => Some(u32::MAX.into()),
            "uint" | "uint64" => Some(i64::MAX.into()),
            _ => None,
        };
        self.node.get("maximum").cloned().or_else(of_type)
    }
}

/// What a form's values are.
#[derive(Clone, Copy)]
enum Typed {
    Object,
    Array,
    Text,
    Number { whole: bool },
    Boolean,
    Any,
}

impl Typed {
    const fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::Text => "string",
            Self::Number { whole: true } => "integer",
            Self::Number { whole: false } => "number",
            Self::Boolean => "boolean",
            Self::Any => "anything",
        }
    }

    const fn is_plain(self) -> bool {
        matches!(self, Self::Number { .. } | Self::Boolean)
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

fn list(keys: &[&String]) -> String {
    keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ")
}

/// The known name most like `key`, if any is close enough to be a slip.
#[must_use]
pub fn nearest<'k, S: AsRef<str>>(key: &str, known: &'k [S]) -> Option<&'k str> {
    known
        .iter()
        .map(AsRef::as_ref)
        .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
