//! API Gateway: routes, integrations, authorizers and the settings of stages.

use std::collections::BTreeMap;

use reports::format::{LimitKind, Route};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Inventory, Scope, arn};
use crate::aws::{Api, Call, Page, Service};

/// API Gateway has one permission for all that is read.
const PERMISSION: &str = "GET";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: DeserializeOwned")]
struct Items<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
    next_token: Option<String>,
}

impl<T: DeserializeOwned> Page for Items<T> {
    type Item = T;

    fn split(self) -> (Vec<T>, Option<String>) {
        (self.items, self.next_token)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebApi {
    api_id: String,
    #[serde(default)]
    protocol_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Integration {
    integration_id: String,
    #[serde(default)]
    integration_uri: String,
    timeout_in_millis: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorizer {
    authorizer_id: String,
    #[serde(default)]
    authorizer_uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiRoute {
    route_key: String,
    #[serde(default)]
    target: String,
    authorizer_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stage {
    stage_name: String,
    #[serde(default)]
    default_route_settings: RouteSettings,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RouteSettings {
    throttling_rate_limit: Option<f64>,
    throttling_burst_limit: Option<f64>,
}

/// The WebSocket APIs of the backend: that of the target's address, else those that call one of its functions.
pub(super) async fn apis(api: &Api, scope: &Scope, inventory: &mut Inventory) {
    let known = scope.api.clone().filter(|_| !scope.everything);
    let named = known.is_some();
    let ids = match known {
        Some(id) => vec![id],
        None => websocket_apis(api).await,
    };
    for id in ids {
        let integrations: Vec<Integration> = items(api, &format!("/v2/apis/{id}/integrations")).await;
        let functions = integrations.iter().filter_map(|one| arn::function(&one.integration_uri));
        if named || functions.into_iter().any(|function| scope.owns_function(function)) {
            take(api, &id, &integrations, inventory).await;
        }
    }
}

async fn websocket_apis(api: &Api) -> Vec<String> {
    let all: Vec<WebApi> = items(api, "/v2/apis").await;
    all.into_iter().filter(|one| one.protocol_type == "WEBSOCKET").map(|one| one.api_id).collect()
}

/// Takes in one API.
async fn take(api: &Api, id: &str, integrations: &[Integration], inventory: &mut Inventory) {
    let authorizers: Vec<Authorizer> = items(api, &format!("/v2/apis/{id}/authorizers")).await;
    let authorizers: BTreeMap<&str, &str> = authorizers
        .iter()
        .filter_map(|one| Some((one.authorizer_id.as_str(), arn::function(&one.authorizer_uri)?)))
        .collect();
    for one in integrations {
        if let (Some(function), Some(timeout)) = (arn::function(&one.integration_uri), one.timeout_in_millis)
        {
            inventory.limit(
                LimitKind::IntegrationTimeoutMs,
                function,
                timeout,
                "apigateway:GET integrations",
            );
        }
    }
    let routes: Vec<ApiRoute> = items(api, &format!("/v2/apis/{id}/routes")).await;
    for route in routes {
        let target = arn::last(&route.target);
        let integration = integrations.iter().find(|one| one.integration_id == target);
        let Some(function) = integration.and_then(|one| arn::function(&one.integration_uri)) else {
            continue;
        };
        let authorizer = route.authorizer_id.and_then(|id| authorizers.get(id.as_str()).copied());
        inventory.wiring.routes.push(Route {
            route: route.route_key,
            function: function.to_owned(),
            authorizer: authorizer.unwrap_or_default().to_owned(),
        });
    }
    let stages: Vec<Stage> = items(api, &format!("/v2/apis/{id}/stages")).await;
    for Stage { stage_name, default_route_settings: settings } in stages {
        let resource = format!("{id}/{stage_name}");
        for (kind, value) in [
            (LimitKind::RequestsPerSecond, settings.throttling_rate_limit),
            (LimitKind::RequestBurst, settings.throttling_burst_limit),
        ] {
            if let Some(value) = value {
                inventory.limit(kind, &resource, value, "apigateway:GET stages");
            }
        }
    }
    inventory.apis.insert(id.to_owned());
}

async fn items<T: DeserializeOwned>(api: &Api, path: &str) -> Vec<T> {
    let call =
        |token: Option<&str>| Call::get(Service::ApiGateway, PERMISSION, path).with("nextToken", token);
    api.list::<Items<T>>(call).await
}
