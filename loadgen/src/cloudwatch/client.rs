//! The client of CloudWatch, and its errors in a line.

use std::error::Error;

use aws_sdk_cloudwatch::config::{Credentials, Region};
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::{Client, Config};
use reports::printable;
use scenarios::plan::CloudWatch;
use scenarios::plan::way::is_loopback;
use scenarios::redact;
use url::Url;

use super::retries;

/// `credentials`: those of the AWS chain, where it has been followed already.
pub(crate) async fn client(
    wanted: &CloudWatch,
    endpoint: Option<&Url>,
    credentials: Option<Credentials>,
) -> (Client, String) {
    let mut loader = aws_config::from_env()
        .http_client(sdk_http::client())
        .retry_config(retries::policy())
        .timeout_config(retries::patience());
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
    let config = Config::from(&config).to_builder().retry_classifier(retries::NotListening).build();
    (Client::from_conf(config), region)
}

/// Why a call failed, in a line: what CloudWatch said, or what became of the call. The service may quote what it was sent,
/// signature and all.
pub(crate) fn explained<E: ProvideErrorMetadata + Error + 'static>(
    call: &str,
    error: &SdkError<E>,
) -> String {
    let why = match error.code() {
        Some(code) => format!("{code}: {}", error.message().unwrap_or("no reason given")),
        None => what_became_of(error),
    };
    format!("{call} failed: {}", printable::line(&redact::text(&why)))
}

fn what_became_of<E: Error + 'static>(error: &SdkError<E>) -> String {
    let mut causes: Vec<String> = std::iter::successors(Some(error as &dyn Error), |cause| (*cause).source())
        .map(ToString::to_string)
        .collect();
    causes.dedup();
    let remedy = if retries::is_refusal(error) {
        "; nothing listens at that address: the local stack must still be running"
    } else {
        ""
    };
    format!("{}{remedy}", causes.join(": "))
}
