//! Where AWS is asked, and with which credentials.

use aws_config::Region;
use aws_config::{ConfigLoader, SdkConfig};
use aws_credential_types::Credentials;
use scenarios::plan::CloudWatch;
use scenarios::plan::way::is_loopback;
use url::Url;

/// What the AWS chain has come to, and the endpoint instead of AWS.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) config: SdkConfig,
    /// The region's name, `unknown` if there is none.
    pub(crate) region: String,
    /// Whom to ask instead of AWS.
    pub(crate) endpoint: Option<Url>,
}

impl Access {
    /// Follows the chain. `credentials`: what it has come to already.
    pub(crate) async fn open(
        wanted: &CloudWatch,
        endpoint: Option<&Url>,
        credentials: Option<Credentials>,
        with: impl FnOnce(ConfigLoader) -> ConfigLoader,
    ) -> Self {
        let mut loader = with(aws_config::from_env().http_client(sdk_http::client()));
        if let Some(credentials) = credentials {
            loader = loader.credentials_provider(credentials);
        }
        if let Some(region) = &wanted.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint.as_str().trim_end_matches('/'));
            // A stack on this machine asks for no account: real credentials stay where they are.
            if is_loopback(endpoint) {
                let local = Credentials::new("local", "local", None, None, "local");
                loader = loader.region(Region::from_static("local")).credentials_provider(local);
            }
        }
        let config = loader.load().await;
        let region = config.region().map_or_else(|| "unknown".into(), ToString::to_string);
        Self { config, region, endpoint: endpoint.cloned() }
    }

    /// Whether a stack on this machine is asked: it has all of its data at once, and costs nothing.
    pub(crate) fn is_local(&self) -> bool {
        self.endpoint.as_ref().is_some_and(is_loopback)
    }

    /// The one address of all services; `None`: each has its own in the region. An endpoint of AWS's is CloudWatch's alone.
    pub(crate) fn one_address(&self) -> Option<&Url> {
        let of_aws = |host: &str| host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        self.endpoint.as_ref().filter(|endpoint| !endpoint.host_str().is_some_and(of_aws))
    }
}
