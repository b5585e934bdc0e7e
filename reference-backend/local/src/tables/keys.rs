//! Maps by keys whose hash is known.
//!
//! A table under load takes in and lets go of so many items that its maps rehash all the time. The standard library's
//! would read every key for that, none of which is in the cache any more; these remember the hash beside the key.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::mem;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Hash of a key; stable within the process.
pub(super) fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// A key and its hash. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) text: Arc<str>,
    pub(super) hash: u64,
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self { text: text.into(), hash: hash(text) }
    }
}

/// Values by key.
#[derive(Debug)]
pub(super) struct Keyed<V>(HashTable<(Key, V)>);

/// Keys.
pub(super) type Keys = Keyed<()>;

impl Keys {
    /// Takes some keys out, at most so many.
    pub(super) fn take_some(&mut self, most: usize) -> Vec<Key> {
        let taken: Vec<Key> = self.0.extract_if(|_| true).take(most).map(|(key, ())| key).collect();
        // Looking for the next ones must not pass the places of those every time.
        self.0.shrink_to(self.0.len(), |(key, ())| key.hash);
        taken
    }
}

impl<V> Default for Keyed<V> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<V> Keyed<V> {
    /// The value of a key that has this hash.
    pub(super) fn get(&self, hash: u64, key: &str) -> Option<&V> {
        self.0.find(hash, |(other, _)| *other.text == *key).map(|(_, value)| value)
    }

    /// Sets a key's value; what it was before.
    pub(super) fn insert(&mut self, key: Key, value: V) -> Option<V> {
        match self.0.entry(key.hash, |(other, _)| other.text == key.text, |(other, _)| other.hash) {
            Entry::Occupied(mut entry) => Some(mem::replace(&mut entry.get_mut().1, value)),
            Entry::Vacant(entry) => {
                entry.insert((key, value));
                None
            }
        }
    }

    /// Takes a key and its value out.
    pub(super) fn remove(&mut self, hash: u64, key: &str) -> Option<(Key, V)> {
        let found = self.0.find_entry(hash, |(other, _)| *other.text == *key);
        found.ok().map(|entry| entry.remove().0)
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every key with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It is a map, whatever comes and goes, and keys may share a hash.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0..40_u8, any::<Option<u16>>()), 0..400)) {
            let (mut keyed, mut model) = (Keyed::default(), HashMap::new());
            for (name, step) in steps {
                let key = Key { text: name.to_string().into(), hash: u64::from(name) % 7 };
                prop_assert_eq!(keyed.get(key.hash, &key.text), model.get(&name));
                match step {
                    Some(value) => prop_assert_eq!(keyed.insert(key, value), model.insert(name, value)),
                    None => {
                        let removed = keyed.remove(key.hash, &key.text);
                        prop_assert_eq!(removed.map(|(_, value)| value), model.remove(&name));
                    }
                }
            }
            prop_assert_eq!(keyed.iter().count(), model.len());
            prop_assert_eq!(keyed.is_empty(), model.is_empty());
        }
    }
}
