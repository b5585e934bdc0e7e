//! The tables of an external DynamoDB: DynamoDB Local, or AWS.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use reference_backend::function::{Deployment, Table};
use reference_backend::ports::TableStore;
use reference_backend_aws::dynamodb::DynamoTables;
use reference_backend_aws::provision::provision;
use reference_backend_local::account::REGION;
use reference_backend_local::background::Background;
use reference_backend_local::storage::{OpenStorage, Opening, Storage, StorageError};
use reference_backend_local::streams::Targets;
use sdk_http::loopback::is_loopback;
use url::Url;

use super::error::DynamoDbError;
use super::profile;
use super::shards::Shards;
use super::streams::{self, Pace};

/// On AWS a shard allows five reads a second; Lambda's mappings poll four times.
const AWS_PACE: Pace = Pace { busy: Duration::from_millis(250), idle: Duration::from_millis(250) };
/// On this machine there is no limit; the pause after an empty read avoids a busy loop.
const LOCAL_PACE: Pace = Pace { busy: Duration::ZERO, idle: Duration::from_millis(20) };
/// Key and secret for a DynamoDB on this machine, the same that functions in processes have: DynamoDB Local may keep
/// tables apart by them.
const NOBODY: &str = "local";

/// The DynamoDB at a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoDb(pub Url);

#[async_trait]
impl OpenStorage for DynamoDb {
    /// Finds the tables of the deployment and creates the missing ones.
    async fn open(&self, stack: &Opening<'_>) -> Result<Box<dyn Storage>, StorageError> {
        profile::check(stack.profile)?;
        Ok(Box::new(DynamoStorage::open(&self.0, stack.deployment).await?))
    }
}

/// Tables and streams of a DynamoDB.
struct DynamoStorage {
    tables: Arc<DynamoTables>,
    streams: Vec<Shards>,
    pace: Pace,
    endpoint: String,
    /// Credentials of functions in processes.
    environment: Vec<(OsString, OsString)>,
}

/// The endpoints and the region that a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Location {
    tables: String,
    /// The same URL for DynamoDB Local, another one on AWS.
    streams: String,
    /// The region, if the URL names it.
    region: Option<String>,
    /// On this machine, where signatures are not verified.
    loopback: bool,
}

impl DynamoStorage {
    async fn open(url: &Url, deployment: &Deployment) -> Result<Self, DynamoDbError> {
        let place = Location::of(url)?;
        let config = place.config().await;
        let environment = signing(&config, url).await?;
        let client = aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::config::Builder::from(&config).endpoint_url(&place.tables).build(),
        );
        let provisioned = provision(&client, |table| deployment.table_name(table)).await;
        let provisioned = provisioned.map_err(|source| DynamoDbError::Provision {
            url: Box::new(url.clone()),
            source: Box::new(source),
        })?;
        for new in provisioned.iter().filter(|table| table.created) {
            tracing::info!(table = deployment.table_name(new.table), "table created");
        }
        let reader = aws_sdk_dynamodbstreams::Client::from_conf(
            aws_sdk_dynamodbstreams::config::Builder::from(&config).endpoint_url(&place.streams).build(),
        );
        let streams = provisioned
            .into_iter()
            .filter_map(|table| Some(Shards::new(reader.clone(), table.table, table.stream?)));
        Ok(Self {
            tables: Arc::new(DynamoTables::new(client, |table| deployment.table_name(table))),
            streams: streams.collect(),
            pace: if place.loopback { LOCAL_PACE } else { AWS_PACE },
            endpoint: place.tables,
            environment,
        })
    }
}

#[async_trait]
impl Storage for DynamoStorage {
    fn store(&self) -> Arc<dyn TableStore> {
        Arc::<DynamoTables>::clone(&self.tables)
    }

    fn endpoint(&self) -> Option<String> {
        Some(self.endpoint.clone())
    }

    fn stream_arn(&self, table: Table) -> Option<String> {
        self.streams.iter().find(|shards| shards.table() == table).map(|shards| shards.arn().to_owned())
    }

    fn function_environment(&self) -> Vec<(OsString, OsString)> {
        self.environment.clone()
    }

    /// None: DynamoDB deletes expired items itself, and its placements may belong to another backend.
    fn start(&self, targets: &Targets<'_>) -> (Background, Vec<Background>) {
        (streams::start(targets, &self.streams, self.pace), Vec::new())
    }
}

