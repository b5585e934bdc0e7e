//! The client of CloudWatch, and its errors in a line.

use std::error::Error;

use aws_config::ConfigLoader;
use aws_sdk_cloudwatch::config::Credentials;
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::{Client, Config};
use reports::printable;
use scenarios::plan::CloudWatch;
use scenarios::redact;
use url::Url;

use super::retries;
use crate::aws::Access;

/// The client, and where it asks. `credentials`: those of the AWS chain, where it has been followed already.
pub(crate) async fn client(
    wanted: &CloudWatch,
    endpoint: Option<&Url>,
    credentials: Option<Credentials>,
) -> (Client, Access) {
    let patient =
        |loader: ConfigLoader| loader.retry_config(retries::policy()).timeout_config(retries::patience());
    let access = Access::open(wanted, endpoint, credentials, patient).await;
    let config = Config::from(&access.config).to_builder().retry_classifier(retries::NotListening).build();
    (Client::from_conf(config), access)
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
