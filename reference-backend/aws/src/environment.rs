//! The configuration of a Lambda by environment [`variables`]. The SAM template sets them, and the local stack for the
//! processes that it runs.
//!
//! Region, credentials and the endpoints of DynamoDB and GameLift are the SDK's own variables (`AWS_REGION`,
//! `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB`, ...) and are read by the SDK.

use std::time::Duration;

use clap::ValueEnum as _;
use jsonwebtoken::Algorithm;
use reference_backend::function::{Deployment, Function, Table};
use reference_backend::handlers::{AuthMode, Settings};
use reference_backend::token::{AUDIENCE_CLAIM, Issuer, PLAYER_CLAIM, TokenRules};
use reference_backend::variables::{
    self, ALGORITHM, AUDIENCE, AUTH, CONNECTION_TTL, ENDPOINT, FUNCTION, GAME, ISSUER, JWKS_URL, MANAGEMENT,
    QUEUE, REQUIRED_CLAIMS, SECOND_METRICS, STAGE, STEAM_APP_ID, STEAM_IDENTITY, STEAM_KEY, STEAM_URL,
};
use sdk_http::loopback::is_loopback;
use secrecy::SecretString;
use url::Url;

use super::apigatewaymanagement::Endpoint;
use super::identity::Provider;
use super::steam::SteamService;

/// Allowed clock skew of the provider in seconds.
const LEEWAY_S: u64 = 5;
/// Steam's Web API for publishers.
const STEAM: &str = "https://partner.steam-api.com";

/// Why the function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// A variable is missing.
    #[error("the environment variable {name} is not set; {because}")]
    Missing {
        /// Which.
        name: &'static str,
        /// Why it is required.
        because: &'static str,
    },
    /// A variable is not valid.
    #[error("the environment variable {name} is {value:?}; {remedy}")]
    Invalid {
        /// Which.
        name: &'static str,
        /// Its value.
        value: String,
        /// The remedy.
        remedy: &'static str,
    },
}

/// The authentication that this function needs.
#[derive(Debug, Clone)]
pub enum Auth {
    /// None: this function does not authenticate. If it is invoked as the authorizer, it denies every request.
    Unset,
    /// `X-Player-Id`, trusted without a check.
    Header,
    /// A token of an identity provider.
    Token(Provider),
    /// A ticket of Steam.
    Steam(SteamService),
    /// A signature that API Gateway has verified.
    Iam,
}

impl Auth {
    /// The same for the handlers.
    const fn mode(&self) -> AuthMode {
        match self {
            // There is no provider, so every token is denied.
            Self::Unset | Self::Token(_) => AuthMode::Token,
            Self::Header => AuthMode::Header,
            Self::Steam(_) => AuthMode::Steam,
            Self::Iam => AuthMode::Iam,
        }
    }
}

/// The configuration of a function.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The function; none: decided by each event.
    pub function: Option<Function>,
    /// Names of the tables, in the order of [`Table::ALL`].
    tables: [String; Table::ALL.len()],
    /// How players authenticate.
    pub auth: Auth,
    /// The endpoint of pushes.
    pub management: Endpoint,
    /// Whether each invocation writes metrics by the second.
    pub second_metrics: bool,
    /// The settings of the handlers.
    pub settings: Settings,
}

impl Environment {
    /// Reads the variables that `lookup` knows; an empty one counts as not set.
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
                |text| text.parse().ok(),
            )?,
            tables: Table::ALL
                .map(|table| get(variables::table(table)).unwrap_or_else(|| deployment.table_name(table))),
            management: match (get(MANAGEMENT), get(ENDPOINT)) {
                (Some(url), _) => Endpoint::Fixed(url),
                (None, Some(base)) => Endpoint::Base(base),
                (None, None) => Endpoint::OfConnection,
            },
            second_metrics: parsed(&get, SECOND_METRICS, "give true or false", |text| text.parse().ok())?
                .unwrap_or(false),
            settings: Settings {
                auth: auth.mode(),
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
    let remedy = "give header, token, steam or iam";
    Ok(match parsed(get, AUTH, remedy, |text| AuthMode::from_str(text, false).ok())? {
        None => Auth::Unset,
        Some(AuthMode::Header) => Auth::Header,
        Some(AuthMode::Token) => Auth::Token(provider(get)?),
        Some(AuthMode::Steam) => Auth::Steam(steam(get)?),
        Some(AuthMode::Iam) => Auth::Iam,
    })
}

