//! A message with places for values.

use std::borrow::Cow;
use std::io::Write;

use serde::de::IgnoredAny;
use smallvec::SmallVec;

use super::error::TemplateError;
use super::escape;
use super::filter::Filter;
use super::json;
use super::name::Name;
use super::names::Names;
use super::part::{Part, Place, Stands};
use crate::matching::View;
use crate::places::{Piece, Unclosed, pieces};
use crate::values::{Missing, Values};

/// A message with places for values: `{"id":"${id}","text":"${text}"}`. A value is escaped as its place asks: in JSON
/// quotes as the inside of a string, elsewhere in JSON as a value, outside of JSON not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    fixed_bytes: usize,
}

/// A value that stands in a message.
enum Given<'v> {
    Text(Cow<'v, str>),
    Number(u64),
    List(Cow<'v, [String]>),
    /// JSON as it is.
    Json(Cow<'v, str>),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`] where a name is unknown, or where the message could never be what it looks like.
    pub fn compile(text: &str, names: &mut dyn Names) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        for piece in pieces(text).map_err(|Unclosed(at)| TemplateError::Unclosed { at })? {
            parts.push(match piece {
                Piece::Literal(literal, at) => Part::Literal { text: literal.to_owned(), at },
                Piece::Place(source, at) => Part::Place(place(source, at, names)?),
            });
        }
        json::settle(&mut parts)?;
        let literals = parts.iter().map(|part| match part {
            Part::Literal { text, .. } => text.len(),
            Part::Place(_) => 0,
        });
        Ok(Self { fixed_bytes: literals.sum(), parts })
    }

    /// The template of a URL's path: each value stays one segment of it, whatever it holds.
    pub(crate) fn of_a_path(mut self) -> Self {
        for part in &mut self.parts {
            if let Part::Place(place) = part {
                place.filters.push(Filter::Segment);
                place.stands = Stands::Raw;
            }
        }
        self
    }

    /// The message with these values; [`Name::Received`] is missing, since there is no message that it could be read from.
    ///
    /// # Errors
    /// [`Missing`] where a value that it needs is not there.
    pub fn render(&self, values: &dyn Values) -> Result<String, Missing> {
        self.fill(|place| {
            Some(match &place.name {
                Name::Id => Given::Number(values.id()),
                Name::NowMs => Given::Number(values.now_ms()),
                Name::Recipients => Given::List(values.recipients()),
                Name::Recipient => Given::Text(match values.recipients() {
                    Cow::Borrowed(players) => Cow::Borrowed(players.first()?),
                    Cow::Owned(players) => Cow::Owned(players.into_iter().next()?),
                }),
                Name::Player => Given::Text(values.player()),
                Name::Text => Given::Text(values.text()),
                Name::Token => Given::Text(values.token()?),
                Name::Room => Given::Text(values.room()),
                Name::Kept(number) => Given::Text(values.kept(*number)?),
                Name::Parameter(name) => Given::Text(values.parameter(name)?),
                Name::Received(_) => return None,
            })
        })
    }

    /// The message with values of the one that was received, and `now_ms`; any other name is missing.
    ///
    /// # Errors
    /// [`Missing`] where the received message lacks a value.
    pub fn reply(&self, received: &View<'_>, now_ms: u64) -> Result<String, Missing> {
        self.fill(|place| match (&place.name, place.stands) {
            (Name::NowMs, _) => Some(Given::Number(now_ms)),
            (Name::Received(slot), Stands::Json) => received.json(*slot).map(Given::Json),
            (Name::Received(slot), _) => received.text(*slot).map(Given::Text),
            _ => None,
        })
    }

    /// The names that it holds, in order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.places().map(|place| &place.name)
    }

    /// Whether it holds a name.
    #[must_use]
    pub fn asks_for(&self, name: &Name) -> bool {
        self.names().any(|held| held == name)
    }

    /// Bytes beside what differs from send to send.
    #[must_use]
    pub fn fixed_bytes(&self) -> usize {
        self.fixed_bytes
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(place) => Some(place),
            Part::Literal { .. } => None,
        })
    }

    /// Asks for every value first, so that the message is allocated once.
    fn fill<'v>(&self, mut value: impl FnMut(&Place) -> Option<Given<'v>>) -> Result<String, Missing> {
        let mut given: SmallVec<[Given<'v>; 8]> = SmallVec::new();
        let mut length = self.fixed_bytes;
        for place in self.places() {
            let value = value(place).ok_or_else(|| Missing { name: place.name_as_written().to_owned() })?;
            length += value.length();
            given.push(value);
        }
        let (mut message, mut given) = (Vec::with_capacity(length), given.into_iter());
        for part in &self.parts {
            match part {
                Part::Literal { text, .. } => message.extend_from_slice(text.as_bytes()),
                Part::Place(place) => {
                    if let Some(value) = given.next() {
                        value.write(place, &mut message);
                    }
                }
            }
        }
        Ok(escape::text(message))
    }
}

