//! Credentials: how each player proves who it is, prepared before its handshake is due.
//!
//! ```text
//! source (issuer, key, file, command) ─▶ vault: a token a player, renewed before its end, dropped once it is used
//! AWS chain ─▶ signer: a signature a handshake                              ─▶ what the handshake presents
//! ```
//!
//! Tokens and signatures are secrets: they are put into the handshake and never written anywhere, not even when the
//! target sends them back ([`presented::Secrets::hide_in`]).

pub mod aws;
mod command;
mod issuer;
mod presented;
mod sigv4;
mod source;
mod vault;

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use scenarios::Plan;
use scenarios::scenario::AuthMode;
use scenarios::shard::Shard;
use tokio::task::AbortHandle;
use url::Url;

pub use presented::{Presented, Secrets};

use sigv4::Signer;
use source::Source;
use vault::Vault;

/// How all players of a run prove who they are.
pub struct Credentials {
    plan: Arc<Plan>,
    kind: Kind,
    /// Renews what ends; it ends with this value.
    renewal: Option<AbortHandle>,
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

impl Drop for Credentials {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
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
    /// AWS credentials or a signature.
    #[error("the handshake cannot be signed: {0}")]
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
                let renewal = tokio::spawn(vault::keep_fresh(Arc::downgrade(&vault)));
                (Kind::Tokens(vault), Some(renewal.abort_handle()))
            }
            AuthMode::SigV4 => {
                let signer = Arc::new(Signer::prepare(plan).await?);
                let renewal = tokio::spawn(sigv4::keep_fresh(Arc::downgrade(&signer)));
                (Kind::Signatures(signer), Some(renewal.abort_handle()))
            }
        };
        Ok(Self { plan: Arc::clone(plan), kind, renewal })
    }

    /// What player `number` presents in a handshake with `url`. Waits only where a token has to be had again.
    ///
    /// # Errors
    /// [`AuthError`] when a token or the AWS credentials have ended and could not be renewed.
    pub async fn present(&self, number: u32, url: &Url) -> Result<Presented, AuthError> {
        match &self.kind {
            Kind::Nothing => Ok(Presented::default()),
            Kind::Ids => Ok(Presented::player_id(&self.plan.player_id(number))),
            Kind::Tokens(vault) => {
                Ok(Presented::token(&self.plan.auth.placement, &vault.token(number).await?))
            }
            Kind::Signatures(signer) => signer.sign(&self.plan.player_id(number), url),
        }
    }

    /// Player `number` is connected: its token has done its work, and 15,000 of them would be megabytes.
    pub fn connected(&self, number: u32) {
        if let Kind::Tokens(vault) = &self.kind {
            vault.used(number);
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
