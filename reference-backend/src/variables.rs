//! Names of the environment variables that a function is told its deployment by.
//!
//! Three parties have to agree on them: the SAM templates and the local stack set them, the Lambda binary reads them
//! (`reference_backend_aws::environment`). They stand here so that none of the three can spell one differently.
//!
//! Region, credentials and the endpoints of single services are the SDKs' own variables.

use crate::function::Table;

/// Which function this is; left out, each event tells (the single layout).
pub const FUNCTION: &str = "BACKEND_FUNCTION";
/// Name of the game, the first part of names that are not given.
pub const GAME: &str = "GAME";
/// Stage, the second part of them.
pub const STAGE: &str = "STAGE";
/// Name of the placement queue.
pub const QUEUE: &str = "PLACEMENT_QUEUE";
/// Seconds that a connection's record lives.
pub const CONNECTION_TTL: &str = "CONNECTION_TTL_S";
/// How players prove who they are: the authorizer needs it, and with `iam`, which has none, the functions that find out
/// by themselves who is calling (Connect, PlacementsRest).
pub const AUTH: &str = "AUTH_MODE";
/// Where the identity provider publishes its keys.
pub const JWKS_URL: &str = "JWKS_URL";
/// `iss` of good tokens.
pub const ISSUER: &str = "TOKEN_ISSUER";
/// For whom good tokens are meant.
pub const AUDIENCE: &str = "TOKEN_AUDIENCE";
/// The claim that says so; left out, `aud`.
pub const AUDIENCE_CLAIM: &str = "TOKEN_AUDIENCE_CLAIM";
/// The claim with the player's id; left out, `sub`.
pub const PLAYER_CLAIM: &str = "TOKEN_PLAYER_CLAIM";
/// Claims that good tokens have with these values: `name=value,name=value`.
pub const REQUIRED_CLAIMS: &str = "TOKEN_REQUIRED_CLAIMS";
/// `alg` of good tokens; left out, RS256.
pub const ALGORITHM: &str = "TOKEN_ALGORITHM";
/// Steam's Web API; left out, the real one.
pub const STEAM_URL: &str = "STEAM_URL";
/// The game's number at Steam.
pub const STEAM_APP_ID: &str = "STEAM_APP_ID";
/// For whom tickets must have been made; left out, any will do.
pub const STEAM_IDENTITY: &str = "STEAM_IDENTITY";
/// The publisher's Web API key: a secret.
pub const STEAM_KEY: &str = "STEAM_PUBLISHER_KEY";
/// Endpoint of the Management API instead of each connection's own; the SDKs' name for it.
pub const MANAGEMENT: &str = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI";
/// Endpoint of CloudWatch; the SDKs' name for it.
pub const CLOUDWATCH: &str = "AWS_ENDPOINT_URL_CLOUDWATCH";
/// Endpoint of DynamoDB; the SDKs' name for it.
pub const DYNAMODB: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// Endpoint of GameLift; the SDKs' name for it.
pub const GAMELIFT: &str = "AWS_ENDPOINT_URL_GAMELIFT";
/// Endpoint of every service; the stage is appended for the Management API.
pub const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Name of the variable that names a table.
#[must_use]
pub const fn table(table: Table) -> &'static str {
    match table {
        Table::Connections => "CONNECTIONS_TABLE",
        Table::Messages => "MESSAGES_TABLE",
        Table::Placements => "PLACEMENTS_TABLE",
    }
}
