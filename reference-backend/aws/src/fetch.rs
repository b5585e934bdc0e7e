//! How identity providers are asked over HTTP: how long and how often, with which client, and how much is read.

use std::time::Duration;

use reference_backend::ports::IdentityError;
use reqwest::{Client, Response, redirect};
use sdk_http::loopback::is_loopback;
use url::Url;

/// How a provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetching {
    /// How long the provider may take to answer.
    pub timeout: Duration,
    /// Time in which one more fetch of keys is allowed.
    pub pause: Duration,
    /// How many may follow each other at once after a quiet time: a rotation that comes just after a fetch is noticed, too.
    pub burst: u32,
    /// Age from which keys are fetched again.
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

/// Why there is no way to ask the provider.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTPS for the identity provider: {0}; check the machine's certificates")]
pub struct SetupError(#[from] reqwest::Error);

/// A client for what lies under `base`: what is asked there is for it alone, and this machine is asked directly.
pub(super) fn client(base: &Url, fetching: Fetching) -> Result<Client, SetupError> {
    let client = Client::builder()
        .timeout(fetching.timeout)
        .connect_timeout(fetching.timeout)
        .redirect(redirect::Policy::none())
        .referer(false);
    Ok(if is_loopback(base) { client.no_proxy() } else { client }.build()?)
}

/// The body of an answer, if it has not more than `longest` bytes. No error shows the URL, which may have a secret in it.
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
