//! The credentials of a run's players, whatever their kind.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::Method;
use protocol::Outline;
use reports::printable;
use scenarios::plan::shard::Shard;
use scenarios::{Plan, redact};
use secrecy::SecretString;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use scenarios::plan::auth::TokenLocation;
use scenarios::scenario::AuthMode;

use super::aws::Chain;
use super::error::AuthError;
use super::excerpt::{EXAMINED, head};
use super::presented::Presented;
use super::sigv4::{self, Signer};
use super::source::Source;
use super::vault::{self, Vault};

/// Characters that are kept of what a target sends: the first 512 bytes of a refusal and what stands before them.
const KEPT: usize = 700;

/// How all players of a run prove who they are.
pub struct Credentials {
    plan: Arc<Plan>,
    kind: Kind,
    /// Whether a token is needed until its player is ready, beyond the handshake.
    until_ready: bool,
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

impl Credentials {
    /// Prepares the credentials of all players of a worker's part; `issuer` is the identity provider where the plan wants one.
    ///
    /// # Errors
    /// [`AuthError`] when there is no token for every player, or no AWS credentials.
    pub async fn prepare(plan: &Arc<Plan>, shard: Shard, issuer: Option<&Url>) -> Result<Self, AuthError> {
        Self::for_protocol(plan, plan.protocol.outline(), shard, issuer).await
    }

    /// The same for players that speak this protocol.
    pub(crate) async fn for_protocol(
        plan: &Arc<Plan>,
        protocol: &Outline,
        shard: Shard,
        issuer: Option<&Url>,
    ) -> Result<Self, AuthError> {
        let (kind, renewal) = match plan.auth.mode {
            AuthMode::None => (Kind::Nothing, None),
            AuthMode::Header => (Kind::Ids, None),
            AuthMode::Token => {
                let vault =
                    Arc::new(Vault::new(Arc::clone(plan), shard, Source::new(plan, issuer)?, protocol));
                vault.fill().await?;
                let renewal = tokio::spawn(vault::keep_fresh(Arc::clone(&vault)));
                (Kind::Tokens(vault), Some(renewal))
            }
            AuthMode::SigV4 => {
                return Self::signing(plan, Chain::resolve(plan.auth.sigv4.region.as_deref()).await?);
            }
        };
        let until_ready = protocol.token && !protocol.opening.is_empty();
        let renewal = renewal.map(AbortOnDropHandle::new);
        Ok(Self { plan: Arc::clone(plan), kind, until_ready, _renewal: renewal })
    }

    /// Signatures of all players, made with what the AWS chain has come to.
    ///
    /// # Errors
    /// [`AuthError`] when there is no region to sign for.
    pub fn signing(plan: &Arc<Plan>, chain: Chain) -> Result<Self, AuthError> {
        let signer = Arc::new(Signer::new(Arc::clone(plan), chain)?);
        let renewal = AbortOnDropHandle::new(tokio::spawn(sigv4::keep_fresh(Arc::clone(&signer))));
        Ok(Self {
            plan: Arc::clone(plan),
            kind: Kind::Signatures(signer),
            until_ready: false,
            _renewal: Some(renewal),
        })
    }

    /// What player `number` presents in a handshake with `url`. Waits only where a token has to be fetched again.
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
            Kind::Tokens(_) if self.plan.auth.placement == TokenLocation::Protocol => {
                Ok(Presented::default())
            }
            Kind::Tokens(vault) => {
                Ok(Presented::token(&self.plan.auth.placement, &vault.token(number).await?))
            }
            Kind::Signatures(signer) => signer.sign(&self.plan.player_id(number), method, url, body),
        }
    }

    /// Player `number`'s token, for a protocol that has it in its handshake or messages; none where players have no tokens.
    /// Waits only where it has to be fetched again.
    ///
    /// # Errors
    /// As for [`present`](Self::present).
    pub async fn token(&self, number: u32) -> Result<Option<SecretString>, AuthError> {
        match &self.kind {
            Kind::Tokens(vault) => vault.token(number).await.map(Some),
            Kind::Nothing | Kind::Ids | Kind::Signatures(_) => Ok(None),
        }
    }

    /// The same without waiting: none where it is not here, or has ended.
    #[must_use]
    pub fn token_at_once(&self, number: u32) -> Option<SecretString> {
        match &self.kind {
            Kind::Tokens(vault) => vault.available(number),
            Kind::Nothing | Kind::Ids | Kind::Signatures(_) => None,
        }
    }

    /// What the target sent to player `number`, as it may be kept: without the player's credentials and whatever looks like
    /// anybody's, without terminal escapes, and cut to a bounded length.
    #[must_use]
    pub fn keepable(&self, number: u32, said: &str) -> String {
        self.shown(number, head(said, EXAMINED)).chars().take(KEPT).collect()
    }

    /// The same without the cut.
    #[must_use]
    pub fn shown(&self, number: u32, said: &str) -> String {
        let unknown = match &self.kind {
            Kind::Nothing | Kind::Ids => Cow::Borrowed(said),
            Kind::Tokens(vault) => vault.hide_in(number, said),
            Kind::Signatures(signer) => Cow::Owned(signer.hide_in(said)),
        };
        printable::line(&redact::text(&unknown)).to_string()
    }

    /// Player `number` is connected: its token is no longer needed, and 15,000 of them would be megabytes; unless the
    /// protocol may have it in its opening.
    pub fn connected(&self, number: u32) {
        if !self.until_ready {
            self.ready(number);
        }
    }

    /// Player `number` is ready: its token is no longer needed, unless the protocol has it in operations.
    pub fn ready(&self, number: u32) {
        if let Kind::Tokens(vault) = &self.kind {
            vault.used(number);
        }
    }
}
