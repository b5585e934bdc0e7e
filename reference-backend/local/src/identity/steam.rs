//! The provider as Steam: it issues tickets and verifies them with the answers of Steam's Web API.
//!
//! A ticket contains its player and expiry, signed with an HMAC, so the provider stores nothing: a hundred thousand
//! players need no memory. Real tickets are opaque to everybody but Steam, so the difference does not show.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER_PERMISSIVE;
use reference_backend::ports::{IdentityError, IdentityProvider, PlayerIdentity};
use reference_backend::steam::{Answer, Owner, Refusal, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{LocalIdentity, now};

/// The application of all tickets: Steam's example, Spacewar.
pub const APP_ID: u32 = 480;
/// The Web API key of the publisher.
pub const PUBLISHER_KEY: &str = "local-publisher-key";
/// The identity of all tickets.
pub const IDENTITY: &str = "reference-backend";

/// The error of an invalid ticket.
const INVALID_TICKET: (i64, &str) = (101, "Invalid ticket");
/// The error of a ticket for another application.
const OTHER_APP: (i64, &str) = (102, "Ticket for other app");
const SEAL: usize = 32;

/// The content of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    player: String,
    exp: u64,
    bans: Bans,
}

/// The bans of a player.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Bans {
    /// Banned for cheating.
    pub vac_banned: bool,
    /// Banned by the publisher.
    pub publisher_banned: bool,
}

/// A request to verify a ticket.
#[derive(Deserialize)]
pub(super) struct Question {
    pub(super) key: SecretString,
    appid: u32,
    ticket: String,
    #[serde(default)]
    identity: Option<String>,
}

impl LocalIdentity {
    /// A ticket of a player, in hexadecimal.
    #[must_use]
    pub fn ticket(&self, player_id: &str, bans: Bans) -> String {
        let exp = now().saturating_add(self.profile.token_lifetime_s);
        let content = Content { player: player_id.to_owned(), exp, bans };
        // Strings and numbers under string keys always serialize.
        let mut ticket = serde_json::to_vec(&content).unwrap_or_default();
        let seal = hmac::sign(&self.ticket_key, &ticket);
        ticket.extend_from_slice(seal.as_ref());
        HEXLOWER_PERMISSIVE.encode(&ticket)
    }

    /// Steam's answer.
    pub(super) fn ask_steam(&self, question: &Question) -> Answer {
        let refusal = |(errorcode, words): (i64, &str)| {
            Response::Error(Refusal { errorcode, errordesc: words.to_owned() })
        };
        let response = if question.appid != APP_ID {
            refusal(OTHER_APP)
        } else if question.identity.as_deref().is_some_and(|identity| identity != IDENTITY) {
            refusal(INVALID_TICKET)
        } else {
            self.owner(&question.ticket).map_or_else(|| refusal(INVALID_TICKET), Response::Params)
        };
        Answer { response }
    }

    fn owner(&self, ticket: &str) -> Option<Owner> {
        let ticket = HEXLOWER_PERMISSIVE.decode(ticket.as_bytes()).ok()?;
        let (content, seal) = ticket.split_at_checked(ticket.len().checked_sub(SEAL)?)?;
        hmac::verify(&self.ticket_key, content, seal).ok()?;
        let Content { player, exp, bans } = serde_json::from_slice(content).ok()?;
        (exp > now()).then(|| Owner {
            result: "OK".into(),
            ownersteamid: player.clone(),
            steamid: player,
            vacbanned: bans.vac_banned,
            publisherbanned: bans.publisher_banned,
        })
    }
}

/// The provider for tickets instead of tokens.
pub struct LocalSteam(pub Arc<LocalIdentity>);

#[async_trait]
impl IdentityProvider for LocalSteam {
    async fn verify(&self, ticket: &str) -> Result<PlayerIdentity, IdentityError> {
        self.0.delay_or_fail().await?;
        let owner = self.0.owner(ticket);
        owner.map_or_else(
            || Err(IdentityError::Invalid("it is no ticket".into())),
            |owner| Response::Params(owner).player(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::IdentityProfile;
    use super::*;

    fn steam(profile: IdentityProfile) -> LocalSteam {
        LocalSteam(Arc::new(LocalIdentity::new(profile).unwrap()))
    }

    #[tokio::test]
    async fn tickets_are_sealed_and_end() {
        let ours = steam(IdentityProfile::default());
        let ticket = ours.0.ticket("ann", Bans::default());
        assert_eq!(ours.verify(&ticket).await, Ok(PlayerIdentity { player_id: "ann".into() }));
        assert!(ours.verify(&ticket.to_uppercase()).await.is_ok(), "hexadecimal is hexadecimal");
        let other = steam(IdentityProfile::default()).0.ticket("ann", Bans::default());
        let old = steam(IdentityProfile { token_lifetime_s: 0, ..IdentityProfile::default() });
        for wrong in [&other, &ticket[2..], &format!("{ticket}00"), "zz", "", "00"] {
            assert!(matches!(ours.verify(wrong).await, Err(IdentityError::Invalid(_))), "{wrong}");
        }
        assert!(old.verify(&old.0.ticket("ann", Bans::default())).await.is_err());
        let banned = ours.0.ticket("ann", Bans { vac_banned: true, ..Bans::default() });
        assert!(
            matches!(ours.verify(&banned).await, Err(IdentityError::Invalid(reason)) if reason.contains("VAC"))
        );
    }

    #[test]
    fn a_ticket_is_for_one_application_and_one_service() {
        let ours = steam(IdentityProfile::default()).0;
        let ticket = ours.ticket("ann", Bans::default());
        let ask = |appid, identity: Option<&str>| {
            let (key, identity) = (SecretString::from(PUBLISHER_KEY), identity.map(str::to_owned));
            ours.ask_steam(&Question { key, appid, ticket: ticket.clone(), identity }).response
        };
        assert!(matches!(ask(APP_ID, Some(IDENTITY)), Response::Params(owner) if owner.steamid == "ann"));
        assert!(matches!(ask(APP_ID, None), Response::Params(_)));
        assert!(matches!(ask(APP_ID, Some("other")), Response::Error(Refusal { errorcode: 101, .. })));
        assert!(matches!(ask(481, Some(IDENTITY)), Response::Error(Refusal { errorcode: 102, .. })));
    }
}
