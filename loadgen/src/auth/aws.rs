//! Credentials of the standard AWS chain: environment, profile files, SSO, a credential process, the machine's role.

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::AuthError;

/// What is to be done where the chain has nothing.
const REMEDY: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role";

/// Loads the chain's configuration, with another region if one is given.
pub async fn config(region: Option<&str>) -> SdkConfig {
    let loader = aws_config::from_env();
    match region {
        Some(region) => loader.region(Region::new(region.to_owned())).load().await,
        None => loader.load().await,
    }
}

/// Where the configuration's credentials come from.
///
/// # Errors
/// [`AuthError::Aws`] when the configuration has no place to look.
pub fn provider(config: &SdkConfig) -> Result<SharedCredentialsProvider, AuthError> {
    config
        .credentials_provider()
        .ok_or_else(|| AuthError::Aws(format!("there are no AWS credentials; {REMEDY}")))
}

/// Asks the chain.
///
/// # Errors
/// [`AuthError::Aws`] when it has none.
pub async fn credentials(provider: &SharedCredentialsProvider) -> Result<Credentials, AuthError> {
    // Only the outermost message: what lies below may quote a file.
    provider
        .provide_credentials()
        .await
        .map_err(|error| AuthError::Aws(format!("the AWS chain has no credentials ({error}); {REMEDY}")))
}