impl Given<'_> {
    /// About how many bytes it takes.
    fn length(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len() + 2,
            Self::Number(_) => 20,
            Self::List(texts) => texts.iter().map(|text| text.len() + 3).sum::<usize>() + 2,
        }
    }

    fn write(self, place: &Place, message: &mut Vec<u8>) {
        if place.filters.is_empty() {
            return self.write_as(place.stands, message);
        }
        let text =
            place.filters.iter().fold(self.into_text(), |text, filter| Cow::Owned(filter.apply(&text)));
        Given::Text(text).write_as(place.stands, message);
    }

    fn write_as(self, stands: Stands, message: &mut Vec<u8>) {
        match (self, stands) {
            // Writing into memory succeeds.
            (Self::Number(number), _) => _ = write!(message, "{number}"),
            (Self::List(texts), Stands::Raw | Stands::Json) => escape::json(texts.as_ref(), message),
            (Self::Json(json), Stands::Raw | Stands::Json) => message.extend_from_slice(json.as_bytes()),
            (Self::Text(text), Stands::Raw) => message.extend_from_slice(text.as_bytes()),
            // A number that was kept stays a number.
            (Self::Text(text), Stands::Json) if serde_json::from_str::<IgnoredAny>(&text).is_ok() => {
                message.extend_from_slice(text.as_bytes());
            }
            (Self::Text(text), Stands::Json) => escape::json(text.as_ref(), message),
            (value, Stands::Quoted) => escape::inside_string(&value.into_text(), message),
        }
    }
}

impl<'v> Given<'v> {
    fn into_text(self) -> Cow<'v, str> {
        match self {
            Self::Text(text) | Self::Json(text) => text,
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::List(texts) => {
                let mut list = Vec::new();
                escape::json(texts.as_ref(), &mut list);
                Cow::Owned(escape::text(list))
            }
        }
    }
}

