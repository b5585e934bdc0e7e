//! The matcher beside a plain reading of the same rules: over a document, one rule after the other.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use proptest::prelude::*;
use protocol::matching::{Compiler, Pointer, Rule, overlap};
use serde_json::{Map, Value, json};

/// The value at a pointer; `null` is none.
fn at(document: &Value, pointer: &str) -> Option<Value> {
    let mut value = document.clone();
    for part in pointer.split('/').skip(1) {
        let (name, into_json) = part.strip_suffix("|json").map_or((part, false), |name| (name, true));
        value = match &value {
            Value::Object(members) => members.get(name)?.clone(),
            Value::Array(elements) => elements.get(name.parse::<usize>().ok()?)?.clone(),
            _ => return None,
        };
        if into_json {
            value = serde_json::from_str(value.as_str()?).ok()?;
        }
    }
    (!value.is_null()).then_some(value)
}

fn holds(rule: &Value, message: &str) -> bool {
    let mut document = serde_json::from_str::<Value>(message).ok();
    if !message.trim_start().starts_with(['{', '[']) {
        document = None;
    }
    if let Some(pattern) = rule.get("pattern").and_then(Value::as_str) {
        let rest = message.strip_prefix(pattern.trim_end_matches("${json}"));
        let Some(Ok(json)) = rest.map(serde_json::from_str) else { return false };
        document = Some(json);
    }
    let asked = rule.as_object().unwrap();
    let ids =
        asked.iter().filter(|(_, test)| **test == json!("${id}")).map(|(key, _)| at(document.as_ref()?, key));
    let mut ids =
        ids.map(|id| id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned).parse::<u64>()));
    let first = ids.next();
    ids.all(|id| Some(id) == first)
        && asked.iter().all(|(key, test)| match (key.as_str(), test.as_str()) {
            ("pattern", _) => true,
            ("text", Some(text)) => message == text,
            ("starts", Some(text)) => message.starts_with(text),
            ("contains", Some(text)) => message.contains(text),
            _ => document.as_ref().is_some_and(|document| passes(test, at(document, key))),
        })
}

fn passes(test: &Value, value: Option<Value>) -> bool {
    let same = |one: &Value, other: &Value| match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other && !one.is_boolean(),
    };
    let Some(value) = value else { return *test == json!(false) };
    match test {
        Value::Bool(there) => *there,
        Value::String(text) if text == "${id}" => {
            value.is_u64()
                || value.as_str().is_some_and(|text| text.parse::<u64>().is_ok() && !text.starts_with('+'))
        }
        Value::Array(these) => these.iter().any(|one| same(one, &value)),
        Value::Object(test) => test.iter().all(|(kind, wanted)| match kind.as_str() {
            "from" => value.as_f64().is_some_and(|value| value >= wanted.as_f64().unwrap()),
            "to" => value.as_f64().is_some_and(|value| value <= wanted.as_f64().unwrap()),
            "starts" => value.as_str().is_some_and(|text| text.starts_with(wanted.as_str().unwrap())),
            "contains" => value.as_str().is_some_and(|text| text.contains(wanted.as_str().unwrap())),
            "is" => value == *wanted,
            _ => !same(&value, wanted),
        }),
        test => same(test, &value),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            "a",
            "ab",
            "b",
            "7",
            "+7",
            "12",
            "{\"a\":1}",
            "[\"a\",{\"b\":\"a\"}]",
            "{\"a\":1"
        ])
        .prop_map(str::to_owned),
        "[ab\"\\\\/\n\u{1}é\u{1f600}]{0,4}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        (-3_i64..13).prop_map(Value::from),
        prop::sample::select(vec![json!(1.0), json!(-2.5), json!(7e3), json!(u64::MAX)]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![scalar(), any::<bool>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab01é]", inner.clone(), 0..4)
                .prop_map(|members| Value::from(Map::from_iter(members))),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

fn pointer() -> impl Strategy<Value = String> {
    prop::collection::vec("/[ab01é](\\|json)?", 1..4).prop_map(|steps| steps.concat())
}

fn test() -> impl Strategy<Value = Value> {
    let objects = prop_oneof![
        (-3_i64..13, 0_i64..5).prop_map(|(from, more)| json!({ "from": from, "to": from + more })),
        text().prop_map(|text| json!({ "starts": text })),
        text().prop_map(|text| json!({ "contains": text })),
        any::<bool>().prop_map(|is| json!({ "is": is })),
        scalar().prop_map(|scalar| json!({ "not": scalar })),
    ];
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        scalar(),
        Just(json!("${id}")),
        prop::collection::vec(scalar(), 1..3).prop_map(Value::from),
        objects,
    ]
}

fn rule() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        6 => Just(None),
        1 => Just(Some(("pattern", "4${json}".to_owned()))),
        1 => "[{\\[4]".prop_map(|text| Some(("starts", text))),
        1 => "[ab\"]{1,2}".prop_map(|text| Some(("contains", text))),
        1 => text().prop_map(|text| Some(("text", text))),
    ];
    (prop::collection::btree_map(pointer(), test(), 0..3), texts)
        .prop_map(|(tests, text)| {
            let text = text.map(|(key, text)| (key.to_owned(), Value::from(text)));
            Value::from(Map::from_iter(tests.into_iter().chain(text)))
        })
        .prop_filter("it asks something", |rule| rule.as_object().is_some_and(|keys| !keys.is_empty()))
}

fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => value().prop_map(|value| value.to_string()),
        2 => value().prop_map(|value| format!("4{value}")),
        1 => value().prop_map(|value| format!(" {value:#} ")),
        1 => (value(), 1_usize..5).prop_map(|(value, cut)| {
            let text = value.to_string();
            text.chars().take(text.chars().count().saturating_sub(cut)).collect()
        }),
        1 => text(),
    ]
}

fn read(keys: &Value) -> Rule {
    Rule::read(keys.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn rules_hold_as_a_plain_reading_says(
        rules in prop::collection::vec(rule(), 1..8),
        pointers in prop::collection::vec(pointer(), 0..4),
        messages in prop::collection::vec(message(), 1..6),
    ) {
        let mut compiler = Compiler::default();
        let numbers: Vec<_> = rules.iter().map(|keys| compiler.rule(&read(keys), None)).collect();
        let slots: Vec<_> =
            pointers.iter().map(|text| compiler.value(&Pointer::parse(text).unwrap(), None)).collect();
        let matcher = compiler.finish();
        for message in &messages {
            let view = matcher.view(message);
            for (keys, number) in rules.iter().zip(&numbers) {
                prop_assert_eq!(view.holds(*number), holds(keys, message), "{} {}", keys, message);
            }
            let parts = message.trim_start().starts_with(['{', '[']);
            let document = serde_json::from_str::<Value>(message).ok().filter(|_| parts).unwrap_or_default();
            for (pointer, slot) in pointers.iter().zip(&slots) {
                let value = at(&document, pointer);
                let json = view.json(*slot).map(|json| serde_json::from_str(&json).unwrap());
                prop_assert_eq!(&json, &value, "{} {}", pointer, message);
                let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                prop_assert_eq!(view.text(*slot).map(String::from), text, "{} {}", pointer, message);
            }
            for (one, first) in rules.iter().zip(&numbers) {
                for (other, second) in rules.iter().zip(&numbers) {
                    let both = view.holds(*first) && view.holds(*second);
                    prop_assert!(!both || overlap(&read(one), &read(other)), "{} {} {}", one, other, message);
                }
            }
        }
    }

    #[test]
    fn no_text_panics(
        rules in prop::collection::vec(rule(), 1..4),
        message in prop_oneof![any::<String>(), "[\\[\\]{}:,\"\\\\u0d8ab4n \n-]{0,40}"],
    ) {
        let mut compiler = Compiler::default();
        let numbers: Vec<_> = rules.iter().map(|keys| compiler.rule(&read(keys), None)).collect();
        let matcher = compiler.finish();
        let view = matcher.view(&message);
        for (keys, number) in rules.iter().zip(numbers) {
            // Escapes that stand for no text are only looked at where a rule asks for their string.
            if !message.contains("\\u") {
                prop_assert_eq!(view.holds(number), holds(keys, &message), "{} {}", keys, message);
            }
        }
    }
}

#[test]
fn a_name_that_stands_there_twice_counts_as_it_stands_last() {
    let mut compiler = Compiler::default();
    let rule = compiler.rule(&read(&json!({ "/a/b": 1 })), None);
    let none = compiler.rule(&read(&json!({ "/a/b": false })), None);
    let matcher = compiler.finish();
    for (message, wanted) in [
        (r#"{"a":{"b":1},"a":{"b":2}}"#, (false, false)),
        (r#"{"a":{"b":2},"a":{"b":1}}"#, (true, false)),
        (r#"{"a":{"b":1},"a":5}"#, (false, true)),
        (r#"{"a":{"b":1,"b":null}}"#, (false, true)),
    ] {
        let view = matcher.view(message);
        assert_eq!((view.holds(rule), view.holds(none)), wanted, "{message}");
    }
}

#[test]
fn what_a_pattern_cuts_out_is_read_by_the_rules_within_it() {
    let mut compiler = Compiler::default();
    let when = compiler.rule(&read(&json!({ "pattern": "43${id}${json}", "/0/status": true })), None);
    let ok = compiler.rule(&read(&json!({ "/0/status": "ok" })), Some(when));
    let whole = compiler.rule(&read(&json!({ "/0/status": "ok" })), None);
    let room = compiler.value(&Pointer::parse("/0/room").unwrap(), Some(when));
    let id = compiler.capture("id", when).unwrap();
    assert_eq!(compiler.capture("room", when), None);
    let matcher = compiler.finish();
    let view = matcher.view(r#"4312[{"status":"ok","room":"a\u0062"}]"#);
    assert!(view.holds(when) && view.holds(ok) && !view.holds(whole));
    assert_eq!(
        (view.id(when), view.number(id), view.text(room).as_deref()),
        (Some(12), Some(12), Some("ab"))
    );
    let broken = matcher.view(r#"4312[{"status":"ok"}"#);
    assert!(!broken.holds(when) && !broken.holds(ok));
    assert_eq!(broken.text(id), None);
}

#[test]
fn an_id_is_the_same_wherever_a_rule_asks_for_it() {
    let mut compiler = Compiler::default();
    let rule = compiler.rule(&read(&json!({ "/0": "${id}", "/1": "${id}" })), None);
    let matcher = compiler.finish();
    for (message, id) in
        [("[7,\"7\"]", Some(7)), ("[7,8]", None), ("[7]", None), ("[7,\"x\"]", None), ("[7,-7]", None)]
    {
        let view = matcher.view(message);
        assert_eq!(view.holds(rule).then(|| view.id(rule)).flatten(), id, "{message}");
    }
}
