//! HTTP requests to identity providers: time-outs, rate limit, client and size limit.

use std::time::Duration;

use reference_backend::ports::IdentityError;
use reqwest::{Client, Response, redirect};
use sdk_http::loopback::is_loopback;
use url::Url;

/// The limits of requests to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetching {
    /// Time-out of a request.
    pub timeout: Duration,
    /// Interval of the rate limit: one fetch of keys per interval.
    pub pause: Duration,
    /// Burst of the rate limit, so that a key rotation just after a fetch is noticed, too.
    pub burst: u32,
    /// Age at which keys are fetched again.
    pub renewal: Duration,
}

impl Default for Fetching {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            pause: Duration::from_secs(10),
            burst: 2,
            renewal: Duration::from_secs(3_600),
        }
    }
}

/// The HTTP client could not be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTPS for the identity provider: {0}; check the machine's certificates")]
pub struct SetupError(#[from] reqwest::Error);

/// A client for `base`. It follows no redirects, and uses no proxy for this machine.
pub(super) fn client(base: &Url, fetching: Fetching) -> Result<Client, SetupError> {
    let client = Client::builder()
        .timeout(fetching.timeout)
        .connect_timeout(fetching.timeout)
        .redirect(redirect::Policy::none())
        .referer(false);
    Ok(if is_loopback(base) { client.no_proxy() } else { client }.build()?)
}

/// The body of an answer of at most `longest` bytes. No error contains the URL, which may contain a secret.
pub(super) async fn body_of(mut response: Response, longest: usize) -> Result<Vec<u8>, IdentityError> {
    let unavailable = |error: reqwest::Error| IdentityError::Unavailable(error.without_url().to_string());
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(unavailable)? {
        if body.len() + part.len() > longest {
            return Err(IdentityError::Unavailable(format!("its answer has more than {longest} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}
