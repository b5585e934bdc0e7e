//! Makes calls: signs them, makes throttled ones again, and keeps in mind what was refused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::header::CONTENT_TYPE;
use parking_lot::Mutex;
use reqwest::Client;
use scenarios::plan::way::Trust;
use serde::de::DeserializeOwned;
use url::Url;

use super::access::Access;
use super::call::Call;
use super::refusal::Refusal;
use super::service::Service;
use crate::http_client;

/// Calls in place of one, at most.
const ATTEMPTS: u32 = 7;
/// The longest first pause; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than any of these answers has.
const LONGEST: usize = 16 * 1024 * 1024;
/// Pages of one list: no account has as much.
const PAGES: usize = 200;

/// Makes calls.
pub(crate) struct Api {
    http: Client,
    access: Access,
    calls: AtomicU64,
    /// Why there was no answer, by permission.
    refused: Mutex<BTreeMap<String, Refusal>>,
}

/// A page of a list.
pub(crate) trait Page: DeserializeOwned {
    /// What it lists.
    type Item;

    /// What it lists, and the token of the next one.
    fn split(self) -> (Vec<Self::Item>, Option<String>);
}

impl Api {
    /// Asks whom `access` names.
    ///
    /// # Errors
    /// [`Refusal::Failed`] without a region, and when TLS cannot be set up.
    pub(crate) fn new(access: Access) -> Result<Self, Refusal> {
        let base = address(&access, Service::Lambda)?;
        let client = http_client::client(&base, &Trust::default()).map_err(failed)?;
        let http = client.timeout(PATIENCE).build().map_err(failed)?;
        Ok(Self { http, access, calls: AtomicU64::new(0), refused: Mutex::default() })
    }

    /// Whether a local stack is asked instead of AWS.
    pub(crate) fn is_stack(&self) -> bool {
        self.access.one_address().is_some()
    }

    /// How many calls were made, repetitions among them.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The answer, if there is one; a refusal is kept for [`notes`](Self::notes).
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Option<T> {
        self.noted(call, self.answer(call).await)
    }

    /// An answer that is no JSON, if there is one.
    pub(crate) async fn ask_text(&self, call: &Call) -> Option<String> {
        let answer = self.bytes(call).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.noted(call, answer)
    }

    /// Everything that a list has; a refusal is kept for [`notes`](Self::notes), with what came before it.
    pub(crate) async fn list<P: Page>(&self, call: impl Fn(Option<&str>) -> Call) -> Vec<P::Item> {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..PAGES {
            let call = call(token.as_deref());
            let Some(page) = self.ask::<P>(&call).await else { break };
            let (mut items, next) = page.split();
            all.append(&mut items);
            token = next.filter(|next| !next.is_empty());
            if token.is_none() {
                break;
            }
        }
        all
    }

    /// The answer, or why there is none.
    pub(crate) async fn answer<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Refusal> {
        serde_json::from_slice(&self.bytes(call).await?)
            .map_err(|error| failed(format!("the answer cannot be read: {error}")))
    }

    async fn bytes(&self, call: &Call) -> Result<Vec<u8>, Refusal> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.once(call).await {
                Err(Refusal::Later(_)) => {
                    tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
                    pause *= 2;
                }
                other => return other,
            }
        }
        self.once(call).await
    }

    /// What there was no answer to, in sentences: each permission once.
    pub(crate) fn notes(&self) -> Vec<String> {
        let refused = self.refused.lock();
        let such = |kind: &Refusal| {
            let such = refused.iter().filter(|(_, refusal)| *refusal == kind);
            such.map(|(permission, _)| permission.as_str()).collect::<Vec<_>>().join(", ")
        };
        let mut notes = Vec::new();
        let denied = such(&Refusal::Denied);
        if !denied.is_empty() {
            notes.push(format!(
                "the credentials lack {denied}: the limits and the wiring that these tell are unknown; allow them (docs/cloudwatch.md \
                 has the policy)"
            ));
        }
        let unknown = such(&Refusal::NotImplemented);
        if !unknown.is_empty() {
            notes.push(format!("the endpoint does not answer {unknown}: what these tell is unknown"));
        }
        let others = refused.iter().filter(|(_, why)| matches!(why, Refusal::Later(_) | Refusal::Failed(_)));
        notes.extend(others.map(|(permission, why)| format!("{permission} failed: {why}")));
        notes
    }

    fn noted<T>(&self, call: &Call, answer: Result<T, Refusal>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(Refusal::Absent) => None,
            Err(refusal) => {
                self.refused.lock().entry(call.permission.clone()).or_insert(refusal);
                None
            }
        }
    }

    async fn once(&self, call: &Call) -> Result<Vec<u8>, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let request = self.signed(call).await?;
        let answer = self.http.execute(request).await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = http_client::body(answer, LONGEST).await;
        let body = body.map_err(failed)?;
        if status.is_success() { Ok(body) } else { Err(Refusal::of(status, &headers, &body)) }
    }

    async fn signed(&self, call: &Call) -> Result<reqwest::Request, Refusal> {
        let provider = self.access.config.credentials_provider();
        let provider = provider.ok_or_else(|| failed("there are no AWS credentials"))?;
        // Only the outermost message: what lies below may quote a file.
        let credentials = provider.provide_credentials().await.map_err(failed)?;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.access.region)
            .name(call.service.name())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(failed)?
            .into();
        let url = call.url(&address(&self.access, call.service)?);
        let (media_type, body) = call.body.clone().unwrap_or_default();
        let mut headers: Vec<(&str, &str)> = Vec::new();
        if !media_type.is_empty() {
            headers.push((CONTENT_TYPE.as_str(), media_type));
        }
        headers.extend(call.target.as_deref().map(|target| ("x-amz-target", target)));
        let signable = SignableRequest::new(
            call.method.as_str(),
            url.as_str(),
            headers.iter().copied(),
            SignableBody::Bytes(&body),
        );
        let signable = signable.map_err(failed)?;
        let (signed, _) = sign(signable, &parameters).map_err(failed)?.into_parts();
        let mut request = self.http.request(call.method.clone(), url.clone());
        for (name, value) in headers.into_iter().chain(signed.headers()) {
            request = request.header(name, value);
        }
        request.body(body).build().map_err(|error| failed(http_client::causes(error)))
    }
}

/// The address of a service.
fn address(access: &Access, service: Service) -> Result<Url, Refusal> {
    if let Some(endpoint) = access.one_address() {
        return Ok(endpoint.clone());
    }
    let suffix = if access.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let address = format!("https://{}.{}.{suffix}/", service.host(), access.region);
    Url::parse(&address).map_err(|_| failed(format!("there is no region `{}`", access.region)))
}

fn failed(why: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(why.to_string())
}

fn unreachable(error: reqwest::Error) -> Refusal {
    let again = error.is_timeout();
    let why = http_client::causes(error);
    if again { Refusal::Later(why) } else { Refusal::Failed(why) }
}
