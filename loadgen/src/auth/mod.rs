//! Credentials: how each player proves who it is, prepared before its handshake is due.
//!
//! ```text
//! source (issuer, key, file, command) ─▶ vault: a token a player, renewed before its end, dropped once it is used
//! AWS chain ─▶ signer: a signature a request                                ─▶ what a handshake or REST request presents
//! ```
//!
//! Tokens and signatures are secrets: they are put into the request and never written anywhere, not even when the
//! target sends them back, in the answer to the request ([`presented::Secrets::hide_in`]) or at any time later
//! ([`Credentials::keepable`]).

pub mod aws;
mod command;
mod issuer;
mod marks;
mod presented;
mod sigv4;
mod source;
mod vault;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use reports::printable;
use scenarios::scenario::AuthMode;
use scenarios::shard::Shard;
use scenarios::{Plan, redact};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

pub use presented::{Presented, Secrets};

use aws::Chain;
use sigv4::Signer;
use source::Source;
use vault::Vault;

/// What is looked at of a text that a target says.
pub(crate) const LOOKED_AT: usize = 4 * 1024;
/// Characters kept of it: the first 512 bytes of a refusal and what stands before them.
const KEPT: usize = 700;

/// How all players of a run prove who they are.
pub struct Credentials {
    plan: Arc<Plan>,
    kind: Kind,
    /// Renews what ends; it ends with this value.
    _renewal: Option<AbortOnDropHandle<()>>,
}

enum Kind {
    Nothing,
    Ids,
    Tokens(Arc<Vault>),
    Signatures(Arc<Signer>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("mode", &self.plan.auth.mode).finish_non_exhaustive()
    }
}

/// Credentials that could not be had. None of the texts holds a secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// The identity provider did not answer as it should.
    #[error("the identity provider {issuer} gave no tokens: {problem}; check auth.issuer")]
    Issuer {
        /// Its URL.
        issuer: String,
        /// What happened.
        problem: String,
    },
    /// There is no identity provider.
    #[error(
        "tokens have to come from somewhere: set auth.issuer, or add [auth.mint], [auth.feeder] or [auth.command]"
    )]
    NoIssuer,
    /// The key does not sign.
    #[error("no token could be signed: {0}; check auth.mint")]
    Mint(String),
    /// The feeder's file has changed for the worse since it was checked.
    #[error("the feeder {file} gave no tokens: {problem}; check auth.feeder")]
    Feeder {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The command did not print tokens.
    #[error("the command `{program}` gave no tokens: {problem}; run it by hand to see what it says")]
    Command {
        /// Its program.
        program: String,
        /// What happened.
        problem: String,
    },
    /// A token is another player's, by its own words.
    #[error(
        "the token of player `{player}` says `{named}` in its claim `{claim}`, so its deliveries would count as lost; have one made for \
         the player, or say in auth.player_claim by which claim the target knows it"
    )]
    Stranger {
        /// The player.
        player: String,
        /// The claim.
        claim: String,
        /// Whose the token is.
        named: String,
    },
    /// AWS credentials or a signature.
    #[error("requests cannot be signed: {0}")]
    Aws(String),
    /// A token has ended, and the attempt to renew it failed a moment ago.
    #[error("the token has expired and could not be renewed: {0}")]
    Expired(String),
}

impl Credentials {
    /// Prepares the credentials of all players of a worker's part; `issuer` is the identity provider where the plan wants one.
    ///
    /// # Errors
    /// [`AuthError`] when there is no token for every player, or no AWS credentials.
    pub async fn prepare(plan: &Arc<Plan>, shard: Shard, issuer: Option<&Url>) -> Result<Self, AuthError> {
        let (kind, renewal) = match plan.auth.mode {
            AuthMode::None => (Kind::Nothing, None),
            AuthMode::Header => (Kind::Ids, None),
            AuthMode::Token => {
                let vault = Arc::new(Vault::new(Arc::clone(plan), shard, Source::new(plan, issuer)?));
                vault.fill().await?;
                let renewal = tokio::spawn(vault::keep_fresh(Arc::clone(&vault)));
                (Kind::Tokens(vault), Some(renewal))
            }
            AuthMode::SigV4 => {
                return Self::signing(plan, Chain::resolve(plan.auth.sigv4.region.as_deref()).await?);
            }
        };
        Ok(Self { plan: Arc::clone(plan), kind, _renewal: renewal.map(AbortOnDropHandle::new) })
    }

    /// Signatures of all players, made with what the AWS chain has come to.
    ///
    /// # Errors
    /// [`AuthError`] when there is no region to sign for.
    pub fn signing(plan: &Arc<Plan>, chain: Chain) -> Result<Self, AuthError> {
        let signer = Arc::new(Signer::new(Arc::clone(plan), chain)?);
        let renewal = AbortOnDropHandle::new(tokio::spawn(sigv4::keep_fresh(Arc::clone(&signer))));
        Ok(Self { plan: Arc::clone(plan), kind: Kind::Signatures(signer), _renewal: Some(renewal) })
    }

    /// What player `number` presents in a handshake with `url`. Waits only where a token has to be had again.
    ///
    /// # Errors
    /// [`AuthError`] when a token or the AWS credentials have ended and could not be renewed.
    pub async fn present(&self, number: u32, url: &Url) -> Result<Presented, AuthError> {
        self.present_in(number, &Method::GET, url, &[]).await
    }

    /// The same in any HTTP request: a signature is good for this method, URL and body only.
    ///
    /// # Errors
    /// As for [`present`](Self::present).
    pub async fn present_in(
        &self,
        number: u32,
        method: &Method,
        url: &Url,
        body: &[u8],
    ) -> Result<Presented, AuthError> {
        match &self.kind {
            Kind::Nothing => Ok(Presented::default()),
            Kind::Ids => Ok(Presented::player_id(&self.plan.player_id(number))),
            Kind::Tokens(vault) => {
                Ok(Presented::token(&self.plan.auth.placement, &vault.token(number).await?))
            }
            Kind::Signatures(signer) => signer.sign(&self.plan.player_id(number), method, url, body),
        }
    }

    /// What player `number` was told by its target, as it may be kept: without its own credentials, without what looks
    /// like anybody's, with nothing in it that acts on a terminal, and not too much of it.
    #[must_use]
    pub fn keepable(&self, number: u32, said: &str) -> String {
        let said = head(said, LOOKED_AT);
        let unknown = match &self.kind {
            Kind::Nothing | Kind::Ids => Cow::Borrowed(said),
            Kind::Tokens(vault) => vault.hide_in(number, said),
            Kind::Signatures(signer) => Cow::Owned(signer.hide_in(said)),
        };
        printable::line(&redact::text(&unknown)).chars().take(KEPT).collect()
    }

    /// Player `number` is connected: its token has done its work, and 15,000 of them would be megabytes.
    pub fn connected(&self, number: u32) {
        if let Kind::Tokens(vault) = &self.kind {
            vault.used(number);
        }
    }
}

/// The beginning of a text, without the rest of a word that is cut: half a credential would not be known as one.
pub(crate) fn head(text: &str, longest: usize) -> &str {
    if text.len() <= longest {
        return text;
    }
    let cut = text.floor_char_boundary(longest);
    text[..cut].trim_end_matches(|c| u8::try_from(c).is_ok_and(marks::in_word))
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