impl Location {
    fn of(url: &Url) -> Result<Self, DynamoDbError> {
        let refused = |remedy| DynamoDbError::Url { url: Box::new(url.clone()), remedy };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("give an http or https URL"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || !url.username().is_empty() {
            return Err(refused("give scheme, host and port only"));
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        if url.host().is_none() {
            return Err(refused("give a host"));
        }
        // dynamodb.REGION.amazonaws.com, .amazonaws.com.cn
        let region = url.domain().unwrap_or_default().strip_prefix("dynamodb.").and_then(|rest| {
            let (region, rest) = rest.split_once('.')?;
            rest.starts_with("amazonaws.com").then(|| region.to_owned())
        });
        let streams = match &region {
            Some(_) => base.replacen("dynamodb.", "streams.dynamodb.", 1),
            None => base.clone(),
        };
        Ok(Self { tables: base, streams, region, loopback: is_loopback(url) })
    }

    /// Region and credentials of the SDKs' chain; on this machine any are accepted.
    async fn config(&self) -> SdkConfig {
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(sdk_http::client());
        let loader = match &self.region {
            Some(region) => loader.region(Region::new(region.clone())),
            None if self.loopback => loader.region(Region::from_static(REGION)),
            None => loader,
        };
        if !self.loopback {
            return loader.load().await;
        }
        loader.credentials_provider(Credentials::new(NOBODY, NOBODY, None, None, "loopback")).load().await
    }
}

/// The credentials of functions in processes, as environment variables, like those of a Lambda's role. They are not
/// renewed, so such functions fail once they expire.
async fn signing(config: &SdkConfig, url: &Url) -> Result<Vec<(OsString, OsString)>, DynamoDbError> {
    let none = |reason: String| DynamoDbError::Credentials { url: Box::new(url.clone()), reason };
    let region = config.region().map(ToString::to_string);
    let region = region.ok_or_else(|| DynamoDbError::Url {
        url: Box::new(url.clone()),
        remedy: "the Region is not known; set AWS_REGION, or give the URL as https://dynamodb.REGION.amazonaws.com",
    })?;
    let provider = config.credentials_provider().ok_or_else(|| none("there is no source of them".into()))?;
    let credentials = provider.provide_credentials().await;
    let credentials =
        credentials.map_err(|error| none(aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string()))?;
    let mut variables = vec![
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id().to_owned()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key().to_owned()),
    ];
    variables.extend(credentials.session_token().map(|token| ("AWS_SESSION_TOKEN", token.to_owned())));
    Ok(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Result<Location, DynamoDbError> {
        Location::of(&Url::parse(url).expect("a URL"))
    }

    #[test]
    fn streams_of_aws_have_a_host_of_their_own_and_others_do_not() {
        let aws = place("https://dynamodb.eu-west-1.amazonaws.com").expect("a place");
        assert_eq!(aws.tables, "https://dynamodb.eu-west-1.amazonaws.com");
        assert_eq!(aws.streams, "https://streams.dynamodb.eu-west-1.amazonaws.com");
        assert_eq!((aws.region.as_deref(), aws.loopback), (Some("eu-west-1"), false));

        for local in ["http://127.0.0.1:8000/", "http://localhost:8000", "http://[::1]:8000"] {
            let local = place(local).expect("a place");
            assert_eq!((&local.tables, &local.region, local.loopback), (&local.streams, &None, true));
        }
        let elsewhere = place("http://dynamodb:8000").expect("a place");
        assert_eq!((elsewhere.region, elsewhere.loopback), (None, false));
    }

    #[test]
    fn what_is_no_address_of_a_service_is_refused() {
        for wrong in ["ftp://127.0.0.1", "http://127.0.0.1/shell", "http://a@127.0.0.1", "http://127.0.0.1?x"]
        {
            assert!(place(wrong).expect_err(wrong).is_mistake(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_dynamodb_on_this_machine_needs_no_account() {
        let url = Url::parse("http://127.0.0.1:1").expect("a URL");
        let config = Location::of(&url).expect("a place").config().await;
        let environment = signing(&config, &url).await.expect("credentials");
        assert!(environment.contains(&("AWS_ACCESS_KEY_ID".into(), NOBODY.into())));
        assert!(environment.contains(&("AWS_REGION".into(), REGION.into())));
    }
}
