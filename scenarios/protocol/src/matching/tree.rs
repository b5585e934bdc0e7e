//! All pointers into one JSON text as a tree, and the pass over the text that reads their values.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Number, Value};

use super::found::Found;
use super::pointer::Step;

/// Names from this length on are looked for as if they had it.
const LONGEST: usize = 24;

/// A place in a JSON text that is asked for, or on the way to one.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The value that is read here.
    slot: Option<usize>,
    /// Whether it is kept even where it is an object or an array.
    parts: bool,
    /// Where it goes on by name or number; by the length of the name, once [`seal`](Self::seal)ed.
    members: Vec<Member>,
    /// The first member whose name has this length, and the end.
    by_length: [u16; LONGEST + 2],
    /// Where it goes on in the JSON that a string holds.
    json: Option<Box<Tree>>,
    /// The values that are read further in.
    below: Vec<usize>,
}

#[derive(Debug)]
struct Member {
    name: Box<str>,
    /// The name as the number of an element.
    number: Option<usize>,
    tree: Tree,
}

/// What becomes of values that are read.
pub(super) trait Fill<'m> {
    /// A value.
    fn fill(&mut self, slot: usize, found: Found<'m>);
    /// What was read before under these numbers does not count: a name stands there twice, or a string that began as JSON
    /// is none.
    fn forget(&mut self, slots: &[usize]);
}

impl Tree {
    /// Adds the way to a value.
    pub(super) fn add(&mut self, steps: &[Step], slot: usize) {
        self.way(steps, &mut |tree| tree.below.push(slot)).slot = Some(slot);
    }

    /// From now on the value at the end of this way is kept even where it is an object or an array.
    pub(super) fn keep_parts(&mut self, steps: &[Step]) {
        self.way(steps, &mut |_| ()).parts = true;
    }

    /// The end of a way; `passing` sees each place before it.
    fn way(&mut self, steps: &[Step], passing: &mut dyn FnMut(&mut Self)) -> &mut Self {
        let Some((step, rest)) = steps.split_first() else { return self };
        passing(self);
        match step {
            Step::Json => self.json.get_or_insert_default().way(rest, passing),
            Step::Into(name) => {
                let known = self.members.iter().position(|member| *member.name == **name);
                let position = known.unwrap_or_else(|| {
                    let canonical = name == "0" || !name.starts_with(['0', '+']);
                    let number = canonical.then(|| name.parse().ok()).flatten();
                    self.members.push(Member { name: name.as_str().into(), number, tree: Self::default() });
                    self.members.len() - 1
                });
                self.members[position].tree.way(rest, passing)
            }
        }
    }

    /// Puts the members in order, once all have been added.
    pub(super) fn seal(&mut self) {
        let length = |member: &Member| member.name.len().min(LONGEST);
        self.members.sort_by_key(length);
        for (at, first) in self.by_length.iter_mut().enumerate() {
            let shorter = self.members.partition_point(|member| length(member) < at);
            *first = u16::try_from(shorter).unwrap_or(u16::MAX);
        }
        self.members.iter_mut().for_each(|member| member.tree.seal());
        if let Some(json) = &mut self.json {
            json.seal();
        }
    }

    /// Where it goes on by this name.
    #[inline]
    fn named(&self, name: &str) -> Option<&Self> {
        let length = name.len().min(LONGEST);
        let (from, to) = (usize::from(self.by_length[length]), usize::from(self.by_length[length + 1]));
        self.members.get(from..to)?.iter().find(|member| *member.name == *name).map(|member| &member.tree)
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.slot.is_none() && self.below.is_empty()
    }

    /// Reads the values from a JSON text.
    ///
    /// # Errors
    /// Where the text is not JSON; some values may have been read by then.
    pub(super) fn read<'m>(&self, json: &'m str, into: &mut impl Fill<'m>) -> serde_json::Result<()> {
        self.read_kept::<Borrow, _>(json, into)
    }

    fn read_kept<'de, 'm, K: Keep<'de, 'm>, F: Fill<'m>>(
        &self,
        json: &'de str,
        into: &mut F,
    ) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Place::<K, F>::new(self, into).deserialize(&mut deserializer)?;
        deserializer.end()
    }

    fn read_string<'m>(&self, json: &str, into: &mut impl Fill<'m>) {
        if self.read_kept::<Own, _>(json, into).is_err() {
            into.forget(&self.below);
            into.forget(self.slot.as_slice());
        }
    }
}

