//! Handshakes and REST requests signed with AWS Signature Version 4, in headers or as a presigned URL.
//!
//! A signature is good for five minutes and names its second, so it is made when the request is due and not before;
//! `cargo bench -- credentials` measures its cost. The AWS credentials behind it are fetched ahead and renewed before they
//! expire.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::Method;
use parking_lot::RwLock;
use scenarios::Plan;
use scenarios::plan::auth::SigV4Form;
use url::Url;

use super::aws::{self, Chain};
use super::error::AuthError;
use super::presented::{Presented, hide};

/// How often the signer looks whether its credentials are about to end.
const LOOK: Duration = Duration::from_secs(1);
/// How long the chain is left alone after a failure.
const RETRY: Duration = Duration::from_secs(5);
/// Headers and parameters that are worth something to a thief.
const SECRET: [&str; 4] =
    ["authorization", "x-amz-security-token", "X-Amz-Signature", "X-Amz-Security-Token"];

/// Signs requests.
pub(super) struct Signer {
    plan: Arc<Plan>,
    region: String,
    provider: SharedCredentialsProvider,
    credentials: RwLock<Credentials>,
}

impl Signer {
    /// Signs with what the AWS chain has come to.
    pub(super) fn new(plan: Arc<Plan>, chain: Chain) -> Result<Self, AuthError> {
        let Chain { region, credentials, provider } = chain;
        let region = region.ok_or_else(|| {
            AuthError::Aws("there is no AWS region; set auth.sigv4.region or AWS_REGION".into())
        })?;
        Ok(Self { plan, region, provider, credentials: RwLock::new(credentials) })
    }

    /// What `player` presents in a request, signed now with its body.
    pub(super) fn sign(
        &self,
        player: &str,
        method: &Method,
        url: &Url,
        body: &[u8],
    ) -> Result<Presented, AuthError> {
        let credentials = self.credentials.read().clone();
        let now = SystemTime::now();
        if credentials.expiry().is_some_and(|end| end <= now) {
            return Err(AuthError::Expired("the AWS chain gave no newer credentials".into()));
        }
        let wanted = &self.plan.auth.sigv4;
        let wrong = |what: &dyn std::fmt::Display| AuthError::Aws(what.to_string());
        let mut settings = SigningSettings::default();
        if wanted.form == SigV4Form::Query {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(wanted.expires);
        }
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&wanted.service)
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| wrong(&error))?
            .into();
        let mut presented =
            if wanted.player_header { Presented::player_id(player) } else { Presented::default() };
        let headers = wanted.player_header.then_some(("x-player-id", player)).into_iter();
        let request = SignableRequest::new(method.as_str(), url.as_str(), headers, SignableBody::Bytes(body))
            .map_err(|error| wrong(&error))?;
        let (signed, _) = sign(request, &parameters).map_err(|error| wrong(&error))?.into_parts();
        for (name, value) in signed.headers() {
            presented.header(name, value, SECRET.contains(&name));
        }
        for (name, value) in signed.params() {
            presented.parameter(name, value, SECRET.contains(name));
        }
        Ok(presented)
    }

    /// A text without the credentials that sign; a signature is known by its shape.
    pub(super) fn hide_in(&self, text: &str) -> String {
        let credentials = self.credentials.read();
        let secrets = [Some(credentials.secret_access_key()), credentials.session_token()];
        secrets.into_iter().flatten().fold(text.to_owned(), |text, secret| hide(&text, secret))
    }

    /// Whether the credentials are about to end.
    fn due(&self) -> bool {
        let soon = SystemTime::now() + self.plan.auth.refresh_before;
        self.credentials.read().expiry().is_some_and(|end| end <= soon)
    }
}

/// Renews the credentials before they end.
pub(super) async fn keep_fresh(signer: Arc<Signer>) {
    loop {
        tokio::time::sleep(LOOK).await;
        if !signer.due() {
            continue;
        }
        match aws::credentials(&signer.provider).await {
            Ok(credentials) => *signer.credentials.write() = credentials,
            Err(error) => {
                tracing::warn!("the AWS credentials could not be renewed: {error}");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}
