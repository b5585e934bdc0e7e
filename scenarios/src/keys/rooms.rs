//! The shape of `[rooms]`. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::units;

/// Rooms that players are in: what `${room}` stands for, and who gets what is pushed to a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rooms {
    /// Players of a room, 1 to 1,000,000: the first room has the players with the lowest numbers. Default: all are in one.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[schemars(transform = units::as_count)]
    pub size: Option<u32>,
    /// What rooms are called; `{n}` stands for the room's number, from 0.
    pub name: String,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { size: None, name: "room-{n}".into() }
    }
}
