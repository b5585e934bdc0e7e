//! Authorises requests: by the authorizer's Lambda, or by the signature of the request.

use std::sync::Arc;

use axum::http::request;
use bytes::Bytes;

use super::authorizer::{Authorizer, Denial, IdentitySource};
use super::event::Client;
use super::iam::{IamKeys, Verifier};
use crate::lambda::Invoke;

/// How the API is guarded.
#[derive(Debug, Clone)]
pub enum Guard {
    /// A REQUEST authorizer, which is invoked if the request has one of these identity sources.
    Authorizer(&'static [IdentitySource]),
    /// IAM: requests are signed with one of these keys; default: the built-in pair.
    Iam(IamKeys),
}

/// The active guard.
pub(super) enum RequestGuard {
    Authorizer(Authorizer),
    Iam(Verifier),
}

impl RequestGuard {
    pub(super) fn new(guard: Guard, lambda: Arc<dyn Invoke>) -> Self {
        match guard {
            Guard::Authorizer(sources) => Self::Authorizer(Authorizer::new(sources, lambda)),
            Guard::Iam(keys) => Self::Iam(Verifier::new(keys)),
        }
    }

    /// Authorises a request for the method `arn` and records its identity. `question` creates the authorizer's event.
    pub(super) async fn authorize(
        &self,
        client: &mut Client,
        head: &request::Parts,
        body: &[u8],
        arn: &str,
        question: impl FnOnce(&Client) -> Bytes + Send,
    ) -> Result<(), Denial> {
        match self {
            Self::Authorizer(authorizer) if authorizer.sees_credentials(head) => {
                client.authorizer = Some(authorizer.decide(question(client), arn).await?);
            }
            Self::Authorizer(_) => return Err(Denial::Unauthorized),
            Self::Iam(verifier) => client.caller = Some(Box::new(verifier.verify(head, body)?)),
        }
        Ok(())
    }
}