/// Reads what stands between the braces: a name, then filters.
fn place(source: &str, at: usize, names: &mut dyn Names) -> Result<Place, TemplateError> {
    let unknown = |name: &str, names: &dyn Names| {
        let known = names.all();
        let near = documents::form::nearest(name, &known).map(str::to_owned);
        TemplateError::UnknownName { name: name.to_owned(), near, known, at }
    };
    // A pointer has `|json` of its own.
    if source.starts_with('/') {
        let name = names.find(source).ok_or_else(|| unknown(source, names))?;
        return Ok(Place { name, filters: Vec::new(), stands: Stands::Raw, source: source.to_owned(), at });
    }
    let mut words = source.split('|');
    let name = words.next().unwrap_or_default();
    let name = names.find(name).ok_or_else(|| unknown(name, names))?;
    let filters = words.map(|word| {
        Filter::named(word).ok_or_else(|| TemplateError::UnknownFilter { filter: word.to_owned(), at })
    });
    Ok(Place {
        name,
        filters: filters.collect::<Result<_, _>>()?,
        stands: Stands::Raw,
        source: source.to_owned(),
        at,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::names::{ReceivedNames, SendNames};
    use super::super::sample::Sample;
    use super::*;
    use crate::matching::{Compiler, Rule};

    /// Values with the same text wherever a text is asked for.
    struct Everywhere<'a>(&'a str, u64);

    impl Values for Everywhere<'_> {
        fn id(&self) -> u64 {
            self.1
        }
        fn player(&self) -> Cow<'_, str> {
            self.0.into()
        }
        fn recipients(&self) -> Cow<'_, [String]> {
            vec![self.0.to_owned(), "b".to_owned()].into()
        }
        fn text(&self) -> Cow<'_, str> {
            self.0.into()
        }
        fn token(&self) -> Option<Cow<'_, str>> {
            None
        }
        fn room(&self) -> Cow<'_, str> {
            self.0.into()
        }
        fn now_ms(&self) -> u64 {
            self.1
        }
        fn kept(&self, _: usize) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }
        fn parameter(&self, _: &str) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }
    }

    fn compile(text: &str) -> Result<Template, TemplateError> {
        let kept = ["ref".to_owned()];
        Template::compile(text, &mut SendNames { kept: &kept, parameters: vec!["mode"] })
    }

    fn rendered(text: &str, value: &str) -> String {
        compile(text).unwrap().render(&Everywhere(value, 7)).unwrap()
    }

    #[test]
    fn a_value_is_escaped_as_its_place_asks() {
        let nasty = "a\"b\\\n";
        assert_eq!(rendered("say ${text}", nasty), "say a\"b\\\n");
        assert_eq!(rendered(r#"{"t":"${text}"}"#, nasty), r#"{"t":"a\"b\\\n"}"#);
        assert_eq!(rendered(r#"42["say","${text}",${id}]"#, nasty), r#"42["say","a\"b\\\n",7]"#);
        assert_eq!(
            rendered("SEND\nto:${room}\n\n{\"t\":\"${text}\"}\u{0}", "\""),
            "SEND\nto:\"\n\n{\"t\":\"\\\"\"}\u{0}"
        );
        assert_eq!(rendered("to [room] ${text}", "\""), "to [room] \"");
        assert_eq!(rendered("to [${room}] ${text}", "\""), "to [\"] \"");
        assert_eq!(rendered("\"${text}\"", "\n"), "\"\\n\"");
        assert_eq!(rendered("\"${text}\" it says", "\n"), "\"\n\" it says");
        assert_eq!(
            rendered(r#"{"to":${recipients},"one":"${recipient}"}"#, "\""),
            r#"{"to":["\"","b"],"one":"\""}"#
        );
        assert_eq!(rendered(r#"{"to":"${recipients}"}"#, "a"), r#"{"to":"[\"a\",\"b\"]"}"#);
        assert_eq!(rendered(r#"{"n":${mode},"ref":${ref}}"#, "12"), r#"{"n":12,"ref":12}"#);
        assert_eq!(rendered(r#"{"n":${mode}}"#, "ranked"), r#"{"n":"ranked"}"#);
        assert_eq!(rendered(r#"{"n":"$${text}${id}"}"#, ""), r#"{"n":"${text}7"}"#);
        assert_eq!(rendered("{\"a\":\"\\\"{${text}\"}", "\n"), "{\"a\":\"\\\"{\\n\"}");
    }

    #[test]
    fn filters_come_before_the_place() {
        assert_eq!(rendered("${text|url} ${text|base64} ${text|json}", "a \"b"), "a%20%22b YSAiYg== a \\\"b");
        let twice = rendered(r#"{"data":"{\"t\":\"${text|json}\"}"}"#, "\"é\n");
        let outer: Value = serde_json::from_str(&twice).unwrap();
        let inner: Value = serde_json::from_str(outer["data"].as_str().unwrap()).unwrap();
        assert_eq!(inner, json!({ "t": "\"é\n" }));
    }

    #[test]
    fn what_can_never_be_a_message_is_refused_where_it_stands() {
        let refused = |text: &str| {
            let error = compile(text).unwrap_err();
            assert!(!error.remedy().is_empty());
            (error.to_string(), error.at())
        };
        assert_eq!(refused("x${text").1, 1);
        let error = compile("a ${txt}").unwrap_err();
        assert_eq!((error.remedy().as_str(), error.at()), ("`${text}` is meant?", 2));
        assert!(compile("${zzzzzzzz}").unwrap_err().remedy().contains("recipients, recipient, text"));
        assert_eq!(refused("${text|jsn}"), ("`|jsn` is no filter".into(), 0));
        let outside = |place: &str| format!("`${{{place}}}` is a text, and stands in JSON outside of quotes");
        assert_eq!(refused(r#"{"t":${text}}"#), (outside("text"), 5));
        assert_eq!(refused(r#"42["say",${text}]"#), (outside("text"), 9));
        assert_eq!(refused(r#"{"t":${id|base64}}"#), (outside("id|base64"), 5));
        for (text, at) in [
            (r#"{"t":"${text}""#, 13),
            (r#"{"a":1,"t":"${text}",}"#, 21),
            (r#"{"a":1}x"#, 7),
            (r#"{"a":0${id}}"#, 6),
            (r#"{"a":1${mode}}"#, 6),
            ("[\n 1,\n ${id} 2]", 13),
        ] {
            let (problem, place) = refused(text);
            assert!(problem.starts_with("it begins like JSON and is none: "), "{text}: {problem}");
            assert_eq!(place, at, "{text}: {problem}");
        }
    }

    #[test]
    fn a_template_tells_what_it_needs() {
        let template = compile(r#"{"id":"${id}","t":"${text}","token":"${token}"}"#).unwrap();
        assert!(template.asks_for(&Name::Text) && !template.asks_for(&Name::Room));
        assert_eq!(template.names().collect::<Vec<_>>(), [&Name::Id, &Name::Text, &Name::Token]);
        assert_eq!(template.fixed_bytes(), r#"{"id":"","t":"","token":""}"#.len());
        let missing = template.render(&Everywhere("", 1)).unwrap_err();
        assert_eq!(missing, Missing { name: "token".into() });
        let kept = ["ref".to_owned()];
        let sample = Sample { kept: &kept, parameters: BTreeMap::from([("mode".into(), json!(["x"]))]) };
        let shown = compile(r#"{"m":${mode},"r":"${ref}"}"#).unwrap().render(&sample).unwrap();
        assert_eq!(shown, r#"{"m":["x"],"r":"ref"}"#);
    }

    #[test]
    fn a_reply_is_made_of_what_was_received() {
        let mut compiler = Compiler::default();
        let rule = Rule::read([("/type", &json!("ping"))]).unwrap();
        let rule = compiler.rule(&rule, None);
        let mut names = ReceivedNames { compiler: &mut compiler, rule };
        let text = r#"{"n":${/n},"s":"${/s}","o":${/o},"at":${now_ms}}"#;
        let reply = Template::compile(text, &mut names).unwrap();
        let error = Template::compile("${n}", &mut names).unwrap_err();
        assert!(error.remedy().contains("a pointer"), "{error:?}");
        let matcher = compiler.finish();
        let ping = r#"{"type":"ping","n":1.50,"s":"a\"b","o":{"x": [1]}}"#;
        assert_eq!(
            reply.reply(&matcher.view(ping), 9).unwrap(),
            r#"{"n":1.5,"s":"a\"b","o":{"x":[1]},"at":9}"#
        );
        let missing = reply.reply(&matcher.view(r#"{"type":"ping"}"#), 9).unwrap_err();
        assert_eq!(missing.name, "/n");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn values_come_back_whatever_they_are(value in any::<String>(), id: u64) {
            let text = concat!(
                r#"{"id":${id},"ids":"${id}","t":"a ${text} b","to":${recipients},"in":"{\"t\":\"${text|json}\"}","#,
                r#""mode":${mode},"mode text":"${mode}"}"#,
            );
            let message = compile(text).unwrap().render(&Everywhere(&value, id)).unwrap();
            let read: Value = serde_json::from_str(&message).unwrap();
            prop_assert_eq!(&read["id"], &json!(id));
            prop_assert_eq!(&read["ids"], &json!(id.to_string()));
            prop_assert_eq!(&read["t"], &json!(format!("a {value} b")));
            prop_assert_eq!(&read["to"], &json!([value, "b"]));
            let inner: Value = serde_json::from_str(read["in"].as_str().unwrap()).unwrap();
            prop_assert_eq!(&inner, &json!({ "t": value }));
            prop_assert_eq!(&read["mode text"], &json!(value));
            let arrays = compile(r#"4${id}["say","${text}"]"#).unwrap().render(&Everywhere(&value, id)).unwrap();
            let array = arrays.strip_prefix(&format!("4{id}")).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(array).unwrap(), json!(["say", value]));
        }

        #[test]
        fn no_text_panics(text in "([\\[\\]{}\":,a1é\\\\ \n]|\\$\\{|text|id|mode|\\||json|\\}){0,30}", value in ".{0,5}") {
            let Ok(template) = compile(&text) else { return Ok(()) };
            let message = template.render(&Everywhere(&value, 7)).unwrap();
            if text.starts_with(['{', '[']) {
                prop_assert!(serde_json::from_str::<Value>(&message).is_ok(), "{} {}", text, message);
            }
        }
    }

    #[test]
    fn in_a_path_each_value_stays_a_segment_whatever_is_made_of_it() {
        let path = |text: &str, value: &str| {
            compile(text).unwrap().of_a_path().render(&Everywhere(value, 7)).unwrap()
        };
        assert_eq!(path("/a/${room}/${id}", "b/c?"), "/a/b%2Fc%3F/7");
        assert_eq!(path("/a/${room}", ".."), "/a/%2E%2E");
        assert_eq!(path("/a/${text|base64}", "?>?>"), "/a/Pz4%2FPg%3D%3D", "encoded at the end, and once");
    }
}