/// How a text that is read is kept.
trait Keep<'de, 'm> {
    fn keep(text: &'de str) -> Cow<'m, str>;
}

/// It stands in the message.
struct Borrow;

impl<'m> Keep<'m, 'm> for Borrow {
    #[inline]
    fn keep(text: &'m str) -> Cow<'m, str> {
        Cow::Borrowed(text)
    }
}

/// It stands in a string of the message, of which a copy without escapes has been made for the time of reading.
struct Own;

impl<'de, 'm> Keep<'de, 'm> for Own {
    fn keep(text: &'de str) -> Cow<'m, str> {
        Cow::Owned(text.to_owned())
    }
}

/// Reads the value at a place of the tree.
struct Place<'t, 'm, K, F> {
    tree: &'t Tree,
    into: &'t mut F,
    /// Whether an object or array here has been kept, and only its parts are still asked for.
    kept: bool,
    types: PhantomData<(K, &'m str)>,
}

impl<'t, 'm, K, F: Fill<'m>> Place<'t, 'm, K, F> {
    fn new(tree: &'t Tree, into: &'t mut F) -> Self {
        Self { tree, into, kept: false, types: PhantomData }
    }

    fn member<'s>(&'s mut self, tree: &'s Tree) -> Place<'s, 'm, K, F> {
        if !tree.below.is_empty() {
            self.into.forget(&tree.below);
        }
        Place::new(tree, self.into)
    }

    #[inline]
    fn fill(&mut self, found: Found<'m>) {
        if let Some(slot) = self.tree.slot
            && !self.kept
        {
            self.into.fill(slot, found);
        }
    }

    /// Whether an object or array here is to be kept before its parts are read.
    fn keeps_parts(&self) -> bool {
        self.tree.parts && !self.kept
    }

    /// Keeps an object or array, then reads its parts.
    fn keep<E: Error>(mut self, parts: Value) -> Result<(), E> {
        self.fill(Found::Parts(Some(parts.to_string())));
        let within = Place::<Own, F> { tree: self.tree, into: self.into, kept: true, types: PhantomData };
        parts.deserialize_any(within).map_err(E::custom)
    }

    /// Reads on in the JSON that a string holds.
    #[inline]
    fn read_within(&mut self, text: &str) {
        if let Some(tree) = &self.tree.json {
            tree.read_string(text, self.into);
        }
    }
}

impl<'de, 'm, K: Keep<'de, 'm>, F: Fill<'m>> DeserializeSeed<'de> for Place<'_, 'm, K, F> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'm, K: Keep<'de, 'm>, F: Fill<'m>> Visitor<'de> for Place<'_, 'm, K, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.keeps_parts() {
            return self.keep(Value::deserialize(MapAccessDeserializer::new(map))?);
        }
        self.fill(Found::Parts(None));
        while let Some(member) = map.next_key_seed(Name(self.tree))? {
            match member {
                Some(tree) => map.next_value_seed(self.member(tree))?,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        if self.keeps_parts() {
            return self.keep(Value::deserialize(SeqAccessDeserializer::new(elements))?);
        }
        self.fill(Found::Parts(None));
        for number in 0.. {
            let member = self.tree.members.iter().find(|member| member.number == Some(number));
            let more = match member {
                Some(member) => elements.next_element_seed(self.member(&member.tree))?.is_some(),
                None => elements.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    #[inline]
    fn visit_borrowed_str<E>(mut self, text: &'de str) -> Result<(), E> {
        self.fill(Found::Text(K::keep(text)));
        self.read_within(text);
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        if self.tree.slot.is_some() {
            self.fill(Found::Text(Cow::Owned(text.to_owned())));
        }
        self.read_within(text);
        Ok(())
    }

    #[inline]
    fn visit_bool<E>(mut self, is: bool) -> Result<(), E> {
        self.fill(Found::Bool(is));
        Ok(())
    }

    #[inline]
    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.fill(Found::Number(number.into()));
        Ok(())
    }

    #[inline]
    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.fill(Found::Number(number.into()));
        Ok(())
    }

    fn visit_f64<E>(mut self, number: f64) -> Result<(), E> {
        // A float that is read from JSON is a number, never an infinity.
        if let Some(number) = Number::from_f64(number) {
            self.fill(Found::Number(number));
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        if let Some(slot) = self.tree.slot {
            self.into.forget(&[slot]);
        }
        Ok(())
    }
}

/// Finds the member of a name.
struct Name<'t>(&'t Tree);

impl<'de, 't> DeserializeSeed<'de> for Name<'t> {
    type Value = Option<&'t Tree>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'_> for Name<'t> {
    type Value = Option<&'t Tree>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.named(name))
    }
}
