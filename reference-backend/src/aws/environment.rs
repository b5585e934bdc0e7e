//! What a Lambda is told by its environment variables. The SAM template sets them; so does the local stack for the
//! processes that it runs.
//!
//! Region, credentials and the endpoints of DynamoDB and GameLift are the SDK's own variables (`AWS_REGION`,
//! `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB`, ...) and are read by the SDK.

use std::time::Duration;

use clap::ValueEnum as _;
use jsonwebtoken::Algorithm;
use url::{Host, Url};

use super::apigatewaymanagement::Endpoint;
use crate::function::{Deployment, Function, Table};
use crate::handlers::{AuthMode, Settings};
use crate::token::TokenRules;

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
/// `header` or `token`; only the authorizer needs it.
pub const AUTH: &str = "AUTH_MODE";
/// Where the identity provider publishes its keys.
pub const JWKS_URL: &str = "JWKS_URL";
/// `iss` of good tokens.
pub const ISSUER: &str = "TOKEN_ISSUER";
/// `aud` of good tokens.
pub const AUDIENCE: &str = "TOKEN_AUDIENCE";
/// `alg` of good tokens; left out, RS256.
pub const ALGORITHM: &str = "TOKEN_ALGORITHM";
/// Endpoint of the Management API instead of each connection's own; the SDKs' name for it.
pub const MANAGEMENT: &str = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI";
/// Endpoint of every service; the stage is appended for the Management API.
pub const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Seconds between the provider's clock and ours.
const LEEWAY_S: u64 = 5;

/// Name of the variable that names a table.
#[must_use]
pub const fn table_variable(table: Table) -> &'static str {
    match table {
        Table::Connections => "CONNECTIONS_TABLE",
        Table::Messages => "MESSAGES_TABLE",
        Table::Placements => "PLACEMENTS_TABLE",
    }
}

/// Why the function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// A variable is missing.
    #[error("the environment variable {name} is not set; {because}")]
    Missing {
        /// Which.
        name: &'static str,
        /// What makes it necessary.
        because: &'static str,
    },
    /// A variable has a value that means nothing.
    #[error("the environment variable {name} is {value:?}; {remedy}")]
    Invalid {
        /// Which.
        name: &'static str,
        /// What it is.
        value: String,
        /// What to write instead.
        remedy: &'static str,
    },
}

/// How players prove who they are, as far as this function has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Not this function's business. Should it be asked all the same, nobody is let in.
    Unset,
    /// `X-Player-Id`, believed.
    Header,
    /// A token that somebody else vouches for.
    Token(Provider),
}

/// Who vouches for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Where its keys are: https, or http on this machine.
    pub keys: Url,
    /// What its tokens must say.
    pub rules: TokenRules,
}

/// Everything that the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The one function, or none: then each event tells.
    pub function: Option<Function>,
    /// Names of the tables, in the order of [`Table::ALL`].
    tables: [String; Table::ALL.len()],
    /// How players prove who they are.
    pub auth: Auth,
    /// Where pushes go.
    pub management: Endpoint,
    /// What the handlers are told.
    pub settings: Settings,
}

impl Environment {
    /// Reads the variables that `lookup` knows; an empty one counts as left out.
    ///
    /// # Errors
    /// [`EnvironmentError`], naming the variable.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let default = Deployment::default();
        let deployment = Deployment {
            game: get(GAME).unwrap_or(default.game),
            stage: get(STAGE).unwrap_or(default.stage),
        };
        let auth = auth(&get)?;
        let connection_ttl = parsed(&get, CONNECTION_TTL, "give whole seconds, at least 1", |text| {
            text.parse().ok().filter(|&seconds| seconds > 0).map(Duration::from_secs)
        })?;
        let defaults = Settings::default();
        Ok(Self {
            function: parsed(
                &get,
                FUNCTION,
                "give a function's name, e.g. SendMessage, or leave it out",
                |text| Function::ALL.into_iter().find(|function| function.short_name() == text),
            )?,
            tables: Table::ALL
                .map(|table| get(table_variable(table)).unwrap_or_else(|| deployment.table_name(table))),
            management: match (get(MANAGEMENT), get(ENDPOINT)) {
                (Some(url), _) => Endpoint::Fixed(url),
                (None, Some(base)) => Endpoint::Base(base),
                (None, None) => Endpoint::OfConnection,
            },
            settings: Settings {
                auth: if auth == Auth::Header { AuthMode::Header } else { AuthMode::Token },
                queue_name: get(QUEUE).unwrap_or_else(|| deployment.resource("Queue")),
                connection_ttl: connection_ttl.unwrap_or(defaults.connection_ttl),
                ..defaults
            },
            auth,
        })
    }

    /// Full name of a table.
    #[must_use]
    pub fn table_name(&self, table: Table) -> &str {
        &self.tables[table as usize]
    }
}

