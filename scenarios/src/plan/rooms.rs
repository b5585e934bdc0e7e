//! Rooms: players with neighbouring numbers, as many as the scenario says; the last room may have fewer.

use std::ops::Range;

/// Who is in which room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooms {
    players: u32,
    size: u32,
    /// The name's parts, between which a room's number stands.
    name: Vec<String>,
}

impl Rooms {
    /// What stands for a room's number in its name.
    pub(crate) const NUMBER: &str = "{n}";

    /// Rooms of `size` players.
    pub(crate) fn new(players: u32, size: u32, name: &str) -> Self {
        let name = name.split(Self::NUMBER).map(str::to_owned).collect();
        Self { players, size: size.clamp(1, players.max(1)), name }
    }

    /// The room that a player is in, by number.
    #[must_use]
    pub const fn of(&self, player: u32) -> u32 {
        player / self.size
    }

    /// A room's players.
    #[must_use]
    pub fn members(&self, room: u32) -> Range<u32> {
        let first = room.saturating_mul(self.size).min(self.players);
        first..first.saturating_add(self.size).min(self.players)
    }

    /// What a room is called.
    #[must_use]
    pub fn name(&self, room: u32) -> String {
        self.name.join(&room.to_string())
    }

    /// The players of a player's room, itself among them.
    #[must_use]
    pub fn with(&self, player: u32) -> Range<u32> {
        self.members(self.of(player))
    }

    /// What a player's room is called.
    #[must_use]
    pub fn name_for(&self, player: u32) -> String {
        self.name(self.of(player))
    }

    /// How many rooms there are.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.players.div_ceil(self.size)
    }

    /// In how large a room a player is on average.
    #[must_use]
    pub fn mean_size(&self) -> f64 {
        let last = f64::from(self.players % self.size);
        let full = f64::from(self.players) - last;
        (full * f64::from(self.size) + last * last) / f64::from(self.players.max(1))
    }

    /// Players of a room; the last one may have fewer.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_player_is_in_exactly_one_room(players in 1_u32..5_000, size in 1_u32..6_000) {
            let rooms = Rooms::new(players, size, "r{n}");
            let all: Vec<u32> = (0..rooms.count()).flat_map(|room| rooms.members(room)).collect();
            prop_assert_eq!(all, (0..players).collect::<Vec<_>>());
            prop_assert!((0..players).all(|player| rooms.members(rooms.of(player)).contains(&player)));
            prop_assert!((0..rooms.count()).all(|room| !rooms.members(room).is_empty()));
        }
    }

    #[test]
    fn a_name_has_its_number_wherever_the_scenario_wants_it() {
        for (name, seventh) in [("room-{n}", "room-7"), ("{n}", "7"), ("a{n}b{n}", "a7b7"), ("all", "all")] {
            assert_eq!(Rooms::new(100, 10, name).name(7), seventh);
        }
    }
}
