//! The backend as its APIs describe it: its limits, what calls what, and the names of its resources.
//!
//! Functions come from CloudWatch; everything else is found from them: mappings name tables, integrations name the API, a
//! function's environment names tables, queues and topics. What the credentials may not read is told once and lacks.

mod arn;
mod documented;
mod functions;
mod gateway;
mod placement;
mod quotas;
mod scope;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use reports::format::{Limit, LimitKind, Wiring};

use crate::aws::Api;

pub(crate) use scope::Scope;

/// What is deployed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory {
    pub(crate) limits: Vec<Limit>,
    pub(crate) wiring: Wiring,
    /// Full names of the tables.
    pub(crate) tables: BTreeSet<String>,
    /// `TABLE/INDEX`.
    pub(crate) indexes: BTreeSet<String>,
    /// Full names of the queues.
    pub(crate) queues: BTreeSet<String>,
    /// Names of the topics.
    pub(crate) topics: BTreeSet<String>,
    /// Log group → the function that writes there; a group of several functions tells them not apart and is left out.
    pub(crate) log_groups: BTreeMap<String, String>,
    /// Identifiers of the WebSocket APIs.
    pub(crate) apis: BTreeSet<String>,
}

impl Inventory {
    /// Asks for everything that belongs to `scope`.
    pub(crate) async fn take(api: &Api, scope: &mut Scope) -> Self {
        let mut inventory = Self::default();
        // Mappings and routes name functions and tables; environments name tables and queues: in this order.
        functions::mappings(api, scope, &mut inventory).await;
        gateway::apis(api, scope, &mut inventory).await;
        functions::configurations(api, scope, &mut inventory).await;
        placement::queues(api, scope, &mut inventory).await;
        tables::tables(api, scope, &mut inventory).await;
        quotas::quotas(api, &mut inventory).await;
        documented::limits(api, &mut inventory).await;
        inventory.limits.sort_by(|a, b| (a.kind, &a.resource).cmp(&(b.kind, &b.resource)));
        inventory
    }

    /// Adds a limit.
    fn limit(&mut self, kind: LimitKind, resource: &str, value: f64, source: &str) {
        self.limits.push(Limit { kind, resource: resource.into(), value, source: source.into() });
    }

    /// Every function that something calls.
    pub(crate) fn called(&self) -> BTreeSet<&str> {
        let Wiring { mappings, routes, subscriptions } = &self.wiring;
        let mapped = mappings.iter().map(|mapping| mapping.function.as_str());
        let routed = routes.iter().flat_map(|route| [route.function.as_str(), route.authorizer.as_str()]);
        let subscribed = subscriptions.iter().map(|subscription| subscription.function.as_str());
        mapped.chain(routed).chain(subscribed).filter(|name| !name.is_empty()).collect()
    }
}