fn provider(get: &impl Fn(&str) -> Option<String>) -> Result<Provider, EnvironmentError> {
    let because = "with AUTH_MODE=token it says where the provider publishes its keys";
    let keys = needed(parsed(get, JWKS_URL, URL_REMEDY, confidential)?, JWKS_URL, because)?;
    let algorithm =
        parsed(get, ALGORITHM, "give the provider's asymmetric algorithm, e.g. RS256 or ES256", |text| {
            text.parse().ok().filter(|algorithm| {
                !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
            })
        })?;
    let required = parsed(get, REQUIRED_CLAIMS, "give name=value,name=value", |text| {
        let claim = |pair: &str| {
            pair.split_once('=')
                .filter(|(name, _)| !name.trim().is_empty())
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        };
        text.split(',').map(claim).collect()
    })?;
    let issuer = needed(get(ISSUER), ISSUER, "with AUTH_MODE=token it says whose tokens are good")?;
    Ok(Provider {
        keys,
        rules: TokenRules {
            algorithm: algorithm.unwrap_or(Algorithm::RS256),
            issuer: Issuer::new(&issuer),
            audience: needed(
                get(AUDIENCE),
                AUDIENCE,
                "with AUTH_MODE=token it says for whom they must be meant",
            )?,
            audience_claim: get(variables::AUDIENCE_CLAIM).unwrap_or_else(|| AUDIENCE_CLAIM.into()),
            required: required.unwrap_or_default(),
            player_claim: get(variables::PLAYER_CLAIM).unwrap_or_else(|| PLAYER_CLAIM.into()),
            leeway_s: LEEWAY_S,
        },
    })
}

fn steam(get: &impl Fn(&str) -> Option<String>) -> Result<SteamService, EnvironmentError> {
    let app_id = parsed(get, STEAM_APP_ID, "give the game's number at Steam", |text| {
        text.parse().ok().filter(|&number: &u32| number > 0)
    })?;
    let key = get(STEAM_KEY).map(SecretString::from);
    let or_steam = |name: &str| get(name).or_else(|| Some(STEAM.to_owned()));
    let url = parsed(&or_steam, STEAM_URL, URL_REMEDY, confidential)?;
    Ok(SteamService {
        url: needed(url, STEAM_URL, "it says where Steam's Web API is")?,
        app_id: needed(app_id, STEAM_APP_ID, "with AUTH_MODE=steam it says for which game tickets must be")?,
        identity: get(STEAM_IDENTITY),
        publisher_key: needed(key, STEAM_KEY, "with AUTH_MODE=steam it proves to Steam who asks")?,
    })
}

fn needed<T>(value: Option<T>, name: &'static str, because: &'static str) -> Result<T, EnvironmentError> {
    value.ok_or(EnvironmentError::Missing { name, because })
}

/// The remedy for a URL that is not [`confidential`].
const URL_REMEDY: &str = "give an https URL (http only on this machine)";

/// An https URL, or an http URL of this machine: over plain HTTP, keys could be read or replaced on the way.
fn confidential(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url))).then_some(url)
}

