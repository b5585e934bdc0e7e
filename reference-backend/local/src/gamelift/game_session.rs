//! The game session of a fulfilled placement, with its player sessions.

use rand::RngExt;
use reference_backend::ports::StartPlacement;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::REGION;

/// A game session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GameSession {
    pub(super) ip_address: String,
    pub(super) dns_name: String,
    pub(super) port: u16,
    pub(super) game_session_arn: String,
    /// Player ids and their player session ids.
    pub(super) players: Vec<(String, String)>,
}

impl GameSession {
    /// A random game session for the players of `request`; its address is of the range for documentation.
    pub(super) fn draw(request: &StartPlacement) -> Self {
        let host: u8 = rand::rng().random_range(1..=254);
        let session = |player: &String| (player.clone(), format!("psess-{}", Uuid::new_v4()));
        Self {
            ip_address: format!("192.0.2.{host}"),
            dns_name: format!("ec2-192-0-2-{host}.compute-1.amazonaws.com"),
            port: rand::rng().random_range(1_026..=60_000),
            game_session_arn: format!(
                "arn:aws:gamelift:{REGION}::gamesession/fleet-local/gsess-{}",
                Uuid::new_v4()
            ),
            players: request.desired_player_sessions.iter().map(session).collect(),
        }
    }

    /// The fields that only the event of a fulfilled placement has.
    pub(super) fn event_fields(&self) -> impl Iterator<Item = (String, Value)> {
        let sessions: Vec<Value> = self
            .players
            .iter()
            .map(|(player, session)| json!({ "playerId": player, "playerSessionId": session }))
            .collect();
        let fields = [
            // A string, as GameLift sends it.
            ("port", json!(self.port.to_string())),
            ("ipAddress", json!(self.ip_address)),
            ("dnsName", json!(self.dns_name)),
            ("gameSessionArn", json!(self.game_session_arn)),
            ("gameSessionRegion", json!(REGION)),
            ("placedPlayerSessions", json!(sessions)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value))
    }
}
