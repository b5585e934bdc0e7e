//! A plan's target, and what reaching it takes: all that is there before the first player connects.

use std::sync::Arc;

use scenarios::Plan;
use scenarios::plan::Target;
use scenarios::plan::shard::Shard;
use scenarios::scenario::AuthMode;
use url::Url;

use super::error::RunError;
use crate::auth::Credentials;
use crate::clock::Clock;
use crate::embedded::{Embedded, EmbeddedError};
use crate::generate::generation::{Setup, run_number};
use crate::player::{Endpoint, Rest};

/// A target that is ready to be played on.
pub(crate) struct Prepared {
    /// The backend, where it is the embedded one.
    pub(crate) embedded: Option<Embedded>,
    /// Where players connect.
    pub(crate) url: Url,
    pub(crate) endpoint: Endpoint,
    /// Where operations are polled, if they are.
    pub(crate) rest: Option<Url>,
}

impl Prepared {
    /// Starts the embedded backend where that is the target, and finds the way to it.
    pub(crate) async fn target_of(plan: &Plan) -> Result<Self, RunError> {
        let embedded = match &plan.target {
            Target::Embedded { profile } => {
                Some(Embedded::start(profile, auth_of_backend(plan), plan.seed, plan.players).await?)
            }
            Target::Url(_) => None,
        };
        let url = match (&plan.target, &embedded) {
            (Target::Url(url), _) => url.clone(),
            (Target::Embedded { .. }, embedded) => {
                embedded.as_ref().ok_or(EmbeddedError::NotReady)?.endpoints.websocket.clone()
            }
        };
        let endpoint =
            Endpoint::prepare(&url, &plan.way, &plan.protocol, &plan.source_addresses, plan.players).await?;
        let rest = plan.poll.as_ref().and_then(|poll| {
            let embedded = embedded.as_ref().map(|embedded| &embedded.endpoints.rest);
            poll.rest.as_ref().or(embedded).cloned()
        });
        Ok(Self { embedded, url, endpoint, rest })
    }

    /// The identity provider that comes with the target.
    pub(crate) fn issuer(&self) -> Option<&Url> {
        self.embedded.as_ref().map(|embedded| &embedded.endpoints.identity)
    }

    /// What this process needs to play all of the plan; the backend is handed back, to be stopped afterwards.
    pub(crate) async fn alone(self, plan: &Arc<Plan>) -> Result<(Setup, Option<Embedded>), RunError> {
        let credentials = Credentials::prepare(plan, Shard::WHOLE, self.issuer()).await?;
        let rest = self.rest.map(|rest| Rest::new(&rest, &plan.way)).transpose()?;
        let setup = Setup {
            plan: Arc::clone(plan),
            shard: Shard::WHOLE,
            clock: Clock::default(),
            run: run_number(),
            endpoint: self.endpoint,
            credentials,
            relay: None,
            rest,
            tap: None,
        };
        Ok((setup, self.embedded))
    }
}

/// The auth mode that the embedded backend must have for the plan's players.
const fn auth_of_backend(plan: &Plan) -> &'static str {
    match plan.auth.mode {
        AuthMode::Token => "token",
        // Signed handshakes are refused for the embedded backend when the scenario is checked.
        AuthMode::Header | AuthMode::None | AuthMode::SigV4 => "header",
    }
}
