//! Of whom a push is expected, and who has received it.

/// Bits in a word of a set.
const BITS: u32 = u64::BITS;

/// The players of whom a push is expected, and who has received it. A few among many are listed; of many that are close
/// together, as everyone is, each costs two bits.
#[derive(Debug)]
pub(super) struct Recipients {
    set: Set,
    missing: u32,
}

#[derive(Debug)]
enum Set {
    /// Sorted numbers, and whether each has received it.
    Listed(Box<[(u32, bool)]>),
    /// Words whose lowest bit stands for the player `first`: who is expected, who has received it.
    Bits { first: u32, words: Box<[(u64, u64)]> },
}

impl Recipients {
    /// None of these players has received anything yet.
    pub(super) fn new(mut players: Vec<u32>) -> Self {
        players.sort_unstable();
        players.dedup();
        let missing = u32::try_from(players.len()).unwrap_or(u32::MAX);
        let (first, last) = (players.first().copied(), players.last().copied());
        let span = first.zip(last).map_or(0, |(first, last)| (last - first) / BITS + 1) as usize;
        let listed = players.len() * size_of::<(u32, bool)>() <= span * size_of::<(u64, u64)>();
        let set = match first {
            Some(first) if !listed => {
                let mut words = vec![(0, 0); span].into_boxed_slice();
                for player in players {
                    let (word, bit) = place(player - first);
                    words[word].0 |= bit;
                }
                Set::Bits { first, words }
            }
            _ => Set::Listed(players.into_iter().map(|player| (player, false)).collect()),
        };
        Self { set, missing }
    }

    /// How many have not received it.
    pub(super) const fn missing(&self) -> u32 {
        self.missing
    }

    /// A player received it; whether that was the first time. `None` where it is not expected of the player.
    pub(super) fn receive(&mut self, player: u32) -> Option<bool> {
        let is_first = match &mut self.set {
            Set::Listed(players) => {
                let position = players.binary_search_by_key(&player, |(number, _)| *number).ok()?;
                !std::mem::replace(&mut players[position].1, true)
            }
            Set::Bits { first, words } => {
                let (word, bit) = place(player.checked_sub(*first)?);
                let (expected, received) = words.get_mut(word).filter(|(expected, _)| expected & bit != 0)?;
                let _ = expected;
                let is_first = *received & bit == 0;
                *received |= bit;
                is_first
            }
        };
        self.missing -= u32::from(is_first);
        Some(is_first)
    }

    /// Expects nothing more; returns of how many something was.
    pub(super) fn withdraw(&mut self) -> u32 {
        match &mut self.set {
            Set::Listed(players) => {
                *players = players.iter().copied().filter(|(_, received)| *received).collect();
            }
            Set::Bits { words, .. } => {
                words.iter_mut().for_each(|(expected, received)| *expected &= *received);
            }
        }
        std::mem::take(&mut self.missing)
    }

    /// Those that have not received it, in order.
    pub(super) fn each_missing(&self) -> Vec<u32> {
        match &self.set {
            Set::Listed(players) => {
                players.iter().filter(|(_, received)| !received).map(|(player, _)| *player).collect()
            }
            Set::Bits { first, words } => {
                let bits = |(word, &(expected, received)): (u32, &(u64, u64))| {
                    let missing = expected & !received;
                    (0..BITS).filter(move |bit| missing >> bit & 1 == 1).map(move |bit| word * BITS + bit)
                };
                (0..).zip(words).flat_map(bits).map(|offset| first + offset).collect()
            }
        }
    }
}

/// The word in which an offset's bit is, and the bit.
const fn place(offset: u32) -> (usize, u64) {
    ((offset / BITS) as usize, 1 << (offset % BITS))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn everyone_is_kept_in_bits_and_a_few_among_many_are_listed() {
        assert!(matches!(Recipients::new((5..10_000).collect()).set, Set::Bits { first: 5, .. }));
        assert!(matches!(Recipients::new(vec![5, 9_000]).set, Set::Listed(_)));
        assert_eq!(Recipients::new(Vec::new()).missing(), 0);
    }

    proptest! {
        #[test]
        fn both_sets_do_the_same(
            players in prop_oneof![
                prop::collection::vec(0_u32..300, 0..300),
                prop::collection::vec(any::<u32>(), 0..20),
            ],
            received in prop::collection::vec(0_u32..320, 0..100),
            withdrawn in 0_usize..100,
        ) {
            let mut model: BTreeMap<u32, bool> = players.iter().map(|player| (*player, false)).collect();
            let mut recipients = Recipients::new(players);
            for (number, player) in received.into_iter().enumerate() {
                if number == withdrawn {
                    let before = model.len();
                    model.retain(|_, received| *received);
                    prop_assert_eq!(recipients.withdraw() as usize, before - model.len());
                }
                let expected = model.get_mut(&player).map(|received| !std::mem::replace(received, true));
                prop_assert_eq!(recipients.receive(player), expected);
                let missing: Vec<u32> =
                    model.iter().filter(|(_, received)| !**received).map(|(player, _)| *player).collect();
                prop_assert_eq!(recipients.missing() as usize, missing.len());
                prop_assert_eq!(recipients.each_missing(), missing);
            }
        }
    }
}
