//! Why there are no credentials.

/// Credentials that are not available. None of the texts holds a secret.
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
    /// No identity provider is named.
    #[error("tokens need a source: set auth.issuer, or add [auth.mint], [auth.feeder] or [auth.command]")]
    NoIssuer,
    /// The key does not sign.
    #[error("no token could be signed: {0}; check auth.mint")]
    Mint(String),
    /// The feeder's file has become invalid since it was checked.
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
    /// A token names another player.
    #[error(
        "the token of player `{player}` has `{named}` in its claim `{claim}`, so its deliveries would count as lost; issue one for \
         the player, or name the claim that identifies players to the target in auth.player_claim"
    )]
    Stranger {
        /// The player.
        player: String,
        /// The claim.
        claim: String,
        /// The player that the token names.
        named: String,
    },
    /// AWS credentials or a signature.
    #[error("requests cannot be signed: {0}")]
    Aws(String),
    /// A token has expired, and the last attempt to renew it failed.
    #[error("the token has expired and could not be renewed: {0}")]
    Expired(String),
}
