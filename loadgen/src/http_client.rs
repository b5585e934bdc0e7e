//! HTTP as a client, for whatever is asked beside the players' sockets: REST, identity provider, OpenTelemetry collector.
//!
//! One place configures all of them. No redirect is followed: the credentials of a request are for whom it was
//! written to. No `Referer` is sent. This machine is never asked through a proxy; others are as `HTTP_PROXY`, `HTTPS_PROXY`
//! and `NO_PROXY` say. Each stage has a time-out, and no more of an answer is kept than can be of use.

use std::error::Error as _;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Response, redirect};
use scenarios::plan::way::{Trust, is_loopback};
use url::Url;

use crate::tls::{self, TlsError};

/// Who asks.
pub const USER_AGENT: &str = concat!("loadgen/", env!("CARGO_PKG_VERSION"));

/// How long a connection may take, encryption included.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may say nothing.
const READ: Duration = Duration::from_secs(30);
/// Bytes that are kept of an answer that is only shown.
const SHOWN: usize = 512;

/// A client that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// TLS cannot be set up.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The client cannot be made.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// An answer that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It broke off.
    #[error("{0}")]
    Broken(String),
    /// It is too long to be what was asked for.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
}

/// A client for what lies under `base`, and for nothing else.
pub(crate) fn client(base: &Url, trust: &Trust) -> Result<ClientBuilder, HttpError> {
    let here = is_loopback(base);
    let tls = if base.scheme() == "https" {
        tls::config(&Trust { insecure: trust.insecure && here, ..trust.clone() })?
    } else {
        tls::none()?
    };
    let client = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .tls_backend_preconfigured(tls);
    Ok(if here { client.no_proxy() } else { client })
}

/// The whole body, if it has not more than `longest` bytes: it is read in parts, and left at the first that is too much.
pub(crate) async fn body(mut answer: Response, longest: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| BodyError::Broken(causes(error)))? {
        if body.len() + part.len() > longest {
            return Err(BodyError::TooLong(longest));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The beginning of a body, as text to be shown.
pub(crate) async fn beginning(mut answer: Response) -> String {
    let mut body = Vec::new();
    while body.len() < SHOWN
        && let Ok(Some(part)) = answer.chunk().await
    {
        body.extend_from_slice(&part[..part.len().min(SHOWN - body.len())]);
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// What happened, down to the first cause, without the URL: it may hold a token.
pub(crate) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        let said = below.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = below.source();
    }
    text
}
