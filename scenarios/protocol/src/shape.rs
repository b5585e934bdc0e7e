//! What a message looks like, in a few words: for messages that no rule knows, so that those of one kind are counted
//! together whatever they hold.

use serde_json::Value;

/// Keys, or elements, that are named; the rest is left out.
const NAMED: usize = 6;
/// Keys whose value tells the kind of a message, where it is one word.
const KINDS: [&str; 7] = ["type", "event", "action", "op", "kind", "method", "t"];
/// The longest word that can be a kind.
const LONGEST_KIND: usize = 24;

/// What a message looks like: the kind of JSON, with its keys in order, or the beginning of a text.
#[must_use]
pub fn of(message: &str) -> String {
    match serde_json::from_str::<Value>(message) {
        Ok(Value::Object(map)) => {
            let kind = KINDS.iter().find_map(|key| map.get(*key)?.as_str().filter(|word| is_word(word)));
            let mut keys: Vec<_> = map.keys().map(String::as_str).collect();
            keys.sort_unstable();
            keys.truncate(NAMED);
            format!("json {} with {}", kind.unwrap_or("object"), keys.join(" "))
        }
        Ok(Value::Array(items)) => {
            let items: Vec<_> = items.iter().take(NAMED).map(name).collect();
            format!("json array of {}", items.join(" "))
        }
        Ok(value) => format!("json {}", name(&value)),
        Err(_) => {
            let words: Vec<_> = message.split_whitespace().filter(|word| is_word(word)).take(4).collect();
            format!("text {}", words.join(" "))
        }
    }
}

fn is_word(text: &str) -> bool {
    (1..=LONGEST_KIND).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-')
}

const fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "switch",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_kind_look_alike() {
        for (message, looks) in [
            (r#"{"itemId":"1","body":"x"}"#, "json object with body itemId"),
            (r#"{"body":"another","itemId":"2"}"#, "json object with body itemId"),
            (r#"{"type":"chat","n":1}"#, "json chat with n type"),
            (r#"{"type":"secret 1234","n":1}"#, "json object with n type"),
            (r#"[1,"a",null,{}]"#, "json array of number string null object"),
            ("42", "json number"),
            ("Hello World 17 again", "text Hello World again"),
            ("", "text "),
        ] {
            assert_eq!(of(message), looks);
        }
    }
}