fn auth(get: &impl Fn(&str) -> Option<String>) -> Result<Auth, EnvironmentError> {
    let mode = parsed(get, AUTH, "give header or token", |text| AuthMode::from_str(text, false).ok())?;
    match mode {
        None => return Ok(Auth::Unset),
        Some(AuthMode::Header) => return Ok(Auth::Header),
        Some(AuthMode::Token) => {}
    }
    let needed = |name, because| get(name).ok_or(EnvironmentError::Missing { name, because });
    needed(JWKS_URL, "with AUTH_MODE=token it says where the provider publishes its keys")?;
    let keys = parsed(get, JWKS_URL, "give an https URL (http only on this machine)", |text| {
        Url::parse(text).ok().filter(confidential)
    })?;
    let algorithm =
        parsed(get, ALGORITHM, "give the provider's asymmetric algorithm, e.g. RS256 or ES256", |text| {
            text.parse().ok().filter(|algorithm| {
                !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
            })
        })?;
    let Some(keys) = keys else { return Ok(Auth::Unset) };
    Ok(Auth::Token(Provider {
        keys,
        rules: TokenRules {
            algorithm: algorithm.unwrap_or(Algorithm::RS256),
            issuer: needed(ISSUER, "with AUTH_MODE=token it says whose tokens are good")?,
            audience: needed(AUDIENCE, "with AUTH_MODE=token it says for whom they must be meant")?,
            leeway_s: LEEWAY_S,
        },
    }))
}

/// Keys that anybody on the way could replace vouch for nobody.
fn confidential(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// A variable's value as `T`, or none if it is left out.
fn parsed<T>(
    get: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    remedy: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, EnvironmentError> {
    get(name).map(|value| parse(&value).ok_or(EnvironmentError::Invalid { name, value, remedy })).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        Environment::read(|name| variables.get(name).map(|&value| value.to_owned()))
    }

    const TOKEN: [(&str, &str); 4] = [
        (AUTH, "token"),
        (JWKS_URL, "https://id.example/keys"),
        (ISSUER, "https://id.example"),
        (AUDIENCE, "game"),
    ];

    #[test]
    fn names_follow_the_deployment_unless_they_are_given() {
        let environment = read(&[(GAME, "pong"), (STAGE, "Staging"), ("MESSAGES_TABLE", "mine")]).unwrap();
        assert_eq!(environment.table_name(Table::Connections), "pong-Staging-Connections");
        assert_eq!(environment.table_name(Table::Messages), "mine");
        assert_eq!(environment.settings.queue_name, "pong-Staging-Queue");
        assert_eq!(environment.function, None);
        let connect = read(&[(FUNCTION, "Connect"), (CONNECTION_TTL, "180")]).unwrap();
        assert_eq!(connect.function, Some(Function::Connect));
        assert_eq!(connect.settings.connection_ttl, Duration::from_secs(180));
    }

    #[test]
    fn without_a_word_on_authorization_nobody_is_believed() {
        let environment = read(&[(AUTH, "")]).unwrap();
        assert_eq!((environment.auth, environment.settings.auth), (Auth::Unset, AuthMode::Token));
        assert_eq!(read(&[(AUTH, "header")]).unwrap().settings.auth, AuthMode::Header);
    }

    #[test]
    fn a_provider_is_described_completely() {
        let Auth::Token(provider) = read(&TOKEN).unwrap().auth else { panic!("token") };
        assert_eq!(provider.rules.algorithm, Algorithm::RS256);
        for left_out in 1..TOKEN.len() {
            let mut variables = TOKEN.to_vec();
            let (name, _) = variables.remove(left_out);
            assert!(matches!(read(&variables), Err(EnvironmentError::Missing { name: n, .. }) if n == name));
        }
    }

    #[test]
    fn mistakes_are_named_with_a_remedy() {
        for (name, value, hint) in [
            (FUNCTION, "Conect", "SendMessage"),
            (AUTH, "none", "header or token"),
            (JWKS_URL, "http://id.example/keys", "https"),
            (ALGORITHM, "HS256", "asymmetric"),
            (ALGORITHM, "none", "asymmetric"),
            (CONNECTION_TTL, "0", "at least 1"),
        ] {
            let variables: Vec<_> =
                TOKEN.into_iter().filter(|(other, _)| *other != name).chain([(name, value)]).collect();
            let error = read(&variables).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
        assert!(read(&[TOKEN[0], (JWKS_URL, "http://127.0.0.1:9/k"), TOKEN[2], TOKEN[3]]).is_ok());
    }

    #[test]
    fn an_own_endpoint_of_the_management_api_wins() {
        let base = (ENDPOINT, "http://127.0.0.1:1");
        assert_eq!(read(&[]).unwrap().management, Endpoint::OfConnection);
        assert_eq!(read(&[base]).unwrap().management, Endpoint::Base(base.1.into()));
        assert_eq!(read(&[base, (MANAGEMENT, "u")]).unwrap().management, Endpoint::Fixed("u".into()));
    }
}
