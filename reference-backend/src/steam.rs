//! Steam's answer about a ticket, and the player that it identifies.
//!
//! The shapes are those of `ISteamUserAuth/AuthenticateUserTicket`. The local identity provider writes them, the adapter
//! for AWS reads them, and both use the same validation.

use serde::{Deserialize, Serialize};

use crate::ports::{IdentityError, PlayerIdentity};

/// Path of the request.
pub const PATH: &str = "/ISteamUserAuth/AuthenticateUserTicket/v1/";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its content.
    pub response: Response,
}

/// The ticket's owner, or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Response {
    /// The ticket is valid.
    Params(Owner),
    /// It is not.
    Error(Refusal),
}

/// The owner of the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// `OK`.
    pub result: String,
    /// The player's 64-bit id, in decimal.
    pub steamid: String,
    /// Who owns the game; another one where it is shared in a family.
    #[serde(default)]
    pub ownersteamid: String,
    /// Banned for cheating, in whatever game.
    #[serde(default)]
    pub vacbanned: bool,
    /// Banned by the publisher.
    #[serde(default)]
    pub publisherbanned: bool,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The code; 101 for an invalid ticket.
    pub errorcode: i64,
    /// The same in words.
    #[serde(default)]
    pub errordesc: String,
}

impl Response {
    /// The player, if the ticket is valid and its owner not banned.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] with what is wrong.
    pub fn player(self) -> Result<PlayerIdentity, IdentityError> {
        let invalid = |reason: &str| Err(IdentityError::Invalid(reason.to_owned()));
        let owner = match self {
            Self::Params(owner) => owner,
            // The words are Steam's, and might quote the ticket; the number says enough.
            Self::Error(refusal) => {
                return Err(IdentityError::Invalid(format!(
                    "Steam refuses it (error {})",
                    refusal.errorcode
                )));
            }
        };
        if owner.result != "OK" || owner.steamid.is_empty() {
            return invalid("Steam does not say OK");
        }
        if owner.vacbanned {
            return invalid("its owner is banned by VAC");
        }
        if owner.publisherbanned {
            return invalid("its owner is banned by the publisher");
        }
        Ok(PlayerIdentity { player_id: owner.steamid })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn player(response: serde_json::Value) -> Result<String, IdentityError> {
        let answer: Answer = serde_json::from_value(json!({ "response": response })).unwrap();
        answer.response.player().map(|player| player.player_id)
    }

    #[test]
    fn the_result_and_bans_decide() {
        let owner = |change: serde_json::Value| {
            let mut owner = json!({ "result": "OK", "steamid": "76561197960265729", "ownersteamid": "76561197960265729",
                "vacbanned": false, "publisherbanned": false });
            for (key, value) in change.as_object().unwrap() {
                owner[key] = value.clone();
            }
            player(json!({ "params": owner }))
        };
        assert_eq!(owner(json!({})), Ok("76561197960265729".into()));
        assert_eq!(
            owner(json!({ "ownersteamid": "1" })),
            Ok("76561197960265729".into()),
            "shared in a family"
        );
        for (change, told) in [
            (json!({ "vacbanned": true }), "VAC"),
            (json!({ "publisherbanned": true }), "publisher"),
            (json!({ "result": "Expired" }), "OK"),
            (json!({ "steamid": "" }), "OK"),
        ] {
            let Err(IdentityError::Invalid(reason)) = owner(change.clone()) else { panic!("{change}") };
            assert!(reason.contains(told), "{reason}");
        }
        let refused =
            player(json!({ "error": { "errorcode": 101, "errordesc": "Invalid ticket 14000000" } }));
        let Err(IdentityError::Invalid(reason)) = refused else { panic!("{refused:?}") };
        assert!(reason.contains("101") && !reason.contains("1400"), "{reason}");
    }
}
