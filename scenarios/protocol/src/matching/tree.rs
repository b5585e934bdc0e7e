//! All pointers into one JSON text as a tree, and the pass over the text that reads their values.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::pointer::Step;

/// A place in a JSON text that is asked for, or on the way to one.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The value that is read here.
    slot: Option<usize>,
    /// Where it goes on by name or number.
    members: Vec<Member>,
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
    /// A value, as it is written.
    fn fill(&mut self, slot: usize, json: Cow<'m, str>);
    /// What was read before under these numbers does not count: a name stands there twice, or a string that began as JSON
    /// is none.
    fn forget(&mut self, slots: &[usize]);
}

impl Tree {
    /// Adds the way to a value.
    pub(super) fn add(&mut self, steps: &[Step], slot: usize) {
        let Some((step, rest)) = steps.split_first() else {
            self.slot = Some(slot);
            return;
        };
        self.below.push(slot);
        match step {
            Step::Json => self.json.get_or_insert_default().add(rest, slot),
            Step::Into(name) => {
                let known = self.members.iter().position(|member| *member.name == **name);
                let position = known.unwrap_or_else(|| {
                    let canonical = name == "0" || !name.starts_with(['0', '+']);
                    let number = canonical.then(|| name.parse().ok()).flatten();
                    self.members.push(Member { name: name.as_str().into(), number, tree: Self::default() });
                    self.members.len() - 1
                });
                self.members[position].tree.add(rest, slot);
            }
        }
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
        Place::<K, F> { tree: self, into, keep: PhantomData, message: PhantomData }
            .deserialize(&mut deserializer)?;
        deserializer.end()
    }

    fn read_string<'m>(&self, json: &str, into: &mut impl Fill<'m>) {
        if self.read_kept::<Own, _>(json, into).is_err() {
            into.forget(&self.below);
            into.forget(self.slot.as_slice());
        }
    }
}

/// How what is read is kept.
trait Keep<'de, 'm> {
    fn keep(json: &'de str) -> Cow<'m, str>;
}

/// It stands in the message.
struct Borrow;

impl<'m> Keep<'m, 'm> for Borrow {
    fn keep(json: &'m str) -> Cow<'m, str> {
        Cow::Borrowed(json)
    }
}

/// It stands in a string of the message, of which a copy without escapes has been made for the time of reading.
struct Own;

impl<'de, 'm> Keep<'de, 'm> for Own {
    fn keep(json: &'de str) -> Cow<'m, str> {
        Cow::Owned(json.to_owned())
    }
}

/// Reads the value at a place of the tree.
struct Place<'t, 'm, K, F> {
    tree: &'t Tree,
    into: &'t mut F,
    keep: PhantomData<K>,
    message: PhantomData<&'m str>,
}

impl<'t, 'm, K, F: Fill<'m>> Place<'t, 'm, K, F> {
    fn member<'s>(&'s mut self, tree: &'s Tree) -> Place<'s, 'm, K, F> {
        if !tree.below.is_empty() {
            self.into.forget(&tree.below);
        }
        Place { tree, into: self.into, keep: PhantomData, message: PhantomData }
    }

    fn descend<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error>
    where
        K: Keep<'de, 'm>,
    {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'm, K: Keep<'de, 'm>, F: Fill<'m>> DeserializeSeed<'de> for Place<'_, 'm, K, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(slot) = self.tree.slot else { return self.descend(deserializer) };
        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        self.into.fill(slot, K::keep(json));
        if !self.tree.below.is_empty() {
            let within = &mut serde_json::Deserializer::from_str(json);
            self.descend(within).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

impl<'de, 'm, K: Keep<'de, 'm>, F: Fill<'m>> Visitor<'de> for Place<'_, 'm, K, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(member) = map.next_key_seed(Name(&self.tree.members))? {
            match member {
                Some(tree) => map.next_value_seed(self.member(tree))?,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
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

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Some(tree) = &self.tree.json {
            tree.read_string(text, self.into);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Finds the member of a name.
struct Name<'t>(&'t [Member]);

impl<'de, 't> DeserializeSeed<'de> for Name<'t> {
    type Value = Option<&'t Tree>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'_> for Name<'t> {
    type Value = Option<&'t Tree>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|member| *member.name == *name).map(|member| &member.tree))
    }
}
