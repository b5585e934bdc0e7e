//! Credentials of the standard AWS chain: environment, profile files, SSO, a credential process, the machine's role.

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::error::AuthError;

/// What is to be done where the chain has nothing.
const REMEDY: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role";

/// What the chain has come to. It may ask files, programs and services on its way, so it is followed once and kept.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The region that was given, else the chain's.
    pub region: Option<String>,
    /// The credentials.
    pub credentials: Credentials,
    /// Where newer credentials will come from.
    pub(super) provider: SharedCredentialsProvider,
}

impl Chain {
    /// Follows the chain, with another region if one is given.
    ///
    /// # Errors
    /// [`AuthError::Aws`] when it has no credentials.
    pub async fn resolve(region: Option<&str>) -> Result<Self, AuthError> {
        let mut loader = aws_config::from_env().http_client(sdk_http::client());
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        let provider = config
            .credentials_provider()
            .ok_or_else(|| AuthError::Aws(format!("there are no AWS credentials; {REMEDY}")))?;
        let credentials = credentials(&provider).await?;
        Ok(Self { region: config.region().map(ToString::to_string), credentials, provider })
    }
}

/// Asks for credentials.
pub(super) async fn credentials(provider: &SharedCredentialsProvider) -> Result<Credentials, AuthError> {
    // Only the outermost message: what lies below may quote a file.
    provider
        .provide_credentials()
        .await
        .map_err(|error| AuthError::Aws(format!("the AWS chain has no credentials ({error}); {REMEDY}")))
}
