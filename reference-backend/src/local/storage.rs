//! Where the stack's tables are: in memory, in a directory (`serve --data`), or in a DynamoDB that somebody else runs
//! (`serve --dynamodb`).
//!
//! The stack asks for little: a [`TableStore`], the streams' mappings, what functions in processes must know to reach
//! the same tables, and what a former process left undone.

#[cfg(feature = "aws")]
mod dynamodb;
mod profile;

use std::ffi::OsString;
use std::sync::Arc;

use url::Url;

#[cfg(feature = "aws")]
use self::dynamodb::DynamoStorage;
use super::background::Background;
use super::metrics::Metrics;
use super::streams::{self, Targets};
use super::tables::{DataConfig, DataError, EmbeddedTables, TablesProfile, Unsettled};
#[cfg(feature = "aws")]
use crate::aws::provision::ProvisionError;
use crate::function::Deployment;
use crate::ports::{Clock, TableStore};

/// Where the tables are to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StorageConfig {
    /// In memory; they end with the stack.
    #[default]
    Memory,
    /// In memory, and kept in a directory.
    Directory(DataConfig),
    /// In the DynamoDB at a URL; needs the feature `aws`.
    DynamoDb(Url),
}

/// The tables of one stack.
pub enum Storage {
    /// Its own.
    Embedded(Arc<EmbeddedTables>),
    /// Those of a DynamoDB.
    #[cfg(feature = "aws")]
    DynamoDb(DynamoStorage),
}

/// Why the tables are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The AWS SDKs are not in this program.
    #[error(
        "this program was built without the AWS adapters, which --dynamodb needs; build it with \
         `cargo build --release -p reference-backend --features aws`"
    )]
    NotBuilt,
    /// They cannot be kept.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Faults that DynamoDB will not do.
    #[error(
        "the profile's [tables] asks for {0}, which only the embedded tables can inject; leave it out with --dynamodb, \
         or --dynamodb with it"
    )]
    Fault(&'static str),
    /// No DynamoDB can be there.
    #[error("--dynamodb {url}: {remedy}")]
    Url {
        /// As it was given.
        url: Box<Url>,
        /// What to give instead.
        remedy: &'static str,
    },
    /// Nobody to sign requests as.
    #[error(
        "no AWS credentials for {url}: {reason}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY \
         (DynamoDB Local takes any)"
    )]
    Credentials {
        /// Of which DynamoDB.
        url: Box<Url>,
        /// What the SDK's chain says.
        reason: String,
    },
    /// A table is not there and cannot be made.
    #[cfg(feature = "aws")]
    #[error("{source}\nis there a DynamoDB at {url}?")]
    Provision {
        /// Of which DynamoDB.
        url: Box<Url>,
        /// Why.
        source: Box<ProvisionError>,
    },
}

impl StorageError {
    /// Whether it is what was asked for that is wrong, not the machine.
    #[must_use]
    pub const fn is_mistake(&self) -> bool {
        if let Self::Data(error) = self {
            return error.is_mistake();
        }
        matches!(self, Self::NotBuilt | Self::Fault(_) | Self::Url { .. } | Self::Credentials { .. })
    }
}

impl Storage {
    /// Opens them: those of a DynamoDB are made if they are missing, those of a directory are read.
    ///
    /// # Errors
    /// [`StorageError`], each with its remedy.
    pub async fn open(
        config: &StorageConfig,
        profile: &TablesProfile,
        deployment: &Deployment,
        metrics: &Metrics,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StorageError> {
        Ok(match config {
            StorageConfig::Memory => Self::Embedded(EmbeddedTables::new(profile, deployment, metrics, clock)),
            StorageConfig::Directory(data) => {
                Self::Embedded(EmbeddedTables::open(profile, deployment, metrics, clock, data)?)
            }
            StorageConfig::DynamoDb(url) => {
                profile::check(profile)?;
                Self::at(url, deployment).await?
            }
        })
    }

    #[cfg(feature = "aws")]
    async fn at(url: &Url, deployment: &Deployment) -> Result<Self, StorageError> {
        DynamoStorage::open(url, deployment).await.map(Self::DynamoDb)
    }

    #[cfg(not(feature = "aws"))]
    async fn at(_: &Url, _: &Deployment) -> Result<Self, StorageError> {
        Err(StorageError::NotBuilt)
    }

    /// What reads and writes them.
    #[must_use]
    pub fn store(&self) -> Arc<dyn TableStore> {
        match self {
            Self::Embedded(tables) => tables.clone(),
            #[cfg(feature = "aws")]
            Self::DynamoDb(storage) => storage.store(),
        }
    }

    /// What functions in processes must know of them besides the endpoint.
    #[must_use]
    pub fn function_environment(&self) -> Vec<(OsString, OsString)> {
        match self {
            Self::Embedded(_) => Vec::new(),
            #[cfg(feature = "aws")]
            Self::DynamoDb(storage) => storage.function_environment(),
        }
    }

    /// Where functions in processes and others reach them, if not at the stack's own endpoint.
    #[must_use]
    pub fn endpoint(&self) -> Option<String> {
        match self {
            Self::Embedded(_) => None,
            #[cfg(feature = "aws")]
            Self::DynamoDb(storage) => Some(storage.endpoint()),
        }
    }

    /// Placements that a former process had not come to the end of.
    #[must_use]
    pub fn unsettled(&self) -> Vec<Unsettled> {
        match self {
            Self::Embedded(tables) => tables.unsettled(),
            // Its placements belong to whoever else uses it.
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => Vec::new(),
        }
    }

    /// Starts the mappings of their streams, and what they do by themselves. Must be called inside a tokio runtime.
    pub fn start(&self, targets: &Targets<'_>) -> (Background, Vec<Background>) {
        match self {
            Self::Embedded(tables) => {
                (streams::start(targets, tables), vec![tables.start_sweeper(), tables.start_release()])
            }
            // DynamoDB deletes what is expired by itself.
            #[cfg(feature = "aws")]
            Self::DynamoDb(storage) => (storage.start(targets), Vec::new()),
        }
    }

    /// Whether this program keeps them, and what is undelivered with them, for the next one.
    #[must_use]
    pub fn outlives(&self) -> bool {
        match self {
            Self::Embedded(tables) => tables.outlives(),
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => false,
        }
    }

    /// Notes how far the streams have come. Nothing can be written after that.
    pub async fn close(&self) {
        match self {
            Self::Embedded(tables) => tables.close().await,
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => {}
        }
    }
}
