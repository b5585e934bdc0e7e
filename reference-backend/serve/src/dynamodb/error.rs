//! Why a DynamoDB cannot be used.

use reference_backend_aws::provision::ProvisionError;
use reference_backend_local::storage::StorageError;
use url::Url;

/// Why the tables of a DynamoDB are not available.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The profile has faults that DynamoDB cannot inject.
    #[error(
        "the profile's [tables] asks for {0}, which only the embedded tables can inject; leave it out with --dynamodb, \
         or --dynamodb with it"
    )]
    Fault(&'static str),
    /// The URL is not one of a DynamoDB.
    #[error("--dynamodb {url}: {remedy}")]
    Url {
        /// The URL.
        url: Box<Url>,
        /// What to give instead.
        remedy: &'static str,
    },
    /// There are no AWS credentials.
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
    /// A table is missing and cannot be created.
    #[error("{source}\nis there a DynamoDB at {url}?")]
    Provision {
        /// Of which DynamoDB.
        url: Box<Url>,
        /// Why.
        source: Box<ProvisionError>,
    },
}

impl DynamoDbError {
    /// Whether it is a mistake of the caller, not a failure of the machine.
    #[must_use]
    pub const fn is_mistake(&self) -> bool {
        matches!(self, Self::Fault(_) | Self::Url { .. } | Self::Credentials { .. })
    }
}

impl From<DynamoDbError> for StorageError {
    fn from(error: DynamoDbError) -> Self {
        let mistake = error.is_mistake();
        Self::new(error, mistake)
    }
}
