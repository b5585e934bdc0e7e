//! What each Lambda does: JSON event in, JSON answer out, over the [`ports`](crate::ports).
//!
//! [`dispatch`] is the one entry: the local stack, the Lambda binaries and the benches all call it. A handler that
//! can answer its caller does so, with a status. A [`HandlerError`] is a failed invocation.

mod again;
mod authorizer;
mod caller;
mod connect;
mod default_route;
mod deps;
mod disconnect;
mod on_message_inserted;
mod on_placement_event;
mod on_placement_updated;
mod placements_rest;
mod push;
mod send_message;
mod session_placement_request;
mod signed;
mod slow;
mod start;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use deps::{AuthMode, Deps, Ports, Settings};

use crate::function::Function;
use crate::json;
use crate::ports::IdentityError;
use crate::store::StoreError;

/// Size of a typical answer in bytes.
const ANSWER: usize = 512;

/// Why an invocation failed. [`HandlerError::error_type`] and the text become Lambda's error object.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// No credentials. API Gateway turns exactly this text into 401.
    #[error("Unauthorized")]
    Unauthorized,
    /// The event is not of the kind that this function handles.
    #[error("{function} got an event that it cannot read: {source}; check what invokes it", function = function.short_name())]
    Event {
        /// Which function.
        function: Function,
        /// Where the event is wrong.
        source: serde_json::Error,
    },
    /// The event lacks something that its service always sends.
    #[error("the event has no {0}; check what invokes this function")]
    Missing(&'static str),
    /// A table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The identity provider did not answer.
    #[error(transparent)]
    Identity(IdentityError),
    /// The answer could not be encoded.
    #[error("the answer could not be encoded: {0}")]
    Answer(serde_json::Error),
}

impl HandlerError {
    /// `errorType` of the Lambda error object.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Event { .. } | Self::Missing(_) => "InvalidEvent",
            Self::Store(_) => "StoreError",
            Self::Identity(_) => "IdentityProviderError",
            Self::Answer(_) => "InvalidAnswer",
        }
    }
}

/// Runs one function on one event.
///
/// # Errors
/// As [`HandlerError`] tells.
pub async fn dispatch(function: Function, deps: &Deps, payload: &[u8]) -> Result<Vec<u8>, HandlerError> {
    dispatch_after(function, deps, payload, Duration::ZERO).await
}

/// The same, of an invocation that began so long ago: stamps count that as the function's own time.
///
/// # Errors
/// As [`HandlerError`] tells.
pub async fn dispatch_after(
    function: Function,
    deps: &Deps,
    payload: &[u8],
    waited: Duration,
) -> Result<Vec<u8>, HandlerError> {
    fn event<T: DeserializeOwned>(function: Function, payload: &[u8]) -> Result<T, HandlerError> {
        json::read(payload).map_err(|source| HandlerError::Event { function, source })
    }
    fn answer(answer: &impl Serialize) -> Result<Vec<u8>, HandlerError> {
        json::write(answer, ANSWER).map_err(HandlerError::Answer)
    }
    let begun_us =
        deps.clock.epoch_us().saturating_sub_unsigned(u64::try_from(waited.as_micros()).unwrap_or(0));
    match function {
        Function::Authorizer => answer(&authorizer::handle(deps, event(function, payload)?).await?),
        Function::Connect => answer(&connect::handle(deps, event(function, payload)?).await?),
        Function::Disconnect => answer(&disconnect::handle(deps, event(function, payload)?).await?),
        Function::Default => answer(&default_route::handle(event(function, payload)?)),
        Function::SendMessage => {
            answer(&send_message::handle(deps, event(function, payload)?, begun_us).await?)
        }
        Function::SessionPlacementRequest => {
            answer(&session_placement_request::handle(deps, event(function, payload)?, begun_us).await?)
        }
        Function::OnMessageInserted => {
            answer(&on_message_inserted::handle(deps, event(function, payload)?, begun_us).await?)
        }
        Function::OnPlacementEvent => {
            answer(&on_placement_event::handle(deps, event(function, payload)?, begun_us).await?)
        }
        Function::OnPlacementUpdated => {
            answer(&on_placement_updated::handle(deps, event(function, payload)?, begun_us).await?)
        }
        Function::PlacementsRest => answer(&placements_rest::handle(deps, event(function, payload)?).await?),
    }
}