/// A variable's value as `T`; none if it is not set.
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
    use secrecy::ExposeSecret as _;

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
        assert!(matches!((environment.auth, environment.settings.auth), (Auth::Unset, AuthMode::Token)));
        assert_eq!(read(&[(AUTH, "header")]).unwrap().settings.auth, AuthMode::Header);
    }

    #[test]
    fn a_provider_is_described_completely() {
        let Auth::Token(provider) = read(&TOKEN).unwrap().auth else { panic!("token") };
        let rules = provider.rules;
        assert_eq!((rules.algorithm, rules.issuer), (Algorithm::RS256, Issuer::new("https://id.example")));
        assert_eq!((rules.audience_claim.as_str(), rules.player_claim.as_str()), ("aud", "sub"));
        assert!(rules.required.is_empty());
        for left_out in 1..TOKEN.len() {
            let mut variables = TOKEN.to_vec();
            let (name, _) = variables.remove(left_out);
            assert!(matches!(read(&variables), Err(EnvironmentError::Missing { name: n, .. }) if n == name));
        }
    }

    #[test]
    fn a_provider_may_call_things_otherwise() {
        let others = [
            (variables::AUDIENCE_CLAIM, "client_id"),
            (variables::PLAYER_CLAIM, "username"),
            (REQUIRED_CLAIMS, "token_use=access, v = 2"),
        ];
        let Auth::Token(provider) = read(&[&TOKEN[..], &others].concat()).unwrap().auth else {
            panic!("token")
        };
        let rules = provider.rules;
        assert_eq!((rules.audience_claim.as_str(), rules.player_claim.as_str()), ("client_id", "username"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(rules.required, [pair("token_use", "access"), pair("v", "2")]);
    }

    #[test]
    fn steam_is_asked_with_a_key_that_nobody_sees() {
        const STEAM_MODE: [(&str, &str); 3] =
            [(AUTH, "steam"), (STEAM_APP_ID, "480"), (STEAM_KEY, "hunter2")];
        let environment = read(&STEAM_MODE).unwrap();
        assert_eq!(environment.settings.auth, AuthMode::Steam);
        let shown = format!("{environment:?}");
        assert!(shown.contains("480") && !shown.contains("hunter2"), "{shown}");
        let Auth::Steam(service) = environment.auth else { panic!("steam") };
        assert_eq!((service.url.as_str(), service.identity), ("https://partner.steam-api.com/", None));
        assert_eq!(service.publisher_key.expose_secret(), "hunter2");
        for left_out in 1..STEAM_MODE.len() {
            let mut variables = STEAM_MODE.to_vec();
            let (name, _) = variables.remove(left_out);
            let error = read(&variables).unwrap_err();
            assert!(matches!(&error, EnvironmentError::Missing { name: n, .. } if *n == name), "{error}");
            assert!(!error.to_string().contains("hunter2"));
        }
        for (name, value) in [(STEAM_APP_ID, "0"), (STEAM_APP_ID, "x"), (STEAM_URL, "http://steam.example")] {
            let error = read(&[&STEAM_MODE[..], &[(name, value)]].concat()).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn with_iam_nothing_else_is_needed() {
        let environment = read(&[(AUTH, "iam")]).unwrap();
        assert!(matches!((environment.auth, environment.settings.auth), (Auth::Iam, AuthMode::Iam)));
    }

    #[test]
    fn mistakes_are_named_with_a_remedy() {
        for (name, value, hint) in [
            (FUNCTION, "Conect", "SendMessage"),
            (AUTH, "none", "header, token, steam or iam"),
            (JWKS_URL, "http://id.example/keys", "https"),
            (ALGORITHM, "HS256", "asymmetric"),
            (ALGORITHM, "none", "asymmetric"),
            (REQUIRED_CLAIMS, "token_use", "name=value"),
            (CONNECTION_TTL, "0", "at least 1"),
            (SECOND_METRICS, "yes", "true or false"),
        ] {
            let variables: Vec<_> =
                TOKEN.into_iter().filter(|(other, _)| *other != name).chain([(name, value)]).collect();
            let error = read(&variables).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
        assert!(read(&[TOKEN[0], (JWKS_URL, "http://127.0.0.1:9/k"), TOKEN[2], TOKEN[3]]).is_ok());
        let second_metrics = |variables: &[_]| read(variables).unwrap().second_metrics;
        assert!(!second_metrics(&[]) && second_metrics(&[(SECOND_METRICS, "true")]));
    }

    #[test]
    fn an_own_endpoint_of_the_management_api_wins() {
        let base = (ENDPOINT, "http://127.0.0.1:1");
        assert_eq!(read(&[]).unwrap().management, Endpoint::OfConnection);
        assert_eq!(read(&[base]).unwrap().management, Endpoint::Base(base.1.into()));
        assert_eq!(read(&[base, (MANAGEMENT, "u")]).unwrap().management, Endpoint::Fixed("u".into()));
    }
}
