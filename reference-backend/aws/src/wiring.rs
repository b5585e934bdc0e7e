//! Creates the dependencies of the handlers from the environment.

use std::sync::Arc;

use aws_config::SdkConfig;
use reference_backend::handlers::{Deps, Ports};
use reference_backend::ports::{IdentityProvider, SystemClock, TableStore};

use super::apigatewaymanagement::Management;
use super::environment::{Auth, Environment};
use super::fetch::{Fetching, SetupError};
use super::gamelift::GameLiftQueue;
use super::identity::{JwksIdentity, NoIdentity};
use super::steam::SteamTickets;

/// The dependencies of the handlers on AWS. `tables` are those of [`Environment::table_name`].
///
/// # Errors
/// [`SetupError`] if the identity provider cannot be asked at all.
pub fn deps(
    environment: &Environment,
    config: &SdkConfig,
    tables: Arc<dyn TableStore>,
) -> Result<Deps, SetupError> {
    let identity: Arc<dyn IdentityProvider> = match &environment.auth {
        Auth::Token(provider) => Arc::new(JwksIdentity::new(provider.clone(), Fetching::default())?),
        Auth::Steam(service) => Arc::new(SteamTickets::new(service.clone(), Fetching::default())?),
        Auth::Header | Auth::Iam | Auth::Unset => Arc::new(NoIdentity),
    };
    let ports = Ports {
        tables,
        pusher: Arc::new(Management::new(config, environment.management.clone())),
        queue: Arc::new(GameLiftQueue::new(config)),
        identity,
        clock: Arc::new(SystemClock),
    };
    Ok(Deps::new(ports, environment.settings.clone()))
}
