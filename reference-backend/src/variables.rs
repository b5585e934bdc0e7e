//! Names of the environment variables that configure a function.
//!
//! The SAM templates and the local stack set them, the Lambda binary reads them
//! (`reference_backend_aws::environment`). They are defined once, here.
//!
//! Region, credentials and the endpoints of single services are the SDKs' own variables.

use crate::function::Table;

/// The function; default: decided by each event (the single layout).
pub const FUNCTION: &str = "BACKEND_FUNCTION";
/// Name of the game, the first part of default names.
pub const GAME: &str = "GAME";
/// Stage, the second part of default names.
pub const STAGE: &str = "STAGE";
/// Name of the placement queue.
pub const QUEUE: &str = "PLACEMENT_QUEUE";
/// Time to live of a connection's record in seconds.
pub const CONNECTION_TTL: &str = "CONNECTION_TTL_S";
/// `true`: each invocation writes metrics by the second, in the embedded metric format; they cost as custom metrics do.
pub const SECOND_METRICS: &str = "SECOND_METRICS";
/// How players authenticate: for the authorizer, and with `iam`, which has none, for the functions that identify the
/// caller themselves (Connect, PlacementsRest).
pub const AUTH: &str = "AUTH_MODE";
/// URL of the identity provider's keys.
pub const JWKS_URL: &str = "JWKS_URL";
/// `iss` of valid tokens.
pub const ISSUER: &str = "TOKEN_ISSUER";
/// Audience of valid tokens.
pub const AUDIENCE: &str = "TOKEN_AUDIENCE";
/// The claim with the audience; default: `aud`.
pub const AUDIENCE_CLAIM: &str = "TOKEN_AUDIENCE_CLAIM";
/// The claim with the player's id; default: `sub`.
pub const PLAYER_CLAIM: &str = "TOKEN_PLAYER_CLAIM";
/// Claims that valid tokens have: `name=value,name=value`.
pub const REQUIRED_CLAIMS: &str = "TOKEN_REQUIRED_CLAIMS";
/// `alg` of valid tokens; default: RS256.
pub const ALGORITHM: &str = "TOKEN_ALGORITHM";
/// Steam's Web API; default: the real one.
pub const STEAM_URL: &str = "STEAM_URL";
/// The game's app id at Steam.
pub const STEAM_APP_ID: &str = "STEAM_APP_ID";
/// The identity that tickets must be made for; default: any.
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
