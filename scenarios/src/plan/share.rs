//! Which players something concerns: an exact share of them, spread over all numbers, the same on every run.

/// A part of the players: those whose rank lies in a range. Ranks are a permutation of the numbers, so the part has
/// exactly its size, and neighbours (which share a goose user and a source address) are not concerned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    players: u64,
    stride: u64,
    first: u64,
    end: u64,
}

/// Golden ratio: its multiples spread evenly.
const EVEN: f64 = 0.618_033_988_749_894_9;
/// Plastic ratio: spreads evenly, too, and independently of the golden one.
const OTHER: f64 = 0.754_877_666_246_692_8;

impl Share {
    /// The players that churn.
    #[must_use]
    pub(crate) fn churning(players: u32, share: f64) -> Self {
        Self::new(players, OTHER, 0.0, share)
    }

    /// The players of a journey, whose ranks lie between two shares. No plan has both these and players that churn.
    #[must_use]
    pub(crate) fn travelling(players: u32, from: f64, to: f64) -> Self {
        Self::new(players, OTHER, from, to)
    }

    /// The players whose ranks lie between two shares; ranges that do not overlap have no player in common.
    #[must_use]
    pub(crate) fn between(players: u32, from: f64, to: f64) -> Self {
        Self::new(players, EVEN, from, to)
    }

    fn new(players: u32, ratio: f64, from: f64, to: f64) -> Self {
        let players = u64::from(players).max(1);
        let at = |share: f64| ((players as f64 * share).round() as u64).min(players);
        let mut stride = ((players as f64 * ratio).round() as u64).clamp(1, players);
        while gcd(stride, players) != 1 {
            stride -= 1;
        }
        Self { players, stride, first: at(from), end: at(to).max(at(from)) }
    }

    /// Whether a player belongs to it.
    #[must_use]
    pub fn holds(&self, player: u32) -> bool {
        let rank = u64::from(player) * self.stride % self.players;
        (self.first..self.end).contains(&rank)
    }

    /// Their numbers, ascending.
    pub fn members(&self) -> impl Iterator<Item = u32> {
        (0..self.players as u32).filter(|&player| self.holds(player))
    }

    /// How many they are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.end - self.first
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_share_has_exactly_its_share_and_no_player_of_its_neighbour(
            players in 1_u32..5_000, from in 0.0_f64..1.0, more in 0.0_f64..1.0,
        ) {
            let to = from + (1.0 - from) * more;
            let (one, next) = (Share::between(players, 0.0, from), Share::between(players, from, to));
            let count = |share: &Share| (0..players).filter(|&player| share.holds(player)).count() as u64;
            prop_assert_eq!(count(&one), one.size());
            prop_assert_eq!(count(&next), next.size());
            prop_assert_eq!(one.size(), (f64::from(players) * from).round() as u64);
            prop_assert!((0..players).all(|player| !(one.holds(player) && next.holds(player))));
        }
    }

    #[test]
    fn neighbours_are_spread() {
        let share = Share::between(1_000, 0.0, 0.1);
        for hundred in 0..10 {
            let inside = (hundred * 100..hundred * 100 + 100).filter(|&player| share.holds(player)).count();
            assert!((8..=12).contains(&inside), "{inside}");
        }
    }
}
