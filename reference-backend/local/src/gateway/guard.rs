//! Who decides whether a request may go on: the authorizer's Lambda, or the request's own signature.

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
    /// A REQUEST authorizer, which is asked if one of these is there.
    Authorizer(&'static [IdentitySource]),
    /// IAM: requests are signed with one of these keys; without any, with the built-in pair.
    Iam(IamKeys),
}

/// The guard at its post.
pub(super) enum Gatekeeper {
    Authorizer(Authorizer),
    Iam(Verifier),
}

impl Gatekeeper {
    pub(super) fn new(guard: Guard, lambda: Arc<dyn Invoke>) -> Self {
        match guard {
            Guard::Authorizer(sources) => Self::Authorizer(Authorizer::new(sources, lambda)),
            Guard::Iam(keys) => Self::Iam(Verifier::new(keys)),
        }
    }

    /// Lets a request for the method `arn` go on, and notes on whose account. `question` makes the authorizer's event.
    pub(super) async fn admit(
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
