//! The shape of `[auth]`. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::keys::duration::Span;
use crate::keys::units;

/// How players prove who they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// `token` (a token of the player's platform), `header` (`X-Player-Id`, trusted by the server), `sigv4` (handshakes and REST requests signed with AWS credentials) or `none`.
    pub mode: AuthMode,
    /// Where a token travels: `header` (`Authorization: Bearer`), `query` (`?token=`), `protocol` (only where the protocol has `${token}`), or names of your own, e.g. `{ header = "Authorization", scheme = "Steam" }`, `{ query = "ticket" }` or `{ subprotocol = "bearer." }`. Default: `protocol` where it has `${token}`, else `header`.
    pub placement: Option<TokenPlacement>,
    /// Base URL of the identity provider that issues the tokens (`POST /tokens`). Default: the embedded backend's.
    pub issuer: Option<String>,
    /// Tokens are signed here, ahead of the run, with a key file.
    pub mint: Option<Mint>,
    /// Player ids and tokens are read from a CSV or JSON Lines file.
    pub feeder: Option<Feeder>,
    /// Tokens are printed by a command.
    pub command: Option<Command>,
    /// How requests are signed, with `mode = "sigv4"`.
    pub sigv4: Option<SigV4>,
    /// How long before its end a token that is still needed is renewed; at most half its lifetime.
    pub refresh_before: Span,
    /// Claim of a JWT that says by which id the target knows its player. Where deliveries are matched, a feeder's tokens
    /// must say the ids of its player column; without that column they are the ids. Empty: not looked at.
    pub player_claim: String,
    /// What player ids begin with; the player's number follows. A feeder with a player column brings its own ids.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,32}$"))]
    pub player_prefix: String,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            mode: AuthMode::Token,
            placement: None,
            issuer: None,
            mint: None,
            feeder: None,
            command: None,
            sigv4: None,
            refresh_before: Span::from_secs(60),
            player_claim: "sub".into(),
            player_prefix: "player-".into(),
        }
    }
}

/// How a player proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// A token: a JWT, a Steam ticket, whatever the authorizer takes.
    Token,
    /// The tutorial's `X-Player-Id` header.
    Header,
    /// Handshakes and REST requests are signed with AWS Signature Version 4; `X-Player-Id` is signed with them.
    SigV4,
    /// No credentials at all.
    None,
}

/// Where a token travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TokenPlacement {
    /// The usual names.
    Usual(UsualPlacement),
    /// Names of your own.
    Named(NamedPlacement),
}

/// Where a token usually travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UsualPlacement {
    /// `Authorization: Bearer …`.
    Header,
    /// `?token=…`.
    Query,
    /// Only where the protocol's handshake and messages have `${token}`.
    Protocol,
}

/// Names under which a token travels: `header` with or without `scheme`, `query`, or `subprotocol`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NamedPlacement {
    /// Name of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Word before the token in the header, e.g. `Bearer` or `Steam`. Default: the token alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// Name of the query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What stands before the token in a subprotocol of its own, e.g. `"bearer."`; `""`: the token alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<String>,
}

/// Tokens (JWT) that are signed here. `sub`, `iat` and `exp` are set for each player.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mint {
    /// File with the key, beside this scenario or at a path from the working directory: PEM, DER, or an HMAC secret's bytes.
    pub key_file: String,
    /// Algorithm (`alg`) that the key is for.
    pub algorithm: Algorithm,
    /// Id of the key (`kid`). Default: no `kid`.
    #[serde(default)]
    pub key_id: Option<String>,
    /// Who vouches (`iss`). Default: no `iss`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// For whom (`aud`). Default: no `aud`.
    #[serde(default)]
    pub audience: Option<String>,
    /// How long a token is good for, 10 seconds to a year.
    #[serde(default = "an_hour")]
    pub lifetime: Span,
    /// Further claims. `{player}` in a text stands for the player's id.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

const fn an_hour() -> Span {
    Span::from_secs(3_600)
}

/// A JWT's algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// RSA PKCS #1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS #1 v1.5 with SHA-512.
    Rs512,
    /// RSA PSS with SHA-256.
    Ps256,
    /// RSA PSS with SHA-384.
    Ps384,
    /// RSA PSS with SHA-512.
    Ps512,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// Players and their tokens, one a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feeder {
    /// The file, beside this scenario or at a path from the working directory.
    pub file: String,
    /// `csv` (the first line names the columns) or `jsonl` (an object a line). Default: by the file's ending.
    #[serde(default)]
    pub format: Option<FeederFormat>,
    /// Column with the player's id. Default: `player` where the file has it, else ids from `player_prefix`.
    #[serde(default)]
    pub player: Option<String>,
    /// Column with the player's token. Default: `token`, unless tokens come from `issuer`, `mint` or `command`.
    #[serde(default)]
    pub token: Option<String>,
    /// Whether to begin again at the top when there are more players than lines; several sockets then are one player, so
    /// nothing may be sent whose delivery is matched.
    #[serde(default)]
    pub cycle: bool,
}

/// How a feeder's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeederFormat {
    /// Comma-separated values; the first line names the columns.
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

impl FeederFormat {
    /// What a file's ending says, where it says something.
    pub(crate) fn by_ending(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

/// A command that prints tokens on its standard output. What it says on standard error is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Program and arguments; `{player}` stands for the player's id. No shell is between.
    #[schemars(length(min = 1))]
    pub argv: Vec<String>,
    /// Players for each call, 1 to 10,000. Above 1 the ids go to standard input, one a line, and one token a line comes back in the same order.
    #[serde(default = "single")]
    #[schemars(range(min = 1, max = 10_000))]
    #[schemars(transform = units::as_count)]
    pub batch: u32,
    /// Calls at the same time, 1 to 256.
    #[serde(default = "eight")]
    #[schemars(range(min = 1, max = 256))]
    #[schemars(transform = units::as_count)]
    pub parallel: u32,
    /// How long a call may take.
    #[serde(default = "ten_seconds")]
    pub timeout: Span,
}

const fn single() -> u32 {
    1
}

const fn eight() -> u32 {
    8
}

const fn ten_seconds() -> Span {
    Span::from_secs(10)
}

/// Handshakes and REST requests signed with credentials of the standard AWS chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SigV4 {
    /// `header` (an `Authorization` header) or `query` (a presigned URL).
    pub form: SigV4Form,
    /// AWS region. Default: that of the target's host name, else of the standard AWS chain.
    pub region: Option<String>,
    /// Service that checks the signature.
    pub service: String,
    /// How long a presigned URL is good for, 1 second to 7 days.
    pub expires: Span,
    /// Whether `X-Player-Id` goes with the request, signed.
    pub player_header: bool,
}

impl Default for SigV4 {
    fn default() -> Self {
        Self {
            form: SigV4Form::Header,
            region: None,
            service: "execute-api".into(),
            expires: Span::from_secs(60),
            player_header: true,
        }
    }
}

/// Where a signature travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SigV4Form {
    /// In headers.
    Header,
    /// In the URL's query.
    Query,
}
