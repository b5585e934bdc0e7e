//! From `[rooms]` to the plan.

use super::context::Check;
use crate::keys::scenario::Scenario;
use crate::plan::rooms::Rooms;

/// Longest name of a room.
const MAX_NAME: usize = 128;

pub(super) fn rooms(check: &mut Check<'_>, scenario: &Scenario) -> Rooms {
    let name = &scenario.rooms.name;
    let rooms = Rooms::new(scenario.players, scenario.rooms.size.unwrap_or(scenario.players), name);
    if !(1..=MAX_NAME).contains(&name.len()) || name.chars().any(char::is_control) {
        check.wrong(
            "/rooms/name",
            format!("must have 1 to {MAX_NAME} printable bytes"),
            "write e.g. \"room-{n}\"",
        );
    }
    if rooms.count() > 1 && !name.contains(Rooms::NUMBER) {
        check.wrong_beside(
            "/rooms/name",
            &["/rooms/size", "/players"],
            format!("is the same for all {} rooms", rooms.count()),
            "put {n}, the room's number, into it, e.g. \"room-{n}\"; or leave size out: then all players are in one room",
        );
    }
    rooms
}
