//! Handshakes signed with AWS Signature Version 4, in headers or as a presigned URL.
//!
//! A signature is good for five minutes and names its second, so it is made when the handshake is due and not before;
//! `cargo bench -- credentials` says what it costs. The AWS credentials behind it are had ahead and renewed before they end.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use parking_lot::RwLock;
use scenarios::Plan;
use scenarios::auth::planned::SigV4Form;
use url::Url;

use super::{AuthError, Presented, aws};

/// How often the signer looks whether its credentials are about to end.
const LOOK: Duration = Duration::from_secs(1);
/// How long the chain is left alone after a failure.
const RETRY: Duration = Duration::from_secs(5);
/// Headers and parameters that are worth something to a thief.
const SECRET: [&str; 4] =
    ["authorization", "x-amz-security-token", "X-Amz-Signature", "X-Amz-Security-Token"];

/// Signs handshakes.
pub(super) struct Signer {
    plan: Arc<Plan>,
    region: String,
    provider: SharedCredentialsProvider,
    credentials: RwLock<Credentials>,
}

impl Signer {
    /// Asks the AWS chain for the credentials to sign with.
    pub(super) async fn prepare(plan: &Arc<Plan>) -> Result<Self, AuthError> {
        let config = aws::config(plan.auth.sigv4.region.as_deref()).await;
        let region = config.region().map(ToString::to_string).ok_or_else(|| {
            AuthError::Aws("there is no AWS region; set auth.sigv4.region or AWS_REGION".into())
        })?;
        let provider = aws::provider(&config)?;
        let credentials = RwLock::new(aws::credentials(&provider).await?);
        Ok(Self { plan: Arc::clone(plan), region, provider, credentials })
    }

    /// What `player` presents in a handshake with `url`, signed now.
    pub(super) fn sign(&self, player: &str, url: &Url) -> Result<Presented, AuthError> {
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
        let request = SignableRequest::new("GET", url.as_str(), headers, SignableBody::Bytes(&[]))
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

    /// Whether the credentials are about to end.
    fn due(&self) -> bool {
        let soon = SystemTime::now() + self.plan.auth.refresh_before;
        self.credentials.read().expiry().is_some_and(|end| end <= soon)
    }
}

/// Renews the credentials before they end, as long as there is a signer.
pub(super) async fn keep_fresh(signer: Weak<Signer>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(signer) = signer.upgrade() else { return };
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
