//! The plan's credentials: where tokens come from and where they travel.
//!
//! A plan holds no player's token, only where tokens come from; the one secret in it, a signing key, has a `Debug` that
//! hides it.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::feeder::Feeder;
use super::mint::Minter;
pub use crate::keys::auth::{AuthMode, SigV4Form};

/// How players prove who they are.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Token, header, signature or none.
    pub mode: AuthMode,
    /// Where a token travels.
    pub placement: TokenLocation,
    /// Where tokens come from.
    pub source: TokenSource,
    /// How handshakes and REST requests are signed.
    pub sigv4: SigV4,
    /// How long before its end a token is renewed.
    pub refresh_before: Duration,
    /// The players' ids.
    pub ids: PlayerIds,
    /// Claim of a JWT that must say its player's id; none where no delivery is matched by it.
    pub claim: Option<String>,
}

/// Where a token travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenLocation {
    /// In a header.
    Header {
        /// Its name.
        name: String,
        /// Word before the token.
        scheme: Option<String>,
    },
    /// In the query.
    Query {
        /// The parameter's name.
        name: String,
    },
    /// In a subprotocol that the handshake offers.
    Subprotocol {
        /// What stands before the token.
        prefix: String,
    },
    /// Only where the protocol's templates have it.
    Protocol,
}

/// Where tokens come from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// An identity provider; `None`: the embedded backend's.
    Issuer(Option<Url>),
    /// Signed here.
    Mint(Arc<Minter>),
    /// A file.
    Feeder(Feeder),
    /// A command.
    Command(Command),
}

/// A command that prints tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments, with `{player}`.
    pub argv: Vec<String>,
    /// Players for each call; above 1, ids go to standard input.
    pub batch: usize,
    /// Calls at the same time.
    pub parallel: usize,
    /// How long a call may take.
    pub timeout: Duration,
}

/// How handshakes and REST requests are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigV4 {
    /// Headers or query.
    pub form: SigV4Form,
    /// Region; `None`: that of the standard AWS chain.
    pub region: Option<String>,
    /// Service.
    pub service: String,
    /// How long a presigned URL is good for.
    pub expires: Duration,
    /// Whether `X-Player-Id` is sent and signed.
    pub player_header: bool,
}

/// The players' ids.
#[derive(Debug, Clone)]
pub enum PlayerIds {
    /// A prefix and the player's number.
    Numbered {
        /// The prefix.
        prefix: String,
    },
    /// From a feeder; begun again at the top where there are more players.
    Listed(Arc<[Box<str>]>),
}

impl PlayerIds {
    /// Player number → id.
    #[must_use]
    pub fn id(&self, number: u32) -> String {
        match self {
            Self::Numbered { prefix } => format!("{prefix}{number:06}"),
            Self::Listed(ids) => ids[number as usize % ids.len()].to_string(),
        }
    }

    /// Length of the longest id in bytes.
    pub(crate) fn longest(&self) -> usize {
        match self {
            Self::Numbered { prefix } => prefix.len() + 6,
            Self::Listed(ids) => ids.iter().map(|id| id.len()).max().unwrap_or(0),
        }
    }
}
