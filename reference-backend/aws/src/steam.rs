//! [`IdentityProvider`] over Steam's Web API, which verifies the tickets of players.
//!
//! Steam requires the publisher's key in the URL. So no error of the HTTP client may show its URL, and no redirect is
//! followed.

use async_trait::async_trait;
use reference_backend::ports::{IdentityError, IdentityProvider, PlayerIdentity};
use reference_backend::steam::{Answer, PATH};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::fetch::{Fetching, SetupError, body_of, client};

/// Maximum length of a ticket in hexadecimal digits; Steam's have at most 2,560 bytes.
const LONGEST_TICKET: usize = 2 * 2_560;
/// Size limit of an answer; real ones have a few hundred bytes.
const LONGEST_ANSWER: usize = 16 * 1_024;

/// The configuration of Steam's Web API.
#[derive(Debug, Clone)]
pub struct SteamService {
    /// Steam's Web API: https, or http on this machine.
    pub url: Url,
    /// The game.
    pub app_id: u32,
    /// The identity that tickets are made for (`GetAuthTicketForWebApi`); none accepts any.
    pub identity: Option<String>,
    /// The publisher's Web API key.
    pub publisher_key: SecretString,
}

/// Verifies tickets with Steam.
pub struct SteamTickets {
    http: Client,
    service: SteamService,
}

impl SteamTickets {
    /// Verifies tickets with `service`.
    ///
    /// # Errors
    /// [`SetupError`] if the machine has no usable TLS.
    pub fn new(service: SteamService, fetching: Fetching) -> Result<Self, SetupError> {
        Ok(Self { http: client(&service.url, fetching)?, service })
    }

    fn question(&self, ticket: &str) -> Url {
        let SteamService { url, app_id, identity, publisher_key } = &self.service;
        let mut question = url.clone();
        question.set_path(&format!("{}{PATH}", url.path().trim_end_matches('/')));
        question
            .query_pairs_mut()
            .append_pair("key", publisher_key.expose_secret())
            .append_pair("appid", &app_id.to_string())
            .append_pair("ticket", ticket)
            .extend_pairs(identity.as_ref().map(|identity| ("identity", identity)));
        question
    }
}

#[async_trait]
impl IdentityProvider for SteamTickets {
    async fn verify(&self, ticket: &str) -> Result<PlayerIdentity, IdentityError> {
        let hexadecimal =
            ticket.len().is_multiple_of(2) && ticket.bytes().all(|digit| digit.is_ascii_hexdigit());
        if ticket.is_empty() || ticket.len() > LONGEST_TICKET || !hexadecimal {
            return Err(IdentityError::Invalid("it is no ticket in hexadecimal".into()));
        }
        let unavailable = |error: reqwest::Error| IdentityError::Unavailable(error.without_url().to_string());
        let response = self.http.get(self.question(ticket)).send().await.map_err(unavailable)?;
        if !response.status().is_success() {
            // 403 concerns the publisher's key, 429 and 5xx the service; the ticket may be valid.
            return Err(IdentityError::Unavailable(format!("Steam answered {}", response.status())));
        }
        let body = body_of(response, LONGEST_ANSWER).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
            IdentityError::Unavailable(format!("what Steam answered cannot be read: {:?}", error.classify()))
        })?;
        answer.response.player()
    }
}
